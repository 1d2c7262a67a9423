# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rails by their subnets: which interfaces share one, a routing table for each, and whether nodes agree on them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import zlib

from .._values import name_list, nearest

TABLES = 10000  # So many numbers are taken from the base on: two names seldom meet.


def shared_subnet_rails(nics, network_of):
    """The names of the interfaces with an RDMA device, and without the default route, of which several share a subnet.

    `network_of` gives the subnet of an address with a prefix.
    """
    networks = {nic["name"]: {network_of(address) for address in nic.get("addresses") or ()} for nic in nics
                if nic.get("rdma_device") and not nic.get("default_route")}
    return [name for name in networks
            if any(networks[name] & networks[other] for other in networks if other != name)]


def rail_routes(names, base, gateways=None):
    """{name: "table N via GATEWAY"}: a table for each interface, of a number that follows from its name alone.

    Where two names give one number, the later in the alphabet takes the next. Raises ValueError.
    """
    names, gateways = name_list(names or ()), dict(gateways or {})
    for name in gateways:
        if name not in names:
            raise ValueError("there is a gateway for %s, which is none of the rails; %s" % (
                name, nearest(name, names) if names else "there are none"))
    taken = {}
    for name in sorted(set(names)):
        number = zlib.crc32(name.encode()) % TABLES
        while number in taken.values():
            number = (number + 1) % TABLES
        taken[name] = number
    return {name: " ".join(["table %d" % (base + taken[name])] + [
        "via %s" % gateway for gateway in _several(gateways.get(name))]) for name in names}


def _several(gateways):
    return [gateways] if isinstance(gateways, str) else list(gateways or ())


def compare_subnets(nodes):
    """[(host, sentence)] of the hosts with a rail in another subnet than the same rail of most hosts.

    `nodes` is {host: [(interface, [subnet, ...]), ...]} with the rails in their order. A rail in the subnet of another
    rail is a cable, or an address, in the wrong place; a rail without an address is said too.
    """
    longest = max([len(rails) for rails in nodes.values()] or [0])
    usual = [_most([set(rails[index][1]) for _host, rails in sorted(nodes.items()) if index < len(rails)])
             for index in range(longest)]
    found = []
    for host, rails in sorted(nodes.items()):
        for index, (interface, networks) in enumerate(rails):
            if not set(networks) & usual[index] and (usual[index] or networks):
                found.append((host, _sentence(index, interface, networks, usual)))
    return found


def _most(sets):
    """The set that is there most often, the first of several; one that says nothing only where there is no other."""
    named = [one for one in sets if one] or sets
    return max(named, key=named.count) if named else set()


def _sentence(index, interface, networks, usual):
    expected = ", ".join(sorted(usual[index])) or "none"
    if not networks:
        return "rail %d (%s) has no address, while on most nodes it is in %s" % (index, interface, expected)
    words = "rail %d (%s) is in %s, while on most nodes it is in %s" % (
        index, interface, ", ".join(sorted(networks)), expected)
    others = [number for number, one in enumerate(usual) if number != index and one & set(networks)]
    return words + (": that is the subnet of rail %d" % others[0] if others else "")
