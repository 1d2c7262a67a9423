# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of a placement and the sentences below it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place
from ansible_collections.gpuwright.node.plugins.plugin_utils._place import table

from tests.sysroots import gpu_hosts


def lines(hosts, size, without=(), **options):
    made = place(hosts, size, **options)
    for one in made["replicas"]:
        one["racks_of"] = {host: str(hosts[host].get("rack", "-")) for host in one["nodes"]}
    return table.of_placement(made, list(without), 120)


def text(*arguments, **options):
    return "\n".join(line for line, _kind in lines(*arguments, **options))


def test_what_is_shown():
    told = text({"a": {"gpus": 8, "rack": "r1"}, "b": {"gpus": 8, "rack": "r2"}}, 8, pipeline_parallel_size=2,
                network_gbps=3200)
    assert "  0        0      a     r1    0-7   one island" in told
    assert "  0        1      b     r2    0-7   one island" in told
    assert "Replica 0: communication takes 8.2 % of a step of 33.3 ms (30 tokens/s for each of 32 sequences)" in told
    assert ("A model, of 80 layers of 8192, which assumes NVLink 4, 450 GB/s a GPU, not a measurement."
            in " ".join(told.split()))
    assert ("1 replica of TP 8 x PP 2 on 2 nodes; 1 rack boundary within replicas, 1 node boundary within replicas; 0 "
            "GPUs left free.") in told
    assert "Found by: greedy, proved the best by its lower bound." in told


def test_what_deserves_a_look_is_coloured():
    hosts = {"a": gpu_hosts.host([4, 4], linked=False), "b": {"gpus": 1}}
    warned = [line for line, kind in lines(hosts, 8, ["c"]) if kind == "warning"]
    assert any("one node, several islands" in line for line in warned)
    assert any("no rack" in line for line in warned)
    assert any("Left out, for nothing is known of them: c" in line for line in warned)


def test_replicas_of_one_cost_share_a_sentence():
    told = text({"a": {"gpus": 8}}, 2, replicas=4)
    assert "Replicas 0-3: communication takes" in told
    assert told.count("communication takes") == 1
    assert "no replica leaves its node" in told


def test_a_target_that_cannot_be_met_is_said():
    assert "THE TARGET CANNOT BE MET." in " ".join(text({"a": {"gpus": 8}}, 8, tokens_per_second=5000).split())
    assert "THE TARGET" not in text({"a": {"gpus": 8}}, 8)


def test_many_rows_end_early():
    told = text({"a%02d" % number: {"gpus": 8} for number in range(70)}, 8, replicas=70)
    assert "and 10 more rows, in placement.json" in told


@pytest.mark.parametrize(("numbers", "words"), [
    ([], ""), ([3], "3"), ([0, 1, 2, 3, 6], "0-3,6"), ([4, 5, 0, 1], "4-5,0-1"), ([0, 2, 4], "0,2,4")])
def test_ranges(numbers, words):
    assert table.ranges(numbers) == words
