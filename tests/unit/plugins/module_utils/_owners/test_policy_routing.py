# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy routing of a node, from what ip(8) says: whose a rule is, what it is about, which addresses last."""

from __future__ import annotations

import ipaddress
import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import policy_routing


class Asked(Host):
    """A host whose ip(8) says this of rules, addresses and routes, of IPv4 alone."""

    said = {"rule": [], "address": [], "route": []}

    def run(self, argv, seconds=10, changes=True):
        assert not changes
        if "-6" in argv:
            return 0, "", ""
        if argv[-1] == "404":
            return 2, "", "Error: ipv4: FIB table does not exist.\nDump terminated\n"
        return 0, json.dumps(next(self.said[word] for word in argv if word in self.said)), ""


def node(**said):
    host = Asked("/")
    host.said = dict(Asked.said, **said)
    return policy_routing.Node(host)


def link(*addresses, flags=("UP",)):
    return [{"ifname": "r0", "flags": list(flags), "addr_info": list(addresses)}]


def address(local, prefixlen=24, scope="global", **more):
    return dict({"local": local, "prefixlen": prefixlen, "scope": scope}, **more)


def test_lasting_addresses_of_an_interface_that_is_up():
    given = [address("10.0.0.9"), address("10.0.0.1"), address("fe80::1", 64, "link"), address("127.0.0.5", 8, "host"),
             address("fd00::5", 64, temporary=True), address("fd00::6", 64, deprecated=True), address("fd00::1", 64)]
    assert [str(one) for one in node(address=link(*given)).interfaces("r0")] == [
        "10.0.0.1/24", "10.0.0.9/24", "fd00::1/64"]
    assert node(address=link(*given, flags=())).interfaces("r0") == node().interfaces("r0") == []
    assert node(address=link(*given)).owner("10.0.0.9") == "r0" and node(address=link(*given)).owner("10.0.0.8") is None


@pytest.mark.parametrize("rule, found", [
    ({"priority": 5, "src": "10.0.0.1", "table": "7"}, "10.0.0.1"),
    ({"priority": 5, "src": "fd00::1", "table": "7", "protocol": "71", "family": 6}, "fd00::1"),
    ({"priority": 5, "src": "10.0.0.0", "srclen": 24, "table": "7"}, None),
    ({"priority": 5, "src": "10.0.0.1", "iif": "r0", "table": "7"}, None),
    ({"priority": 5, "src": "10.0.0.1", "fwmark": "0x7", "table": "7"}, None),
    ({"priority": 0, "src": "all", "table": "255"}, None)])
def test_the_one_address_that_a_rule_is_about(rule, found):
    assert policy_routing.source(rule) == (found and ipaddress.ip_address(found))


@pytest.mark.parametrize("route, serves", [
    ({"dst": "10.0.0.0/24", "dev": "r0"}, True), ({"dst": "default", "dev": "r0", "gateway": "10.0.0.254"}, True),
    ({"dst": "10.0.0.0/16", "dev": "r0"}, True), ({"dst": "10.0.0.0/25", "dev": "r0"}, False),
    ({"dst": "10.0.0.0/24", "dev": "r1"}, False), ({"type": "prohibit", "dst": "default"}, False)])
def test_whether_the_table_of_others_leads_through_the_interface(route, serves):
    here = node(route=[route], address=link(address("10.0.0.1")))
    (interface,) = here.interfaces("r0")
    rule = {"priority": 5, "src": "10.0.0.1", "table": "88"}
    assert policy_routing.serves(here, rule, interface, "r0") is serves
    assert not policy_routing.serves(here, dict(rule, table="254"), interface, "r0")


def test_a_table_that_is_not_there_has_no_routes():
    assert node().routes("404") == []


def test_our_routes_are_marked_as_such_though_ip_leaves_out_what_was_asked_for():
    (one,) = node(route=[{"dst": "10.0.0.0/24", "dev": "r0", "table": "52001"}]).routes(ours=True)
    assert policy_routing.is_ours(one) and one["family"] == 4


def test_rules_of_others_that_lead_elsewhere_and_tables_in_use():
    here = node(address=link(address("10.0.0.1")), rule=[{"priority": 9, "src": "10.0.0.1", "table": "88"}],
                route=[{"dst": "10.0.0.0/24", "dev": "r1", "table": "88"}, {"dst": "10.9.0.0/16", "dev": "r0"}])
    assert [one["device"] for one in policy_routing.misleading(here)] == ["r0"]
    (used,) = policy_routing.tables_in_use(here)
    assert (used["table"], used["device"]) == ("88", None)
