# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One replica after the other: as many as fit, on few nodes, near each other, and never further than allowed."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_bound as bound
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_cluster import Bin
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_greedy import best


def cluster(*hosts):
    """Bins of (rack, free), all of one kind, that hold whole groups of 4 each."""
    return [Bin("h%02d" % number, rack, None, ("", "", 0), (), free, free // 4)
            for number, (rack, free) in enumerate(hosts)]


def placed(bins, size, stages=1, replicas=1, within="cluster"):
    return best(bound.problem_of(bins, size, stages, replicas, within), None)


def test_replicas_of_one_node_are_packed_and_the_last_takes_the_least_room():
    bins = cluster(("r", 4), ("r", 8), ("r", 8), ("r", 4))
    assert sorted(placed(bins, 4, 1, 3)) == [(4, (0,)), (4, (1,)), (4, (1,))]


def test_groups_stay_in_islands_while_there_are_some():
    bins = cluster(("r", 8), ("r", 8))
    bins[0] = bins[0]._replace(slots=1)
    assert sorted(placed(bins, 4, 1, 3)) == [(4, (0,)), (4, (1,)), (4, (1,))]
    assert len(placed(bins, 4, 1, 4)) == 4


def test_pipelines_in_one_rack():
    bins = cluster(("r1", 4), ("r2", 4), ("r1", 4), ("r2", 4))
    assert sorted(placed(bins, 4, 2, 2)) == [(4, (0, 2)), (4, (1, 3))]


def test_groups_of_one_rack_before_groups_of_two():
    bins = cluster(("r1", 2), ("r2", 2), ("r3", 2), ("r3", 2))
    assert placed(bins, 4) == [(2, (2, 3))]


@pytest.mark.parametrize(("within", "count"), [("node", 0), ("rack", 1), ("cluster", 2)])
def test_no_further_than_allowed(within, count):
    bins = cluster(("r1", 2), ("r1", 2), ("r2", 2), ("r3", 2))
    assert len(placed(bins, 4, 1, 2, within)) == count


def test_as_many_as_fit_where_not_all_do():
    assert len(placed(cluster(("r", 8), ("r", 4)), 4, 1, 9)) == 3


def test_nodes_in_use_are_filled_before_others_are_begun():
    assert placed(cluster(*[("r", 8)] * 6), 4, 3, 2) == [(4, (0, 1, 2)), (4, (0, 1, 2))]


def test_one_node_gives_several_shares_but_one_to_each_replica():
    made = placed(cluster(("r", 8), ("r", 8), ("r", 8)), 4, 3, 2)
    assert made == [(4, (0, 1, 2)), (4, (0, 1, 2))]
