# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCI addresses, places in the tree, NUMA nodes that the kernel does not tell, links."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci
from ansible_collections.gpuwright.node.tests.sysroots import sysfs

TWO_NODES = [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "4-7"}]


def _found(root, nodes=TWO_NODES):
    host = Host(str(root))
    found = {"numa_nodes": nodes, "cpu": {"online": "0-7"}, "sources": {}, "notes": []}
    found["_pci"] = pci.read(host, found)
    return host, found


def _one(root, files, bridge=None, nodes=TWO_NODES):
    """A device below a root port, described."""
    port = sysfs.device(root, sysfs.host_bridge(root, "pci0000:15"), "0000:15:01.0",
                        dict({"class": "0x060400"}, **(bridge or {})))
    sysfs.device(root, port, "0000:16:00.0", dict({"class": "0x030200", "vendor": "0x10de"}, **files))
    host, found = _found(root, nodes)
    return pci.describe(host, found, "0000:16:00.0"), found


@pytest.mark.parametrize(("spelt", "address"), [
    ("00000000:3B:00.0", "0000:3b:00.0"), ("0000:3b:00.0", "0000:3b:00.0"), ("3b:00.0", "0000:3b:00.0"),
    ("00010000:E1:00.0", "10000:e1:00.0"), ("10000:e1:00.0", "10000:e1:00.0"), ("000f:01:00.0", "000f:01:00.0"),
    (" 0000:3b:1f.7 ", "0000:3b:1f.7"), ("0000:3b:00", "0000:3b:00.0"),
    (None, None), ("", None), ("N/A", None), ("0000:3b:00.8", None), ("usb1", None),
])
def test_addresses_are_spelt_as_in_sysfs(spelt, address):
    assert pci.normal(spelt) == address


def test_wide_domains_sort_after_narrow_ones():
    assert sorted(["10000:01:00.0", "ffff:00:00.0", "0000:ff:00.0", "0000:02:00.0"], key=pci.order) == [
        "0000:02:00.0", "0000:ff:00.0", "ffff:00:00.0", "10000:01:00.0"]


def test_the_way_to_the_host_bridge(tmp_path):
    device, _found = _one(tmp_path, {"numa_node": 1, "local_cpulist": "4-7"})
    assert (device["host_bridge"], device["path"]) == ("pci0000:15", ["0000:15:01.0"])
    assert (device["class"], device["vendor"], device["numa_node"], device["cpus"]) == (0x030200, 0x10DE, 1, "4-7")


def test_below_a_vmd_controller_the_real_host_bridge_counts(tmp_path):
    vmd = sysfs.device(tmp_path, sysfs.host_bridge(tmp_path, "pci0000:00"), "0000:00:0e.0", {"class": "0x010400"})
    port = sysfs.device(tmp_path, vmd + "/pci10000:e0", "10000:e0:06.0", {"class": "0x060400"})
    sysfs.device(tmp_path, port, "10000:e1:00.0", {"class": "0x010802", "numa_node": 0})
    _host, found = _found(tmp_path)
    assert found["_pci"]["10000:e1:00.0"] == {
        "class": 0x010802, "path": ["0000:00:0e.0", "10000:e0:06.0"], "host_bridge": "pci0000:00"}


def test_the_cpus_tell_a_node_that_the_file_does_not(tmp_path):
    device, found = _one(tmp_path, {"numa_node": -1, "local_cpulist": "4-7"})
    assert (device["numa_node"], found["sources"]) == (1, {"0000:16:00.0 numa_node": "local_cpulist"})


def test_a_mask_serves_where_there_is_no_list(tmp_path):
    device, _found = _one(tmp_path, {"local_cpus": "00000000,000000f0"})
    assert (device["numa_node"], device["cpus"]) == (1, "4-7")


def test_the_bridge_tells_a_node_that_the_device_does_not(tmp_path):
    device, found = _one(tmp_path, {"numa_node": -1, "local_cpulist": "0-7"}, {"numa_node": 1})
    assert (device["numa_node"], device["cpus"]) == (1, "4-7")
    assert found["sources"] == {"0000:16:00.0 numa_node": "numa_node of the bridge 0000:15:01.0"}


def test_an_unknown_node_of_two_stays_unknown(tmp_path):
    device, found = _one(tmp_path, {"numa_node": -1, "local_cpulist": "0-7"}, {"numa_node": -1})
    assert (device["numa_node"], device["cpus"], found["sources"]) == (None, "0-7", {})


def test_the_only_node_with_cpus_is_taken_and_said(tmp_path):
    nodes = [{"id": 0, "cpus": "0-7"}, {"id": 1, "cpus": ""}]
    device, found = _one(tmp_path, {"numa_node": -1}, nodes=nodes)
    assert (device["numa_node"], device["cpus"]) == (0, "0-7")
    assert "0000:16:00.0 numa_node" in found["sources"]


@pytest.mark.parametrize(("first", "own", "cpus"), [("f0", "f0", "4-7"), ("ff", "0f", "0-7")])
def test_fewer_cpus_than_the_only_node_has_are_meant_if_the_host_bridge_has_them(tmp_path, first, own, cpus):
    device, _found = _one(tmp_path, {"numa_node": -1, "local_cpus": own}, {"local_cpus": first, "numa_node": -1},
                          nodes=[{"id": 0, "cpus": "0-7"}])
    assert (device["numa_node"], device["cpus"]) == (0, cpus)


def test_a_node_that_the_host_does_not_have_is_not_believed(tmp_path):
    device, found = _one(tmp_path, {"numa_node": 5, "local_cpulist": "0-3"})
    assert device["numa_node"] == 0
    assert found["notes"] == ["0000:16:00.0: the kernel says NUMA node 5, which this host does not have"]


def test_offline_cpus_are_not_near(tmp_path):
    device, _found = _one(tmp_path, {"numa_node": 1, "local_cpulist": "4-11"})
    assert device["cpus"] == "4-7"


def test_a_link_and_none(tmp_path):
    _one(tmp_path, {"current_link_speed": "32.0 GT/s PCIe", "current_link_width": 8, "max_link_speed": "32.0 GT/s PCIe",
                    "max_link_width": 16}, {"current_link_speed": "Unknown", "max_link_width": 255,
                                            "current_link_width": 0})
    host = Host(str(tmp_path))
    assert pci.link(host, "0000:16:00.0") == {
        "speed": "32.0 GT/s PCIe", "width": 8, "max_speed": "32.0 GT/s PCIe", "max_width": 16}
    assert set(pci.link(host, "0000:15:01.0").values()) == {None}


def test_a_virtual_function_and_a_driver(tmp_path):
    bridge = sysfs.host_bridge(tmp_path, "pci0000:15")
    physical = sysfs.device(tmp_path, bridge, "0000:15:02.0", {"class": "0x020000"}, "mlx5_core")
    virtual = sysfs.device(tmp_path, bridge, "0000:15:02.1", {"class": "0x020000"})
    sysfs.link(tmp_path, virtual + "/physfn", physical)
    host, found = _found(tmp_path)
    said = [pci.describe(host, found, address) for address in ("0000:15:02.0", "0000:15:02.1")]
    assert [(one["driver"], one["virtual_function"]) for one in said] == [("mlx5_core", False), (None, True)]
