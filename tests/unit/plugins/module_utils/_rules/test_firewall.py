# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R25: ports that are shut, and ports that a connection may take first."""

from __future__ import annotations

import json

import pytest

from tests.sysroots import network_node
from tests.sysroots.engine import plan

RANGE = "/proc/sys/net/ipv4/ip_local_port_range"
RESERVED = "/proc/sys/net/ipv4/ip_local_reserved_ports"
CHAIN = {"chain": {"family": "inet", "table": "filter", "name": "input", "type": "filter", "hook": "input", "prio": 0,
                   "policy": "drop"}}


def found(root, *ruleset, **options):
    class Walled(network_node.Network):
        """A host with this ruleset."""

        answers = {"tc": "[]", "nft": json.dumps({"nftables": list(ruleset)})}
    made = plan(root, "network", {}, kernel=Walled, options=dict(network_node.OPTIONS, **options))
    return [(one["severity"], one["message"]) for one in made.findings if one["rule"] == "R25"]


def accept(ports):
    return {"rule": {"family": "inet", "table": "filter", "chain": "input", "expr": [
        {"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": ports}},
        {"accept": None}]}}


def test_an_open_node_has_nothing_to_say(tmp_path):
    assert found(network_node.build(tmp_path)) == []
    assert found(network_node.build(tmp_path), {"chain": dict(CHAIN["chain"], policy="accept")}) == []


def test_what_is_shut_is_named(tmp_path):
    root = network_node.build(tmp_path)
    (severity, words), = found(root, CHAIN, accept({"set": [22, 8000]}))
    assert severity == "W" and "nftables inet filter input" in words
    assert "TCP ports 28028, 29501, 29550, 32768-60999 or other nodes' addresses" in words
    assert found(root, CHAIN, accept({"set": [8000, {"range": [28000, 65535]}]})) == []
    assert found(root, CHAIN, network_workload="cpu") == []


@pytest.mark.parametrize("text, reserved, ports", [
    ("1024\t65535", "", ["8000", "28028", "29501", "29550"]), ("1024\t65535", "8000,28000-29550", []),
    ("15000\t61000", "29501", ["28028", "29550"]), ("32768\t60999", "", []), ("", "", []), ("junk", "", [])])
def test_ports_that_a_connection_may_take_first(tmp_path, text, reserved, ports):
    said = found(network_node.build(tmp_path, **{RANGE: text, RESERVED: reserved}))
    assert len(said) == bool(ports)
    assert [port for port in ("8000", "28028", "29501", "29550") if said and "port %s (" % port in said[0][1]] == ports
