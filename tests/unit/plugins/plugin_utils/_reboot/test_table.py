# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tables of plan and outcome."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import table

ENTRY = {"batch": 1, "rack": None, "nvlink_domain": None, "drain": "slurm", "part": "reboot", "why": "isolcpus",
         "jobs": [{"comm": "vllm", "pid": 7}], "pending": [{}, {}]}
PLAN = {"nodes": {"a": ENTRY, "b": dict(ENTRY, batch=2, jobs=[])}, "batches": [["a"], ["b"]], "skipped": ["c"],
        "lost": ["d"], "warnings": ["w"], "refused": []}


def text(lines):
    return "\n".join(line for line, _kind in lines)


def test_the_plan_names_nodes_reasons_and_who_is_left_out():
    shown = text(table.of_plan(PLAN, 120))
    assert "isolcpus (busy now: vllm, process 7)" in shown
    assert "2 of 4 nodes in 2 batches; nothing waits on c; no answer from d" in shown
    assert "Nothing waits" in text(table.of_plan(dict(PLAN, nodes={}, batches=[]), 120))


def test_the_outcome_says_what_changed_and_what_a_second_run_does():
    done = {"phase": "done", "open": False, "seconds": 42, "before": {"pending": [{}, {}], "verdict": "ok"},
            "after": {"pending": [], "verdict": "warning"}}
    failed = {"phase": "failed", "open": True, "message": "no such GPU"}
    lines = table.of_outcome(PLAN, {"a": done, "b": failed}, "1 node failed (b)", 140)
    shown = text(lines)
    assert "2 -> 0" in shown and "ok -> warning" in shown and "42" in shown
    assert "failed: no such GPU (still drained)" in shown
    assert "Stopped: 1 node failed (b)" in shown
    assert "1 of 2 nodes done. Run it again" in shown
    assert ("error" in [kind for _line, kind in lines]) is True
    well = table.of_outcome(PLAN, {"a": done, "b": done}, None, 140)
    assert "Run it again" not in text(well) and {kind for _line, kind in well} == {None}


def test_of_many_nodes_those_that_failed_are_shown():
    nodes = {"n%d" % number: ENTRY for number in range(500)}
    states = {host: {"phase": "done"} for host in nodes}
    states["n499"] = {"phase": "failed", "open": True, "message": "bad"}
    lines = table.of_outcome(dict(PLAN, nodes=nodes), states, None, 120)
    assert len(lines) < 220
    assert "n499" in text(lines)
