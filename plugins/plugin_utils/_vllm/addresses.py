# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which address each node of a replica is reached by the others, checked on the controller.

PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import socket

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance


def of_nodes(where, nodes, host, own, inventory):
    """The addresses of the nodes in the order of their ranks. Raises BadInstance.

    `own` is vllm_service_address of `host`; a role's default is not among the variables of the other hosts.
    """
    found = []
    for node in nodes:
        told = inventory[node]
        said = own if node == host else told.get("vllm_service_address") or told.get("ansible_host") or node
        found.append(_ip("%s, %s" % (where, node), str(said)))
    return checked(where, nodes, found)


def of_placement(entry, nodes, host, placement):
    """The same, from the entries that the placement has for the other nodes of a replica."""
    where = "vllm_service_placement, %s" % entry["name"]
    found = []
    for rank, node in enumerate(nodes):
        other = entry if node == host else next(
            (one for one in placement.get(node) or () if one.get("name") == entry["name"]), None)
        if other is None or other.get("node_rank") != rank:
            raise BadInstance("%s: %s is its rank %d and has no such entry: is the file whole?" % (where, node, rank))
        found.append(_ip("%s, %s" % (where, node), str(other["address"])))
    return checked(where, nodes, found)


def checked(where, nodes, found):
    """Raise BadInstance where two nodes have one address, or one is reached by nobody but itself."""
    for node, address in zip(nodes, found):
        first = nodes[found.index(address)]
        if first != node:
            raise BadInstance("%s: %s and %s have the same address %s; vllm_service_address of each is the one by "
                              "which the other nodes reach it" % (where, first, node, address))
    local = [ipaddress.ip_address(address).is_loopback for address in found]
    if any(local) and not all(local):
        node = nodes[local.index(True)]
        raise BadInstance("%s: %s has the address %s, which no other node reaches: set its vllm_service_address"
                          % (where, node, found[local.index(True)]))
    families = {ipaddress.ip_address(address).version for address in found}
    if len(families) > 1:
        raise BadInstance("%s: the addresses are of two families: %s" % (where, ", ".join(found)))
    return found


def _ip(where, said):
    """An IP address as text; a name is resolved here, for every node must be told the same one."""
    try:
        address = ipaddress.ip_address(said)
    except ValueError:
        try:
            resolved = sorted({answer[4][0] for answer in socket.getaddrinfo(said, None, type=socket.SOCK_STREAM)},
                              key=lambda one: (":" in one, one))
        except OSError as error:
            raise BadInstance("%s: %s is no IP address and no name that the controller resolves (%s): set its "
                              "vllm_service_address" % (where, said, error)) from error
        address = ipaddress.ip_address(resolved[0].partition("%")[0])
    if address.is_unspecified or address.is_multicast or address.is_link_local:
        raise BadInstance("%s: %s is no address by which another node reaches it: set its vllm_service_address"
                          % (where, address))
    return str(address)
