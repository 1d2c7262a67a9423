# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the link layer and the fabric decide: traffic class, service level, rails, retries."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_network, traffic_class


def port(layer="Ethernet", address="0000:16:00.0"):
    return {"device": "mlx5_0", "port": 1, "layer": layer, "address": address}


def classes(ports, given=None, fabric=None):
    roce = [one for one in ports if one["layer"] == "Ethernet"]
    return nccl_network.classes({"rdma_devices": []}, ports, roce, fabric, given)


def values(found):
    return {name: value for name, (value, _why) in found.items() if value is not None}


ROCE, IB = [port(), port()], [port("InfiniBand"), port("InfiniBand")]
DECLARED = traffic_class.traffic_class({}, 4, 34, infiniband_sl=2)


def test_on_ethernet_the_traffic_class_counts():
    assert values(classes(ROCE)) == {"NCCL_IB_TC": "106", "NCCL_GIN_IB_TC": "106"}
    assert values(classes(ROCE, DECLARED)) == {"NCCL_IB_TC": "138", "NCCL_GIN_IB_TC": "138"}
    assert values(classes(ROCE, "96")) == {"NCCL_IB_TC": "96", "NCCL_GIN_IB_TC": "96"}
    assert "DSCP 26, for 2 ports on Ethernet" in classes(ROCE)["NCCL_IB_TC"][1]


def test_on_infiniband_only_a_declared_service_level_counts():
    assert values(classes(IB)) == {}
    assert values(classes(IB, 160)) == {}
    assert values(classes(IB, DECLARED)) == {"NCCL_IB_SL": "2"}


def test_a_node_with_both_has_the_class_that_one_reads_and_the_other_does_not():
    found = classes(ROCE + IB, DECLARED)
    assert values(found) == {"NCCL_IB_TC": "138", "NCCL_GIN_IB_TC": "138"}
    assert "InfiniBand, which is here too (2), does not read it" in found["NCCL_IB_TC"][1]
    assert "another priority" in found["NCCL_IB_SL"][1]


def test_a_link_layer_that_nobody_knows_gets_nothing():
    found = classes([port(None)], DECLARED)
    assert values(found) == {}
    assert "declare the fabric" in found["NCCL_IB_TC"][1]
    assert "declare the fabric" in found["NCCL_IB_SL"][1]


@pytest.mark.parametrize("ports, fabric, is_odd", [
    (ROCE, "infiniband", True), (ROCE, "ethernet", False), (ROCE, "rail", False), (IB, "ethernet", True)])
def test_a_fabric_that_the_ports_are_not_on_is_said(ports, fabric, is_odd):
    assert ("though the inventory declares " in classes(ports, None, fabric)["NCCL_IB_TC"][1]) is is_odd


@pytest.mark.parametrize("given", [256, -1, "cs3", True, {}, [106], {"link_layers": 1}])
def test_a_class_that_is_none_is_refused(given):
    with pytest.raises(ValueError, match="traffic_class: .* is neither"):
        classes(ROCE, given)


def fabric(ports=None, rails=None, **told):
    roce = [one for one in ports or ROCE if one["layer"] == "Ethernet"]
    plain = {"fabric": None, "inter_rail_path": True, "workload": "training", "cluster_gpus": None, "version": None}
    return nccl_network.of_fabric(ports or ROCE, roce, rails, dict(plain, **told))


@pytest.mark.parametrize("told, value", [
    ({}, None), ({"fabric": "rail"}, None), ({"fabric": "rail", "inter_rail_path": False}, "0"),
    ({"fabric": "rail", "inter_rail_path": None}, None), ({"fabric": "single_switch"}, "1"),
    ({"fabric": "single_switch", "inter_rail_path": False}, "1"),
    ({"fabric": "infiniband", "inter_rail_path": False}, None), ({"fabric": "ethernet"}, None)])
def test_crossing_rails_follows_the_fabric_alone(told, value):
    assert fabric(**told)["NCCL_CROSS_NIC"][0] == value
    assert fabric(ROCE[:1], **told)["NCCL_CROSS_NIC"][0] is None


@pytest.mark.parametrize("workload, gpus, value", [
    ("training", None, None), ("training", 1024, None), ("training", 1032, "22"), ("inference", 9999, None)])
def test_only_a_large_training_waits_longer(workload, gpus, value):
    assert fabric(workload=workload, cluster_gpus=gpus)["NCCL_IB_TIMEOUT"][0] == value


def test_queue_pairs_are_nobodys_business():
    assert values({"x": fabric()["NCCL_IB_QPS_PER_CONNECTION"], "y": fabric(IB)["NCCL_IB_QPS_PER_CONNECTION"]}) == {}
    assert fabric()["NCCL_IB_QPS_PER_CONNECTION"] != fabric(IB)["NCCL_IB_QPS_PER_CONNECTION"]


@pytest.mark.parametrize("addresses, rails, version, value", [
    (("16:00.0", "51:00.0"), [1, 0], (2, 30, 5), None), (("16:00.0", "16:00.1"), [1, 0], (2, 30, 5), "RAIL"),
    (("16:00.0", "16:00.1"), [1, 0], (2, 30), None), (("16:00.0", "16:00.1"), None, (2, 30, 5), None),
    (("16:00.0", "16:00.1"), [1, 1], (2, 31), None)])
def test_ports_of_one_card_are_kept_apart_where_their_rails_are(addresses, rails, version, value):
    ports = [port(address="0000:" + address) for address in addresses]
    assert fabric(ports, rails, version=version)["NCCL_NET_MERGE_POLICY"][0] == value
