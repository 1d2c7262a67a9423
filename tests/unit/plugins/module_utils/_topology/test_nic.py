# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Network interfaces: which count, their device, queues and default route."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import nic, pci
from ansible_collections.gpuwright.node.tests.sysroots import sysfs

ETHERNET = {"type": 1, "mtu": 9000, "speed": 400000, "operstate": "up", "address": "a0:88:c2:00:00:01"}
ETHTOOL = """Ring parameters for rail0:
Pre-set maximums:
RX:		8192
RX Mini:	n/a
TX:		8191
Current hardware settings:
RX:		1024
RX Mini:	n/a
TX:		1023
RX Buf Len:		n/a
"""


def _pci(root, address="0000:16:00.0", driver="mlx5_core", **files):
    return sysfs.device(root, sysfs.host_bridge(root, "pci0000:15"), address,
                        dict({"class": "0x020000", "numa_node": 0}, **files), driver)


def _read(root):
    host = _host.Host(str(root))
    found = {"sources": {}, "notes": host.notes, "numa_nodes": [{"id": 0, "cpus": "0-3"}], "cpu": {"online": "0-3"}}
    found["_pci"] = pci.read(host, found)
    return nic.read(host, found), found


def test_an_interface_and_its_rdma_device(tmp_path):
    device = _pci(tmp_path, local_cpulist="0-3")
    sysfs.netdev(tmp_path, device, "rail0", ETHERNET, queues=8)
    sysfs.rdma(tmp_path, device, "mlx5_0", {}, {})
    nics, found = _read(tmp_path)
    assert nics == [{
        "name": "rail0", "pci_address": "0000:16:00.0", "driver": "mlx5_core", "numa_node": 0, "cpus": "0-3",
        "mtu": 9000, "speed": 400000, "operstate": "up", "address": "a0:88:c2:00:00:01", "rdma_device": "mlx5_0",
        "default_route": False,
        "ring": {"rx": None, "rx_max": None, "tx": None, "tx_max": None}, "channels": {"rx": 8, "tx": 8},
        "addresses": None}]
    assert found["notes"] == []


def test_interfaces_without_a_device_are_left_out(tmp_path):
    for name in ("bond0", "lo", "docker0"):
        sysfs.write_all(tmp_path, "sys/devices/virtual/net/" + name, {"type": 1})
        sysfs.link(tmp_path, "sys/class/net/" + name, "sys/devices/virtual/net/" + name)
    sysfs.write(tmp_path, "sys/class/net/bonding_masters", "bond0")
    assert _read(tmp_path)[0] == []


def test_a_virtio_interface_names_the_pci_device_above_it(tmp_path):
    virtio = _pci(tmp_path, driver="virtio-pci") + "/virtio0"
    sysfs.write(tmp_path, virtio + "/device", "0x0001")
    sysfs.link(tmp_path, virtio + "/driver", "sys/bus/virtio/drivers/virtio_net")
    sysfs.netdev(tmp_path, virtio, "eth0", dict(ETHERNET, speed=-1))
    (one,), _found = _read(tmp_path)
    assert (one["pci_address"], one["driver"], one["speed"]) == ("0000:16:00.0", "virtio_net", None)


def test_ipoib_counts_and_a_can_bus_does_not(tmp_path):
    sysfs.netdev(tmp_path, _pci(tmp_path), "ib0", dict(ETHERNET, type=32))
    sysfs.netdev(tmp_path, _pci(tmp_path, "0000:17:00.0"), "can0", dict(ETHERNET, type=280))
    assert [one["name"] for one in _read(tmp_path)[0]] == ["ib0"]


@pytest.mark.parametrize("speed", [-1, 4294967295, 65535, None])
def test_an_unknown_speed(tmp_path, speed):
    sysfs.netdev(tmp_path, _pci(tmp_path), "eth0", dict(ETHERNET, speed=speed))
    assert _read(tmp_path)[0][0]["speed"] is None


def test_seventeen_interfaces_in_pci_order(tmp_path):
    for number in reversed(range(17)):
        device = _pci(tmp_path, "0000:%02x:00.0" % (0x20 + number))
        sysfs.netdev(tmp_path, device, "eth%d" % (16 - number), ETHERNET)
    assert [one["name"] for one in _read(tmp_path)[0]] == ["eth%d" % (16 - number) for number in range(17)]


