# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which runs a benchmark has, in which rounds, and which of them cannot be measured."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import plan

OPTIONS = {"scope": "node", "launcher": "single", "launcher_options": [], "operations": ["all_reduce", "alltoall"],
           "launches": [(8, 1 << 30, 2)], "compare": {}, "host": "", "path": "", "library_path": "",
           "command_prefix": [], "environment": {}, "gpus": None, "iterations": 20, "warmup": 5, "check": True,
           "timeout": 900, "rounds": 4, "search": True, "allow": [], "minimum": 0.7}
PROGRAMS = {"all_reduce": "/usr/bin/all_reduce_perf", "alltoall": "/usr/bin/alltoall_perf"}


def looks(*hosts, changed=None, **options):
    """What some hosts are."""
    return {host: dict({"options": dict(OPTIONS, host="ib-" + host, **options), "why": None, "gpus": 8,
                        "programs": PROGRAMS}, **(changed or {}).get(host, {})) for host in hosts}


def shape(rounds):
    return [[run["hosts"] for run in one] for one in rounds]


def test_each_node_has_a_run_at_once():
    rounds = plan.first(looks("a", "b", "c"))
    assert shape(rounds) == [[["a"], ["b"], ["c"]]]
    run = rounds[0][0]
    assert [(work["operation"], work["variant"]) for work in run["work"]] == [("all_reduce", ""), ("alltoall", "")]
    assert (run["id"], run["launch"]["gpus"], run["launch"]["hosts"], run["excuse"]) == ("node-a", 8, ["ib-a"], None)


def test_a_group_is_one_run_of_the_fewest_gpus():
    (run,), = plan.first(looks("a", "b", scope="group", launcher="mpirun", changed={"b": {"gpus": 4}}))
    assert (run["hosts"], run["launch"]["hosts"], run["launch"]["gpus"]) == (["a", "b"], ["ib-a", "ib-b"], 4)


def test_pairs_of_a_round_have_nobody_in_common():
    rounds = plan.first(looks(*"abcdef", scope="pairs", launcher="mpirun", rounds=3))
    assert len(rounds) == 3
    for one in shape(rounds):
        assert sorted(host for pair in one for host in pair) == list("abcdef")
    with pytest.raises(BadRequest, match="pairs need two hosts"):
        plan.first(looks("a", scope="pairs", launcher="mpirun"))


def test_who_cannot_take_part_is_a_run_with_an_excuse():
    changed = {"b": {"why": "the node is busy", "programs": {}}}
    runs = plan.first(looks("a", "b", changed=changed))[0]
    assert [run["excuse"] for run in runs] == [None, "the node is busy"]
    (group,), = plan.first(looks("a", "b", changed=changed, scope="group", launcher="mpirun"))
    assert group["excuse"] == "b: the node is busy"
    rounds = plan.first(looks("a", "b", "c", changed=changed, scope="pairs", launcher="mpirun"))
    assert shape(rounds) == [[["a", "c"]], [["b"]]]
    assert rounds[1][0]["excuse"] == "the node is busy"
    alone = plan.first(looks("a", "b", changed=changed, scope="pairs", launcher="mpirun"))
    assert {run["hosts"][0] for one in alone for run in one if run["excuse"]} == {"a", "b"}


def test_a_launcher_starts_one_path_everywhere():
    changed = {"b": {"programs": dict(PROGRAMS, alltoall="/opt/alltoall_perf")}}
    (run,), = plan.first(looks("a", "b", changed=changed, scope="group", launcher="mpirun"))
    assert "nccl_benchmark_path" in run["excuse"]


def test_what_is_compared_comes_after_what_is_as_it_is():
    run = plan.first(looks("a", operations=["all_reduce"], compare={"tree": {"NCCL_ALGO": "allreduce:tree"}}))[0][0]
    assert [(work["variant"], work["environment"]) for work in run["work"]] == [
        ("", {}), ("tree", {"NCCL_ALGO": "allreduce:tree"})]


def test_options_of_the_run_must_be_equal_on_all_hosts():
    found = looks("a", "b")
    found["b"]["options"].update(path="/other", minimum=0.5)
    with pytest.raises(BadRequest, match="nccl_benchmark_minimum is of the whole run, but differs: 0.7 on a, 0.5 on b"):
        plan.first(found)


def failed(*hosts, operation="alltoall"):
    return {"scope": "group", "hosts": list(hosts), "operation": operation}


def test_a_search_lets_the_hosts_of_a_failed_group_meet():
    found = looks(*"abcd", scope="group", launcher="mpirun")
    rounds = plan.search(found, [failed(*"abcd")])
    assert len(rounds) == 3
    run = rounds[0][0]
    assert run["search"] and run["id"].startswith("search-pair-")
    assert run["work"] == [{"operation": "alltoall", "variant": "", "environment": {},
                            "launches": [(1 << 30, 1 << 30, 2)]}]
    assert run["launch"]["seconds"] == 180
    both = plan.search(found, [failed(*"abcd"), failed(*"abcd", operation="all_reduce")])
    assert both[0][0]["work"][0]["operation"] == "all_reduce"


@pytest.mark.parametrize(("options", "bad"), [
    ({"search": False}, [failed(*"abcd")]), ({}, []), ({}, [failed("a")]), ({}, [failed("a", "b")])])
def test_nothing_is_searched_where_that_tells_nothing(options, bad):
    assert plan.search(looks(*"abcd", scope="group", launcher="mpirun", **options), bad) == []


def test_a_failed_pair_meets_others():
    rounds = plan.search(looks(*"abcd", scope="pairs", launcher="mpirun"), [failed("a", "b")])
    assert sorted({host for one in shape(rounds) for pair in one for host in pair}) == list("abcd")


def test_names_of_runs_are_names_of_files():
    run = plan.first(looks("a/../b", "c" * 200))[0]
    assert [("/" in one["id"], len(one["id"]) < 120) for one in run] == [(False, True)] * 2
