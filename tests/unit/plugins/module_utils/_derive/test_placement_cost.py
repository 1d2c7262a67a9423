# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What communication takes of a step: the numbers by hand, and which links count."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

from tests.sysroots import eight_gpu, gpu_hosts

SECTIONS = ("system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices", "pci_paths", "gpu_nics")
VOLUME = 32 * 8192 * 2


def cost(hosts, size, **options):
    return placement.place(hosts, size, **options)["replicas"][0]["communication"]


@pytest.fixture(name="training")
def fixture_training(tmp_path):
    """Three nodes of eight H100 and eight rails of 400 Gb/s, two of them in one rack."""
    topology = node.read_topology(Host(str(eight_gpu.build(str(tmp_path)))), SECTIONS)
    return {name: {"topology": topology, "rack": rack} for name, rack in (("a", "r1"), ("b", "r1"), ("c", "r2"))}


def test_eight_gpus_of_one_node_by_hand(training):
    told = cost(training, 8)
    micro = 6.6 + 14 * 0.6 + 14 / 8 * VOLUME / 450e3
    assert told == {
        "all_reduce_us": round(micro, 1), "tensor_parallel_ms": round(160 * micro / 1000, 3), "pipeline_ms": 0,
        "step_ms": 33.333, "share": round(160 * micro / 1000 / (1000 / 30), 4), "through": ["NVLink 450 GB/s"],
        "assumed": []}


def test_two_nodes_use_the_nics_of_their_gpus_and_a_rack_away_costs_a_switch_more(training):
    inside = 6.6 + 14 * 0.6 + 14 / 8 * VOLUME / 450e3
    near = cost(training, 16)
    assert near["all_reduce_us"] == round(inside + 2 * 2.7 + VOLUME / 400e3, 1)
    assert near["through"] == ["network 400 GB/s a node"]
    far = cost({name: training[name] for name in "ac"}, 16)
    assert far["all_reduce_us"] == round(near["all_reduce_us"] + 2, 1)
    assert far["through"] == ["network 400 GB/s a node, across racks"]
    assert far["share"] > near["share"]


def test_the_network_may_be_said_and_is_assumed_where_nothing_is_known():
    hosts = {"a": {"gpus": 8, "rack": 1}, "b": {"gpus": 8, "rack": 1}}
    told = cost(hosts, 16)
    assert told["assumed"] == ["InfiniBand NDR, 50 GB/s a node", "NVLink 4, 450 GB/s a GPU"]
    slow = cost(hosts, 16, network_gbps=100)
    assert slow["assumed"] == ["NVLink 4, 450 GB/s a GPU"]
    assert slow["all_reduce_us"] == pytest.approx(told["all_reduce_us"] + VOLUME / 12.5e3 - VOLUME / 50e3, abs=0.11)


def test_sockets_without_nvlink_go_through_pcie():
    told = cost({"a": gpu_hosts.host([2, 2], linked=False)}, 4)
    assert told["through"] == ["PCIe 63 GB/s"]
    assert told["all_reduce_us"] == round(6.6 + 6 * 1.0 + 6 / 4 * VOLUME / (4 * 16 * 128 / 130 * 1e3), 1)


def hybrid_mesh(names, vendor="nvidia", words="NV2"):
    """One host whose four GPUs have two links to each other one."""
    host = gpu_hosts.host([len(names)], linked=False)
    for gpu, name in zip(host["topology"]["gpus"], names):
        gpu.update(name=name, vendor=vendor, links={
            str(peer): words for peer in range(len(names)) if peer != gpu["index"]})
    return {"a": host}


@pytest.mark.parametrize(("name", "vendor", "words", "through", "assumed"), [
    ("Tesla V100-SXM2-32GB", "nvidia", "NV2", ["NVLink 50 GB/s", "NVLink 150 GB/s"], []),
    ("AMD Instinct MI300X", "amd", "XGMI", ["Infinity Fabric 64 GB/s", "Infinity Fabric 192 GB/s"], []),
    ("AMD Instinct MI250", "amd", "XGMI", ["Infinity Fabric 64 GB/s", "Infinity Fabric 192 GB/s"],
     ["Infinity Fabric MI300, 64 GB/s a link"]),
    (None, "nvidia", "NV2", ["NVLink 50 GB/s", "NVLink 150 GB/s"], ["NVLink 4, 25 GB/s a link"])])
