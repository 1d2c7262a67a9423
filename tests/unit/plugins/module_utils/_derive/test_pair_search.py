# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the search by pairs: what is planted is blamed, exactly that, and what cannot be known is said."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive.pair_search import blame, rounds

NOTHING = {"nodes": [], "links": [], "rails": [], "node_rails": [], "undecided": [], "next": [], "words": []}


def hosts(count):
    return ["n%02d" % number for number in range(count)]


def result(pair, passed, rail=None):
    return {"hosts": list(pair), "verdict": {True: "pass", False: "fail", None: "not_measured"}[passed], "rail": rail}


def run(pairs, bad=(), links=(), rail=None):
    """The results of pairs in a group with some bad hosts and links."""
    links = {frozenset(link) for link in links}
    return [result(pair, not set(pair) & set(bad) and frozenset(pair) not in links, rail) for pair in pairs]


def pairs(count, most=None):
    return list(itertools.chain(*rounds(hosts(count), most)))


def found(results, *keys):
    told = blame(results)
    return tuple(told[key] for key in keys)


@given(st.integers(0, 40), st.integers(0, 50))
def test_rounds_are_disjoint_and_nobody_meets_twice(count, most):
    whole = rounds(hosts(count))
    met = [frozenset(pair) for one in whole for pair in one]
    assert len(met) == len(set(met)) == count * (count - 1) // 2
    for one in whole:
        assert len(one) == count // 2 == len({host for pair in one for host in pair}) / 2
    assert rounds(hosts(count), most) == whole[:most]


def test_a_pair_that_was_not_measured_is_no_witness():
    seen = [result(("a", "b"), True), result(("h", "x"), False), result(("h", "a"), None), result(("h", "b"), None)]
    assert found(seen, "nodes", "undecided") == ([], ["h", "x"])
    seen = [result(("a", "b"), True), result(("h", "a"), False), result(("h", "b"), False), result(("h", "c"), None)]
    assert found(seen, "nodes") == (["h"],)
    assert "h is bad: it fails with all of a, b" in blame(seen)["words"]


def test_rounds_follow_the_order_that_was_given():
    assert rounds(["b", "a"]) == [[("b", "a")]]
    assert rounds(["a", "b", "a"]) == [[("a", "b")]]
    assert rounds(["a"]) == rounds([]) == []
    assert rounds(hosts(4)) == rounds(hosts(4)) == [
        [("n00", "n03"), ("n01", "n02")], [("n00", "n02"), ("n01", "n03")], [("n00", "n01"), ("n02", "n03")]]


@given(st.integers(3, 24), st.data())
def test_one_bad_host_is_named_after_four_rounds(count, data):
    bad = data.draw(st.sampled_from(hosts(count)))
    told = blame(run(pairs(count, 4), [bad]))
    assert (told["nodes"], told["links"], told["undecided"], told["next"]) == ([bad], [], [], [])
    assert told["words"][0].startswith("%s is bad: it fails with all of " % bad)


@given(st.integers(5, 24), st.data())
def test_two_bad_hosts_are_named_after_four_rounds(count, data):
    bad = sorted(data.draw(st.lists(st.sampled_from(hosts(count)), min_size=2, max_size=2, unique=True)))
    assert found(run(pairs(count, 4), bad), "nodes", "links", "undecided") == (bad, [], [])


@given(st.integers(3, 16), st.data())
def test_one_bad_link_is_named_once_it_was_tried(count, data):
    link = list(data.draw(st.sampled_from(pairs(count))))
    told = blame(run(pairs(count), links=[link]))
    assert (told["nodes"], told["links"], told["undecided"]) == ([], [{"hosts": link, "rail": None}], [])
    assert told["words"] == ["the link between %s and %s is bad: both pass with others" % tuple(link)]


@given(st.integers(6, 16), st.data())
def test_a_bad_host_and_a_bad_link_are_told_apart(count, data):
    bad, one, other = data.draw(st.lists(st.sampled_from(hosts(count)), min_size=3, max_size=3, unique=True))
    link = sorted([one, other])
    assert found(run(pairs(count), [bad], [link]), "nodes", "links") == ([bad], [{"hosts": link, "rail": None}])


