# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What role cpu_isolation withholds on a node, and that its rows belong together."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation, isolation_slices
from ansible_collections.gpuwright.node.plugins.module_utils._settings import cpu_isolation

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import BOOT, SLICES, VLLM, process, unit, view

NAMES = [row.name for row in cpu_isolation.ROWS]
DIVIDING = set(isolation.SLICES + isolation.KERNEL_WORK)


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


def withheld(root, mode, names=tuple(NAMES)):
    return cpu_isolation.withhold(view(root), {"cpu_isolation_mode": mode}, list(names))


def test_the_rules_know_the_rows():
    assert set(isolation.ALL) <= set(NAMES)
    arguments = {row.name for row in cpu_isolation.ROWS if row.kind == "kernel_argument"}
    assert arguments == set(isolation.BOOT) | {"skew_tick"}


def test_auto_withholds_all_that_divides_with_one_reason(root):
    process(root, 7, "slurmd", "/system.slice/slurmd.service")
    found = withheld(root, "auto")
    assert set(found) == DIVIDING
    assert len(set(found.values())) == 1
    assert "process 7 (slurmd) in /system.slice/slurmd.service" in found["gpuwright.slice/AllowedCPUs"]


def test_auto_withholds_nothing_where_the_evidence_is_there(root):
    unit(root, "vllm.service", VLLM + "\nSlice=gpuwright.slice")
    assert withheld(root, "auto") == {}


def test_auto_withholds_only_what_is_asked_for(root):
    assert set(withheld(root, "auto", ["system.slice/AllowedCPUs", "cpufreq/scaling_governor"])) == {
        "system.slice/AllowedCPUs"}
    assert withheld(root, "auto", ["cpufreq/scaling_governor", "affinity.json"]) == {}


@pytest.mark.parametrize("mode, values", [("slices", SLICES), ("partition", SLICES), ("boot", BOOT), ("none", {})])
def test_what_is_asked_for_in_so_many_words_is_not_withheld(root, mode, values):
    process(root, 7, "slurmd", "/system.slice/slurmd.service")
    assert withheld(root, mode, values) == {}


@pytest.mark.parametrize("mode", ["slices", "partition"])
def test_without_cgroup_v2_the_rest_of_the_division_goes_too(tmp_path, mode):
    root = isolation_node.build(tmp_path, **{"/sys/fs/cgroup/cgroup.controllers": None})
    assert withheld(root, mode, SLICES) == dict.fromkeys(SLICES, isolation_slices.NO_CGROUP)
