# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cost of replicas in counts, and a bound that nothing goes below."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_bound as bound
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_cluster import Bin

KIND = ("", "", 0)


def one(host, rack, free, slots, domain=None, kind=KIND):
    return Bin(host, rack, domain, kind, (), free, slots)


def problem(bins, size, stages=1, replicas=1, within="cluster"):
    return bound.problem_of(bins, size, stages, replicas, within)


def least(made):
    return bound.least(made, *bound.begin(made), made.replicas)


@pytest.mark.parametrize(("size", "stages", "within", "shares"), [
    (4, 3, "cluster", [4, 2, 1]),       # 12 and 6 are more than any node has, or no whole stages.
    (2, 2, "cluster", [4, 2, 1]),
    (2, 2, "node", [4, 2]),
    (8, 1, "node", []),
    (2, 3, "rack", [2, 1])])
def test_the_shares_of_a_node(size, stages, within, shares):
    assert bound.shares(problem([one("a", "r", 4, 2)], size, stages, within=within)) == shares


def test_groups_are_arranged_in_domains_then_racks_then_anyhow():
    bins = [one("a", "r1", 4, 0, "d"), one("b", "r1", 4, 0, "e"), one("c", "r1", 4, 0, "d"), one("x", "r2", 4, 0),
            one("y", "r3", 4, 0), one("z", "r1", 4, 0)]
    made = problem(bins, 8, 3)
    assert bound.arranged(made, 4, [5, 4, 3, 2, 1, 0]) == (0, 2, 1, 5, 3, 4)


def test_what_a_replica_costs_and_takes():
    bins = [one("a", "r1", 8, 1), one("b", "r1", 8, 2), one("c", "r2", 8, 2)]
    made = problem(bins, 4, 4)
    free, slots = bound.begin(made)
    assert bound.take(made, free, slots, (8, (0, 2))) == (0, 0, 1, 1, 1)
    assert (free, slots) == ([0, 8, 0], [-1, 2, 0])
    assert bound.take(problem(bins, 16), *bound.begin(made), (8, (0, 1))) == (0, 1, 0, 0, 1)
    assert bound.take(problem(bins, 16), *bound.begin(made), (8, (1, 2))) == (1, 0, 0, 1, 1)


def test_the_cost_of_all():
    bins = [one("a", "r", 4, 1), one("a", "r", 4, 1, kind=("", "other", 0)), one("b", "r", 4, 1)]
    assert bound.cost_of(problem(bins, 4), [(4, (0,)), (4, (1,))]) == (0, 0, 0, 0, 0, 2, 1)


@pytest.mark.parametrize(("bins", "size", "stages", "replicas", "expected"), [
    ([one("a", "r1", 8, 2), one("b", "r1", 8, 2)], 4, 2, 2, (0, 0, 0, 0, 0, 1, 2)),
    ([one("a", "r1", 8, 1), one("b", "r2", 8, 1)], 8, 2, 1, (0, 0, 0, 1, 1, 1, 2)),
    ([one("a", "r1", 8, 1), one("b", "r1", 8, 1)], 16, 1, 1, (0, 1, 0, 0, 1, 1, 2)),
    ([one("a", "r1", 8, 1), one("b", "r2", 8, 1)], 16, 1, 1, (1, 0, 0, 1, 1, 1, 2)),
    ([one("a", "r1", 8, 1, "d"), one("b", "r1", 8, 1, "d")], 16, 1, 1, (0, 0, 0, 0, 1, 1, 2)),
    ([one("a", "r1", 8, 0)], 8, 1, 1, (0, 0, 1, 0, 0, 1, 1)),
    ([one("a", "r1", 7, 3), one("b", "r1", 5, 2)], 2, 2, 2, (0, 0, 0, 0, 0, 1, 2)),
    ([one("a", "r1", 4, 1), one("b", "r1", 4, 1, kind=("", "x", 0))], 4, 1, 2, (0, 0, 0, 0, 0, 2, 2))])
def test_the_bound_of_what_can_be_counted(bins, size, stages, replicas, expected):
    assert least(problem(bins, size, stages, replicas)) == expected


def test_nothing_more_costs_nothing_more():
    made = problem([one("a", "r", 8, 2)], 4)
    assert bound.least(made, *bound.begin(made), 0, {KIND}, {"a"}) == (0, 0, 0, 0, 0, 1, 1)


def test_hosts_in_use_are_counted_first():
    made = problem([one("a", "r", 8, 2), one("b", "r", 8, 2)], 4)
    assert bound.least(made, [4, 8], [1, 2], 2, {KIND}, {"a"})[-1] == 2
    assert bound.least(made, [4, 8], [1, 2], 1, {KIND}, {"a"})[-1] == 1
