# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""RDMA devices: ports, GID tables and the RoCE v2 index."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci, rdma
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs

ZERO = "0000:0000:0000:0000:0000:0000:0000:0000"
LOCAL = "fe80:0000:0000:0000:a288:c2ff:fe00:0001"
GLOBAL = "2001:0db8:0000:0000:a288:c2ff:fe00:0001"
IPV4 = "0000:0000:0000:0000:0000:ffff:0a00:0102"
AUTOCONF = "0000:0000:0000:0000:0000:ffff:a9fe:0102"
V1, V2 = "IB/RoCE v1", "RoCE v2"


def _read(root):
    host = Host(str(root))
    found = {"sources": {}, "notes": host.notes, "numa_nodes": [], "cpu": {"online": "0-3"}}
    found["_pci"] = pci.read(host, found)
    return rdma.read(host, found)


def _device(root, name="mlx5_0", netdevs=("rail0",), address="0000:16:00.0", **port):
    device = sysfs.device(root, sysfs.host_bridge(root, "pci0000:15"), address, {
        "class": "0x020000", "current_link_speed": "32.0 GT/s PCIe", "max_link_speed": "32.0 GT/s PCIe",
        "current_link_width": "8", "max_link_width": "16"}, "mlx5_core")
    for number, netdev in enumerate(netdevs):
        sysfs.netdev(root, device, netdev, {"type": 1, "mtu": 9000, "dev_port": number})
    files = dict({"link_layer": "Ethernet", "state": "4: ACTIVE", "phys_state": "5: LinkUp",
                  "rate": "400 Gb/sec (4X NDR)"}, **port)
    sysfs.rdma(root, device, name, {"fw_ver": "28.43.1014", "board_id": "MT_0000000838"}, {1: files})
    return device


def _table(*entries):
    """Files of a GID table: (gid, type, interface) each."""
    files = {}
    for index, (gid, kind, netdev) in enumerate(entries):
        files.update({"gids/%d" % index: gid, "gid_attrs/types/%d" % index: kind,
                      "gid_attrs/ndevs/%d" % index: netdev})
    return files


def test_a_roce_port(tmp_path):
    _device(tmp_path, **_table((LOCAL, V1, "rail0"), (LOCAL, V2, "rail0"), (IPV4, V1, "rail0"), (IPV4, V2, "rail0"),
                               (ZERO, None, None)))
    (one,) = _read(tmp_path)
    (port,) = one.pop("ports")
    assert one == {"name": "mlx5_0", "pci_address": "0000:16:00.0", "numa_node": None, "cpus": None,
                   "firmware": "28.43.1014", "board_id": "MT_0000000838", "link": {
                       "speed": "32.0 GT/s PCIe", "width": 8, "max_speed": "32.0 GT/s PCIe", "max_width": 16}}
    assert [gid["index"] for gid in port["gids"]] == [0, 1, 2, 3]
    assert port["gids"][3] == {"index": 3, "gid": IPV4, "type": V2, "netdev": "rail0"}
    del port["gids"]
    assert port == {"port": 1, "link_layer": "Ethernet", "state": "ACTIVE", "phys_state": "LinkUp", "rate": 400,
                    "netdev": "rail0", "active_mtu": 4096, "roce_v2_gid": {"ipv4": 3, "ipv6": 1}}


@pytest.mark.parametrize(("entries", "ipv4", "ipv6"), [
    ([], None, None),
    ([(IPV4, V1, "rail0"), (LOCAL, V1, "rail0")], None, None),
    ([(LOCAL, V2, "rail0"), (GLOBAL, V2, "rail0")], None, 1),
    ([(AUTOCONF, V2, "rail0"), (IPV4, V2, "rail0")], 1, None),
    ([(AUTOCONF, V2, "rail0")], 0, None),
    ([(IPV4, V2, "rail0.100"), (IPV4, V1, "rail0"), (IPV4, V2, "rail0")], 2, None),
    ([(IPV4, V2, "macvlan0")], 0, None),
    ([(IPV4, V2, "rail0"), (IPV4.replace("0102", "0202"), V2, "rail0")], 0, None),
    ([(LOCAL, V2, "rail0"), (GLOBAL, V2, "rail0.7")], None, 0),
])
def test_which_gid_to_use(entries, ipv4, ipv6):
    gids = [{"index": index, "gid": gid, "type": kind, "netdev": netdev}
            for index, (gid, kind, netdev) in enumerate(entries)]
    assert rdma.roce_v2(gids, "rail0") == {"ipv4": ipv4, "ipv6": ipv6}


