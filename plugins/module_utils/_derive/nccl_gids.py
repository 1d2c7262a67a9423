# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GID of a RoCE port NCCL takes, and what it has to be told where that would be the wrong one.

PRIVATE to the collection. Pure. NCCL from 2.21 on goes through the table of each port itself and takes the first that
fits, as `choice` does; one before takes the index that it is told, or 0, which is RoCE v1.
"""

from __future__ import annotations

import ipaddress

from .nccl_hcas import address_of, chosen_gid, label, network_of

DYNAMIC = (2, 21)
FAMILIES = {"IPv4": "ipv4", "IPv6": "ipv6"}
_VERSION, _FAMILY, _RANGE, _INDEX = ("NCCL_IB_ROCE_VERSION_NUM", "NCCL_IB_ADDR_FAMILY", "NCCL_IB_ADDR_RANGE",
                                     "NCCL_IB_GID_INDEX")
NAMES = (_VERSION, _FAMILY, _RANGE, _INDEX)


def derive(topology, roce, version, wanted="IPv4", address_range=None):
    """{variable: (value or None, why)} for the RoCE ports among those that NCCL is to use. Raises ValueError."""
    network = _network(address_range, FAMILIES[wanted]) if address_range is not None else None
    family, why = _family(roce, FAMILIES[wanted], network)
    found = {_VERSION: (None, _on_version(roce)),
             _FAMILY: ("AF_INET6", why) if family == "ipv6" else (None, why),
             _RANGE: _range(topology, roce, family, network),
             _INDEX: _index(roce, version, family)}
    if found[_INDEX][0] is not None:
        for name in (_VERSION, _FAMILY, _RANGE):
            found[name] = (None, "NCCL_IB_GID_INDEX decides, and with it nothing is looked for")
    return found


def _family(roce, wanted, network):
    """(family, why): what was declared, unless no port has an address of it and all have one of the other."""
    if wanted == "ipv6" or (network and network.version == 6):
        return "ipv6", "the inventory says that RoCE goes over IPv6 (address_family, address_range)"
    has = {family: [port for port in roce if _routable(chosen_gid(port, family))] for family in FAMILIES.values()}
    if roce and len(has["ipv6"]) == len(roce) and not network and not any(chosen_gid(port, "ipv4") for port in roce):
        return "ipv6", "no RoCE port has a RoCE v2 GID with an IPv4 address, each has one with IPv6 (roce_v2_gid)"
    lacking = [label(port) for port in roce if port["gids"] and not chosen_gid(port, "ipv4")]
    if lacking:
        return "ipv4", "AF_INET is the default; %s no RoCE v2 GID with an IPv4 address (roce_v2_gid)" % _have(lacking)
    return "ipv4", "AF_INET, NCCL's default, is what the RoCE ports have (roce_v2_gid)" if any(
        port["gids"] for port in roce) else "AF_INET is NCCL's default, and the GIDs of the ports are not known"


def _have(names):
    return "%s has" % names[0] if len(names) == 1 else "%s and %d more have" % (names[0], len(names) - 1)


def _routable(gid):
    return gid is not None and not address_of(gid).is_link_local


def _on_version(roce):
    old = [label(port) for port in roce if port["gids"] and not any(gid["type"] == "RoCE v2" for gid in port["gids"])]
    if old:
        return "2 is NCCL's default; %s RoCE v1 GIDs alone, which no router passes on" % _have(old)
    return "2, NCCL's default, is what the RoCE ports have (gids)" if any(port["gids"] for port in roce) else (
        "2 is NCCL's default, and the GIDs of the ports are not known")


def _index(roce, version, family):
    if version is None or version >= DYNAMIC:
        return None, "since 2.21 NCCL finds the RoCE v2 GID of each port itself%s" % (
            "; which NCCL is the oldest here was not declared (min_version)" if version is None else "")
    indexes = {port["roce_v2_gid"].get(family) for port in roce}
    if len(indexes) == 1 and None not in indexes:
        return str(indexes.pop()), ("NCCL before 2.21 is in use (min_version), which takes RoCE v1 without; right on "
                                    "all %d RoCE ports (roce_v2_gid)" % len(roce))
    return None, "NCCL before 2.21 needs it (min_version), but no one index is right on all RoCE ports: %s" % ", ".join(
        "%s %s" % (label(port), "none" if port["roce_v2_gid"].get(family) is None else port["roce_v2_gid"][family])
        for port in roce[:4]) + (" and %d more" % (len(roce) - 4) if len(roce) > 4 else "")


# -- the range of addresses --------------------------------------------------------------------------------------------


def _network(given, wanted):
    """The declared range. IPv4 is wanted where nobody said so, and then one of IPv6 says it. Raises ValueError."""
    try:
        network = ipaddress.ip_network(str(given))
    except ValueError as error:
        raise ValueError("address_range: %s; it is a subnet such as 10.0.0.0/16" % error) from error
    if "/" not in str(given):
        raise ValueError("address_range: %r has no prefix, such as in 10.0.0.0/16" % (given,))
    if wanted == "ipv6" and network.version == 4:
        raise ValueError("address_range: %s is of IPv4, but address_family is IPv6" % network)
    return network


def _range(topology, roce, family, given):
    """(value or None, why)."""
    if given is not None:
        outside = [label(port) for port in roce if port["gids"] and choice(port["gids"], family, given) is None]
        return str(given), "declared by the inventory (address_range)" + (
            "; %s no RoCE v2 GID in it" % _have(outside) if outside else "")
    right = {label(port): network_of(topology, port, chosen_gid(port, family)) for port in roce
             if chosen_gid(port, family)}
    several = [port for port in roce if _others(port, family, right.get(label(port)))]
    if not several:
        return None, "each RoCE port has addresses of one subnet to choose from (gids)" if right else (
            "the GIDs of the RoCE ports name no address to choose (gids)")
    if None in right.values() or len(right) < len(roce):
        return None, ("%s addresses of several subnets (gids), and the subnets of the rails are not known: declare "
                      "address_range" % _have([label(port) for port in several]))
    cover = _cover(right.values())
    if any(address in cover for port in several for address in _others(port, family, right[label(port)])):
        return None, ("%s addresses of several subnets, and no one range holds those of the rails alone (gids): "
                      "declare address_range" % _have([label(port) for port in several]))
    return str(cover), "%s addresses of other subnets too; this one holds the %d of the rails (gids, addresses)" % (
        _have([label(port) for port in several]), len(set(right.values())))


def _others(port, family, network):
    """The addresses of a port, among which NCCL chooses, that are not in the subnet of the right one."""
    right = chosen_gid(port, family)
    found = {address_of(gid["gid"]) for gid in port["gids"] if right and _is_candidate(gid, family)}
    return sorted(address for address in found
                  if address != address_of(right) and (network is None or address not in network))


def _is_candidate(gid, family):
    address = address_of(gid["gid"])
    return (gid["type"] == "RoCE v2" and "ipv%d" % address.version == family
            and not (address.version == 6 and address.is_link_local))


def _cover(networks):
    """The smallest subnet that holds all of these."""
    networks = list(networks)
    cover = networks[0]
    while not all(network.subnet_of(cover) for network in networks):
        cover = cover.supernet()
    return cover


def choice(gids, family, network=None):
    """The index of the RoCE v2 GID that NCCL from 2.21 on takes, or None where it finds none."""
    for gid in sorted(gids, key=lambda one: one["index"]):
        if _is_candidate(gid, family) and (network is None or address_of(gid["gid"]) in network):
            return gid["index"]
    return None
