# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""benchmark.json: what is in it, and when the play fails for it."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import document, judge

HEAD = {"when": "2026-01-01T00:00:00Z", "check_mode": False}


@pytest.fixture
def made(bench):
    """The document of two nodes, one of them slow, with a comparison."""
    bench.put(hosts={"b": {"peak": 100}}, fault="tree")
    variants = {"": {}, "tree": {"NCCL_ALGO": "allreduce:tree"}}
    records = [record for host in "ab" for record in bench.measure(bench.run(host, variants=variants))]
    looks = {host: dict(look, gpus=2, why=None) for host, look in bench.looks("a", "b").items()}
    return document.build(judge.judge(records, looks, 0.7), looks, ["c"], HEAD)


def test_verdicts_are_counted_without_what_is_compared(made):
    assert made["summary"] == {"pass": 1, "fail": 1, "not_measured": 1}
    assert [(run["hosts"], run["variant"], run["verdict"]) for run in made["runs"] if not run["variant"]] == [
        (["a"], "", "pass"), (["b"], "", "fail")]
    assert made["lost"][0]["host"] == "c"
    assert json.loads(json.dumps(made)) == made


def test_a_run_has_all_that_proves_it(made):
    run = made["runs"][0]
    assert run["commands"][0][0].endswith("all_reduce_perf")
    assert [row["size"] for row in run["rows"]] == [1 << 20, 1 << 25, 1 << 30]
    assert run["ranks"][0]["name"] == "NVIDIA H100 80GB HBM3"
    assert run["transport"]["kinds"] == ["P2P"]
    assert run["limits"] and run["why"]
    assert "topology" not in made["hosts"]["a"]


def test_comparisons_are_by_size(made):
    one = made["comparisons"][0]
    assert (one["hosts"], list(one["variants"])) == (["a"], ["tree"])
    assert one["sizes"][0]["busbw"]["tree"] == pytest.approx(2 * one["sizes"][0]["busbw"][""], rel=0.01)


def test_the_play_fails_for_a_failure_and_for_what_was_not_measured(made):
    words = document.wrong(made, False)
    assert "1 of 3 measurements failed" in words
    assert "1 of 3 were not measured, which is no pass" in words
    assert "b, all_reduce: at 1G" in words
    assert "not measured" not in document.wrong(made, True)
    made["summary"] = {"pass": 3, "fail": 0, "not_measured": 0}
    made["runs"] = made["runs"][:1]
    assert document.wrong(made, False) is None
    made["summary"]["not_measured"] = 1
    assert document.wrong(dict(made, check_mode=True), False) is None
    assert document.wrong(made, False)
    made["summary"] = dict.fromkeys(made["summary"], 0)
    assert document.wrong(made, True) == "nothing was measured"


def test_a_run_that_was_not_measured_says_all_reasons_in_the_message(made):
    made["runs"] = [dict(made["runs"][0], verdict="not_measured", reasons=["no end", "a rank died"])]
    made["summary"] = {"pass": 0, "fail": 0, "not_measured": 1}
    assert document.wrong(made, False).endswith("a, all_reduce: no end; a rank died")
    assert document.wrong(made, True) is None


def test_whom_the_pairs_blame_is_in_the_message(made):
    assert "n3 is bad" in document.wrong(dict(made, blame={"words": ["n3 is bad"]}), False)
