# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind rail_route: a routing table and the rules that lead to it, for each of several interfaces in one subnet.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. Each address of the rail has a rule "from it to
the table", the table a route to each of the rail's subnets, and by its gateways to everywhere. Nothing native persists
it under every network manager, so the node runner puts it back. What is not ours (see _owners/policy_routing.py) is
neither changed nor removed, and where somebody else's rules serve a rail already, they are enough.
"""

from __future__ import annotations

import errno
import ipaddress

from .._host import CommandNotRun
from .._owners import policy_routing
from .._owners.policy_routing import FAMILIES, PROTOCOL, is_ours, network, source

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "no interface is named for it, this one is not up or has no address yet, or ip(8) cannot be asked"
PRIORITY = "32000"  # Before the table main, after what others usually put before it.
_OTHERS = "rules of others"
_NET = "/sys/class/net"


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def places(host, row, options):
    """[(target, path, fields)] of the interfaces that are here; no path for one that has nothing to route yet."""
    node = None
    try:
        node = policy_routing.Node(host) if host.runs_commands else None
    except OSError as error:
        host.note("rail/route: %s" % error.strerror)
    return [("%s/%s" % (device, row.name), "%s/%s" % (_NET, device) if node and node.interfaces(device) else None,
             {"device": device}) for device in options.get(row.devices) or () if host.exists("%s/%s" % (_NET, device))]


def devices(host):
    """The interfaces that a row can repeat over."""
    return dict.fromkeys(host.names(_NET), "network interface")


def read(host, target, path):
    """What is in force: "table N via GATEWAY", with what is wrong with it; "" for nothing of ours or of others'."""
    device = target.partition("/")[0]
    node = policy_routing.Node(host)
    if device not in node.links:
        raise FileNotFoundError(errno.ENOENT, "there is no such interface any more", path)
    rules, routes = _ours(node, device)
    tables = sorted({item["table"] for item in rules + routes}, key=int)
    left = _unserved(node, device)
    if not tables:
        served = len(left) < len(node.interfaces(device))
        return _OTHERS + (" for some of its addresses" if left else "") if served else ""
    gateways = [ipaddress.ip_address(route["gateway"]) for route in routes if "gateway" in route]
    text = _text(tables[0], gateways)
    if len(tables) > 1:
        return "tables " + " and ".join(tables)
    wanted_rules, wanted_routes = _wanted(left, gateways)
    wrong = _differences({str(source(rule)) for rule in rules}, wanted_rules, "rule from ")
    wrong += _differences({_key(route) for route in routes}, wanted_routes, "route to ")
    return text + "".join(", " + words for words in wrong)


def _text(table, gateways):
    order = sorted(set(gateways), key=lambda one: (one.version, int(one)))
    return " ".join(["table " + table] + ["via %s" % one for one in order])


def _ours(node, device):
    """The rules and routes of ours that belong to an interface.

    A rule belongs to the interface that has its address, or else to that of its table's routes; one whose address and
    routes are gone belongs to any interface: it is swept up.
    """
    routes = node.routes(ours=True)
    owners = {route["table"]: route.get("dev") for route in routes}
    rules = []
    for rule in node.rules:
        if is_ours(rule) and source(rule) is not None:
            owner = node.owner(source(rule)) or owners.get(rule["table"], device)
            rules += [rule] if owner == device else []
    return rules, [route for route in routes if route.get("dev") == device]


def _unserved(node, device):
    """The addresses of an interface that no rule of others' sends to a table through it."""
    return [one for one in node.interfaces(device)
            if not any(policy_routing.serves(node, rule, one, device) for rule in policy_routing.of_others(node, one))]


def _wanted(interfaces, gateways):
    """The addresses that need a rule, and the routes of the table as (network, gateway or "")."""
    rules = {str(one.ip) for one in interfaces}
    routes = {(str(one.network), "") for one in interfaces}
    for gateway in gateways:
        routes.add(({4: "0.0.0.0/0", 6: "::/0"}[gateway.version], str(gateway)))
    return rules, routes


