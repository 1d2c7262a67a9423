# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the network interfaces that have a device behind them: Ethernet and IPoIB, no bonds, bridges or tunnels.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re

from .. import _host
from . import pci

NET = "/sys/class/net"
RDMA = "/sys/class/infiniband"
RECORDED = "/gpuwright/ip-address.json"  # In a capture: what "ip -j address" said.
_UNKNOWN_SPEED = (-1, 0xFFFFFFFF, 0xFFFF)
_ETHERNET, _INFINIBAND = 1, 32
_RINGS = re.compile(r"^(RX|TX):\s*(\d+)", re.MULTILINE)


def read(host, found):
    """The section `nics`, by PCI address, then name."""
    found["_default_route"] = _default_route(host)
    addresses = _addresses(host)
    nics = []
    for name in host.names(NET):
        folder = "%s/%s" % (NET, name)
        device = device_folder(host, folder)
        if device is None or pci.number(host, folder + "/type") not in (_ETHERNET, _INFINIBAND, None):
            continue
        one = _nic(host, found, name, folder, device)
        one["addresses"] = addresses if addresses is None else addresses.get(name, [])
        nics.append(one)
    return sorted(nics, key=lambda nic: (pci.order(nic["pci_address"] or "ffffffff:ff:ff.7"), nic["name"]))


def device_folder(host, folder):
    """The device behind an entry of /sys/class, or None: bonds, bridges and the like have none."""
    if host.exists(folder + "/device"):
        return folder + "/device"
    real = host.real(folder)
    return real if pci.above(host, real) else None


def _nic(host, found, name, folder, device):
    address = pci.above(host, device)
    record = pci.describe(host, found, address) if address else {}
    speed = pci.number(host, folder + "/speed")
    target = host.link(device + "/driver") or ""
    return {
        "name": name,
        "pci_address": address,
        "driver": target.rstrip("/").rpartition("/")[2] or record.get("driver"),
        "numa_node": record.get("numa_node"),
        "cpus": record.get("cpus"),
        "mtu": pci.number(host, folder + "/mtu"),
        "speed": None if speed in _UNKNOWN_SPEED else speed,
        "operstate": pci.attribute(host, folder + "/operstate") or None,
        "address": pci.attribute(host, folder + "/address") or None,
        "rdma_device": _rdma_device(host, name, device),
        "default_route": name in found.get("_default_route", ()),
        "ring": _ring(host, name, address),
        "channels": _channels(host, folder),
    }


def _addresses(host):
    """The lasting addresses of each interface, {name: ["10.0.0.1/24", ...]}; None where nobody tells them."""
    try:
        text = host.run(["ip", "-j", "address", "show"], changes=False)[1] if host.live else host.text(RECORDED)
        links = json.loads(text) if text else None
    except (_host.CommandNotRun, ValueError) as error:
        host.note("addresses of interfaces: %s" % error)
        return None
    return None if links is None else {
        link["ifname"]: ["%s/%s" % (one["local"], one["prefixlen"]) for one in link.get("addr_info", ())
                         if one.get("scope") == "global" and not one.get("temporary")]
        for link in links if "ifname" in link}


def _default_route(host):
    """The interfaces that the default routes go through, with those below a bond, a bridge or a VLAN."""
    routes = [line.split() for line in (host.text("/proc/net/route") or "").split("\n")[1:]]
    names = [route[0] for route in routes if len(route) > 7 and set(route[1] + route[7]) == {"0"}]
    routes = [line.split() for line in (host.text("/proc/net/ipv6_route") or "").split("\n")]
    names += [route[9] for route in routes if len(route) > 9 and not (route[0] + route[1]).strip("0")
              and route[9] != "lo"]
    for name in names:
        below = [entry[6:] for entry in host.names("%s/%s" % (NET, name)) if entry.startswith("lower_")]
        names += [entry for entry in below if entry not in names]
    return sorted(set(names))


def _rdma_device(host, name, device):
    """The RDMA device that shares this interface's PCI function, or whose port says that it is its own."""
    devices = host.names(device + "/infiniband")
    if not devices:
        place = host.real(device)
        devices = [rdma for rdma in host.names(RDMA) if host.real("%s/%s/device" % (RDMA, rdma)) == place]
    if len(devices) > 1:
        own = [rdma for rdma in devices if name in port_netdevs(host, rdma)]
        devices = own or devices
    return devices[0] if devices else None


def port_netdevs(host, rdma):
    """The interfaces that the first GID of each port of an RDMA device belongs to."""
    ports = "%s/%s/ports" % (RDMA, rdma)
    return [pci.attribute(host, "%s/%s/gid_attrs/ndevs/0" % (ports, port)) for port in host.names(ports)]


def _ring(host, name, address):
    """Ring sizes; only ethtool tells, so none of a capture, and of a running host only for devices of their own."""
    unknown = dict.fromkeys(("rx", "rx_max", "tx", "tx_max"))
    if not host.live or not address or pci.is_virtual_function(host, address):
        return unknown
    try:
        status, text, _errors = host.run(["ethtool", "-g", name], changes=False)
    except _host.CommandNotRun as error:
        host.note(str(error))
        return unknown
    most, _heading, now = text.partition("Current hardware settings")
    if status == 0:
        for suffix, part in (("_max", most), ("", now)):
            unknown.update((ring.lower() + suffix, int(size)) for ring, size in _RINGS.findall(part))
    return unknown


def _channels(host, folder):
    """How many queues there are each way now."""
    queues = host.names(folder + "/queues")
    if not queues:
        return {"rx": None, "tx": None}
    return {way: sum(queue.startswith(way + "-") for queue in queues) for way in ("rx", "tx")}
