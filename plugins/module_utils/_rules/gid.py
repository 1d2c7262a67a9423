# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on GID tables: every RoCE port has the entry that NCCL needs, and nobody names another one (R21).

PRIVATE to the collection.
"""

from __future__ import annotations

import ipaddress
import re

from .._nccl_names import version as parse_version
from .._nccl_text import number
from .finding import finding
from .isolation import listed
from .rdma_node import compute, label, option, ports, roce, setting, variables

_FAMILIES = {"IPv4": "ipv4", "IPv6": "ipv6"}
_DYNAMIC = (2, 21)
_LIBRARIES = ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib64", "/usr/local/lib",
              "/usr/local/cuda/lib64", "/opt/nccl/lib")


def family(view):
    """The address family that RoCE is to use here, as the schema of the fact calls it."""
    return _FAMILIES.get(option(view, "_address_family"), "ipv4")


def gid_table(view):
    """Every port that is up has a RoCE v2 entry with an address of the family, on its own interface."""
    word = {"ipv4": "IPv4", "ipv6": "IPv6"}[family(view)]
    missing, odd = [], []
    for name, port in ports(roce(view), "Ethernet"):
        if port["state"] != "ACTIVE" or not view.exists("/sys/class/infiniband/%s/ports/%d/gids" % (
                name, port["port"])):
            continue
        index = port["roce_v2_gid"][family(view)]
        entry = next((gid for gid in port["gids"] if gid["index"] == index), None)
        if entry is None:
            missing.append(label(name, port))
        elif port["netdev"] and entry["netdev"] not in (port["netdev"], None):
            odd.append("that of %s (index %d) is on %s" % (label(name, port), index, entry["netdev"]))
        elif is_link_local(entry["gid"]):
            odd.append("that of %s (index %d) is link-local and goes to no other subnet" % (label(name, port), index))
    found = []
    if missing:
        found.append("no RoCE v2 GID with an %s address on %s: give %s one, NCCL finds no way out of the node there "
                     "without (rdma_roce_address_family says which family is meant)" % (
                         word, listed(missing), "the interface" if len(missing) == 1 else "each interface"))
    if odd:
        found.append("the best RoCE v2 GID with an %s address is doubtful: %s" % (word, listed(odd)))
    return [finding("gid", "W", None, words) for words in found]


def is_link_local(gid):
    """fe80::/10, or 169.254/16 mapped into IPv6."""
    return gid[:3] in ("fe8", "fe9", "fea", "feb") or gid.startswith("0000:0000:0000:0000:0000:ffff:a9fe:")


def r21_gid_index(view):
    """From 2.21 on NCCL picks the GID itself; an index that is named by hand is another entry when addresses change."""
    devices = [device for device in roce(view) if device["name"] in compute(view)] or roce(view)
    version, whose = nccl_version(view)
    found = []
    for name, text, where in variables(view, "NCCL_IB_GID_INDEX") if devices else ():
        index = number(text)
        if index < 0:
            continue
        wrong = [words for words in (_wrong(view, device, port, index) for device, port in ports(devices, "Ethernet")
                                     if port["gids"]) if words]
        severity = "E"
        if wrong:
            words = "is not the RoCE v2 entry of every port: %s. %s" % (listed(wrong), _remedy(view, devices))
        elif version is None:
            severity = "W"
            words = ("is right now, and shifts with the next address or VLAN: since NCCL 2.21 it should not be set. "
                     "Which NCCL is used here is not known")
        elif version >= _DYNAMIC:
            words = "with NCCL %d.%d %s: from 2.21 on NCCL picks the GID itself, and this overrides it. Remove it" % (
                version[:2] + (whose,))
        else:
            continue
        found.append(finding("R21", severity, setting(view, where), "%s: %s=%s %s" % (where, name, text, words)))
    return found


def r21_subnets(view):
    """A port with addresses of several subnets leaves NCCL a choice, which may be another one on each node.

    Rails in subnets of their own are no fault: each port then has one.
    """
    devices = [device for device in roce(view) if device["name"] in compute(view)]
    several = []
    for name, port in ports(devices, "Ethernet"):
        subnets = sorted({_subnet(entry["gid"], family(view)) for entry in port["gids"]
                          if entry["type"] == "RoCE v2" and not is_link_local(entry["gid"])} - {None})
        if len(subnets) > 1:
            several.append("%s (%s)" % (label(name, port), ", ".join(subnets)))
    if not several or variables(view, "NCCL_IB_ADDR_RANGE"):
        return []
    return [finding("R21", "W", None, "RoCE v2 GIDs of more than one subnet on %s, and NCCL_IB_ADDR_RANGE is not set: "
                    "NCCL takes the first on each port, and two nodes may pick subnets that do not reach one another"
                    % listed(several))]


def _subnet(gid, wanted):
    """The /24, as NCCL itself compares, or /64 that an address is in, or None if it is of the other family."""
    address = ipaddress.ip_address(gid)
    mapped = address.ipv4_mapped
    if (mapped is not None) != (wanted == "ipv4"):
        return None
    return str(ipaddress.ip_network((str(mapped or address), 24 if mapped else 64), strict=False))


def _wrong(view, name, port, index):
    """What a port has at an index instead of what is needed, or None."""
    entry = next((gid for gid in port["gids"] if gid["index"] == index), None)
    right = port["roce_v2_gid"][family(view)]
    if index == right:
        return None
    if entry is None:
        words = "is empty"
    elif entry["type"] != "RoCE v2":
        words = "is %s" % entry["type"]
    elif is_link_local(entry["gid"]):
        words = "is link-local"
    elif entry["gid"].startswith("0000:0000:0000:0000:0000:ffff:") == (family(view) == "ipv4"):
        return None if entry["netdev"] in (port["netdev"], None) else "on %s it is of %s" % (
            label(name, port), entry["netdev"])
    else:
        words = "is of the other address family"
    return "on %s it %s%s" % (label(name, port), words, "" if right is None else ", %d is right" % right)


def _remedy(view, devices):
    right = {port["roce_v2_gid"][family(view)] for _name, port in ports(devices, "Ethernet")}
    if len(right) == 1 and None not in right:
        return "Remove it, or for an NCCL before 2.21 set %d" % right.pop()
    return "No one index is right on all ports: remove it, with NCCL 2.21 or later, which finds that of each itself"


def nccl_version(view):
    """((major, minor, ...), whose word it is): the oldest that is declared, or the newest on the host itself."""
    declared = option(view, "_min_version")
    if declared is not None:
        try:
            return parse_version(declared), "declared here"
        except ValueError:
            return None, None
    found = []
    for folder in _LIBRARIES:
        for name in view.host.names(folder):
            match = re.match(r"libnccl\.so\.(\d+)\.(\d+)", name)
            if match:
                found.append((int(match.group(1)), int(match.group(2))))
    return (max(found), "here") if found else (None, None)
