# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A round on one node: switch, looks until it serves, and all nodes of a replica put back where one does not."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import kept, turns

ONE = {"name": "a", "hosts": ["n1"], "leaves": False, "round": 0}
PAIR = {"name": "r", "hosts": ["n1", "n2"], "leaves": False, "round": 0}


class Node:
    """Answers as it was told to, one answer after the other for each stage, and remembers what was asked."""

    def __init__(self, **answers):
        self.answers, self.asked, self.now = answers, [], 0

    def ask(self, extra):
        self.asked.append((extra["stage"], *extra["only"]))
        told = self.answers.get(extra["stage"], [{}])
        return told.pop(0) if len(told) > 1 else told[0]

    def clock(self):
        return self.now

    def sleep(self, seconds):
        self.now += seconds


def looks(*said, name="a"):
    return [{"verified": {name: {"ok": ok, "differs": list(differs)}}} for ok, *differs in said]


def through(place, node, unit=ONE, host="n1", limit=100, said=None):
    said = [] if said is None else said
    turns.switch(place, host, [unit], node.ask)
    turns.verify(place, host, [unit], node.ask, {unit["name"]: limit}, said.extend, node.sleep, node.clock)
    return turns.settle(place, host, [unit], node.ask, {unit["name"]: limit}, node.sleep, node.clock)


def test_a_turn_is_of_its_batch_and_round(place):
    kept.keep(place, "turn", "n1", {"batch": 1, "units": [ONE, dict(ONE, name="b", round=1)]})
    assert [unit["name"] for unit in turns.mine(place, "n1", "1.1")] == ["b"]
    assert turns.mine(place, "n1", "0.1") == [] and turns.mine(place, "n2", "1.1") == []


def test_it_is_looked_at_until_it_serves_and_what_it_waits_for_is_said(place):
    node, said = Node(verify=looks((None, "loading weights"), (None,), (True,))), []
    assert through(place, node, said=said) == []
    assert said == ["n1: waiting for a for 0 s: loading weights", "n1: waiting for a for 2 s"]
    assert node.asked[-1] == ("keep", "a") and kept.outcome(place, "n1", "a")["phase"] == "kept"


def test_what_differs_is_put_back_and_looked_at_again(place):
    node = Node(verify=looks((None,), (False, "worker 7 is on CPU 3"), (None,), (True,)),
                put_back=[{"put_back": {"a": {"ok": True, "down_seconds": 30, "words": "back"}}}])
    assert through(place, node) == ["a: n1: worker 7 is on CPU 3; the old one serves again; it was down for 32 s"]
    assert kept.one(place, "stopped", "why") == "a failed: n1: worker 7 is on CPU 3"
    assert kept.outcome(place, "n1", "a")["down_seconds"] == 32


def test_time_that_is_up_is_a_failure_and_so_is_an_old_one_that_does_not_come_back(place):
    node = Node(verify=looks((None, "503")),
                put_back=[{"put_back": {"a": {"ok": True, "down_seconds": 10, "words": "back"}}}])
    (said,) = through(place, node, limit=5)
    assert "after 6 s it does not serve yet (vllm_service_health_timeout): 503" in said
    assert "the old one was started again and does not serve; it is down for" in said
    assert kept.outcome(place, "n1", "a")["phase"] == "down"


def test_where_there_was_none_before_nothing_is_looked_at(place):
    node = Node(verify=looks((False, "x")),
                put_back=[{"put_back": {"a": {"ok": True, "down_seconds": 0, "words": "it is removed"}}}])
    assert through(place, node) == ["a: n1: x; it is removed"]
    assert [stage for stage, *_names in node.asked] == ["switch", "verify", "put_back"]


@pytest.mark.parametrize("answer, words", [
    ({"failed": "no route"}, "no route"), ({"errors": {"a": "systemctl start: timed out"}}, "timed out")])
def test_a_switch_that_fails_is_put_back_without_a_look(place, answer, words):
    node = Node(switch=[answer], put_back=[{"failed": "still no route"}])
    (said,) = through(place, node)
    assert words in said and "still no route" in said
    assert [stage for stage, *_names in node.asked] == ["switch", "put_back"]


