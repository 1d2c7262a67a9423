# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NUMA nodes: sparse, without CPUs, of GPU memory, with offline CPUs, or none at all."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import numa

SYS = "/sys/devices/system/node/"
GPU = {"/sys/bus/pci/devices/0009:01:00.0/vendor": "0x10de\n", "/sys/bus/pci/devices/0009:01:00.0/class": "0x030200\n"}
TWO = {SYS + "node0/cpulist": "0-3", SYS + "node1/cpulist": "\n", SYS + "node1/meminfo": "Node 1 MemTotal:  4 kB\n"}


def read(host, online=None, architecture=None, cores=()):
    found = {"sources": {}, "notes": host.notes, "system": {"architecture": architecture},
             "cpu": {"online": online, "cores": [{"cpus": cpus, "numa_node": None} for cpus in cores]}}
    return numa.read(host, found), found


def test_sparse_nodes_with_their_distances_memory_and_pages(machine):
    here = SYS + "node0/hugepages/hugepages-%skB/"
    nodes, _found = read(machine({
        SYS + "node0/cpulist": "0-1\n", SYS + "node0/distance": "10 21\n", SYS + "node36/cpulist": "2-3\0",
        SYS + "node0/meminfo": "Node 0 MemTotal:       16 kB\nNode 0 MemFree: 4 kB\n",
        SYS + "node36/distance": "21 10", SYS + "has_cpu": "0,36", here % 1048576 + "nr_hugepages": "0",
        here % 2048 + "nr_hugepages": "7\n", here % 2048 + "free_hugepages": "5\n"}), "0-3")
    assert nodes[0] == {
        "id": 0, "cpus": "0-1", "memory": 16384, "distances": {"0": 10, "36": 21}, "kind": "cpu",
        "hugepages": {"2048": {"total": 7, "free": 5}, "1048576": {"total": 0, "free": None}}}
    assert list(nodes[0]["hugepages"]) == ["2048", "1048576"]
    assert nodes[1] == {"id": 36, "cpus": "2-3", "memory": None, "distances": {"0": 21, "36": 10}, "kind": "cpu",
                        "hugepages": {}}


def test_masks_and_offline_cpus(machine):
    nodes, _found = read(machine({SYS + "node0/cpumap": "00000000,0000000f"}), "0,2-5")
    assert nodes[0]["cpus"] == "0,2-3"


def test_a_node_whose_cpus_are_all_offline_is_still_one_of_cpus(machine):
    nodes, _found = read(machine({SYS + "node0/cpulist": "0-1", SYS + "node1/cpulist": "2-3"}), "0-1")
    assert [(node["cpus"], node["kind"]) for node in nodes] == [("0-1", "cpu"), ("", "cpu")]


def test_links_tell_the_cpus_where_no_list_does(machine):
    nodes, _found = read(machine({SYS + "node2/cpu4/x": "", SYS + "node2/cpu5/x": ""}), "0-5")
    assert nodes[0]["cpus"] == "4-5"


def test_a_node_of_which_nothing_tells_the_cpus(machine):
    nodes, _found = read(machine({SYS + "node1/vmstat": ""}), "0-5")
    assert nodes[0]["cpus"] is None
    assert nodes[0]["kind"] is None


def test_each_core_gets_its_node(machine):
    _nodes, found = read(machine(TWO), "0-5", cores=("0-1", "2-3", "4-5"))
    assert [core["numa_node"] for core in found["cpu"]["cores"]] == [0, 0, None]


def test_without_numa_there_are_no_nodes_and_a_note(machine):
    host = machine({"/sys/devices/system/cpu/online": "0"})
    assert read(host, "0")[0] == []
    assert "knows nothing of NUMA" in host.notes[0]


@pytest.mark.parametrize("text", ["10", "10 x", "10 20 30"])
def test_distances_that_do_not_fit_are_unknown(machine, text):
    host = machine(dict(TWO, **{SYS + "node0/distance": text}))
    assert read(host, "0-3")[0][0]["distances"] is None
    assert any("does not fit 2 nodes" in note for note in host.notes)


def test_memory_without_cpus(machine):
    nodes, found = read(machine(dict(TWO, **GPU)), "0-3", "x86_64")
    assert nodes[1] == {"id": 1, "cpus": "", "memory": 4096, "distances": None, "kind": "memory", "hugepages": {}}
    assert found["sources"] == {}


def test_the_driver_names_the_node_of_a_gpu(machine):
    path = "/proc/driver/nvidia/gpus/0009:01:00.0/numa_status"
    nodes, found = read(machine(dict(TWO, **{path: "Node:      1\nStatus:    online\n"})), "0-3", "x86_64")
    assert nodes[1]["kind"] == "gpu"
    assert found["sources"] == {"numa_nodes.1.kind": path}


def test_a_gpu_without_a_node_of_its_own(machine):
    path = "/proc/driver/nvidia/gpus/0009:01:00.0/numa_status"
    nodes, _found = read(machine(dict(TWO, **{path: "Node:      -1\nStatus:    disabled\n"})), "0-3", "x86_64")
    assert nodes[1]["kind"] == "memory"


@pytest.mark.parametrize(("more", "architecture", "kind"), [
    (dict(GPU, **{SYS + "has_generic_initiator": "1\n"}), "x86_64", "gpu"),
    (GPU, "aarch64", "gpu"),
    ({}, "aarch64", "memory"),
    ({SYS + "has_generic_initiator": "1\n"}, "x86_64", "memory"),
    (dict(GPU, **{SYS + "has_generic_initiator": "junk"}), "x86_64", "memory"),
])
def test_gpu_memory_is_inferred_where_nothing_else_can_be_meant(machine, more, architecture, kind):
    nodes, found = read(machine(dict(TWO, **more)), "0-3", architecture)
    assert nodes[1]["kind"] == kind
    assert ("inferred" in found["sources"].get("numa_nodes.1.kind", "")) == (kind == "gpu")
