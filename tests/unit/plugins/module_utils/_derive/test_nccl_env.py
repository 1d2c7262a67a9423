# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of NCCL's environment as a whole: what is set, what is left to NCCL and why, and what is refused."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _nccl_names
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env, rdma_rails

from .test_nccl_hcas import device, node

# What NVIDIA says is for debugging, and what decides nothing: none of them is set for good.
NEVER = ("NCCL_ALGO", "NCCL_PROTO", "NCCL_BUFFSIZE", "NCCL_NTHREADS", "NCCL_MIN_NCHANNELS", "NCCL_MAX_NCHANNELS",
         "NCCL_NET_GDR_LEVEL", "NCCL_IB_DISABLE", "NCCL_IB_PCI_RELAXED_ORDERING", "NCCL_NVLS_ENABLE")
MANY = [device("mlx5_%d" % number, "0000:%02x:00.0" % number) for number in range(33)]
LONG = [device("%02d" % number + "x" * 40, "0000:%02x:00.0" % number) for number in range(30)]
RAILS = [device("mlx5_%d" % number, "0000:%02x:00.0" % (16 * number), number) for number in range(4)]
OTHER = [device("mlx5_%d" % number, "0000:%02x:00.0" % (16 * number), (number + 2) % 4) for number in range(4)]


def values(fact, **options):
    return {name: told["value"] for name, told in nccl_env.derive(fact, **options).items() if told["value"] is not None}


def why(name, fact, **options):
    return nccl_env.derive(fact, **options)[name]["why"]


def test_every_variable_has_an_entry_with_a_reason_on_any_node():
    for fact in (node(*RAILS), node(), {"gpus": [], "nics": [], "rdma_devices": [], "gpu_nics": {}}):
        found = nccl_env.derive(fact)
        assert tuple(found) == nccl_env.NAMES
        assert all(re.fullmatch(r"[ -~]{10,199}", told["why"]) for told in found.values())


def test_nccl_knows_every_name_and_none_is_for_debugging_alone():
    assert [name for name in nccl_env.NAMES if name not in _nccl_names.SINCE] == []
    assert set(NEVER).isdisjoint(nccl_env.NAMES)


def test_what_is_always_left_to_nccl_is_never_set():
    assert set(nccl_env.LEFT).isdisjoint(values(node(*RAILS), workload="training", cluster_gpus=9999, fabric="rail",
                                                inter_rail_path=False, min_version="2.31"))


def test_a_node_without_gpus_has_no_environment():
    fact = dict(node(*RAILS), gpus=[])
    assert values(fact) == {}
    assert why("NCCL_DEBUG", fact) == "this node has no GPU (gpus)"


def test_a_node_with_gpus_and_rails():
    assert values(node(*RAILS)) == {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "NCCL_IB_TC": "106",
                                    "NCCL_GIN_IB_TC": "106", "NCCL_DEBUG": "WARN"}
    assert why("NCCL_IB_HCA", node(*RAILS)) == (
        "4 RDMA ports that serve GPUs 0-3, in PCI order (gpu_nics), for jobs across nodes")
    assert why("NCCL_IB_HCA", node(RAILS[0]), workload="training") == (
        "1 RDMA port that serves GPU 0, in PCI order (gpu_nics)")
    assert why("NCCL_IB_HCA", node(*RAILS), compute_nics=["mlx5_1"], workload="training") == (
        "1 RDMA port of the NICs that the inventory names, in PCI order (compute_nics)")


def test_what_was_left_out_is_in_the_reason():
    down = [*RAILS[:3], device("mlx5_3", "0000:30:00.0", 3, state="DOWN")]
    assert why("NCCL_IB_HCA", node(*down)).endswith("; left out: mlx5_3:1 is DOWN")
    assert "no port that NCCL can use serves a GPU: mlx5_3:1 is DOWN" in why("NCCL_IB_HCA", node(down[3]))


