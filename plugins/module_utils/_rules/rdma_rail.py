# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on how rails are cabled: none is a storage NIC, each has a subnet of its own, and each its place at a switch.

PRIVATE to the collection. How nodes compare with one another is in _derive/rdma_rails.py (R11), for the report.
"""

from __future__ import annotations

import ipaddress

from .._derive import rdma_rails
from .._owners import fabric, lldp, policy_routing
from .finding import finding
from .isolation import listed
from .rdma_node import INFINIBAND, compute, named, ports, roce

_BEHIND_ONE_SWITCH = ("PIX", "PXB")


def storage_as_rail(view):
    """A NIC that the operator named for GPUs is near one, where the others are."""
    given = named(view)[0]
    if not given:
        return []
    here = {device["name"] for device in view.topology("rdma_devices")}
    near = {path["device"] for path in view.topology("pci_paths") if path["kind"] in _BEHIND_ONE_SWITCH} & here
    chosen = compute(view)
    far = [name for name in chosen if name not in near]
    if not near or not far:
        return []
    idle = sorted(near - set(chosen))
    more = ", and leaves out %s, which do" % listed(idle) if idle else ""
    return [finding("rail-storage", "W", None, "rdma_roce_compute_nics names %s: no GPU is behind the same PCIe "
                    "switch, so this looks like a NIC for storage%s" % (listed(far), more))]


def one_subnet(view):
    """Rails in one subnet need rules of their own, or all traffic leaves by one of them and answers come by another."""
    serving = compute(view)
    subnets = {}
    routes = connected(view.text("/proc/net/route") or "")
    addresses = {nic["name"]: nic.get("addresses") for nic in view.topology("nics")}
    for name, port in ports(roce(view), "Ethernet"):
        if name in serving:
            for subnet in sorted(set(routes.get(port["netdev"], ())) | networks(addresses.get(port["netdev"]))):
                subnets.setdefault(subnet, []).append(port["netdev"])
    return [finding("rail-subnet", "W", None, "%s are in one subnet, %s: without a table for each the kernel sends by "
                    "one of them alone. Give each a subnet of its own, or have role network give each its table" % (
                        listed(netdevs), subnet))
            for subnet, netdevs in sorted(subnets.items()) if len(netdevs) > 1 and not _are_routed(view, netdevs)]


def _are_routed(view, netdevs):
    """Whether rules, ours or others', send what comes from each of their addresses out by its own interface."""
    try:
        node = policy_routing.Node(view.host)
        return all(any(policy_routing.source(rule) == one.ip and policy_routing.serves(node, rule, one, netdev)
                       for rule in node.rules) for netdev in netdevs for one in node.interfaces(netdev))
    except OSError:
        return False


def connected(text):
    """{interface: ["10.0.1.0/24", ...]} of the subnets that /proc/net/route reaches without a gateway."""
    found = {}
    for line in text.splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and words[2] == "00000000" and words[7] != "00000000":
            address, mask = (bytes.fromhex(words[column])[::-1] for column in (1, 7))
            bits = bin(int.from_bytes(mask, "big")).count("1")
            found.setdefault(words[0], []).append("%s/%d" % (".".join(str(byte) for byte in address), bits))
    return found


def networks(addresses):
    """The subnets of addresses as the fact has them, but for those of every link alone."""
    found = set()
    for address in addresses or ():
        network = ipaddress.ip_interface(address).network
        if not network.is_link_local:
            found.add(str(network))
    return found


def lldp_cabling(view):
    """The rails hang at the switches in a pattern: each at its own leaf, or all at one."""
    serving = [(name, port) for name, port in ports(roce(view), "Ethernet") if name in compute(view) and port["netdev"]]
    if len(serving) < 2:
        return []
    heard = lldp.neighbours(view.host)
    if not heard:
        return []
    members = {device["name"]: rdma_rails.interfaces_of(
        {"nics": view.topology("nics")}, device) for device in roce(view)}
    places, silent = [], []
    for name, port in serving:
        seen = [heard[one] for one in members.get(name) or [port["netdev"]] if one in heard]
        places += [("%s (%s)" % (name, port["netdev"]), one["switch"], one["port"]) for one in seen]
        silent += [] if seen else ["%s (%s)" % (name, port["netdev"])]
    return [finding("rail-cabling", "W", None, words) for words in pattern(places, silent, "LLDP")]


def infiniband_cabling(view):
    """The same on InfiniBand, where the operator lets the fabric be asked."""
    serving = [name for name, _port in ports(view.topology("rdma_devices"), INFINIBAND) if name in compute(view)]
    if not view.options.get("rdma_roce_ibnetdiscover") or len(serving) < 2:
        return []
    heard = fabric.neighbours(view.host)
    if heard is None:
        return [finding("rail-cabling", "I", None, "ibnetdiscover gave no answer: how the InfiniBand ports are cabled "
                        "was not checked")]
    places = [(name, one["switch"], one["switch_port"]) for name in serving for one in heard.get(name, ())]
    silent = [name for name in serving if not heard.get(name)]
    return [finding("rail-cabling", "W", None, words) for words in pattern(places, silent, "ibnetdiscover")]


def pattern(places, silent, source):
    """Sentences on what does not fit: `places` is [(rail, switch, port)], `silent` the rails that nobody heard of."""
    found, at = [], {}
    for rail, switch, _port in places:
        at.setdefault(switch, []).append(rail)
    if silent and places and len(silent) < len(places):
        found.append("%s names no neighbour of %s, and does of the other rails" % (source, listed(silent)))
    twice = {}
    for rail, switch, port in places:
        twice.setdefault((switch, port), []).append(rail)
    found += ["%s are both at port %s of %s, says %s: a splitter cable, or a switch that answers for others" % (
        listed(rails), port, switch, source) for (switch, port), rails in sorted(twice.items(), key=str)
        if len(rails) > 1 and port is not None]
    counts = [len(rails) for rails in at.values()]
    usual = max(counts, key=counts.count) if counts else 0
    odd = {switch: rails for switch, rails in at.items() if len(rails) != usual}
    if len(at) > 1 and odd and counts.count(usual) > len(odd):
        found.append("%s, while every other switch has %d of this node's rails, says %s: a cable in the wrong leaf "
                     "sends that rail's traffic over the spine" % (listed(
                         "%s has %s" % (switch, listed(rails)) for switch, rails in sorted(odd.items(), key=str)),
                         usual, source))
    return found
