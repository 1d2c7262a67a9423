# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How close devices are, and which NICs serve which GPU."""

from __future__ import annotations

import copy
import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import closeness, node
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, eight_gpu_driver

RAIL_OF = {str(gpu): [rail] for gpu, rail in enumerate(eight_gpu.RAILS)}


def _tree(**paths):
    return {name: {"host_bridge": path[0], "path": list(path[1:])} for name, path in paths.items()}


@pytest.mark.parametrize(("one", "other", "nodes", "kind", "way"), [
    (("h", "rp", "up", "d1"), ("h", "rp", "up", "d2"), (0, 0), "PIX", ["d1", "up", "d2"]),
    (("h", "rp", "up"), ("h", "rp", "up"), (0, 0), "PIX", ["up"]),
    (("h", "rp", "up", "d1"), ("h", "rp", "up", "d2", "up2", "d3"), (0, 0), "PXB", ["d1", "up", "d2", "up2", "d3"]),
    (("h", "rp", "up", "d1", "up2"), ("h", "rp", "up", "d2"), (0, 0), "PXB", ["up2", "d1", "up", "d2"]),
    (("h", "rp1", "up", "d1"), ("h", "rp2"), (0, 0), "PHB", ["d1", "up", "rp1", "h", "rp2"]),
    (("h",), ("h",), (None, None), "PHB", ["h"]),
    (("h1", "rp"), ("h2", "rp"), (1, 1), "NODE", ["h1", "h2"]),
    (("h1", "rp"), ("h2", "rp"), (0, 1), "SYS", ["h1", "h2"]),
    (("h1", "rp"), ("h2", "rp"), (None, 1), None, ["h1", "h2"]),
])
def test_kinds(one, other, nodes, kind, way):
    assert closeness.between(_tree(a=one, b=other), "a", "b", *nodes) == (kind, way)


def test_an_unknown_place_is_at_no_known_distance():
    assert closeness.between(_tree(a=("h", "rp")), "a", "b", 0, 0) == (None, None)
    tree = dict(_tree(a=("h", "rp")), b={"host_bridge": None, "path": None})
    assert closeness.between(tree, "a", "b", 0, 0) == (None, None)


@pytest.fixture(scope="module")
def nodes(tmp_path_factory):
    """A function from a fault to the fact of the hand-made node with it."""
    facts = {}

    def read(fault=None):
        if fault not in facts:
            root = eight_gpu.build(str(tmp_path_factory.mktemp("node")), fault)
            facts[fault] = node.read_topology(Host(root))
        return facts[fault]
    return read


def test_sysfs_and_the_recorded_matrix_agree(nodes):
    fact = nodes()
    said = {(one["gpu"], one["device"]): one["kind"] for one in fact["pci_paths"]}
    assert {pair: kind for pair, kind in said.items() if pair[1].startswith("mlx5")} == {
        (gpu, nic): eight_gpu_driver._kind(gpu, nic, eight_gpu.RAILS)
        for gpu in range(8) for nic in eight_gpu.RAILS + eight_gpu.STORAGE}
    assert [said[gpu, "nvme0"] for gpu in range(8)] == ["PXB"] * 2 + ["NODE"] * 2 + ["SYS"] * 4


def test_the_fact_of_the_node_stays_small(nodes):
    fact = nodes()
    assert len(fact["pci_paths"]) == 8 * 18
    assert len(json.dumps(fact)) < 60000


@pytest.mark.parametrize("fault", [None, *sorted(set(eight_gpu.FAULTS) - {"nic_down", "no_rail", "gpu_lost"})])
def test_each_gpu_has_its_rail_and_storage_is_left_out(nodes, fault):
    fact = nodes(fault)
    assert fact["gpu_nics"] == RAIL_OF
    for name in eight_gpu.STORAGE:
        assert any(note.startswith("gpu_nics: %s left out: storage or management" % name) for note in fact["notes"])


