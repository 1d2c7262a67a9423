# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of the plan, the order and the outcome."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import roll, table


def text(lines):
    return "\n".join(line for line, _kind in lines)


def answer(due, command, running="started, with other settings"):
    return {"due": due, "running": {"a": running}, "commands": {"a": command}, "summaries": {"a": "GPUs 0-3"},
            "open": [], "instances": {"a": {"state": "started", "several": None}}}


def test_nodes_that_start_the_same_are_told_once_with_the_whole_command():
    command = ["/opt/bin/vllm", "serve", "--served-model-name", "two words"]
    answers = {"n%d" % number: answer(["a"], command) for number in range(7)}
    answers["n8"] = dict(answer([], command), shown={"a": ["--max-model-len", 512]})
    said = text(table.of_plans(answers, 100))
    assert said.count("/opt/bin/vllm serve --served-model-name 'two words'") == 2
    assert "vllm@a on n0, n1, n2, n3, n4 and 2 more: would restart" in said
    assert said.count("  with --max-model-len 512") == 1
    assert "vllm@a on n8: stays as it is" in said and "GPUs 0-3" in said


@pytest.mark.parametrize(("running", "state", "said"), [
    ("absent", "started", "would start"), ("failed", "started", "would start"),
    ("started, with other settings", "started", "would restart"), ("started, not by us", "started", "would restart"),
    ("started", "started", "would go on running"),
    ("started", "stopped", "would stop"), ("absent", "stopped", "would be there, stopped")])
def test_what_would_become_of_an_instance_goes_by_what_runs(running, state, said):
    one = answer(["a"], ["serve"], running)
    one["instances"]["a"]["state"] = state
    assert text(table.of_plans({"n1": one}, 100)).strip().splitlines()[0] == "vllm@a on n1: " + said


def test_what_an_interrupted_run_left_is_verified_and_a_replica_restarts_on_all_its_nodes():
    left = dict(answer(["a"], ["serve"], "started"), open=["a"])
    assert "vllm@a on n1: would be verified, and goes on running" in text(table.of_plans({"n1": left}, 100))
    both = {node: answer(due, ["serve"], "started") for node, due in (("n1", ["a"]), ("n2", []), ("n3", []))}
    for node in ("n1", "n2"):
        both[node]["instances"]["a"]["several"] = {"nodes": ["n1", "n2", "n9"]}
    said = text(table.of_plans(both, 100))
    assert "vllm@a on n1, n2: would restart" in said and "vllm@a on n3: stays as it is" in said


def test_the_order_has_a_row_for_each_batch():
    answers = {"n%d" % number: answer(["a"], []) for number in range(3)}
    rows = [line.split() for line, _kind in table.of_roll(roll.make(list(answers), answers, [1, 2]), 100)[2:]]
    assert rows == [["1", "n0", "a", "1"], ["2", "n1,", "n2", "a", "1"]]
    assert "No instance restarts." in text(table.of_roll({"batches": []}, 100))


def test_the_outcome_names_what_failed_what_was_not_reached_and_what_to_do():
    answers = {"n%d" % number: answer(["a"], []) for number in range(3)}
    made = roll.make(list(answers), answers, [1])
    states = {("n0", "a"): {"phase": "kept"}, ("n1", "a"): {"phase": "put_back", "words": ["x"], "down_seconds": 31}}
    lines = table.of_outcome(made, states, "a failed: n1: x", 160)
    said = text(lines)
    assert "31" in said and "failed; x" in said and "not reached" in said
    assert "Stopped: a failed: n1: x" in said and "1 of 3 done" in said and "Run it again" in said
    assert [kind for line, kind in lines if line.split()[:1] == ["n1"]] == ["error"]
    assert "Run it again" not in text(table.of_outcome(made, {key: {"phase": "kept"} for key in [
        ("n0", "a"), ("n1", "a"), ("n2", "a")]}, None, 160))
