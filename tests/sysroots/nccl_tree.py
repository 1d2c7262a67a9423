# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds a sysroot from an NCCL or RCCL topology file, whose nesting is the PCI tree of a real machine.

NCCL climbs sysfs two steps at a time: it leaves out root ports and the lower ends of switches, and a <pci> with
children is the upper end of one. Both are put back here, so that the kernel's own shape results. All of one <cpu> hang
below one host bridge, for the file knows no more.
"""

from __future__ import annotations

import itertools
import re
import xml.etree.ElementTree

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist

from . import sysfs

_BRIDGE = "0x060400"
_VENDORS = {"0x0302": "0x10de", "0x0380": "0x1002", "0x0207": "0x15b3", "0x0200": "0x15b3"}
_DRIVERS = {"0x10de": "nvidia", "0x1002": "amdgpu", "0x15b3": "mlx5_core", "0x1d0f": "efa", "0x8086": "ice"}
_ETHERNET_NAME = re.compile(r"(?:e[nt]|veth|bond|net)")


def build(folder, text):
    """Write the machine of a topology file into a folder; returns the folder."""
    system = xml.etree.ElementTree.fromstring(text)
    cpus = system.findall("cpu")
    nodes = {int(cpu.get("numaid")): _cpulist.format(_cpulist.from_mask(cpu.get("affinity"))) for cpu in cpus}
    sysfs.machine(folder, nodes, vendor=cpus[0].get("vendor"))
    taken = {pci.get("busid") for pci in system.iter("pci")}
    leaves = {pci.get("busid") for pci in system.iter("pci") if pci.get("class") != _BRIDGE}
    numbers = ("e%03x:%02x:%02x.0" % (number >> 13, number >> 5 & 255, number & 31) for number in itertools.count())
    fresh = (address for address in numbers if address not in taken)
    state = {"fresh": fresh, "names": itertools.count(), "root": folder, "placed": leaves}
    for cpu in cpus:
        node = int(cpu.get("numaid"))
        bridge = sysfs.host_bridge(folder, "pci%04x:00" % (0xE000 + node))
        near = {"numa_node": node, "local_cpulist": nodes[node]}
        for pci in cpu.findall("pci"):
            _place(state, _bridge(state, bridge, near), pci, near)
        for net in cpu.findall("nic/net"):
            # What the file gives no address is virtual.
            sysfs.write_all(folder, "sys/devices/virtual/net/" + net.get("name"), {"type": 1, "mtu": 1500})
            sysfs.link(folder, "sys/class/net/" + net.get("name"), "sys/devices/virtual/net/" + net.get("name"))
    return folder


def _bridge(state, parent, near, address=None):
    """A bridge that the file does not name, or one that it does."""
    files = {"class": _BRIDGE, "vendor": "0x1000", "device": "0xc030", "config": sysfs.config_space(0)}
    return sysfs.device(state["root"], parent, address or next(state["fresh"]), dict(near, **files), "pcieport")


def _place(state, parent, pci, near):
    """A <pci> below a root port or the lower end of a switch, and what is in it."""
    address = pci.get("busid")
    kind = pci.get("class")
    if kind == _BRIDGE:
        # One file gives a switch and a NIC the same address: the switch is called something else here.
        if address in state["placed"]:
            address = next(state["fresh"])
        state["placed"].add(address)
        upper = _bridge(state, parent, near, address)
        for child in pci.findall("pci"):
            _place(state, _bridge(state, upper, near), child, near)
        return
    vendor = pci.get("vendor") or _VENDORS[kind[:6]]
    folder = sysfs.device(state["root"], parent, address, dict(near, **{
        "class": kind, "vendor": vendor, "device": pci.get("device", "0x1017"),
        "current_link_speed": pci.get("link_speed"), "current_link_width": pci.get("link_width"),
        "max_link_speed": pci.get("link_speed"), "max_link_width": pci.get("link_width")}), _DRIVERS.get(vendor))
    if kind.startswith("0x02"):
        _nic(state, folder, pci, kind)


def _nic(state, folder, pci, kind):
    """The interfaces and RDMA devices of a network function; an unnamed one is an RDMA device."""
    for net in pci.findall("nic/net") or [xml.etree.ElementTree.Element("net")]:
        name = net.get("name") or "rdma%d" % next(state["names"])
        speed = int(net.get("speed") or 100000)
        if _ETHERNET_NAME.match(name):
            sysfs.netdev(state["root"], folder, name, {"type": 1, "mtu": 1500, "speed": speed, "operstate": "up"})
            continue
        # Amazon's EFA is neither, and the kernel says so.
        layer = "Unknown" if pci.get("vendor") == "0x1d0f" else (
            "InfiniBand" if kind.startswith("0x0207") else "Ethernet")
        sysfs.rdma(state["root"], folder, name, {"fw_ver": "20.31.1014", "board_id": "MT_0000000223"}, {1: {
            "link_layer": layer, "state": "4: ACTIVE", "phys_state": "5: LinkUp",
            "rate": "%d Gb/sec (4X HDR)" % (speed // 1000), "gids/0": "fe80:0000:0000:0000:0c42:a1ff:fe00:0001",
            "gid_attrs/types/0": "IB/RoCE v1"}})
