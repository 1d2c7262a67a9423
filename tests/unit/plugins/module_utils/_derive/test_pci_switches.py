# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The switches that an operator declares: every way to name a device, and every mistake in words."""

from __future__ import annotations

import copy

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import pci_switches

LINK = {"speed": "2.5 GT/s PCIe", "width": 8, "max_speed": "32.0 GT/s PCIe", "max_width": 16}


def _gpu(index, address, node=0, **more):
    return dict({"index": index, "pci_address": address, "vendor": "nvidia", "numa_node": node, "link": dict(LINK),
                 "uuid": "GPU-%d" % index}, **more)


def _nic(name, address, netdev, layer="InfiniBand", node=0):
    return {"name": name, "pci_address": address, "numa_node": node,
            "ports": [{"port": 1, "link_layer": layer, "netdev": netdev}]}


FACT = {
    "gpus": [_gpu(0, "0000:3b:00.0"), _gpu(1, "f001:00:00.0", 1)],
    "rdma_devices": [_nic("mlx5_0", "0000:3c:00.0", "ib0"), _nic("mlx5_1", "10000:00:00.0", "eth1", "Ethernet", 1),
                     _nic("rxe0", None, "eth9", "Ethernet", None), _nic("mlx5_9", "0000:f0:00.0", "store0")],
    "nics": [{"name": "ens5", "pci_address": "0000:00:05.0", "numa_node": None}],
    "numa_nodes": [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "4-7"}, {"id": 2, "cpus": ""}],
    "gpu_nics": {"0": ["mlx5_0"], "1": ["mlx5_1", "rxe0"]},
}
RIGHT = [{"gpus": [0], "nics": ["mlx5_0"]}, {"gpus": [1], "nics": ["mlx5_1"]}]


def _below(found):
    return [[device["address"] for device in switch["devices"]] for switch in found]


@pytest.mark.parametrize("gpu", [0, "0", "GPU-0", "0000:3b:00.0", "3B:00.0", "00000000:3B:00.0"])
@pytest.mark.parametrize("nic", ["mlx5_0", "ib0", "0000:3c:00.0", "0000:3C:00.0"])
def test_a_device_goes_by_all_its_names(gpu, nic):
    for gpus, nics in (([gpu], [nic]), (gpu, nic), (str(gpu), (nic,))):
        found = pci_switches.resolve(FACT, [{"gpus": gpus, "nics": nics}, RIGHT[1]])
        assert _below(found) == [["0000:3b:00.0", "0000:3c:00.0"], ["f001:00:00.0", "10000:00:00.0"]]


def test_what_is_known_of_a_switch():
    first, second = pci_switches.resolve(FACT, list(reversed(RIGHT)))
    assert (first["numa_node"], second["numa_node"]) == (0, 1)
    assert (first["link_speed"], first["link_width"]) == ("32.0 GT/s PCIe", 16), "the most, not what an idle GPU runs"
    assert (first["declared_speed"], first["declared_width"]) == (None, None)
    gpu, nic = first["devices"]
    assert gpu["is_gpu"] and not nic["is_gpu"] and nic["infiniband"]
    assert not second["devices"][1]["infiniband"] and nic["link_speed"] is None


def test_switches_and_devices_are_in_the_order_of_their_addresses_as_numbers():
    """NCCL takes devices in the file's order, and 10000 comes after f001."""
    found = pci_switches.resolve(FACT, [{"nics": "mlx5_1"}, {"gpus": [1, 0], "numa_node": 0}, {"nics": ["ib0"]}])
    assert _below(found) == [["0000:3b:00.0", "f001:00:00.0"], ["0000:3c:00.0"], ["10000:00:00.0"]]


def test_several_names_in_a_text_and_other_nics_too():
    found = pci_switches.resolve(FACT, [{"gpus": "0,1", "nics": "mlx5_0, mlx5_1,ens5,store0", "numa_node": "1"}])
    assert [len(one) for one in _below(found)] == [6] and found[0]["numa_node"] == 1


@pytest.mark.parametrize("given, speed", [
    ("16 GT/s", "16.0 GT/s PCIe"), ("16.0 GT/s PCIe", "16.0 GT/s PCIe"), ("2.5 GT/s", "2.5 GT/s PCIe"),
    ("5 GT/s", "5.0 GT/s PCIe"), ("64.0 GT/s PCIe", "64.0 GT/s PCIe")])
def test_a_declared_link_is_in_the_kernels_words(given, speed):
    first = pci_switches.resolve(FACT, [dict(RIGHT[0], link_speed=given, link_width="8"), RIGHT[1]])[0]
    assert (first["link_speed"], first["link_width"]) == (speed, 8)
    assert (first["declared_speed"], first["declared_width"]) == (speed, 8)


