# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filter of NCCL's environment: it needs the topology, and what is wrong comes in words."""

from __future__ import annotations

import inspect

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter import nccl_env as filters
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env

from tests.conftest import CHECKOUT

FACT = {"gpus": [{"index": 0}], "gpu_nics": {"0": ["mlx5_0"]}, "nics": [
    {"name": "eno1", "default_route": True, "operstate": "up", "addresses": ["10.0.0.2/24"]}],
    "rdma_devices": [{"name": "mlx5_0", "pci_address": "0000:16:00.0", "ports": [
        {"port": 1, "netdev": "rail0", "link_layer": "Ethernet", "state": "ACTIVE", "rate": 400}]}]}


class Lazy(dict):
    """A fact that must be copied before it is walked."""

    def _non_lazy_copy(self):
        return dict(FACT)


@pytest.mark.parametrize("fact", [FACT, Lazy()])
def test_the_filter_derives_from_the_fact(fact):
    found = filters.FilterModule().filters()["nccl_env"](fact, "rail", "training", traffic_class=160)
    assert found == nccl_env.derive(FACT, fabric="rail", workload="training", traffic_class=160)
    assert {name: told["value"] for name, told in found.items() if told["value"]} == {
        "NCCL_IB_HCA": "=mlx5_0:1", "NCCL_SOCKET_IFNAME": "=eno1", "NCCL_IB_TC": "160", "NCCL_GIN_IB_TC": "160",
        "NCCL_DEBUG": "WARN"}


@pytest.mark.parametrize("option, value, changed", [
    ("fabric", "infiniband", "NCCL_IB_TC"), ("workload", "training", "NCCL_IB_HCA"),
    ("multi_node", False, "NCCL_IB_HCA"),
    ("min_version", "2.20", "NCCL_IB_GID_INDEX"), ("traffic_class", 96, "NCCL_IB_TC"),
    ("compute_nics", [], "NCCL_IB_HCA"), ("storage_nics", ["mlx5_0"], "NCCL_IB_HCA"),
    ("socket_interfaces", ["bond0"], "NCCL_SOCKET_IFNAME"), ("address_family", "IPv6", "NCCL_IB_ADDR_FAMILY"),
    ("address_range", "10.0.0.0/8", "NCCL_IB_ADDR_RANGE"), ("topology_file", "/etc/x.xml", "NCCL_TOPO_FILE")])
def test_every_option_gets_there(option, value, changed):
    assert filters.nccl_env(FACT, **{option: value})[changed] != filters.nccl_env(FACT)[changed]


def test_what_is_declared_of_rails_and_of_the_size_gets_there():
    two = dict(FACT, rdma_devices=[FACT["rdma_devices"][0], dict(FACT["rdma_devices"][0], name="mlx5_1")],
               gpu_nics={"0": ["mlx5_0", "mlx5_1"]})
    found = filters.nccl_env(two, "rail", "training", inter_rail_path=False, cluster_gpus=4096)
    assert (found["NCCL_CROSS_NIC"]["value"], found["NCCL_IB_TIMEOUT"]["value"]) == ("0", "22")


def test_the_options_are_those_of_the_derivation_and_of_the_documentation():
    options = list(inspect.signature(nccl_env.derive).parameters)
    assert list(inspect.signature(filters.nccl_env).parameters) == options
    told = yaml.safe_load((CHECKOUT / "plugins/filter/nccl_env.yml").read_text())["DOCUMENTATION"]["options"]
    assert ["topology"] + list(told)[1:] == options
    assert tuple(told["fabric"]["choices"]) == nccl_env.FABRICS


@pytest.mark.parametrize("fact, words", [
    (None, "gpus, nics, rdma_devices, gpu_nics are not there"), ({}, "are not there: run that module first"),
    ("x", "are not there"), ({name: [] for name in FACT if name != "nics"}, "nics is not there")])
def test_without_the_fact_the_error_says_what_to_run(fact, words):
    with pytest.raises(AnsibleFilterError, match="gpuwright.node.nccl_env needs the fact .*" + words):
        filters.nccl_env(fact)


def test_bad_input_is_a_filter_error_in_words():
    with pytest.raises(AnsibleFilterError, match="gpuwright.node.nccl_env: fabric: 'star' is no fabric that is "
                                                 "known; known: ethernet, infiniband, rail"):
        filters.nccl_env(FACT, "star")