def test_free_places_of_an_infiniband_table_are_left_out(tmp_path):
    free = "fe80:0000:0000:0000:0000:0000:0000:0000"
    _device(tmp_path, netdevs=("ib0",), link_layer="InfiniBand", rate="56 Gb/sec (4X FDR)",
            **_table((LOCAL, None, None), (free, None, None)))
    (port,) = _read(tmp_path)[0]["ports"]
    assert [gid["gid"] for gid in port["gids"]] == [LOCAL]
    assert (port["netdev"], port["active_mtu"], port["rate"]) == ("ib0", None, 56)
    assert port["roce_v2_gid"] == {"ipv4": None, "ipv6": None}


@pytest.mark.parametrize(("text", "rate"), [
    ("400 Gb/sec (4X NDR)", 400), ("2.5 Gb/sec (1X SDR)", 2.5), ("800 Gb/sec (8X NDR)", 800), ("Unknown", None),
    (None, None)])
def test_rates(tmp_path, text, rate):
    _device(tmp_path, rate=text)
    assert _read(tmp_path)[0]["ports"][0]["rate"] == rate


@pytest.mark.parametrize(("mtu", "active"), [(9000, 4096), (4200, 4096), (4191, 2048), (1500, 1024), (300, None)])
def test_the_rdma_mtu_follows_the_interface(tmp_path, mtu, active):
    _device(tmp_path)
    sysfs.write(tmp_path, "sys/class/net/rail0/mtu", mtu)
    assert _read(tmp_path)[0]["ports"][0]["active_mtu"] == active


def test_a_port_without_gids_finds_its_interface_by_number(tmp_path):
    device = _device(tmp_path, netdevs=("eth0", "eth1"))
    sysfs.write_all(tmp_path, device + "/infiniband/mlx5_0/ports/2", {"link_layer": "Ethernet", "state": "1: DOWN"})
    assert [(port["port"], port["netdev"]) for port in _read(tmp_path)[0]["ports"]] == [(1, "eth0"), (2, "eth1")]


def test_the_ports_of_a_bonded_device_belong_to_the_bond(tmp_path):
    _device(tmp_path, name="mlx5_bond_0", **_table((IPV4, V2, "bond0")))
    (port,) = _read(tmp_path)[0]["ports"]
    assert (port["netdev"], port["roce_v2_gid"]["ipv4"]) == ("bond0", 0)


def test_virtual_devices_come_last_and_have_no_place(tmp_path):
    sysfs.write_all(tmp_path, "sys/devices/virtual/infiniband/a_rxe0", {
        "ports/1/link_layer": "Ethernet", "ports/1/state": "4: ACTIVE", "ports/1/gid_attrs/ndevs/0": "eth0"})
    sysfs.link(tmp_path, "sys/class/infiniband/a_rxe0", "sys/devices/virtual/infiniband/a_rxe0")
    _device(tmp_path)
    devices = _read(tmp_path)
    assert [(one["name"], one["pci_address"]) for one in devices] == [("mlx5_0", "0000:16:00.0"), ("a_rxe0", None)]
    assert devices[1]["ports"][0]["netdev"] == "eth0"


def test_efa_has_no_link_layer_of_the_two(tmp_path):
    _device(tmp_path, name="rdmap16s27", netdevs=(), link_layer="Unspecified", rate="100 Gb/sec (4X EDR)")
    (port,) = _read(tmp_path)[0]["ports"]
    assert (port["link_layer"], port["netdev"], port["active_mtu"]) == ("Unspecified", None, None)


def test_the_ten_devices_of_the_node(tmp_path):
    devices = _read(eight_gpu.build(str(tmp_path)))
    assert [one["name"] for one in devices] == ["mlx5_%d" % number for number in range(10)]
    assert {port["roce_v2_gid"]["ipv4"] for one in devices for port in one["ports"]} == {3}
