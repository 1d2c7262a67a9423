# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What launchers read: each GPU's CPUs, memory and RDMA devices, and no partition that is not this node's."""

from __future__ import annotations

import pytest
from hypothesis import given

from ansible_collections.gpuwright.node.plugins.module_utils._derive.affinity import affinity
from ansible_collections.gpuwright.node.plugins.module_utils._derive.cpu_partition import cpu_partition

from tests.sysroots.any_machine import machines


def numa_node(number, cpus, memory=1 << 36, kind="cpu", **distances):
    return {"id": number, "cpus": cpus, "memory": memory, "kind": kind,
            "distances": {name[1:]: far for name, far in distances.items()} or None}


NODES = [numa_node(0, "0-3"), numa_node(1, "4-7")]


def topology(nodes):
    return {
        "cpu": {"online": "0-7", "cores": [{"cpus": str(cpu), "numa_node": cpu // 4} for cpu in range(8)]},
        "numa_nodes": nodes,
        "gpus": [{"index": index, "pci_address": "0000:0%d:00.0" % index, "uuid": "GPU-%d" % index, "cpus": None,
                  "numa_node": index} for index in (0, 1)],
        "gpu_nics": {"0": ["mlx5_0", "mlx5_1"], "1": []},
    }


PARTITION = {"housekeeping": "0-1,4-5", "workload": "2-3,6-7", "gpus": {"0": "2-3", "1": "6-7"}, "refused": None}


def memory_nodes(*nodes):
    return [gpu["memory_nodes"] for gpu in affinity(topology(list(nodes)), PARTITION)["gpus"].values()]


def test_a_node_of_two_gpus():
    told = affinity(topology(NODES), cpu_partition(topology(NODES)))
    assert told == {
        "schema": 1, "refused": None, "housekeeping": "0-1,4-5", "workload": "2-3,6-7",
        "gpus": {"0": {"pci_address": "0000:00:00.0", "uuid": "GPU-0", "cpus": "2-3", "memory_nodes": [0],
                       "rdma_devices": ["mlx5_0", "mlx5_1"]},
                 "1": {"pci_address": "0000:01:00.0", "uuid": "GPU-1", "cpus": "6-7", "memory_nodes": [1],
                       "rdma_devices": []}}}


def test_an_operators_own_lists_are_written_as_the_kernel_writes_them():
    told = affinity(topology(NODES), dict(PARTITION, workload="3,2,7,6", gpus={"1": "7,6"}))
    assert told["workload"] == "2-3,6-7"
    assert list(told["gpus"]) == ["1"]
    assert told["gpus"]["1"]["cpus"] == "6-7"


def test_yaml_makes_numbers_of_what_names_one():
    told = affinity(topology(NODES), {"housekeeping": 0, "workload": "1-7", "gpus": {1: 7}})
    assert (told["housekeeping"], told["gpus"]["1"]["cpus"], told["refused"]) == ("0", "7", None)


def test_cpus_without_memory_use_the_nearest_that_is_no_gpus():
    gpu = numa_node(2, "", kind="gpu")
    assert memory_nodes(NODES[0], numa_node(1, "4-7", memory=0, _0=20, _1=10, _2=11), gpu) == [[0], [0]]
    assert memory_nodes(NODES[0], numa_node(1, "4-7", memory=0), gpu) == [[0], []]


def test_memory_of_unknown_size_is_memory():
    assert memory_nodes(NODES[0], numa_node(1, "4-7", memory=None)) == [[0], [1]]


def test_a_kernel_without_numa_has_no_memory_nodes():
    assert memory_nodes() == [[], []]


def test_a_refusal_is_passed_on_and_binds_no_gpu():
    told = affinity(topology(NODES), cpu_partition(topology(NODES), 4))
    assert told["refused"].startswith("no core is left for work")
    assert (told["housekeeping"], told["workload"], told["gpus"]) == ("0-7", "", {})


@pytest.mark.parametrize(("wrong", "words"), [
    (None, "must be what the filter"), ({}, "must be what the filter"), ("0-3", "must be what the filter"),
    (dict(PARTITION, gpus=None), "must be what the filter"), (dict(PARTITION, workload=[2]), "must be what the filter"),
    (dict(PARTITION, gpus={"0": None}), "must be what the filter"),
    (dict(PARTITION, workload=None), "must be what the filter"),
    (dict(PARTITION, gpus={"9": "2"}), "CPUs for GPU 9, which is not on this node; there are: 0, 1"),
    (dict(PARTITION, workload="2-9"), "CPUs 8-9, which are not online on this node; online: 0-7"),
    (dict(PARTITION, gpus={"0": "8"}), "CPUs 8, which are not online"),
    (dict(PARTITION, housekeeping="a"), "'a' is not a list of CPUs"),
])
def test_what_is_no_partition_of_this_node_is_an_error(wrong, words):
    with pytest.raises(ValueError, match=words):
        affinity(topology(NODES), wrong)


@given(machines())
def test_of_any_machine_the_cpus_are_those_of_the_partition(machine):
    answer = cpu_partition(machine)
    told = affinity(machine, answer)
    assert {index: gpu["cpus"] for index, gpu in told["gpus"].items()} == answer["gpus"]
    assert (told["housekeeping"], told["workload"]) == (answer["housekeeping"], answer["workload"])
    assert all(gpu["memory_nodes"] or not machine["numa_nodes"] for gpu in told["gpus"].values())
