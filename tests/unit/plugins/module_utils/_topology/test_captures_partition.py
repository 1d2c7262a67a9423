# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every captured and every built machine has a CPU partition or a stated refusal, and its launchers' file fits it.

A capture dropped into tests/captures becomes a test.
"""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._derive.affinity import affinity
from ansible_collections.gpuwright.node.plugins.module_utils._derive.cpu_partition import cpu_partition
from ansible_collections.gpuwright.node.plugins.module_utils._derive.partition_table import table
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

from tests.sysroots import eight_gpu, nccl_tree, partition

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "captures"
CAPTURES = sorted(path for path in (FOLDER / "fsroot").glob("*/*") if path.is_dir())
TREES = sorted(FOLDER.glob("nccl-topo-xml/*/topo.xml"))
# With two cores a NUMA node for housekeeping nothing is left of these, and one tells no CPUs at all.
REFUSED = {"accel-vm", "2arm-2c", "2i386-2c-nohugepage", "2ps3-2t", "fakecpuid1f-64intel64-2p4d2n2c2t",
           "fakeheteromemtiers", "armv7", "ppc-qemu", "rv64-linux", "vbox-win", "x86_64-dell_e4310", "simple-lvm"}


def _check(fact):
    """The partition of a machine, checked with one and with two cores a node for housekeeping."""
    before = json.dumps(fact)
    partition.check(fact, cpu_partition(fact, 1), 1)
    answer = cpu_partition(fact)
    partition.check(fact, answer)
    assert json.dumps(fact) == before
    told = affinity(fact, answer)
    assert {index: gpu["cpus"] for index, gpu in told["gpus"].items()} == answer["gpus"]
    nodes = {one["id"] for one in fact["numa_nodes"]}
    assert all(set(gpu["memory_nodes"]) <= nodes for gpu in told["gpus"].values())
    assert len(table(answer).splitlines()) == 1 + len(answer["numa_nodes"]) + len(answer["gpus"]) + bool(
        answer["refused"])
    return answer


@pytest.mark.parametrize("folder", CAPTURES, ids=lambda path: path.name)
def test_a_captured_machine(folder, capture):
    answer = _check(node.read_topology(Host(capture(folder))))
    assert bool(answer["refused"]) == (folder.name in REFUSED), answer


@pytest.mark.parametrize("path", TREES, ids=lambda path: path.parent.name)
def test_a_machine_of_an_nccl_file(path, tmp_path):
    fact = node.read_topology(Host(str(nccl_tree.build(tmp_path, path.read_text()))))
    shutil.rmtree(tmp_path)
    assert _check(fact)["refused"] is None
    assert fact["gpus"]


@pytest.mark.parametrize("fault", [None, "numa_node", "numa_node_root", "gpu_lost", "no_nvidia_smi"])
def test_an_eight_gpu_node_healthy_and_with_faults(fault, tmp_path):
    fact = node.read_topology(Host(str(eight_gpu.build(tmp_path, fault))))
    answer = _check(fact)
    assert answer["housekeeping"] == "0-1,56-57,112-113,168-169"
    assert [set(_cpulist.parse(answer["gpus"][str(gpu)])) <= set(_cpulist.parse(eight_gpu.NODES[gpu // 4]))
            for gpu in range(len(fact["gpus"]))] == [True] * len(fact["gpus"])
    assert affinity(fact, answer)["gpus"]["2"]["rdma_devices"] == ["mlx5_2"]