def test_a_rail_without_link_is_left_out_and_said(nodes):
    fact = nodes("nic_down")
    assert fact["gpu_nics"] == dict(RAIL_OF, **{"5": ["mlx5_5"]})
    assert "gpu_nics: mlx5_6 left out: no port of it is active (port 1 is DOWN)" in fact["notes"]
    assert "gpu_nics: GPU 5 goes through NICs at PXB although mlx5_6 would be nearer, since left out" in fact["notes"]


def test_a_slow_rail_is_kept_and_said(nodes):
    assert any(note.startswith("gpu_nics: mlx5_1 kept although") for note in nodes("nic_slow")["notes"])


def test_a_gpu_without_a_rail_is_said(nodes):
    fact = nodes("no_rail")
    assert fact["gpu_nics"] == dict(RAIL_OF, **{"6": ["mlx5_8"]})
    assert "gpu_nics: GPU 6 has its nearest NIC at PXB, while most GPUs have one at PIX" in fact["notes"]


def test_a_lost_gpu_has_no_entry(nodes):
    assert list(nodes("gpu_lost")["gpu_nics"]) == [str(number) for number in range(7)]


def test_closeness_from_the_matrix_where_nodes_are_unknown(nodes):
    fact = nodes("numa_node_root")
    kinds = {(one["gpu"], one["device"]): one["kind"] for one in fact["pci_paths"]}
    assert (kinds[0, "mlx5_2"], kinds[0, "nvme2"], kinds[4, "mlx5_2"]) == ("NODE", None, "SYS")
    assert fact["sources"]["pci_paths that the PCI tree does not tell"] == "nvidia-smi topo -m"


# -- by hand: a few devices, to see each rule alone --------------------------------------------------------------------


def _device(name, state="ACTIVE", rate=400, netdev=None, address="0000:01:00.0"):
    return {"name": name, "pci_address": address, "numa_node": 0, "ports": [
        {"port": 1, "state": state, "rate": rate, "netdev": netdev or "net_" + name}]}


def _host(devices, kinds, **more):
    """What was found on a host: `kinds` gives, for each GPU, the kind of each device in turn."""
    paths = [{"gpu": gpu, "device": device["name"], "kind": kind, "path": []}
             for gpu, row in enumerate(kinds) for device, kind in zip(devices, row)]
    return dict({"gpus": [{"index": gpu} for gpu in range(len(kinds))], "rdma_devices": devices, "nics": [], "nvme": [],
                 "pci_paths": paths, "notes": []}, **more)


def test_a_management_port_is_left_out():
    found = _host([_device("a"), _device("b", rate=400)], [["NODE", "NODE"]], _default_route=["net_b"])
    assert closeness.gpu_nics(found) == {"0": ["a"]}
    assert found["notes"] == ["gpu_nics: b left out: management: the default route goes through its interface net_b"]


def test_the_only_nic_is_never_left_out():
    found = _host([_device("a", state="DOWN")], [["SYS"]], _default_route=["net_a"])
    assert closeness.gpu_nics(found) == {"0": ["a"]}
    assert len(found["notes"]) == 2
    assert all("nothing left out" in note for note in found["notes"])


def test_a_rail_that_carries_the_default_route_still_serves_its_gpu():
    found = _host([_device("a"), _device("b")], [["PIX", "SYS"], ["SYS", "PIX"]], _default_route=["net_a"])
    assert closeness.gpu_nics(found) == {"0": ["a"], "1": ["b"]}
    assert found["notes"] == ["gpu_nics: a kept although management: the default route goes through its interface "
                              "net_a, for GPU 0 has none nearer"]


def test_half_the_rate_is_left_out():
    found = _host([_device("a"), _device("b", rate=100)], [["NODE", "NODE"]])
    assert closeness.gpu_nics(found) == {"0": ["a"]}


