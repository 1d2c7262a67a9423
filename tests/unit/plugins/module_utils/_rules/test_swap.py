# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on swap."""

from __future__ import annotations

import pytest

from tests.sysroots import plain_node
from tests.sysroots.engine import plan

SWAPPINESS = {"vm.swappiness": 10}


def found(root, values):
    """The names of the rules that found something."""
    return [finding["rule"] for finding in plan(root, "vm", values).findings]


def test_a_node_without_swap_is_told_that_swappiness_does_nothing(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/meminfo": "MemTotal: 1 kB\nSwapTotal:             0 kB"})
    assert found(root, SWAPPINESS) == ["no-swap"]
    assert found(root, {"kernel.panic": 10}) == []


@pytest.mark.parametrize("path, text", [("/proc/swaps", "Filename Type Size\n/dev/zram0 partition 1024"),
                                        ("/sys/module/zswap/parameters/enabled", "Y")])
def test_compressed_swap_wants_high_values(tmp_path, path, text):
    root = plain_node.build(tmp_path, **{path: text})
    assert found(root, SWAPPINESS) == ["compressed-swap"]
    assert found(root, {"vm.swappiness": 180}) == []


def test_plain_swap_is_nothing_to_talk_about(tmp_path):
    root = plain_node.build(tmp_path, **{"/sys/module/zswap/parameters/enabled": "N"})
    assert found(root, SWAPPINESS) == []
