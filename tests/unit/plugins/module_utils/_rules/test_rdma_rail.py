# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on how rails are cabled: storage taken for a rail, one subnet for several, a cable elsewhere."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import fabric, lldp
from ansible_collections.gpuwright.node.plugins.module_utils._rules import rdma_rail as rules

from tests.sysroots import eight_gpu, network_node, roce_node, ten_faults
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import messages, view

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return roce_node.build(tmp_path)


def test_a_healthy_node_says_nothing(root):
    for rule in (rules.storage_as_rail, rules.one_subnet, rules.lldp_cabling, rules.infiniband_cabling):
        assert rule(view(root)) == []


def test_a_storage_nic_that_is_named_as_a_rail(root):
    names = list(eight_gpu.RAILS[1:]) + ["mlx5_4"]
    (severity, message), = messages(rules.storage_as_rail(view(root, rdma_roce_compute_nics=names)), "rail-storage")
    assert severity == "W" and message.startswith("rdma_roce_compute_nics names mlx5_4: no GPU is behind the same PCIe")
    assert message.endswith("and leaves out mlx5_0, which do")
    assert rules.storage_as_rail(view(root, rdma_roce_compute_nics=list(eight_gpu.RAILS))) == []


def test_rails_in_one_subnet(root):
    put(root, "/proc/net/route", "\n".join([HEAD] + ["%s\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0" % name
                                                     for name in ("rail0", "rail3", "storage0")]
                                           + ["eno1\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0"]))
    (severity, message), = messages(rules.one_subnet(view(root)), "rail-subnet")
    assert severity == "W" and message.startswith("rail0, rail3 are in one subnet, 10.0.1.0/24")


@pytest.mark.parametrize("ruled, said", [(("rail0", "rail3"), 0), (("rail0",), 1), ((), 1)])
def test_rails_in_one_subnet_with_a_table_for_each_are_in_order(tmp_path, ruled, said):
    own = {"rail0": "10.0.1.2", "rail3": "10.0.1.5"}
    root = ten_faults.build(tmp_path)
    routes = ["%s\t0001000A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0" % name for name in own]
    put(root, "/proc/net/route", "\n".join([HEAD] + routes))
    put(root, network_node.STATE, json.dumps({
        "addresses": {name: [address + "/24"] for name, address in own.items()}, "down": [],
        "rules": [{"six": False, "priority": 32000, "src": own[name], "table": "52%s" % name[-1]} for name in ruled],
        "routes": [{"six": False, "dst": "10.0.1.0/24", "dev": name, "table": "52%s" % name[-1]} for name in ruled]}))
    made = view(root)
    made.host = ten_faults.Node(str(root))
    assert len(messages(rules.one_subnet(made), "rail-subnet")) == said


def test_subnets_of_addresses_of_both_families():
    assert rules.networks(["10.0.1.7/24", "fd00:1::7/64", "fe80::1/64", "169.254.3.3/16"]) == {
        "10.0.1.0/24", "fd00:1::/64"}
    assert rules.networks(None) == set()


def test_subnets_of_the_routing_table():
    rows = [HEAD, "a\t0000000A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0",
            "b\t0000000A\t0100000A\t0003\t0\t0\t0\t0000FFFF\t0\t0\t0", "short line"]
    assert rules.connected("\n".join(rows)) == {"a": ["10.0.0.0/16"]}


def heard(monkeypatch, switches):
    entries = [{name: {"chassis": {switch: {"id": {"type": "mac", "value": "x"}}},
                       "port": {"id": {"type": "ifname", "value": port}}}} for name, switch, port in switches]
    monkeypatch.setattr(lldp, "neighbours", lambda host: lldp.parse(json.dumps({"lldp": {"interface": entries}})))


def optimised(**changed):
    return [(name,) + changed.get(name, ("leaf%d" % number, "swp1")) for number, name in enumerate(roce_node.RAILS)]


@pytest.mark.parametrize("switches", [optimised(), [(name, "leaf0", "swp%d" % number) for number, name in enumerate(
    roce_node.RAILS)], [(name, "leaf%d" % (number % 2), "swp%d" % number) for number, name in enumerate(
        roce_node.RAILS)], []])
def test_a_pattern_that_holds_says_nothing(root, monkeypatch, switches):
    heard(monkeypatch, switches)
    assert rules.lldp_cabling(view(root)) == []


@pytest.mark.parametrize("switches, words", [
    (optimised(rail3=("leaf4", "swp9")), "leaf4 has mlx5_3 (rail3), mlx5_5 (rail4), while every other switch has 1"),
    (optimised()[:-1], "LLDP names no neighbour of mlx5_8 (rail7), and does of the other rails"),
    (optimised(rail3=("leaf4", "swp1")), "mlx5_3 (rail3), mlx5_5 (rail4) are both at port swp1 of leaf4, says LLDP")])
def test_a_cable_elsewhere(root, monkeypatch, switches, words):
    heard(monkeypatch, switches)
    found = messages(rules.lldp_cabling(view(root)), "rail-cabling")
    assert {severity for severity, _message in found} == {"W"} and words in " | ".join(text for _one, text in found)


def test_infiniband_is_only_asked_where_the_operator_says_so(root, monkeypatch):
    for device in roce_node.topology(root)["rdma_devices"]:
        put(root, "/sys/class/infiniband/%s/ports/1/link_layer" % device["name"], "InfiniBand")
    places = {name: [{"port": 1, "switch": "leaf%d" % number, "switch_port": "1"}]
              for number, name in enumerate(eight_gpu.RAILS)}
    places["mlx5_0"] = [{"port": 1, "switch": "leaf1", "switch_port": "2"}]
    monkeypatch.setattr(fabric, "neighbours", lambda host: places)
    assert rules.infiniband_cabling(view(root)) == []
    (severity, message), = messages(rules.infiniband_cabling(view(root, rdma_roce_ibnetdiscover=True)), "rail-cabling")
    assert severity == "W" and message.startswith("leaf1 has mlx5_0, mlx5_1, while every other switch has 1")
    monkeypatch.setattr(fabric, "neighbours", lambda host: None)
    (severity, message), = messages(rules.infiniband_cabling(view(root, rdma_roce_ibnetdiscover=True)), "rail-cabling")
    assert severity == "I" and "gave no answer" in message