@given(st.integers(3, 16), st.data())
def test_what_is_proposed_decides(count, data):
    """Whatever the fault and the first rounds, running what is proposed ends with the fault named, and no other."""
    bad = sorted(data.draw(st.lists(st.sampled_from(hosts(count)), max_size=max(1, (count - 2) // 2), unique=True)))
    results = run(pairs(count, data.draw(st.integers(2, 3))), bad)
    for _step in range(3 * count):
        told = blame(results)
        if not told["undecided"]:
            break
        assert len({host for pair in told["next"] for host in pair}) == 2 * len(told["next"]) > 0
        results += run(told["next"], bad)
    assert (told["nodes"], told["links"]) == (bad, [])


@given(st.integers(4, 12), st.integers(2, 8), st.data())
def test_a_host_that_is_bad_on_one_rail_is_named_with_it(count, rails, data):
    bad, rail = data.draw(st.sampled_from(hosts(count))), data.draw(st.integers(0, rails - 1))
    results = [one for number in range(rails) for one in run(pairs(count, 4), [bad] * (number == rail), rail=number)]
    told = blame(results)
    assert (told["node_rails"], told["nodes"], told["rails"], told["undecided"]) == ([[bad, rail]], [], [], [])
    assert told["words"] == ["%s is bad on rail %d: its NIC, cable or port of the switch" % (bad, rail)]


def test_a_host_that_is_bad_on_all_rails_is_bad():
    results = [one for rail in range(4) for one in run(pairs(6, 4), ["n02"], rail=rail)]
    assert found(results, "nodes", "node_rails", "rails") == (["n02"], [], [])


def test_a_rail_that_fails_between_all_is_the_rail():
    results = [one for rail in range(4) for one in run(pairs(6, 4), hosts(6) if rail == 2 else (), rail=rail)]
    told = blame(results)
    assert (told["rails"], told["nodes"], told["node_rails"], told["undecided"]) == ([2], [], [], [])
    assert told["words"] == ["rail 2 is bad: all pairs fail on it and not on others; look at its switch"]


def test_when_all_rails_fail_none_is_to_blame():
    told = blame([one for rail in range(4) for one in run(pairs(6, 4), hosts(6), rail=rail)])
    assert (told["rails"], told["nodes"], told["undecided"]) == ([], [], hosts(6))
    assert told["words"][0].startswith("every pair fails: ")


def test_one_witness_is_not_enough():
    told = blame([result(("n00", "n01"), False), result(("n01", "n02"), True), result(("n02", "n03"), True)])
    assert (told["nodes"], told["links"], told["undecided"], told["next"]) == ([], [], ["n00"], [["n00", "n02"]])
    assert told["words"] == ["not decided: n00; run n00 with n02"]


def test_a_link_may_be_bad_on_one_rail():
    results = run(pairs(6), links=[("n01", "n04")], rail=1) + run(pairs(6), rail=0)
    told = blame(results)
    assert told["links"] == [{"hosts": ["n01", "n04"], "rail": 1}]
    assert told["words"] == ["the link between n01 and n04 is bad on rail 1: both pass with others"]


def test_a_run_of_all_rails_is_refined_by_runs_of_each():
    results = run(pairs(6, 4), ["n02"]) + run(pairs(6, 4), ["n02"], rail=3) + run(pairs(6, 4), rail=4)
    assert found(results, "nodes", "node_rails") == ([], [["n02", 3]])


def test_when_all_pass_nobody_is_blamed():
    assert blame(run(pairs(6))) == blame([]) == NOTHING


def test_of_two_hosts_nobody_knows():
    told = blame(run(pairs(2), ["n00"]))
    assert (told["nodes"], told["links"], told["undecided"]) == ([], [], ["n00", "n01"])
    assert told["words"] == ["not decided: n00, n01; run n00 with n01"]


def test_when_every_pair_fails_it_is_what_they_share():
    told = blame(run(pairs(6), hosts(6)))
    assert (told["nodes"], told["links"], told["undecided"]) == ([], [], hosts(6))
    assert told["words"] == ["every pair fails: look first at what all of them share, the environment of the run, the "
                             "image, the switches"]


@pytest.mark.parametrize("verdicts, links", [
    ((True, False), 1), ((False, True), 1), ((None, False), 1), ((False, None), 1), ((True, None), 0),
    ((None, True), 0)])
def test_what_failed_once_stays_bad_and_what_was_not_measured_tells_nothing(verdicts, links):
    others = run([pair for pair in pairs(4) if pair != ("n00", "n01")])
    told = blame(others + [result(("n00", "n01"), passed) for passed in verdicts])
    assert len(told["links"]) == links


def test_pairs_that_measured_nothing_leave_their_hosts_undecided():
    told = blame([result(("n00", "n01"), None), result(("n02", "n03"), True)])
    assert told["undecided"] == ["n00", "n01"] and told["next"] == [["n00", "n02"], ["n01", "n03"]]
    assert told["nodes"] == told["links"] == []


def test_hosts_in_either_order_are_the_same_pair():
    told = blame(run(pairs(4), links=[("n00", "n01")]) + [result(("n01", "n00"), False)])
    assert told["links"] == [{"hosts": ["n00", "n01"], "rail": None}]