def test_a_replica_is_put_back_on_the_node_that_serves_too(place):
    kept.keep_outcome(place, "n2", "r", phase="failed", switched=True, words=["out of memory"])
    node = Node(verify=looks((None,), name="r"), put_back=[{"put_back": {"r": {"ok": True, "words": "removed"}}}])
    assert through(place, node, PAIR) == ["r: n2: out of memory; removed"]
    assert node.asked == [("switch", "r"), ("verify", "r"), ("put_back", "r")] and node.now == 0


def test_a_node_of_a_replica_that_was_lost_fails_it(place):
    node = Node(verify=looks((True,), name="r"), put_back=[{"put_back": {"r": {"ok": True, "words": "removed"}}}])
    assert through(place, node, PAIR) == ["r: n2: nothing is known of it; removed"]


def test_a_replica_that_serves_on_all_nodes_is_kept_on_each(place):
    kept.keep_outcome(place, "n2", "r", phase="kept", switched=True, words=[])
    node = Node(verify=looks((True,), name="r"))
    assert through(place, node, PAIR) == [] and node.asked[-1] == ("keep", "r")


def test_what_serves_but_cannot_be_kept_is_said_and_stays(place):
    node = Node(verify=looks((True,)), keep=[{"failed": "disk full"}])
    assert through(place, node) == ["a: it serves, but could not be kept: disk full"]
    assert kept.outcome(place, "n1", "a")["phase"] == "unkept"
    other = Node(verify=looks((True,)))
    pair = dict(PAIR, name="a")
    assert through(place, other, pair, host="n2") == []


def test_after_a_failure_nothing_more_is_touched(place):
    kept.keep(place, "stopped", "why", "b failed: n9: x")
    node = Node()
    assert through(place, node) == ["a: not restarted: n1: b failed: n9: x"]
    assert node.asked == [] and turns.words(kept.outcome(place, "n1", "a")) == "not reached"


def test_what_leaves_needs_no_look(place):
    node = Node()
    assert through(place, node, dict(ONE, leaves=True)) == []
    assert node.asked == [("switch", "a"), ("keep", "a")]


def test_a_new_name_that_fails_says_that_the_old_one_is_gone(place):
    assert through(place, Node(), dict(ONE, name="old", leaves=True)) == []
    assert through(place, Node(), dict(ONE, name="far", hosts=["n2"], leaves=True), "n2") == []
    node = Node(verify=looks((False, "no")), put_back=[{"put_back": {"a": {
        "ok": True, "down_seconds": 0, "words": "it is removed: there was none before"}}}])
    assert through(place, node) == [
        "a: n1: no; it is removed: there was none before; "
        "old, which this run stopped on n1 before, is not started again"]


def test_what_is_to_be_said_of_the_old_one_is_said_though_it_serves(place):
    node = Node(verify=looks((False, "no"), (True,)), put_back=[{"put_back": {"a": {
        "ok": True, "down_seconds": 9, "words": "back; the template stays", "also": ["the template stays"]}}}])
    assert through(place, node) == ["a: n1: no; the old one serves again; it was down for 9 s; the template stays"]


@pytest.mark.parametrize(("opened", "down", "said"), [(["a"], 943, True), (["b"], 943, False), (["a"], 0, False)])
def test_a_time_that_counts_from_a_run_that_was_stopped_is_an_upper_bound(place, opened, down, said):
    kept.keep(place, "plan", "n1", {"open": opened})
    assert through(place, Node(verify=looks((True,)), keep=[{"down_seconds": {"a": down}}])) == []
    assert ("down for at most that" in str(kept.outcome(place, "n1", "a")["words"])) is said
    node = Node(verify=looks((False, "no"), (True,)), put_back=[{"put_back": {"a": {
        "ok": True, "down_seconds": down, "words": "back"}}}])
    assert ("down for at most that" in through(place, node)[0]) is said