@pytest.mark.parametrize("fact, options, words", [
    (node(*RAILS), {"multi_node": False}, "no job leaves its node"),
    (node(*RAILS), {"compute_nics": []}, "the operator names no NIC"),
    (node(*RAILS, gpu_nics={"0": []}), {}, "no RDMA device serves a GPU"),
    (dict(node(*RAILS), rdma_devices=[]), {}, "mlx5_3 would serve GPUs .gpu_nics., but nothing is known"),
    (node(*MANY), {}, "33 ports .* takes 32"), (node(*LONG), {}, "1023 letters"),
])
def test_without_a_list_nothing_of_rdma_is_set(fact, options, words):
    assert set(values(fact, **options)) <= {"NCCL_DEBUG", "NCCL_SOCKET_IFNAME"}
    assert re.search(words, why("NCCL_IB_HCA", fact, **options))


@pytest.mark.parametrize("fact, version, value, words", [
    (node(*RAILS), None, "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "that is the order of the subnets"),
    (node(*RAILS), "2.30.5", "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "that is the order of the subnets"),
    (node(*OTHER), None, "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "which NCCL is told since 2.30"),
    (node(*OTHER), "2.29.7", "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "which NCCL is told since 2.30"),
    (node(*OTHER), "2.30", "=mlx5_0:1:2,mlx5_1:1:3,mlx5_2:1:0,mlx5_3:1:1", "with the rail of each"),
    (node(*OTHER, prefix=8), "2.30", "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1", "is not known .ports share a subnet"),
])
def test_rails_are_told_where_their_order_is_another(fact, version, value, words):
    assert values(fact, fabric="rail", min_version=version)["NCCL_IB_HCA"] == value
    assert re.search(words, why("NCCL_IB_HCA", fact, fabric="rail", min_version=version))
    assert ":2" not in values(fact, fabric="single_switch", min_version=version)["NCCL_IB_HCA"]


def test_a_rail_that_is_down_keeps_its_number_where_a_person_counts_them():
    fact = node(RAILS[0], device("mlx5_1", "0000:10:00.0", 1, state="DOWN"), *RAILS[2:])
    named = {"fabric": "rail", "min_version": "2.30.5", "compute_nics": ["mlx5_0", "mlx5_1", "mlx5_2", "mlx5_3"]}
    assert values(fact, **named)["NCCL_IB_HCA"] == "=mlx5_0:1:0,mlx5_2:1:2,mlx5_3:1:3"


def test_two_ports_of_a_card_on_two_rails_are_not_merged():
    fact = node(device("mlx5_0", "0000:16:00.0", 2), device("mlx5_1", "0000:16:00.1", 1))
    assert values(fact, fabric="rail", min_version="2.30.5")["NCCL_NET_MERGE_POLICY"] == "RAIL"
    assert "NCCL_NET_MERGE_POLICY" not in values(fact, fabric="rail", min_version="2.30")


def test_the_fabric_stands_for_a_link_layer_that_is_not_known():
    fact = node(device("mlx5_0", "0000:16:00.0", link_layer=None))
    assert "NCCL_IB_TC" in values(fact, fabric="ethernet")
    assert "NCCL_IB_TC" not in values(fact, fabric="infiniband")
    assert "NCCL_IB_TC" not in values(fact)


def test_on_infiniband_nothing_of_roce_is_set():
    fact = node(device("mlx5_0", "0000:16:00.0", link_layer="InfiniBand", gids=[]))
    assert set(values(fact, min_version="2.10", address_range="fd00::/8", address_family="IPv6")) == {
        "NCCL_IB_HCA", "NCCL_DEBUG"}


@pytest.mark.parametrize("virtualization, value", [("kvm", "/etc/topo.xml"), (None, "/etc/topo.xml"), ("none", None)])
def test_a_topology_file_is_for_virtual_machines(virtualization, value):
    fact = dict(node(*RAILS), system={"virtualization": virtualization})
    assert values(fact, topology_file="/etc/topo.xml").get("NCCL_TOPO_FILE") == value
    assert "NCCL_TOPO_FILE" not in values(fact)


@pytest.mark.parametrize("options, words", [
    ({"fabric": "rails"}, "fabric: 'rails' is no fabric that is known; did you mean rail"),
    ({"workload": None}, "workload: None is no workload that is known; known: inference, training"),
    ({"address_family": "ipv4"}, "address_family: 'ipv4' is no address_family that is known; (did|known)"),
    ({"min_version": 2.3}, "min_version: 2.3 is a number, and YAML reads 2.30 as 2.3"),
    ({"min_version": "new"}, "'new' is no version"),
    ({"cluster_gpus": "many"}, "cluster_gpus: 'many' is no number"), ({"cluster_gpus": True}, "True is no number"),
    ({"multi_node": "maybe"}, "multi_node: 'maybe' is neither"), ({"inter_rail_path": 2}, "2 is neither true nor"),
    ({"topology_file": "topo.xml"}, "'topo.xml' is no path"), ({"topology_file": "/a b"}, "'/a b' is no path"),
    ({"compute_nics": ["mlx5_0", "mlx5_1", "mlx5_0"]}, "compute_nics: mlx5_0 is named twice: was another meant"),
    ({"compute_nics": ["mlx5_9"]}, "no RDMA device 'mlx5_9' on this host; did you mean mlx5_"),
    ({"address_range": "10.0.0.1/8"}, "address_range"), ({"traffic_class": 300}, "traffic_class: 300"),
    ({"socket_interfaces": ["a/b"]}, "socket_interfaces: 'a/b'"),
])
def test_bad_input_is_refused_in_words(options, words):
    with pytest.raises(ValueError, match=words):
        nccl_env.derive(node(*RAILS), **options)


def test_numbers_and_flags_may_come_as_text():
    assert "NCCL_IB_HCA" not in values(node(*RAILS), multi_node="False")
    assert "NCCL_IB_HCA" in values(node(*RAILS), multi_node="yes")
    assert values(node(*RAILS), fabric="rail", inter_rail_path="no")["NCCL_CROSS_NIC"] == "0"
    assert values(node(*RAILS), workload="training", cluster_gpus="2048")["NCCL_IB_TIMEOUT"] == "22"
    assert nccl_env.parse_version(" 2.30.5 ") == (2, 30, 5)


def test_a_reason_is_plain_and_short_whatever_is_in_a_name():
    assert nccl_env._line("a\nb\t\u00e9 " + "x" * 300) == "a b ? " + "x" * 190 + "..."


def test_the_list_means_what_the_audit_compares_across_nodes():
    fact = node(*RAILS, gpu_nics={"0": ["mlx5_0"], "1": ["mlx5_3"]})
    names = [entry.partition(":")[0] for entry in values(fact)["NCCL_IB_HCA"][1:].split(",")]
    assert names == [name for name, _address, _rate in rdma_rails.positions(fact)]


# How NCCL 2.30 reads each value, written down here a second time.
FORMS = {"NCCL_IB_HCA": r"=[^,:=^\s]+:\d+(:\d+)?(,[^,:=^\s]+:\d+(:\d+)?)*", "NCCL_SOCKET_IFNAME": r"=[^,:=^\s]+",
         "NCCL_IB_ADDR_FAMILY": "AF_INET6", "NCCL_IB_ADDR_RANGE": r"[0-9a-f.:]+/\d+", "NCCL_DEBUG": "WARN",
         "NCCL_NET_MERGE_POLICY": "RAIL"}


PORTS = st.tuples(st.sampled_from(["Ethernet", "InfiniBand", None]), st.integers(0, 9), st.sampled_from([0, 1]))


@given(st.lists(PORTS, max_size=40),
       st.sampled_from(nccl_env.FABRICS + (None,)), st.sampled_from(nccl_env.WORKLOADS),
       st.sampled_from([None, "2.19", "2.21", "2.30.5"]), st.booleans())
def test_whatever_the_node_nccl_takes_each_value_as_it_is_meant(drawn, fabric, workload, version, path):
    devices = [device("mlx5_%d" % number, "0000:%02x:00.%d" % (number, function), subnet, link_layer=layer)
               for number, (layer, subnet, function) in enumerate(drawn)]
    found = values(node(*devices), fabric=fabric, workload=workload, min_version=version, inter_rail_path=path,
                   cluster_gpus=5000)
    for name, value in found.items():
        assert re.fullmatch(FORMS.get(name, r"0|[1-9]\d*"), value), (name, value)
        assert len(value) <= 1023
    entries = found.get("NCCL_IB_HCA", "=")[1:].split(",")
    assert len(entries) == len({entry.partition(":")[0] for entry in entries}) <= 32
    assert "NCCL_IB_GID_INDEX" not in found or version == "2.19"
