# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of a replica must have alike."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import agree

NODES = ["n1", "n2"]


def answer(due=(), version=None, **changed):
    instance = dict({"name": "r", "model": "/m", "arguments": {}, "gpus": None, "several": {"nodes": NODES}}, **changed)
    return {"due": list(due), "instances": {"r": instance}, "versions": {"r": version} if version else {}}


def said(first, second, absent=()):
    answers = {"n1": first, "n2": second}
    return "; ".join(agree.problems(first, {node: one for node, one in answers.items() if one}, set(absent)))


def test_alike_is_well_and_gpus_are_each_node_s_own():
    assert said(answer(["r"], "0.33.0", gpus=["0"]), answer(["r"], "0.33.0", gpus=["4"])) == ""


def test_what_differs_is_named_with_both_values():
    assert "r: arguments is {} on n1 and {'dtype': 'auto'} on n2" in said(answer(), answer(arguments={"dtype": "auto"}))
    assert "vLLM is 0.33.0 on n1 and 0.32.0 on n2" in said(answer(version="0.33.0"), answer(version="0.32.0"))
    assert said(answer(version="0.33.0"), answer()) == ""


def test_a_node_that_knows_nothing_of_it_is_named():
    assert "n2 is one of its nodes, and its vllm_service_instances has no r" in said(
        answer(), {"due": [], "instances": {}, "versions": {}})
    assert "has no r with these nodes" in said(answer(), answer(several={"nodes": ["n2", "n1"]}))


def test_a_node_that_is_not_in_this_run_matters_once_the_replica_restarts():
    assert said(answer(), None, ["n2"]) == ""
    assert "not in this run: n2: leave --limit off" in said(answer(["r"]), None, ["n2"])
    told = answer(["r"])
    assert agree.problems(told, {"n1": told}, {"n2"}, play=["n1", "n2"]) == [
        "r: its nodes restart together; without a plan: n2: what failed there is above; if nothing did, the play needs "
        "strategy linear, and vllm_service_serial in place of serial"]


def test_what_the_nodes_have_is_compared_once_it_was_brought():
    first, second = answer(["r"]), answer()
    first["preflight"] = {"r": {"engine": {"version": "0.33.0"}, "model": {}, "arguments": {"dtype": "auto"}}}
    second["preflight"] = {"r": {"engine": {"version": None}, "model": {}, "arguments": {"dtype": "auto"}}}
    answers = {"n1": first, "n2": second}
    assert agree.problems(first, answers, set(), staged=False) == []
    (words,) = agree.problems(first, answers, set())
    assert "version" in words and "n2" in words
    first["due"] = []
    assert agree.problems(first, answers, set()) == []
