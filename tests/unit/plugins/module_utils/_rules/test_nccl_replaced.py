# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on the lines that go with a nccl.conf that was handed over."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._rules import nccl_replaced as rules

from tests.sysroots import plain_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import bare_view, messages, nccl_step

THEIRS = "# the site's\nNCCL_DEBUG=INFO\nNCCL_P2P_LEVEL=NVL\nNCCL_IB_SL=3\n"


def told(tmp_path, text, status="drift"):
    root = plain_node.build(tmp_path)
    put(root, "/etc/nccl.conf", text)
    step = dict(nccl_step("NCCL_DEBUG", "WARN"), status=status)
    return messages(rules.lost_lines(bare_view(root, [step])), "nccl")


def test_what_nobody_asked_for_is_named_with_its_line(tmp_path):
    (severity, message), = told(tmp_path, THEIRS)
    assert severity == "W" and "NCCL_P2P_LEVEL (line 3), NCCL_IB_SL (line 4) go with it" in message
    assert "NCCL_DEBUG" not in message


def test_of_many_the_first_are_named(tmp_path):
    (_severity, message), = told(tmp_path, "".join("NCCL_X%d=1\n" % number for number in range(9)))
    assert "NCCL_X0 (line 1), " in message and " more go with it" in message


def test_a_file_that_stays_or_is_ours_loses_nothing(tmp_path):
    assert told(tmp_path / "a", THEIRS, "conflict") == []
    assert told(tmp_path / "b", "# Written by gpuwright.node, role nccl_env\n" + THEIRS) == []
    assert told(tmp_path / "c", "NCCL_DEBUG=INFO\n") == []