def test_virtual_devices_and_virtual_functions_are_left_out():
    devices = [_device("a"), _device("vf", address="0000:01:00.1"), _device("rxe0", address=None)]
    found = _host(devices, [["PHB", "PHB"]], _pci={"0000:01:00.1": {"virtual_function": True}})
    assert closeness.gpu_nics(found) == {"0": ["a"]}
    assert len(found["notes"]) == 2


def test_a_lone_far_nic_serves_the_socket_that_has_no_nearer_one():
    found = _host([_device("a"), _device("b")], [["PIX", "SYS"], ["NODE", "SYS"], ["SYS", "NODE"], ["SYS", "NODE"]])
    assert closeness.gpu_nics(found) == {"0": ["a"], "1": ["a"], "2": ["b"], "3": ["b"]}


def test_several_nics_at_the_best_distance_all_serve():
    found = _host([_device("a"), _device("b"), _device("c")], [["PIX", "PIX", "SYS"]])
    assert closeness.gpu_nics(found)["0"] == ["a", "b"]


def test_behind_cascaded_switches_the_innermost_counts():
    """Both NICs are at PXB, but only one is behind the inner switch of the GPU."""
    devices = [_device("far", address="0000:20:00.0"), _device("near", address="0000:30:00.0")]
    outer = ["0000:01:00.0", "0000:02:00.0"]
    tree = {"0000:10:00.0": {"path": outer + ["0000:03:00.0", "0000:04:00.0", "0000:05:00.0"]},
            "0000:20:00.0": {"path": ["0000:01:00.0", "0000:07:00.0", "0000:08:00.0"]},
            "0000:30:00.0": {"path": outer + ["0000:03:00.0", "0000:06:00.0", "0000:09:00.0"]}}
    found = _host(devices, [["PXB", "PXB"]], _pci=tree)
    found["gpus"][0]["pci_address"] = "0000:10:00.0"
    assert closeness.gpu_nics(copy.deepcopy(found)) == {"0": ["near"]}
    tree["0000:30:00.0"]["path"] = None
    assert closeness.gpu_nics(found) == {"0": ["far", "near"]}


def test_a_host_without_gpus_or_nics():
    assert closeness.gpu_nics(_host([_device("a", address=None)], [])) == {}
    found = _host([], [[]])
    assert closeness.gpu_nics(found) == {"0": []}
    assert found["notes"] == []


NAMED = _host([_device("mlx5_0", rate=100, address="0000:01:00.0"), _device("mlx5_1", address="0000:02:00.0")],
              [["NODE", "PIX"]])


@pytest.mark.parametrize("name", ["mlx5_0", "net_mlx5_0", "0000:01:00.0"])
def test_what_the_operator_names_holds(name):
    assert closeness.gpu_nics(copy.deepcopy(NAMED), compute_nics=[name]) == {"0": ["mlx5_0"]}
    assert closeness.gpu_nics(copy.deepcopy(NAMED), storage_nics=[name]) == {"0": ["mlx5_1"]}


def test_naming_a_storage_nic_takes_the_nearest_away():
    found = copy.deepcopy(NAMED)
    assert closeness.gpu_nics(found, storage_nics=["mlx5_1"]) == {"0": ["mlx5_0"]}


def test_a_name_that_is_not_there_is_refused_with_the_nearest():
    with pytest.raises(ValueError, match=r"no RDMA device 'mlx5_l' on this host, did you mean 'mlx5_1'\?"):
        closeness.gpu_nics(copy.deepcopy(NAMED), compute_nics=["mlx5_l"])
    with pytest.raises(ValueError, match="there are: mlx5_0, mlx5_1"):
        closeness.gpu_nics(copy.deepcopy(NAMED), storage_nics=["xyz"])


def test_a_nic_cannot_be_both():
    with pytest.raises(ValueError, match="mlx5_0 cannot be both"):
        closeness.gpu_nics(copy.deepcopy(NAMED), compute_nics=["mlx5_0"], storage_nics=["0000:01:00.0"])
