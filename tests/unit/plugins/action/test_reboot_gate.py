# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action reboot_gate: counts, holds back and writes down, without a node."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.action import reboot_gate
from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show

ENTRY = {"unit": ["a"], "rack": None, "nvlink_domain": None, "drain": "none", "part": "reboot", "why": "", "jobs": [],
         "pending": []}


@pytest.fixture
def act(tmp_path, monkeypatch):
    """Ask the gate of a plan with batches a, b and c of one node each, in the phases given."""
    printed = []
    monkeypatch.setattr(show.Display, "display", lambda self, text, **_words: printed.append(text))
    state.write_plan(str(tmp_path), {
        "nodes": {host: dict(ENTRY, unit=[host], batch=number) for number, host in enumerate("abc", 1)},
        "batches": [["a"], ["b"], ["c"]], "lost": [], "budget": 0, "run": parts.current_run()})

    def run(before, host, **phases):
        for name, phase in phases.items():
            state.update(str(tmp_path), name, phase=phase)
        task = types.SimpleNamespace(args={"before": before}, async_val=0, check_mode=False, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = reboot_gate.ActionModule(task, connection, None, None, templar, None)
        result = action.run(task_vars={"inventory_hostname": host, "gpuwright_report_dir": str(tmp_path),
                                       "ansible_play_batch": [host]})
        return result, "\n".join(printed)
    return run


def test_a_batch_begins_while_all_before_it_are_well(act):
    assert "failed" not in act("batch", "a")[0]
    assert "failed" not in act("batch", "b", a="done")[0]
    result, _printed = act("batch", "c", a="done", b="rebooting")
    assert result["failed"]
    assert "no further batch: 1 node failed (b), gpuwright_reboot_budget is 0" in result["msg"]


def test_nodes_are_held_before_they_go_down(act):
    assert act("reboot", "b", a="done", b="ready")[0]["held"] == {}
    assert "a" in act("reboot", "b", a="failed", b="ready")[0]["held"]["b"]


def test_the_outcome_is_shown_once_at_the_end(act, tmp_path):
    result, printed = act("end", "a", a="done")
    assert (printed, result["ansible_facts"]) == ("", {"reboot_left": []})
    assert state.read_plan(str(tmp_path), parts.current_run())["outcome"]["a"]["result"] == "ok"
    result, printed = act("end", "b", b="failed")
    assert result["ansible_facts"] == {"reboot_left": ["b"]}
    assert "Stopped: 1 node failed (b)" in printed


def test_the_plan_of_another_run_lets_nothing_begin(act, tmp_path):
    state.write_plan(str(tmp_path), {"nodes": {}, "run": "another"})
    assert "from its beginning" in act("batch", "a")[0]["msg"]
