# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPUs of a node: whole groups take islands and NUMA nodes, parts take what is left, none is taken twice."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive import placement_bound as bound
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_cluster import Bin
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement_gpus import numbers


def node(*islands):
    """A bin of islands, each {number: NUMA node}."""
    found = tuple(tuple(sorted((numa, number) for number, numa in island.items())) for island in islands)
    return Bin("h", "r", None, ("", "", 0), found, sum(len(island) for island in found), 0)


def given(bins, size, stages, placed):
    return numbers(bound.problem_of(bins, size, stages, len(placed), "cluster"), placed)


def test_a_group_takes_one_numa_node_of_its_island():
    one = node({0: 0, 2: 0, 3: 1, 4: 1, 5: 1, 6: 1})
    assert given([one], 4, 1, [(4, (0,))]) == [[{0: [3, 4, 5, 6]}]]
    assert given([one], 2, 2, [(4, (0,))]) == [[{0: [0, 2], 1: [3, 4]}]]
    assert given([one], 5, 1, [(5, (0,))]) == [[{0: [0, 2, 3, 4, 5]}]]


def test_a_group_takes_the_island_that_is_left_with_least():
    one = node({0: 0, 1: 0, 2: 0}, {3: 1, 4: 1})
    assert given([one], 2, 1, [(2, (0,)), (2, (0,))]) == [[{0: [3, 4]}], [{0: [0, 1]}]]


def test_what_no_island_holds_is_taken_off_the_fewest():
    assert given([node({0: 0}, {1: 1, 2: 1}, {3: 2, 4: 2})], 4, 1, [(4, (0,))]) == [[{0: [1, 2, 3, 4]}]]


def test_parts_leave_the_islands_to_whole_groups():
    islands = ({0: 0, 1: 0, 2: 0}, {3: 1, 4: 1, 5: 1, 6: 1})
    bins = [node(*islands), node({0: 0, 1: 0, 2: 0})]
    assert given(bins, 4, 1, [(2, (0, 1)), (4, (0,))]) == [[{0: [0, 1]}, {0: [0, 1]}], [{0: [3, 4, 5, 6]}]]


def test_stages_follow_the_ranks():
    bins = [node(dict.fromkeys(range(4), 0)) for _host in range(4)]
    assert given(bins, 2, 4, [(4, (2, 0))]) == [[{0: [0, 1], 1: [2, 3]}, {2: [0, 1], 3: [2, 3]}]]
    assert given(bins, 8, 2, [(4, (0, 1, 2, 3))]) == [
        [{0: [0, 1, 2, 3]}, {0: [0, 1, 2, 3]}, {1: [0, 1, 2, 3]}, {1: [0, 1, 2, 3]}]]