def test_two_rdma_devices_of_one_function(tmp_path):
    device = _pci(tmp_path)
    for port in (0, 1):
        sysfs.netdev(tmp_path, device, "eth%d" % port, dict(ETHERNET, dev_port=port))
        sysfs.rdma(tmp_path, device, "mlx4_%d" % port, {}, {1: {"gid_attrs/ndevs/0": "eth%d" % port}})
    assert [one["rdma_device"] for one in _read(tmp_path)[0]] == ["mlx4_0", "mlx4_1"]


def test_the_default_route_is_followed_below_a_bond(tmp_path):
    sysfs.write(tmp_path, "proc/net/route", "Iface Destination Gateway Flags RefCnt Use Metric Mask\n"
                "bond0\t00000000\t0100000A\t0003\t0\t0\t0\t00000000\t0\t0\t0\n"
                "rail0\t0000010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
                "rail1\t00000000\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0")
    zero = "0" * 32
    sysfs.write(tmp_path, "proc/net/ipv6_route", "%s 00 %s 00 %s 00000400 0 0 00000003 eth9\n"
                "%s 00 %s 00 %s ffffffff 1 0 00200200 lo" % ((zero,) * 6))
    for lower in ("eth0", "eth1"):
        sysfs.link(tmp_path, "sys/class/net/bond0/lower_" + lower, "sys/class/net/" + lower)
    assert _read(tmp_path)[1]["_default_route"] == ["bond0", "eth0", "eth1", "eth9"]


LINKS = [
    {"ifname": "rail0", "addr_info": [
        {"family": "inet", "local": "10.0.0.1", "prefixlen": 24, "scope": "global"},
        {"family": "inet6", "local": "fd00::1", "prefixlen": 64, "scope": "global"},
        {"family": "inet6", "local": "fd00::99", "prefixlen": 64, "scope": "global", "temporary": True},
        {"family": "inet6", "local": "fe80::1", "prefixlen": 64, "scope": "link"}]},
    {"ifname": "rail1", "addr_info": []}]


def test_addresses_of_a_capture_are_those_that_were_recorded(tmp_path):
    for number, name in enumerate(("rail0", "rail1", "rail2")):
        sysfs.netdev(tmp_path, _pci(tmp_path, "0000:%02x:00.0" % (0x20 + number)), name, ETHERNET)
    sysfs.write(tmp_path, nic.RECORDED, json.dumps(LINKS))
    assert [one["addresses"] for one in _read(tmp_path)[0]] == [["10.0.0.1/24", "fd00::1/64"], [], []]


def test_addresses_that_cannot_be_told_are_unknown_and_not_none(tmp_path):
    sysfs.netdev(tmp_path, _pci(tmp_path), "rail0", ETHERNET)
    sysfs.write(tmp_path, nic.RECORDED, "[{")
    (one,), found = _read(tmp_path)
    assert one["addresses"] is None and found["notes"][0].startswith("addresses of interfaces: ")


def test_addresses_of_a_running_host_are_asked_for(monkeypatch):
    host = Live("/")
    host.answer = (0, json.dumps(LINKS), "")
    assert nic._addresses(host)["rail0"] == ["10.0.0.1/24", "fd00::1/64"]
    assert host.asked == [(["ip", "-j", "address", "show"], False)]
    host.answer = _host.CommandNotRun("ip: not found")
    assert nic._addresses(host) is None and host.notes == ["addresses of interfaces: ip: not found"]


class Live(_host.Host):
    """A sysroot that counts as the running system, with an ethtool of its own."""

    live = True
    answer = (0, ETHTOOL, "")

    def __init__(self, root):
        super().__init__(root)
        self.asked = []

    def run(self, argv, seconds=10, changes=True):
        self.asked.append((argv, changes))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def test_rings_of_a_running_host(monkeypatch):
    host = Live("/")
    monkeypatch.setattr(host, "link", lambda path: None)
    assert nic._ring(host, "rail0", "0000:16:00.0") == {"rx": 1024, "rx_max": 8192, "tx": 1023, "tx_max": 8191}
    assert host.asked == [(["ethtool", "-g", "rail0"], False)]
    host.answer = (75, "", "netlink error: Operation not supported")
    assert set(nic._ring(host, "rail0", "0000:16:00.0").values()) == {None}
    host.answer = _host.CommandNotRun("ethtool: not found")
    assert set(nic._ring(host, "rail0", "0000:16:00.0").values()) == {None}
    assert host.notes == ["ethtool: not found"]
