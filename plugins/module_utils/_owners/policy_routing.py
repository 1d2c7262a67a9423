# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy routing of a node: addresses of interfaces, rules, and the routes of tables, with whose they are.

PRIVATE to the collection. Ours carry a protocol number of their own, by which they are known again: nothing else is
ever changed. Numbers are asked for as numbers, for names of tables are the node's own.
"""

from __future__ import annotations

import errno
import ipaddress
import json

from .._host import CommandNotRun

PROTOCOL = "71"  # Free in iproute2's rt_protos.
FAMILIES = {4: "-4", 6: "-6"}
_MAIN = ("main", "254")


class Node:
    """What ip(8) says of this node now."""

    def __init__(self, host):
        self.host = host
        self.rules = [dict(rule, family=family) for family in FAMILIES for rule in self._ask(family, "rule", "show")]
        self.links = {link["ifname"]: link for link in _json(host, ["ip", "-j", "address", "show"])}

    def _ask(self, family, *words):
        return _json(self.host, ["ip", "-N", "-j", FAMILIES[family]] + list(words))

    def interfaces(self, device):
        """The addresses of an interface that is up, with their networks: those of all scopes but link and host."""
        link = self.links.get(device) or {}
        if "UP" not in link.get("flags", ()):
            return []
        found = [ipaddress.ip_interface("%s/%s" % (one["local"], one["prefixlen"])) for one in link.get("addr_info", ())
                 if one.get("scope") == "global" and "local" in one
                 and not (one.get("temporary") or one.get("deprecated"))]
        return sorted(set(found), key=lambda one: (one.version, int(one.ip)))

    def owner(self, address):
        """The interface that has an address, or None."""
        return next((name for name, link in self.links.items() for one in link.get("addr_info", ())
                     if one.get("local") == str(address)), None)

    def routes(self, table=None, ours=False):
        """The routes of one table, of both families, or those of ours in all tables."""
        words = ["table", table or "all"] + (["proto", PROTOCOL] if ours else [])
        asked = {"protocol": PROTOCOL} if ours else {}  # What is asked for is left out of the answer.
        found = []
        for family in FAMILIES:
            try:
                answer = self._ask(family, "route", "show", *words)
            except OSError as error:
                if "does not exist" not in str(error.strerror):
                    raise
                answer = []  # A table without a route is none.
            found += [dict(route, family=family, **asked) for route in answer if route.get("dst") is not None]
        return found


def _json(host, argv):
    """What ip(8) answers. Raises OSError for all that may go wrong."""
    try:
        status, output, errors = host.run(argv, changes=False)
        if status == 0:
            return [one for one in json.loads(output or "[]") if one]
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error))
    except ValueError as error:
        raise OSError(errno.EIO, "%s: %s" % (" ".join(argv), error))
    raise OSError(errno.EIO, errors.strip() or "%s ended with %d" % (" ".join(argv), status))


def source(rule):
    """The one address that a rule is about, or None where it is about more, or about something else too."""
    if set(rule) - {"priority", "src", "srclen", "table", "protocol", "family"} or "srclen" in rule:
        return None
    try:
        return ipaddress.ip_address(rule.get("src", ""))
    except ValueError:
        return None


def is_ours(item):
    """Whether a rule or a route is of our making."""
    return item.get("protocol") == PROTOCOL


def network(route):
    """Where a route leads, as a network; everywhere is default."""
    if route["dst"] == "default":
        return ipaddress.ip_network({4: "0.0.0.0/0", 6: "::/0"}[route["family"]])
    return ipaddress.ip_network(route["dst"])


def serves(node, rule, interface, device):
    """Whether a rule of somebody else's already sends what comes from an address out by its own interface."""
    return rule.get("table") not in _MAIN and any(
        route.get("dev") == device and network(route).version == interface.version
        and interface.network.subnet_of(network(route)) for route in node.routes(rule["table"])
        if route["family"] == interface.version)


def of_others(node, interface):
    """The rules of others for one address alone."""
    return [rule for rule in node.rules if not is_ours(rule) and source(rule) == interface.ip]


def misleading(node):
    """The rules of others that send what comes from an address to a table which does not lead through its interface."""
    words = ("a rule of somebody else's (priority %s) sends what comes from %s to table %s, which does not lead "
             "through %s: mend it or remove it, or leave %s out of network_rails")
    return [_held(device, None, words % (rule["priority"], rule["src"], rule["table"], device, device))
            for device in node.links for one in node.interfaces(device) for rule in of_others(node, one)
            if not serves(node, rule, one, device)]


def tables_in_use(node):
    """The routes in all tables but main; "device" is that of ours, None where they are not."""
    words = "table %s has a route to %s that is not of this rail: choose another network_rail_table_base"
    return [_held(route.get("dev") if is_ours(route) else None, route["table"], words % (route["table"], route["dst"]))
            for route in node.routes() if route.get("table")]


def _held(device, table, words):
    return {"file": "", "name": "", "line": 0, "value": None, "device": device, "table": table, "words": words}
