# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rails of a node and of several nodes: which devices are whose, and who differs from most (R11)."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import rdma_rails

from tests.sysroots import eight_gpu, roce_node


def device(name, address, netdev=None, layer="Ethernet", rate=400):
    return {"name": name, "pci_address": address, "ports": [
        {"port": 1, "netdev": netdev, "link_layer": layer, "state": "ACTIVE", "rate": rate}]}


def nic(name, address, rdma, route=False):
    return {"name": name, "pci_address": address, "rdma_device": rdma, "default_route": route}


def node(**changed):
    return dict({"rdma_devices": [device("mlx5_0", "0000:16:00.0", "rail0"), device("mlx5_1", "0000:51:00.0", "stor0"),
                                  device("mlx5_2", "0000:99:00.0", "eno1")],
                 "nics": [nic("rail0", "0000:16:00.0", "mlx5_0"), nic("stor0", "0000:51:00.0", "mlx5_1"),
                          nic("eno1", "0000:99:00.0", "mlx5_2", route=True)],
                 "gpu_nics": {"0": ["mlx5_0"]}}, **changed)


def test_storage_is_what_serves_no_gpu_and_nobody_logs_in_through():
    assert rdma_rails.compute(node()) == ["mlx5_0"]
    assert rdma_rails.storage(node()) == ["mlx5_1"]
    assert rdma_rails.roce_interfaces(node()) == ["rail0", "stor0"]


@pytest.mark.parametrize("address, state, addresses, is_spare", [
    ("0000:99:00.1", "DOWN", [], True), ("0000:99:00.1", "ACTIVE", [], False), ("0000:99:00.1", "DOWN", None, False),
    ("0000:99:00.1", "DOWN", ["10.0.0.2/24"], False), ("0000:98:00.1", "DOWN", [], False)])
def test_the_unused_port_beside_the_one_that_people_log_in_through_is_for_nothing(address, state, addresses, is_spare):
    fact = node()
    fact["rdma_devices"].append(device("mlx5_3", address, "eno2"))
    fact["rdma_devices"][-1]["ports"][0]["state"] = state
    fact["nics"].append(dict(nic("eno2", address, "mlx5_3"), addresses=addresses))
    assert rdma_rails.storage(fact) == (["mlx5_1"] if is_spare else ["mlx5_1", "mlx5_3"])
    assert rdma_rails.storage(fact, ["eno2"]) == ["mlx5_3"]


def test_the_operators_word_holds_by_any_name():
    assert rdma_rails.compute(node(), ["stor0"]) == ["mlx5_1"]
    assert rdma_rails.storage(node(), ["0000:99:00.0"]) == ["mlx5_2"]
    assert rdma_rails.roce_interfaces(node(), ["mlx5_0"], []) == ["rail0"]
    assert rdma_rails.compute(node(), "stor0,mlx5_0") == rdma_rails.compute(node(), ["stor0", "mlx5_0"])


def test_a_misspelt_nic_is_told_with_the_nearest():
    with pytest.raises(ValueError, match="no RDMA device 'mlx5_O' on this host; did you mean mlx5_"):
        rdma_rails.roce_devices(node(), ["mlx5_O"])
    with pytest.raises(ValueError, match="no RDMA device 'x' on this host; known: none"):
        rdma_rails.compute({}, ["x"])


def test_infiniband_ports_have_no_priorities():
    fact = node(rdma_devices=[device("mlx5_0", "0000:16:00.0", "ib0", "InfiniBand")])
    assert (rdma_rails.roce_devices(fact), rdma_rails.roce_interfaces(fact)) == ([], [])


def test_a_bonds_queues_are_its_members():
    bond = device("mlx5_bond_0", "0000:16:00.0", "bond0")
    fact = {"rdma_devices": [bond], "gpu_nics": {"0": ["mlx5_bond_0"]}, "nics": [
        nic("p0", "0000:16:00.0", "mlx5_bond_0"), nic("p1", "0000:16:00.1", None), nic("x", "0000:17:00.0", None)]}
    assert rdma_rails.roce_interfaces(fact) == ["p0", "p1"]


def test_soft_roce_is_roce_without_queues_and_only_where_there_is_no_other():
    rxe = device("rxe0", None, "eth0", rate=10)
    alone = {"rdma_devices": [rxe], "nics": [nic("eth0", "0000:01:00.0", None)], "gpu_nics": {}}
    assert (rdma_rails.roce_devices(alone), rdma_rails.roce_interfaces(alone)) == (["rxe0"], [])
    assert "rxe0" not in rdma_rails.roce_devices(node(rdma_devices=node()["rdma_devices"] + [rxe]))


def test_a_node_without_rdma_has_none():
    for fact in ({}, {"rdma_devices": [], "nics": [], "gpu_nics": {}}):
        assert (rdma_rails.roce_devices(fact), rdma_rails.roce_interfaces(fact)) == ([], [])


def test_the_training_node_has_its_ten(tmp_path):
    fact = roce_node.topology(eight_gpu.build(tmp_path))
    assert rdma_rails.compute(fact) == list(eight_gpu.RAILS)
    assert rdma_rails.storage(fact) == list(eight_gpu.STORAGE)
    assert len(rdma_rails.positions(fact)) == 8
    assert rdma_rails.positions(fact)[0] == ("mlx5_0", eight_gpu.NIC_ADDRESSES[0], 400)


RAILS = [("mlx5_%d" % number, "0000:%02x:00.0" % (16 + number), 400) for number in range(4)]
SWAPPED = [RAILS[0], ("mlx5_1", RAILS[2][1], 400), ("mlx5_2", RAILS[1][1], 400), RAILS[3]]


def fleet(*odd, model="A"):
    nodes = {"n%d" % number: {"model": "A", "rails": RAILS} for number in range(3)}
    nodes.update({"x%d" % number: {"model": model, "rails": rails} for number, rails in enumerate(odd)})
    return nodes


def test_equal_nodes_say_nothing():
    assert rdma_rails.compare(fleet()) == []
    assert rdma_rails.compare({}) == []


def test_names_that_lie_elsewhere_are_told_by_host():
    (host, words), = rdma_rails.compare(fleet(SWAPPED))
    assert host == "x0"
    assert words == ("R11: NIC 1 is mlx5_1 at 0000:12:00.0, not mlx5_1 at 0000:11:00.0 and 1 more, while most of 4 "
                     "nodes of its model have mlx5_0, mlx5_1, mlx5_2, mlx5_3")


def test_a_node_with_fewer_nics_is_told_once():
    (host, words), = rdma_rails.compare(fleet(RAILS[:3]))
    assert host == "x0" and words.startswith("R11: 3 NICs serve its GPUs, without mlx5_3, while most of 4 nodes")


def test_another_model_may_have_other_places_but_not_another_number():
    other = [("rocep%d" % number, "0001:%02x:00.0" % number, 400) for number in range(4)]
    assert rdma_rails.compare(fleet(other, model="B")) == []
    assert rdma_rails.compare(fleet(other[:2], model="B")) == [
        ("x0", "R11: 2 NICs serve its GPUs, while most of 4 nodes have 4")]
