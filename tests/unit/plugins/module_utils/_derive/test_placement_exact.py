# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Proof by the bound or by trying all, what is better than the first find, and the end of the effort."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_bound as bound
from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_exact
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_cluster import Bin
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_exact import solve


def problem(hosts, size, stages=1, replicas=1, within="cluster"):
    """Of hosts as (rack, free), all GPUs of a host in one island."""
    bins = [Bin("h%02d" % number, rack, None, ("", "", 0), (), free, free // size)
            for number, (rack, free) in enumerate(hosts)]
    return bound.problem_of(bins, size, stages, replicas, within)


# The bound of these is out of reach: two racks of three nodes each hold one pipeline of two and a node that is left.
ODD = [("r1", 4)] * 3 + [("r2", 4)] * 3


def test_the_bound_is_proof():
    placed, method, proved = solve(problem([("r", 8)] * 40, 8, 1, 40))
    assert (len(placed), method, proved) == (40, placement_exact.BOUND, True)


def test_all_are_tried_where_the_bound_is_out_of_reach():
    hosts = [("r1", 3), ("r1", 3), ("r2", 3), ("r2", 3), ("r2", 2)]
    made = problem(hosts, 2, 2, 3)
    placed, method, proved = solve(made)
    assert (method, proved) == (placement_exact.EXACT, True)
    assert bound.cost_of(made, placed) > bound.least(made, *bound.begin(made), 3)


def test_that_there_is_none_is_proved_on_few_nodes_and_not_on_many():
    assert solve(problem([("r", 3)] * 5, 4, 3, 1, "node")) == (None, placement_exact.EXACT, True)
    assert solve(problem([("r", 3)] * 40, 4, 3, 1, "node")) == (None, placement_exact.GREEDY, False)
    assert solve(problem([("r", 3)] * 40, 4, 31, 1)) == (None, "counting", True)


def test_the_effort_ends(monkeypatch):
    monkeypatch.setattr(placement_exact, "_MOST_TRIES", 1)
    hosts = [("r1", 3), ("r1", 3), ("r2", 3), ("r2", 3), ("r2", 2)]
    placed, method, proved = solve(problem(hosts, 2, 2, 3))
    assert (len(placed), method, proved) == (3, placement_exact.GREEDY, False)


@pytest.mark.parametrize(("within", "fits"), [("rack", False), ("cluster", True)])
def test_what_is_tried_reaches_no_further_than_allowed(within, fits):
    placed, _method, proved = solve(problem(ODD, 8, 1, 3, within))
    assert proved
    assert (placed is not None) == fits
