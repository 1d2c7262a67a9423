# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the RDMA devices: ports, rates, GID tables, and which GID index to use for RoCE v2.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from . import nic, pci

_MAPPED = "0000:0000:0000:0000:0000:ffff:"
_MTUS = (4096, 2048, 1024, 512, 256)
# What the kernel keeps free of an Ethernet frame for the longest RDMA headers (iboe_get_mtu).
_ROCE_HEADERS = 96


def read(host, found):
    """The section `rdma_devices`, by PCI address; virtual ones (rxe, siw) have none and come last."""
    devices = [_device(host, found, name) for name in host.names(nic.RDMA)]
    return sorted(devices, key=lambda device: (pci.order(device["pci_address"] or "ffffffff:ff:ff.7"), device["name"]))


def _device(host, found, name):
    folder = "%s/%s" % (nic.RDMA, name)
    device = nic.device_folder(host, folder)
    address = pci.above(host, device) if device else None
    record = pci.describe(host, found, address) if address else {}
    ports = sorted((port for port in host.names(folder + "/ports") if port.isdigit()), key=int)
    return {
        "name": name,
        "pci_address": address,
        "numa_node": record.get("numa_node"),
        "cpus": record.get("cpus"),
        "firmware": pci.attribute(host, folder + "/fw_ver") or None,
        "board_id": pci.attribute(host, folder + "/board_id") or None,
        "link": pci.link(host, address) if address else None,
        "ports": [_port(host, found, name, int(port), device) for port in ports],
    }


def _port(host, found, name, port, device):
    folder = "%s/%s/ports/%d" % (nic.RDMA, name, port)
    layer = pci.attribute(host, folder + "/link_layer")
    gids = _gids(host, folder)
    netdev = _netdev(host, folder, port, device, gids)
    return {
        "port": port,
        "link_layer": layer,
        "state": word(pci.attribute(host, folder + "/state")),
        "phys_state": word(pci.attribute(host, folder + "/phys_state")),
        "rate": rate(pci.attribute(host, folder + "/rate")),
        "netdev": netdev,
        "active_mtu": _active_mtu(host, found, "%s/%d" % (name, port), netdev) if layer == "Ethernet" else None,
        "gids": gids,
        "roce_v2_gid": roce_v2(gids, netdev) if layer == "Ethernet" else {"ipv4": None, "ipv6": None},
    }


def word(text):
    """The name in "4: ACTIVE"."""
    return text.rpartition(":")[2].strip() or None if text else None


def rate(text):
    """The Gb/s in "400 Gb/sec (4X NDR)", or None."""
    match = re.match(r"(\d+(?:\.\d+)?) Gb/sec", text or "")
    value = float(match.group(1)) if match else None
    return int(value) if value is not None and value == int(value) else value


def _gids(host, folder):
    """The entries of a GID table that are in use; the kernel refuses to name type and interface of the others."""
    gids = []
    for index in sorted((name for name in host.names(folder + "/gids") if name.isdigit()), key=int):
        gid = pci.attribute(host, "%s/gids/%s" % (folder, index))
        # An interface part of zero is a free place: all zeros on Ethernet, fe80:: on InfiniBand.
        if gid and gid[20:].strip("0:"):
            kind = pci.attribute(host, "%s/gid_attrs/types/%s" % (folder, index))
            netdev = pci.attribute(host, "%s/gid_attrs/ndevs/%s" % (folder, index))
            gids.append({"index": int(index), "gid": gid, "type": kind or None, "netdev": netdev or None})
    return gids


def _netdev(host, folder, port, device, gids):
    """The interface of a port: what its GIDs belong to, else the one of the same function and port number."""
    first = pci.attribute(host, folder + "/gid_attrs/ndevs/0")
    if first:
        return first
    names = host.names(device + "/net") if device else []
    own = [name for name in names
           if port - 1 in (pci.number(host, "%s/net/%s/dev_port" % (device, name)),
                           pci.number(host, "%s/net/%s/dev_id" % (device, name)))]
    if len(names) == 1 and (own or port == 1):
        return names[0]
    if len(own) == 1:
        return own[0]
    told = [gid["netdev"] for gid in gids if gid["netdev"]]
    return told[0] if told else None


def _active_mtu(host, found, place, netdev):
    """The RDMA MTU of an Ethernet port, which the kernel derives from the interface's; sysfs does not show it."""
    mtu = pci.number(host, "%s/%s/mtu" % (nic.NET, netdev)) if netdev else None
    fitting = [size for size in _MTUS if mtu is not None and size <= mtu - _ROCE_HEADERS]
    if not fitting:
        return None
    found.setdefault("sources", {})["rdma_devices active_mtu"] = "the kernel's rule, from the MTU of the interface"
    return fitting[0]


def roce_v2(gids, netdev):
    """{ipv4, ipv6}: the index of the RoCE v2 GID to use for each, or None.

    A port can have GIDs of VLANs and of addresses that do not route; the interface's own and routable ones go first.
    """
    usable = [gid for gid in gids if gid["type"] == "RoCE v2"]

    def best(chosen, is_local):
        ranked = sorted((gid["netdev"] != netdev, is_local(gid["gid"]), gid["index"]) for gid in chosen)
        return ranked[0][2] if ranked else None

    ipv4 = [gid for gid in usable if gid["gid"].startswith(_MAPPED)]
    ipv6 = [gid for gid in usable if not gid["gid"].startswith(_MAPPED)]
    return {"ipv4": best(ipv4, lambda gid: gid.startswith(_MAPPED + "a9fe:")),
            "ipv6": best(ipv6, lambda gid: gid[:3] in ("fe8", "fe9", "fea", "feb"))}