def _key(route):
    return str(network(route)), route.get("gateway", "")


def _differences(found, wanted, what):
    """What is missing and what is too much, in words."""
    def words(item):
        return what + (item if isinstance(item, str) else item[0])
    return ["no " + words(item) for item in sorted(wanted - found)] + [
        "an old " + words(item) for item in sorted(found - wanted)]


def write(host, target, path, text):
    """Make the table and the rules, or with a text that names no table take away what is ours.

    First the routes, then the rules that lead to them; what is too much goes in the opposite order.
    """
    device = target.partition("/")[0]
    node = policy_routing.Node(host)
    table, gateways = _parsed(text)
    interfaces = _unserved(node, device) if table else []
    _check_gateways(interfaces, gateways)
    wanted_rules, wanted_routes = _wanted(interfaces, gateways)
    rules, routes = _ours(node, device)
    there = {_key(route) for route in routes if route["table"] == table}
    for destination, gateway in sorted(wanted_routes - there):
        _ip(host, destination, ["route", "replace", destination] + (["via", gateway] if gateway else [])
            + ["dev", device, "table", table, "protocol", PROTOCOL])
    ruled = {str(source(rule)) for rule in rules if rule["table"] == table}
    for address in sorted(wanted_rules - ruled):
        _ip(host, address, ["rule", "add"] + _rule(address, table, PRIORITY))
    for rule in rules:
        if rule["table"] != table or str(source(rule)) not in wanted_rules:
            _ip(host, rule["src"], ["rule", "del"] + _rule(rule["src"], rule["table"], str(rule["priority"])))
    for route in routes:
        if route["table"] != table or _key(route) not in wanted_routes:
            destination, gateway = _key(route)
            _ip(host, destination, ["route", "del", destination] + (["via", gateway] if gateway else [])
                + ["dev", device, "table", route["table"], "protocol", PROTOCOL])


def _parsed(text):
    """(table, gateways); the table is None where ours are to go. What `read` adds in words does not count."""
    words = text.partition(",")[0].split()
    if words[:1] != ["table"]:
        return None, []
    return words[1], [ipaddress.ip_address(word) for word in words[3::2]]


def _check_gateways(interfaces, gateways):
    for gateway in gateways:
        networks = [one.network for one in interfaces]
        if not any(gateway in one for one in networks):
            raise OSError(errno.EINVAL, "gateway %s is in none of its subnets: %s" % (
                gateway, ", ".join(str(one) for one in networks) or "others' rules serve them all"))


def _rule(address, table, priority):
    return ["from", address, "table", table, "priority", priority, "protocol", PROTOCOL]


def _ip(host, address, words):
    """Have ip(8) do something for an address or a network. Raises OSError with its words."""
    family = FAMILIES[ipaddress.ip_network(address).version]
    try:
        status, _output, errors = host.run(["ip", family] + words)
    except CommandNotRun as error:
        raise OSError(errno.ENOSYS, str(error))
    if status != 0:
        raise OSError(errno.EIO, "ip %s: %s" % (" ".join(words), errors.strip()))


def satisfied(running, desired):
    """Rules of others that serve every address are as good as ours; where ours were not found, they are gone."""
    if not desired.startswith("table "):
        return not running.startswith("table")
    return running in (desired, desired.partition(",")[0], _OTHERS)


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    return path, read(host, target, path)


def plain(text):
    """A value as it is written."""
    return text.strip()


def identity(row, target, path):
    """What names the original in the journal."""
    return "rail_route:" + target


def others(host):
    """What others have that ours would get in the way of: rules for an address, and tables in use."""
    try:
        node = policy_routing.Node(host)
        return policy_routing.misleading(node) + policy_routing.tables_in_use(node)
    except OSError:
        return []


def rival(settled, row, target, path, ours, value):
    """The rule of somebody else's for one of the addresses, or the use of the table by anybody else, or None."""
    device, table = target.partition("/")[0], _parsed(value)[0]
    for item in settled:
        if item["table"] is None and item["device"] == device:
            return item
        if item["table"] == table and item["device"] != device:
            return item
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
