# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hosts as bins: what is free, which islands it is in, what counts as one rack, and what is said of the rest."""

from __future__ import annotations

import pathlib
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_cluster
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

from tests.sysroots import gpu_hosts

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"


def bins(hosts, size=4, wanted=None):
    return placement_cluster.read(hosts, size, wanted)["bins"]


def numbers(one):
    return [[number for _numa, number in island] for island in one.islands]


def notes(hosts):
    return placement_cluster.read(hosts, 4)["notes"]


def recorded(tmp_path, name):
    """The topology of a machine of which only `nvidia-smi topo -m` was recorded."""
    (tmp_path / "gpuwright").mkdir()
    shutil.copy(CAPTURES / "topo" / name / "topo.txt", tmp_path / "gpuwright" / "nvidia-smi-topo.txt")
    return node.read_topology(Host(str(tmp_path)), ("gpus",))


def test_gpus_with_nvlink_are_one_island_over_both_sockets():
    one, = bins({"a": gpu_hosts.host([4, 4])})
    assert (numbers(one), one.free, one.slots) == ([[0, 1, 2, 3, 4, 5, 6, 7]], 8, 2)


def test_without_nvlink_a_socket_is_an_island():
    one, = bins({"a": gpu_hosts.host([3, 5], linked=False)})
    assert (numbers(one), one.slots) == ([[0, 1, 2], [3, 4, 5, 6, 7]], 1)


def test_the_numa_nodes_of_one_socket_are_one_island():
    host = gpu_hosts.host([2, 2], linked=False)
    for core in host["topology"]["cpu"]["cores"]:
        core["package"] = 0
    assert numbers(bins({"a": host})[0]) == [[0, 1, 2, 3]]


def test_pairs_with_a_bridge_are_islands_and_the_rest_go_by_socket():
    host = gpu_hosts.host([6], linked=False)
    for one, other in ((0, 3), (3, 0)):
        host["topology"]["gpus"][one]["links"][str(other)] = "NV4"
    assert numbers(bins({"a": host})[0]) == [[0, 3], [1, 2, 4, 5]]


@pytest.mark.parametrize(("name", "islands"), [
    ("aws-p4d.24xlarge", [[0, 1, 2, 3, 4, 5, 6, 7]]), ("dlperf-v100-tab", [[0, 1, 2, 3, 4, 5, 6, 7]]),
    ("puget-wrx90-2gpu-2nic", [[0, 1]])])
def test_islands_of_real_machines(tmp_path, name, islands):
    assert numbers(bins({"a": {"topology": recorded(tmp_path, name)}})[0]) == islands


def test_an_island_broken_by_a_busy_gpu_is_none():
    """In a chain of links the middle one carries the traffic of the others."""
    host = gpu_hosts.host([3], linked=False)
    for one, other in ((0, 1), (1, 0), (1, 2), (2, 1)):
        host["topology"]["gpus"][one]["links"][str(other)] = "XGMI"
    assert numbers(bins({"a": host})[0]) == [[0, 1, 2]]
    for gpu in host["topology"]["gpus"][::2]:
        gpu["numa_node"] = gpu["index"]
    assert numbers(bins({"a": dict(host, busy=[1])})[0]) == [[0], [2]]


def test_links_that_nobody_read_are_said_and_taken_as_none():
    host = gpu_hosts.host([4, 4])
    for gpu in host["topology"]["gpus"]:
        gpu["links"] = None
    assert numbers(bins({"a": host})[0]) == [[0, 1, 2, 3], [4, 5, 6, 7]]
    assert notes({"a": host}) == ["a: links between GPUs not known, so that sockets count as islands"]
    assert numbers(bins({"a": dict(host, nvlink_domain="d")})[0]) == [[0, 1, 2, 3, 4, 5, 6, 7]]


def test_gpus_that_differ_are_different_bins():
    host = gpu_hosts.host([4])
    host["topology"]["gpus"][1]["name"] = "NVIDIA L40S"
    host["topology"]["gpus"][2]["memory"] = 40 << 30
    assert [one.free for one in bins({"a": host})] == [1, 2, 1]
    host["topology"]["gpus"][2].update(memory=(80 << 30) - (500 << 20))  # Another driver.
    assert [one.free for one in bins({"a": host})] == [3, 1]


def test_gpus_in_mig_mode_or_handed_to_a_virtual_machine_are_left_out():
    host = gpu_hosts.host([4])
    host["topology"]["gpus"][0]["driver"] = "vfio-pci"
    host["topology"]["gpus"][2]["mig"]["enabled"] = True
    # What the driver has not it does not count: the second GPU is CUDA's first.
    assert numbers(bins({"a": host})[0]) == [[0, 2]]
    assert notes({"a": host}) == [
        "a: GPUs in MIG mode, which are left out", "a: GPUs bound to vfio for a virtual machine, which are left out"]


@pytest.mark.parametrize(("used", "free"), [
    ({}, [0, 1, 2, 3]), ({"allocated_gpus": 1}, [1, 2, 3]), ({"reserved": "2"}, [2, 3]), ({"busy": [3, "0"]}, [1, 2]),
    ({"busy": [0], "allocated_gpus": 2}, [2, 3]), ({"busy": []}, [0, 1, 2, 3])])