def test_only_the_links_within_a_group_count(name, vendor, words, through, assumed):
    hosts = hybrid_mesh([name] * 4, vendor, words)
    pair, all_four = cost(hosts, 2), cost(hosts, 4)
    assert pair["through"] + all_four["through"] == through
    assert pair["assumed"] == all_four["assumed"] == assumed


def test_links_that_are_not_known_are_an_assumption():
    hosts = {"a": gpu_hosts.host([4])}
    for gpu in hosts["a"]["topology"]["gpus"]:
        gpu["links"] = None
    told = cost(hosts, 4)
    assert told["through"] == ["PCIe 63 GB/s"]
    assert told["assumed"] == ["no NVLink, for links between GPUs are not known"]
    assert cost({"a": dict(hosts["a"], nvlink_domain="d")}, 4)["through"] == ["NVLink 450 GB/s"]


def test_a_network_that_the_fact_does_not_show_is_an_assumption():
    bare = gpu_hosts.host([1])
    bare["topology"]["rdma_devices"] = []
    assert cost({"a": dict(bare, rack="r"), "b": dict(bare, rack="r")}, 2)["assumed"] == [
        "InfiniBand NDR, 50 GB/s a node, though its fact names no RDMA NIC for these GPUs"]


def test_stages_on_two_sockets_without_nvlink_send_through_pcie():
    hosts = hybrid_mesh(["Tesla V100-SXM2-32GB"] * 4)
    for gpu in hosts["a"]["topology"]["gpus"]:
        gpu["links"] = {str(gpu["index"] ^ 1): "NV2"}
    told = cost(hosts, 2, pipeline_parallel_size=2)
    assert told["through"] == ["NVLink 50 GB/s"]
    assert told["pipeline_ms"] == round((6.6 + 1.0 + VOLUME / (4 * 16 * 128 / 130 * 1e3)) / 1000, 3)


def test_a_domain_of_several_nodes_goes_through_nvlink_alone():
    trays = {name: dict(gpu_hosts.host([2, 2], name="NVIDIA GB200"), nvlink_domain="d") for name in "ab"}
    assert cost(trays, 8)["all_reduce_us"] == round(6.6 + 14 * 0.6 + 14 / 8 * VOLUME / 900e3, 1)


def test_one_gpu_reduces_nothing_and_stages_send_their_results():
    assert cost({"a": {"gpus": 1}}, 1)["share"] == 0
    near = cost({"a": {"gpus": 2}}, 1, pipeline_parallel_size=2)
    assert near["pipeline_ms"] == round((6.6 + 0.6 + VOLUME / 450e3) / 1000, 3)
    far = cost({"a": {"gpus": 1}, "b": {"gpus": 1}}, 1, pipeline_parallel_size=2)
    assert far["pipeline_ms"] == round((6.6 + 3.7 + VOLUME / 50e3) / 1000, 3)


def test_the_model_of_the_load():
    hosts = {"a": {"gpus": 8}}
    usual = cost(hosts, 8)
    assert cost(hosts, 8, tokens_per_second=60)["share"] == pytest.approx(2 * usual["share"], abs=1e-4)
    assert cost(hosts, 8, layers=40)["tensor_parallel_ms"] == pytest.approx(usual["tensor_parallel_ms"] / 2, abs=1e-3)
    grown = [cost(hosts, 8, **{name: value})["all_reduce_us"] for name, value in (
        ("batch_size", 64), ("hidden_size", 16384), ("dtype", "float32"))]
    assert len(set(grown)) == 1
    assert grown[0] == pytest.approx(usual["all_reduce_us"] + 14 / 8 * VOLUME / 450e3, abs=0.11)
