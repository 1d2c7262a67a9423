# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what switches the runner off."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import switch

from tests.sysroots.plain_node import put


@pytest.mark.parametrize("cmdline, expected", [
    ("ro gpuwright=off", "the kernel argument gpuwright=off is given"), ("ro gpuwright=offline", None),
    ("ro xgpuwright=off", None), ("", None)])
def test_the_kernel_argument(tmp_path, cmdline, expected):
    put(tmp_path, "/proc/cmdline", cmdline)
    assert switch.off(Host(str(tmp_path))) == expected


def test_the_file(tmp_path):
    put(tmp_path, switch.DISABLED, "")
    assert switch.off(Host(str(tmp_path))) == "/etc/gpuwright/disabled exists"


def test_where_nothing_is_known_it_is_on(tmp_path):
    assert switch.off(Host(str(tmp_path))) is None
