# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the hosts of a report agree on their rails (rule R11): what one of them cannot tell alone.

PRIVATE to the collection. A list of HCAs that is right on one node and means other NICs on the next makes jobs hang.
The devices come with the topology of each host; hosts of different models are compared by their number of NICs alone.
"""

from __future__ import annotations

import ipaddress

from ansible_collections.gpuwright.node.plugins.module_utils._derive import rails as subnets_of
from ansible_collections.gpuwright.node.plugins.module_utils._derive import rdma_rails
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph

# What the screen has room for; the topologies are in audit.json.
_MOST_LINES = 10
_MOST_KEPT = 20000


def none():
    """What `add` adds to."""
    return {"nodes": {}, "subnets": {}, "shared": {}}


def add(found, name, host):
    """Add one host of audit.json, if its topology is there and has GPUs."""
    topology = host.get("topology") or {}
    if not topology.get("gpus") or "rdma_devices" not in topology or len(found["nodes"]) >= _MOST_KEPT:
        return
    system = topology.get("system") or {}
    rails = tuple(rdma_rails.positions(topology))
    # A thousand equal nodes share one tuple.
    found["nodes"][name] = {"model": "%s %s, %d GPUs" % (system.get("vendor"), system.get("product"),
                                                         len(topology["gpus"])),
                            "rails": found["shared"].setdefault(rails, rails)}
    subnets = tuple((netdev, _subnets(topology, netdev)) for netdev in _netdevs(topology))
    if any(networks for _netdev, networks in subnets):
        found["subnets"][name] = found["shared"].setdefault(subnets, subnets)


def _netdevs(topology):
    """The interfaces of the devices that serve GPUs, in the order of these."""
    names = rdma_rails.compute(topology)
    return [port["netdev"] for device in topology["rdma_devices"] if device["name"] in names
            for port in device["ports"] if port.get("netdev")]


def _subnets(topology, netdev):
    """The subnets of an interface's addresses, as text."""
    addresses = next((nic.get("addresses") for nic in topology.get("nics") or () if nic["name"] == netdev), None)
    found = []
    for address in addresses or ():
        try:
            network = ipaddress.ip_interface(address).network
        except ValueError:
            continue
        found += [] if network.is_link_local else [str(network)]
    return tuple(found)


def lines(found, width):
    """The hosts that do not fit the others, as (text, what it is)."""
    told = rdma_rails.compare(found["nodes"])
    told += [(host, "R11: %s" % words) for host, words in subnets_of.compare_subnets(found["subnets"])]
    if not told:
        return []
    shown = [("", None), ("Rails that are not those of most nodes", None)]
    for host, words in sorted(told)[:_MOST_LINES]:
        shown += [(text, "error") for text in paragraph("  %s: %s" % (host, words), width, 4)]
    if len(told) > _MOST_LINES:
        shown.append(("  and %d more" % (len(told) - _MOST_LINES), "error"))
    return shown
