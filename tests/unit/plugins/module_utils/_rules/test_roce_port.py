# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on ports: state, rate against expectation, and the MTU that RoCE needs (R26)."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import roce_port as rules

from tests.sysroots import roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import messages, view

PORT = "/sys/class/infiniband/%s/ports/1/"


def test_a_healthy_node_says_nothing(tmp_path):
    seen = view(roce_node.build(tmp_path), rdma_roce_expected_rate=400, rdma_roce_mtu=9000)
    for rule in (rules.port_state, rules.port_rate, rules.r26_mtu):
        assert rule(seen) == []


def test_a_rail_without_a_link_is_a_warning(tmp_path):
    found = rules.port_state(view(roce_node.build(tmp_path, "nic_down")))
    assert messages(found, "port-state") == [
        ("W", "mlx5_6 (rail5) is DOWN, physically Disabled. Look at the cable, the transceiver and the switch port")]


@pytest.mark.parametrize("named, severity", [(None, "I"), (["storage0"], "W"), (["mlx5_4"], "W")])
def test_another_port_matters_only_where_it_is_named(tmp_path, named, severity):
    root = roce_node.build(tmp_path)
    put(root, PORT % "mlx5_4" + "state", "1: DOWN")
    (found, message), = messages(rules.port_state(view(root, rdma_roce_storage_nics=named)), "port-state")
    assert found == severity and message.startswith("mlx5_4 (storage0) is DOWN")


def test_a_slow_rail_differs_from_the_others(tmp_path):
    found = rules.port_rate(view(roce_node.build(tmp_path, "nic_slow")))
    (severity, message), = messages(found, "port-rate")
    assert severity == "W" and message.startswith("mlx5_1 (rail1) has 100 Gb/s, not 400, as most rails of this node")


@pytest.mark.parametrize("expected, wrong", [
    (400, 0), ("400", 0), (800, 10), ({"mlx5_0": 400}, 0), ({"rail0": 200, "mlx5_4": 200}, 2), ({"x": 1}, 0)])
def test_the_inventory_says_which_rate_is_right(tmp_path, expected, wrong):
    found = messages(rules.port_rate(view(roce_node.build(tmp_path), rdma_roce_expected_rate=expected)), "port-rate")
    assert [message.count(" has 400 Gb/s") + (5 if "and 5 more" in message else 0) for _severity, message in found] == (
        [wrong] if wrong else [])
    assert all("as rdma_roce_expected_rate says" in message for _severity, message in found)


def test_r26_a_small_mtu_on_one_rail(tmp_path):
    root = roce_node.build(tmp_path)
    put(root, "/sys/class/net/rail2/mtu", "1500")
    (_first, low), (_second, differs) = messages(rules.r26_mtu(view(root)), "R26")
    assert low == ("mlx5_2 (rail2) has MTU 1500, so RoCE sends 1024 bytes: 4096 need an MTU of 4200 or more here and "
                   "on the switches; network_mtu sets it")
    assert differs.startswith("the MTU differs between ports of this node: 1500 on mlx5_2 (rail2), 9000 on mlx5_0")


@pytest.mark.parametrize("expected, found", [(None, 0), (9000, 0), ("9000", 0), (4200, 1)])
def test_r26_an_expected_mtu_is_exact(tmp_path, expected, found):
    told = messages(rules.r26_mtu(view(roce_node.build(tmp_path), rdma_roce_mtu=expected)), "R26")
    assert len(told) == found
    assert all("not 4200 as rdma_roce_mtu says" in message for _severity, message in told)


def test_r26_a_port_without_a_link_sends_nothing(tmp_path):
    root = roce_node.build(tmp_path)
    put(root, "/sys/class/net/rail2/mtu", "1500")
    put(root, PORT % "mlx5_2" + "state", "1: DOWN")
    assert rules.r26_mtu(view(root)) == []


def test_r26_infiniband_has_another_mtu(tmp_path):
    root = roce_node.build(tmp_path)
    put(root, "/sys/class/net/rail2/mtu", "2044")
    put(root, PORT % "mlx5_2" + "link_layer", "InfiniBand")
    assert rules.r26_mtu(view(root)) == []
