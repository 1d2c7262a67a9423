# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a firewall lets in, from rulesets as nft -j, ufw and firewalld show them."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import packet_filter

DPORT = {"payload": {"protocol": "tcp", "field": "dport"}}
SADDR = {"payload": {"protocol": "ip", "field": "saddr"}}
IIF = {"meta": {"key": "iifname"}}
STATE = {"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}


def chain(name="input", policy="drop", **more):
    return {"chain": dict({"family": "inet", "table": "filter", "name": name, "handle": 1, "type": "filter",
                           "hook": "input", "prio": 0, "policy": policy}, **more)}


def rule(*expr, chain="input"):
    return {"rule": {"family": "inet", "table": "filter", "chain": chain, "handle": 9, "expr": list(expr)}}


def match(left, right, op="=="):
    return {"match": {"op": op, "left": left, "right": right}}


class Asked(Host):
    """A host whose nft says this."""

    runs_commands = True
    modules = ("nf_tables",)

    def __init__(self, answer):
        super().__init__("/")
        self.answer = answer

    def read(self, path):
        if path in ["/sys/module/%s/initstate" % name for name in self.modules]:
            return "live"
        raise FileNotFoundError(2, "No such file or directory", path)

    def is_folder(self, path):
        return False

    def run(self, argv, seconds=10, changes=True):
        assert (argv, changes) == (["nft", "-j", "list", "ruleset"], False)
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def closing(*entries):
    ruleset = [{"metainfo": {"version": "1.0.6", "json_schema_version": 1}}, *entries]
    return packet_filter.closing(Asked((0, json.dumps({"nftables": ruleset}), "")))


ACCEPT, DROP, REJECT = {"accept": None}, {"drop": None}, {"reject": {"type": "icmpx", "expr": "admin-prohibited"}}


@pytest.mark.parametrize("entries, shut", [
    ([chain()], True), ([chain(policy="accept")], False), ([chain(policy="accept"), rule(DROP)], True),
    ([chain(policy="accept"), rule({"counter": {}}, REJECT)], True),
    ([chain(policy="accept"), rule(match(SADDR, "10.0.0.1"), DROP)], False),
    ([chain(name="forward", hook="forward")], False), ([chain(type="nat")], False), ([], False)])
def test_which_chains_close_a_node(entries, shut):
    assert [one["name"] for one in closing(*entries)] == ["inet filter input"] * shut


@pytest.mark.parametrize("expr, opened, peers", [
    ([match(DPORT, 22), ACCEPT], [(22, 22)], False),
    ([match(DPORT, {"set": [22, {"range": [50000, 51000]}]}), ACCEPT], [(22, 22), (50000, 51000)], False),
    ([match(DPORT, {"range": [1, 9]}), {"counter": {}}, ACCEPT], [(1, 9)], False),
    ([match({"meta": {"key": "l4proto"}}, "tcp"), match(DPORT, 22), ACCEPT], [(22, 22)], False),
    ([match({"meta": {"key": "l4proto"}}, "icmp"), ACCEPT], [], False),
    ([match(SADDR, {"prefix": {"addr": "10.0.0.0", "len": 8}}), ACCEPT], [], True),
    ([match(IIF, "rail0"), ACCEPT], [], True), ([match(IIF, "lo"), ACCEPT], [], False),
    ([match(DPORT, 22, "!="), ACCEPT], [], False), ([STATE, ACCEPT], [], False), ([ACCEPT], [(0, 65535)], False),
    ([match(SADDR, "10.0.0.1"), match(DPORT, 22), ACCEPT], [], False), ([match(DPORT, 22), DROP], [], False),
    ([match(DPORT, "@named"), ACCEPT], [], False)])
def test_what_a_rule_opens(expr, opened, peers):
    (one,) = closing(chain(), rule(*expr))
    assert (one["open"], one["peers"]) == (opened, peers)


def test_chains_that_a_rule_leads_to_count_and_circles_end():
    """As ufw has them: everything of its own is in chains beside the one with the policy."""
    there, back = {"jump": {"target": "ufw-user"}}, {"goto": {"target": "input"}}
    (one,) = closing(chain(), rule(there), rule(back, chain="ufw-user"),
                     rule(match(DPORT, 29501), ACCEPT, chain="ufw-user"), rule(match(DPORT, 1), ACCEPT, chain="other"))
    assert one["open"] == [(29501, 29501)]


@pytest.mark.parametrize("answer", [(1, "", "Operation not permitted"), (0, "{", ""), (0, "", ""),
                                    CommandNotRun("nft: No such file or directory")])
def test_a_firewall_that_cannot_be_asked_shuts_nothing(answer):
    assert packet_filter.closing(Asked(answer)) == []


def test_a_capture_has_no_nft(tmp_path):
    assert packet_filter.closing(Host(str(tmp_path))) == []


def test_ports_and_what_covers_them():
    assert packet_filter.ports(["8000", "50000-51000", "x", "5-y"]) == [(8000, 8000), (50000, 51000)]
    assert packet_filter.covers([(1, 5), (50000, 60000)], (50000, 51000))
    assert not packet_filter.covers([(1, 50500)], (50000, 51000))


def test_without_the_module_nothing_is_asked_for_that_would_load_it():
    class Bare(Asked):
        modules = ()

        def run(self, argv, seconds=10, changes=True):
            raise AssertionError("%s was started" % argv[0])
    assert packet_filter.closing(Bare(None)) == []