def test_a_hypervisor_that_shows_no_links_needs_them_told():
    fact = copy.deepcopy(FACT)
    for gpu in fact["gpus"]:
        gpu["link"] = dict.fromkeys(LINK)
    with pytest.raises(ValueError, match="switch 1: the link of none of its GPUs is known here: say its link_speed"):
        pci_switches.resolve(fact, RIGHT)
    alone = [{"gpus": [0]}, {"gpus": [1]}, {"nics": ["mlx5_0"]}, {"nics": ["mlx5_1"]}]
    assert {switch["link_speed"] for switch in pci_switches.resolve(fact, alone)} == {None}, "it is no switch"
    told = [dict(switch, link_speed="16 GT/s", link_width=16) for switch in RIGHT]
    assert {switch["link_speed"] for switch in pci_switches.resolve(fact, told)} == {"16.0 GT/s PCIe"}


def test_the_numa_node_is_that_of_its_devices_or_the_only_one():
    fact = copy.deepcopy(FACT)
    fact["gpus"][0]["numa_node"] = None
    assert pci_switches.resolve(fact, RIGHT)[0]["numa_node"] == 0, "the NIC tells"
    fact["rdma_devices"][0]["numa_node"] = None
    with pytest.raises(ValueError, match="its devices are on NUMA nodes that are not told: say its numa_node"):
        pci_switches.resolve(fact, RIGHT)
    fact["numa_nodes"] = fact["numa_nodes"][:1]
    assert [switch["numa_node"] for switch in pci_switches.resolve(fact, RIGHT)] == [0, 0]


@pytest.mark.parametrize("switches, words", [
    ({"gpus": [0]}, "must be a list of dictionaries with the keys gpus, nics"), (["0,1"], "must be a list of dict"),
    ([{"gpu": [0]}], "switch 1: no key 'gpu'; did you mean gpus?"), ([{}], "switch 1: neither gpus nor nics"),
    ([{"gpus": [], "nics": None}], "switch 1: neither gpus nor nics"),
    ([RIGHT[0], {"gpus": [2]}], "switch 2: no GPU '2' on this host; known: "),
    ([{"gpus": [True]}], "switch 1: gpus: .* is not a list of names"), ([{"gpus": {"a": 1}}], "is not a list of names"),
    ([{"nics": ["mlx5_2"]}], "switch 1: no NIC 'mlx5_2' on this host; did you mean mlx5_"),
    ([{"nics": ["0000:3b:00.0"]}], "no NIC '0000:3b:00.0' on this host"),
    ([{"gpus": ["mlx5_0"]}], "no GPU 'mlx5_0' on this host"),
    ([{"nics": ["rxe0"]}], "switch 1: rxe0 has no PCI address"),
    ([dict(RIGHT[0], numa_node=3)], "switch 1: no NUMA node 3 with CPUs on this host; there are: 0, 1"),
    ([dict(RIGHT[0], numa_node=2)], "no NUMA node 2 with CPUs"), ([dict(RIGHT[0], numa_node=-1)], "no NUMA node -1"),
    ([dict(RIGHT[0], numa_node=True)], "no NUMA node True"),
    ([{"gpus": [0, 1]}], "switch 1: its devices are on NUMA nodes 0, 1: say its numa_node"),
    ([dict(RIGHT[0], link_speed="17 GT/s")], "link_speed is '17 GT/s', and is one of: 2.5 GT/s PCIe, 5.0 GT/s PCIe"),
    ([dict(RIGHT[0], link_speed=16)], "link_speed is 16, and is one of"),
    ([dict(RIGHT[0], link_width=3)], "link_width is 3, and is one of: 1, 2, 4, 8, 12, 16, 32"),
    ([dict(RIGHT[0], link_width="wide")], "link_width is 'wide'"),
    ([dict(RIGHT[0], link_width=True)], "link_width is True"),
    (RIGHT + [{"gpus": ["GPU-0"]}], r"GPU 0 \(0000:3b:00.0\) is named twice: below switch 1 and below switch 3"),
    ([{"gpus": [0], "nics": ["mlx5_0", "ib0"]}], r"mlx5_0 \(.*\) is named twice: below switch 1 and below switch 1"),
    (RIGHT[:1], r"below no switch: GPU 1 \(f001:00:00.0\), mlx5_1 \(10000:00:00.0\). Every GPU"),
    ([{"gpus": [0, 1], "numa_node": 0}], r"below no switch: mlx5_0 \(0000:3c:00.0\), mlx5_1 .* is declared alone"),
])
def test_a_mistake_is_an_error_in_words(switches, words):
    with pytest.raises(ValueError, match=words):
        pci_switches.resolve(FACT, switches)


def test_a_gpu_of_which_only_a_list_was_recorded_has_no_place():
    with pytest.raises(ValueError, match="switch 1: GPU 0 has no PCI address"):
        pci_switches.resolve(dict(FACT, gpus=[_gpu(0, None)]), [{"gpus": [0]}])
