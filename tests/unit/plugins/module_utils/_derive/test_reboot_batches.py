# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties of the batches in which nodes are rebooted, on inventories that a generator draws."""

from __future__ import annotations

import collections
import random

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.reboot_batches import batches, limits_of, units


def node(host, rack=None, domain=None, **more):
    return dict({"host": host, "rack": rack, "nvlink_domain": domain}, **more)


def drawn(seed):
    """An inventory of up to 80 nodes: racks, none, and domains that lie in one rack or in several."""
    chance = random.Random(seed)
    racks = [None] + ["r%d" % number for number in range(chance.randint(1, 12))]
    nodes = []
    for number in range(chance.randint(0, 60)):
        nodes.append(node("n%d" % number, chance.choice(racks)))
    for domain in range(chance.randint(0, 4)):
        home = [chance.choice(racks) for _rack in range(chance.randint(1, 2))]
        for tray in range(chance.randint(1, 18)):
            nodes.append(node("d%d-%d" % (domain, tray), chance.choice(home), "d%d" % domain))
    chance.shuffle(nodes)
    for one in nodes:
        one["first"] = chance.random() < 0.05
        one["down"] = chance.random() < 0.9
    return nodes, chance


@pytest.mark.parametrize("seed", range(150))
def test_every_node_once_no_domain_split_and_racks_spread(seed):
    nodes, chance = drawn(seed)
    sizes = chance.choice([(1, "5%", "25%"), [3], 7, "100%", [1, 1000]])
    per_rack = chance.choice([1, 1, 2, 5])
    made = batches(nodes, sizes, per_rack)
    assert sorted(host for batch in made for host in batch) == sorted(one["host"] for one in nodes)
    assert made == batches(nodes, sizes, per_rack)
    number_of = {host: number for number, batch in enumerate(made) for host in batch}
    by_domain = collections.defaultdict(set)
    for one in nodes:
        if one["nvlink_domain"]:
            by_domain[one["nvlink_domain"]].add(number_of[one["host"]])
    assert all(len(numbers) == 1 for numbers in by_domain.values())
    limits = limits_of(sizes, len(nodes))
    unit_of = {host: unit for unit in units(nodes) for host in unit["hosts"]}
    going_down = [batch for batch in made if unit_of[batch[0]]["down"]]
    assert going_down == made or going_down == made[1:]
    for number, batch in enumerate(going_down):
        inside = {id(unit_of[host]): unit_of[host] for host in batch}.values()
        assert all(unit["down"] for unit in inside)
        assert len(batch) <= limits[min(number, len(limits) - 1)] or len(inside) == 1
        loads = collections.Counter()
        for unit in inside:
            loads.update(unit["racks"])
        for rack, load in loads.items():
            assert load <= per_rack or sum(rack in unit["racks"] for unit in inside) == 1


def test_the_first_batch_is_one_small_unit_and_the_rest_grows():
    nodes = [node("t%d" % tray, "r9", "nvl72") for tray in range(18)]
    nodes += [node("n%d" % number, "r%d" % (number % 50)) for number in range(100)]
    made = batches(nodes)
    assert made[0] == ["n0"]
    assert len(made[1]) == 5
    assert not any(host.startswith("t") for host in made[1])
    assert max(len(batch) for batch in made) == 29
    assert {"t%d" % tray for tray in range(18)} <= set(next(batch for batch in made if "t3" in batch))


def test_a_domain_larger_than_a_batch_comes_last_and_alone():
    nodes = [node("t%d" % tray, None, "x") for tray in range(5)] + [node("a"), node("b"), node("c")]
    assert batches(nodes, 2) == [["a", "b"], ["c"], ["t0", "t1", "t2", "t3", "t4"]]


def test_nodes_without_a_rack_stand_alone():
    assert batches([node("a"), node("b"), node("c", "")], [1, 5]) == [["a"], ["b", "c"]]


def test_a_rack_of_the_name_of_a_host_is_not_that_host():
    assert batches([node("a"), node("b", "a")], 2) == [["a", "b"]]


def test_nodes_of_one_rack_follow_one_another_in_the_order_of_the_inventory():
    nodes = [node("b", "r1"), node("a", "r1"), node("c", "r1")]
    assert batches(nodes, "100%") == [["b"], ["a"], ["c"]]
    assert batches(nodes, "100%", per_rack=2) == [["b", "a"], ["c"]]


def test_numbers_name_racks_as_words_do():
    assert batches([node("a", 1), node("b", "1")], 2) == [["a"], ["b"]]


def test_what_an_earlier_run_left_comes_first():
    nodes = [node("a", "r1"), node("b", "r1", first=True), node("c", "r2"), node("d", "r2", down=False)]
    assert batches(nodes) == [["d"], ["b"], ["a"], ["c"]]


def test_a_domain_with_one_node_to_reboot_comes_as_a_whole():
    nodes = [node("t0", None, "x", down=False), node("t1", None, "x"), node("n")]
    assert batches(nodes) == [["n"], ["t0", "t1"]]


@pytest.mark.parametrize("sizes", ["0", 0, -1, "0%", "101%", "many", True, [], [1, "x"], None])
def test_sizes_that_are_none_are_refused(sizes):
    with pytest.raises(ValueError, match="gpuwright_serial"):
        batches([node("a")], sizes)


@pytest.mark.parametrize("racks", [1, 500, 10000])
def test_ten_thousand_nodes(racks):
    """Quadratic work would take minutes here."""
    nodes = [node("n%05d" % number, "r%d" % (number % racks)) for number in range(10000)]
    made = batches(nodes, 1 if racks == 10000 else (1, "5%", "25%"))
    assert sum(len(batch) for batch in made) == 10000
    assert len(made) >= 10000 // min(racks, 2500)
