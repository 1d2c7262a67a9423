# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which RDMA ports NCCL is to use on a node, in which order, and which rail each of them is.

PRIVATE to the collection. Pure. NCCL reads NCCL_IB_HCA as `=device:port[:rail],...`, 32 entries and 1023 letters at
most; whatever their order here, it puts the ports in that of the PCI bus.
"""

from __future__ import annotations

import ipaddress
import re

from .._values import name_list
from .rdma_rails import ETHERNET, INFINIBAND, compute, resolve

MOST, LONGEST = 32, 1023
RAIL_IDS = (2, 30)  # The first NCCL that takes dev:port:rail.
# Devices that are no verbs as NCCL speaks them, by their driver or by what rdma-core and drivers call them.
_FOREIGN = (
    (r"efa|rdmap\d", "EFA, which NCCL reaches through aws-ofi-nccl and not by NCCL_IB_HCA"),
    (r"siw|iw[a-z]*\d|cxgb\d", "iWARP, which NCCL does not speak"),
    (r"hbl|hlib|habana", "Gaudi's own network, which HCCL drives"),
    (r"usnic|enic", "usNIC, which NCCL does not speak"),
)


def select(topology, compute_nics=None, storage_nics=None):
    """([port, ...], [(what was left out, why), ...]) of the devices that serve GPUs, in PCI order. Raises ValueError.

    A port is {device, address, port, layer, netdev, gids, roce_v2_gid}. One that is known not to be active is left out,
    and so is a virtual device that the operator did not name.
    """
    storage = set(resolve(topology, storage_nics)) if storage_nics is not None else set()
    twice = sorted(set(_twice(compute_nics))) if compute_nics is not None else ()
    if twice:
        raise ValueError("compute_nics: %s is named twice: was another meant?" % ", ".join(twice))
    both = storage.intersection(resolve(topology, compute_nics)) if compute_nics is not None else ()
    if both:
        raise ValueError("%s cannot be both a compute and a storage NIC" % ", ".join(sorted(both)))
    serving = [name for name in compute(topology, compute_nics) if name not in storage]
    chosen, left = [], []
    for device in topology.get("rdma_devices") or ():
        if device["name"] not in serving:
            continue
        foreign = _foreign(device, compute_nics is not None)
        if foreign:
            left.append((device["name"], foreign))
            continue
        for port in device["ports"]:
            unfit = _unfit(port)
            if unfit:
                left.append(("%s:%d" % (device["name"], port["port"]), unfit))
            else:
                chosen.append(_port(device, port))
    return chosen, left


def _twice(names):
    """The names that were said before: a NIC that is lost so is missed by nobody but its GPU."""
    names = name_list(names)
    return [name for number, name in enumerate(names) if name in names[:number]]


def _foreign(device, is_named):
    """Why NCCL cannot use a device, in words, or None."""
    for pattern, words in _FOREIGN:
        if re.match(pattern, device["name"]) or re.match(pattern, device.get("driver") or ""):
            return words
    if not device.get("pci_address") and not is_named:
        return "virtual, with no PCI device behind it"
    return None


def _unfit(port):
    if port.get("link_layer") not in (ETHERNET, INFINIBAND, None):
        return "of link layer %s, which NCCL passes over (EFA needs aws-ofi-nccl)" % port["link_layer"]
    return None if port.get("state") in ("ACTIVE", None) else port["state"]


def left_out(left):
    """What `select` left out, in words: "a, b and 2 more are DOWN"."""
    parts = []
    for reason in dict.fromkeys(why for _name, why in left):
        names = [name for name, why in left if why == reason]
        more = "%s and %d more are" % (", ".join(names[:2]), len(names) - 2)
        several = more if len(names) > 3 else "%s are" % ", ".join(names)
        parts.append("%s %s" % ("%s is" % names[0] if len(names) == 1 else several, reason))
    return "; ".join(parts)


def _port(device, port):
    return {"device": device["name"], "address": device.get("pci_address"), "port": port["port"],
            "layer": port.get("link_layer"), "netdev": port.get("netdev"), "gids": port.get("gids") or [],
            "roce_v2_gid": port.get("roce_v2_gid") or {}}


def label(port):
    """A port as NCCL's list names it."""
    return "%s:%d" % (port["device"], port["port"])


def text(ports, numbers=None):
    """The value of NCCL_IB_HCA; `numbers` is [rail of each port] or None."""
    ends = [":%d" % rail for rail in numbers] if numbers else [""] * len(ports)
    return "=" + ",".join(label(port) + end for port, end in zip(ports, ends))


# -- rails -------------------------------------------------------------------------------------------------------------


def rails(topology, ports, compute_nics=None):
    """([rail of each port], what tells it), or (None, why nothing does).

    A person's order of the NICs is that of the rails; else the order of the subnets is. That must not shift with a
    rail that is down or missing, so the subnets of such a node tell nothing.
    """
    names = [port["device"] for port in ports]
    if compute_nics is not None and len(set(names)) == len(names):
        order = list(dict.fromkeys(resolve(topology, compute_nics)))
        return [order.index(name) for name in names], "the order of compute_nics"
    idle = next(_idle(topology, names), None)
    if idle:
        return None, "%s has no link, and rails would be counted without it" % idle
    if not _is_even(topology, names):
        return None, "the NICs do not serve equally many GPUs, so one may be missing"
    networks = [network_of(topology, port) for port in ports]
    if None in networks or len({network.version for network in networks}) > 1:
        return None, "the subnets of the ports are not known"
    if len(set(networks)) < len(networks):
        return None, "ports share a subnet"
    order = sorted(networks)
    return [order.index(network) for network in networks], "the order of the subnets"


def _is_even(topology, names):
    """Whether each device serves as many GPUs as any other, and each GPU has as many devices."""
    served = [set(near).intersection(names) for near in (topology.get("gpu_nics") or {}).values()]
    return len({len(near) for near in served}) < 2 and len({
        sum(name in near for near in served) for name in names}) < 2


def _idle(topology, names):
    """Devices without a link that may be a rail: those whose interfaces are not known to have no address."""
    nics = topology.get("nics") or ()
    for device in topology.get("rdma_devices") or ():
        for port in device["ports"] if device.get("pci_address") else ():
            own = [nic.get("addresses") for nic in nics
                   if nic["name"] == port.get("netdev") or (not port.get("netdev") and device["name"] not in names
                                                            and nic.get("rdma_device") == device["name"])]
            if port.get("state") not in ("ACTIVE", None) and (not own or any(one != [] for one in own)):
                yield "%s:%d" % (device["name"], port["port"])


def network_of(topology, port, gid=None):
    """The subnet of a port's RoCE v2 address, or of another GID of it, as its interface says; None if nobody tells."""
    gid = gid or chosen_gid(port)
    address = address_of(gid) if gid else None
    for nic in topology.get("nics") or () if address else ():
        if nic["name"] == port["netdev"]:
            for own in nic.get("addresses") or ():
                if ipaddress.ip_interface(own).ip == address:
                    return ipaddress.ip_interface(own).network
    return None


def chosen_gid(port, family=None):
    """The GID that the fact says to use, of one family or else of the first that the port has, or None."""
    for one in (family,) if family else ("ipv4", "ipv6"):
        index = port["roce_v2_gid"].get(one)
        for gid in port["gids"]:
            if gid["index"] == index:
                return gid["gid"]
    return None


def address_of(gid):
    """The IP address that a GID stands for."""
    address = ipaddress.ip_address(gid)
    return address.ipv4_mapped or address