def test_gpus_in_use(used, free):
    assert numbers(bins({"a": dict({"gpus": 4}, **used)})[0]) == [free]


def racks(**hosts):
    return {one.host: one.rack for one in bins({name: dict(host, gpus=8) for name, host in hosts.items()})}


def test_a_host_without_a_rack_stands_alone():
    found = racks(a={}, b={}, c={"rack": "r"}, d={"rack": "r"}, e={"rack": ""})
    assert len(set(found.values())) == 4
    assert found["c"] == found["d"]
    assert notes({"a": {"gpus": 8}, "b": {"gpus": 8, "rack": 1}}) == [
        "a: no rack: each stands alone, as if in a rack of its own"]


def test_racks_that_a_domain_spans_are_one():
    found = racks(a={"rack": "r1", "nvlink_domain": "d"}, b={"rack": "r2", "nvlink_domain": "d"}, c={"rack": "r2"},
                  d={"rack": "r3"}, e={"nvlink_domain": "e"}, f={"nvlink_domain": "e"})
    assert found["a"] == found["b"] == found["c"] != found["d"]
    assert found["e"] == found["f"]


def test_a_host_or_a_rack_called_like_a_domain_is_none():
    found = racks(d={}, a={"rack": "d"}, b={"nvlink_domain": "d"})
    assert len(set(found.values())) == 3


def test_hostvars_have_the_fact_below_ansible_facts_and_much_else():
    host = {"ansible_facts": gpu_hosts.host([4]), "ansible_host": "192.0.2.1", "rack": 7, "racks": "mine"}
    read = placement_cluster.read({"a": host}, 4)
    assert (read["bins"][0].free, read["bins"][0].rack, read["entries"]["a"]["address"]) == (
        4, ("rack", "7"), "192.0.2.1")


def test_hosts_without_gpus_are_ignored_and_said():
    hosts = {"a": {"gpus": 8, "rack": "r"}, "b": {"gpus": 0}, "c": {"topology": {"gpus": []}}}
    assert [one.host for one in bins(hosts)] == ["a"]
    assert notes(hosts) == ["b, c: no GPUs, and not used"]


def test_only_gpus_of_a_name():
    hosts = {"a": gpu_hosts.host([4]), "b": gpu_hosts.host([4], name="NVIDIA L40S")}
    assert [one.host for one in bins(hosts, wanted="l40s")] == ["b"]
    assert placement_cluster.read(hosts, 4, "l40s")["told"]["a"] == {
        "free": 0, "busy": 0, "mig": 0, "vfio": 0, "other": 4}


@pytest.mark.parametrize(("hosts", "words"), [
    ([], "hosts is to be a dict"),
    ({}, "there are no hosts"),
    ({"a": None}, "a: a dict with the topology of the host is needed, not NoneType"),
    ({"a": {"rack": "r"}}, "a: neither a topology nor a number of gpus is known of it: run gpuwright.node.topology"),
    ({"a": {"topology": {"schema": 1}}}, "a: its topology has no list of gpus, or a damaged one: gather the section"),
    ({"a": {"topology": {"gpus": None}}}, "a: its topology has no list of gpus"),
    ({"a": {"topology": {"gpus": [{"links": [1]}]}}}, "a: its topology has no list of gpus, or a damaged one"),
    ({"a": {"topology": {"gpus": [{"memory": "80 GB"}]}}}, "a: its topology has no list of gpus, or a damaged one"),
    ({"a": {"topology": {"gpus": []}}}, "there is no GPU on any of the hosts: a"),
    ({"a": {"gpus": 8, "rack": ["r1"]}}, "a: rack: ['r1'] is no name"),
    ({"a": {"gpus": 8, "nvlink_domain": True}}, "a: nvlink_domain: True is no name"),
    ({"a": {"topology": "text"}}, "a: its topology has no list of gpus"),
    ({"a": {"gpus": "many"}}, "a: gpus: 'many' is not an integer of 0 or more"),
    ({"a": {"gpus": -1}}, "a: gpus: -1 is not"),
    ({"a": {"gpus": 8, "allocated_gpus": [9]}}, "a: allocated_gpus: there is no GPU 9; known: 0, 1"),
    ({"a": {"gpus": 8, "reserved": 9}}, "a: reserved: 9 GPUs, but there are 8"),
    ({"a": {"gpus": 8, "alocated_gpus": 1}}, "a: alocated_gpus: did you mean allocated_gpus?"),
    ({"a": {"gpus": 0}}, "there is no GPU on any of the hosts: a")])
def test_bad_hosts_are_named(hosts, words):
    with pytest.raises(ValueError) as refused:
        bins(hosts)
    assert words in str(refused.value)


def test_a_name_that_no_gpu_has_is_told_with_those_there_are():
    with pytest.raises(ValueError, match="no GPU has 'H200' in its name; .*NVIDIA H100 80GB HBM3"):
        bins({"a": gpu_hosts.host([4])}, wanted="H200")
