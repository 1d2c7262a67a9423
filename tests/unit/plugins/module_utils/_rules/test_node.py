# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on NUMA nodes."""

from __future__ import annotations

import pytest

from tests.sysroots import plain_node
from tests.sysroots.engine import DEFAULTS, plan, steps

NODE = "/sys/devices/system/node/"
MEMORY_NODE = {NODE + "online": "0-2", NODE + "node2/cpulist": "", NODE + "node2/distance": "21 21 10",
               NODE + "node2/meminfo": "Node 2 MemTotal:  100663296 kB"}
GPU_MEMORY = dict(MEMORY_NODE, **{
    "/proc/driver/nvidia/gpus/0009:01:00.0/numa_status": "Node: 2\nStatus: online",
    "/proc/driver/nvidia/gpus/0009:01:00.0/information": "Model: NVIDIA GH200 480GB\nBus Location: 0009:01:00.0"})


def found(made):
    """The findings by their rule."""
    return {finding["rule"]: finding for finding in made.findings}


@pytest.mark.parametrize("value, warned", [(1, True), (3, True), (0, False), (2, False)])
def test_balancing_with_gpu_memory_nodes_is_warned_of(tmp_path, value, warned):
    root = plain_node.build(tmp_path, **GPU_MEMORY)
    made = plan(root, "numa", {"kernel.numa_balancing": value})
    assert ("R22" in found(made)) is warned
    assert "R22" not in found(plan(plain_node.build(tmp_path / "plain"), "numa", {"kernel.numa_balancing": value}))


def test_memory_tiering_that_is_in_use_is_not_switched_off(tmp_path):
    root = plain_node.build(tmp_path, **dict(MEMORY_NODE, **{"/proc/sys/kernel/numa_balancing": "2"}))
    made = plan(root, "numa", DEFAULTS["numa"])
    assert steps(made)["kernel.numa_balancing"]["status"] == "refused"
    assert "set numa_balancing to 2" in found(made)["memory-tiering"]["message"]
    assert "memory-tiering" not in found(plan(root, "numa", {"kernel.numa_balancing": 2}))


@pytest.mark.parametrize("vendor, words", [("AuthenticAMD", "NPS2"), ("GenuineIntel", "SNC2")])
def test_nodes_that_split_a_package_are_named_as_the_vendor_does(tmp_path, vendor, words):
    one_package = {"/sys/devices/system/cpu/cpu1/topology/physical_package_id": "0",
                   "/sys/devices/system/cpu/cpu1/topology/core_id": "1",
                   "/proc/cpuinfo": "".join("processor\t: %d\nvendor_id\t: %s\n\n" % (cpu, vendor) for cpu in (0, 1))}
    root = plain_node.build(tmp_path, **one_package)
    message = found(plan(root, "numa", DEFAULTS["numa"]))["numa-shape"]["message"]
    assert message == "2 NUMA nodes with CPUs on 1 package (%s); distances 10, 21" % words


def test_a_node_for_each_package_has_no_name(tmp_path):
    message = found(plan(plain_node.build(tmp_path), "numa", DEFAULTS["numa"]))["numa-shape"]["message"]
    assert message == "2 NUMA nodes with CPUs on 2 packages; distances 10, 21"
