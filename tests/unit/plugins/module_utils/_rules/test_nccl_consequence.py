# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is said of variables that are only for experiments."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._nccl_names import DEBUGGING
from ansible_collections.gpuwright.node.plugins.module_utils._rules import nccl_consequence as rules


def test_a_value_may_have_words_of_its_own():
    assert rules.consequence("NCCL_IB_DISABLE", "0") != rules.consequence("NCCL_IB_DISABLE", "1")
    assert "across sockets" in rules.consequence("NCCL_NET_GDR_LEVEL", "SYS")
    assert "across sockets" not in rules.consequence("NCCL_NET_GDR_LEVEL", "PXB")


def test_every_one_has_words_and_none_is_there_for_nothing():
    assert all(len(rules.consequence(name, "1")) > 20 for name in DEBUGGING)
    general = rules.consequence("NCCL_WIN_ENABLE", "0")
    assert general == "NCCL no longer chooses it, and a later version may do otherwise"
    assert len({name for name in DEBUGGING if rules.consequence(name, "1") != general}) == 16
