# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action reboot_plan: order, refusals, and what is written down, without a node."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.action import reboot_plan
from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show

ANSWER = {"pending": [], "reboot_required": True, "boot_id": "one", "jobs": [], "schedulers": [],
          "distribution": "asks"}
VARIABLES = {"rack": None, "nvlink_domain": None, "drain": "none", "drain_tasks": None, "undrain_tasks": None,
             "allow": [], "local": False}


@pytest.fixture
def act(tmp_path, monkeypatch):
    """Make the plan of `{host: (answer, variables)}`, None for one that did not answer."""
    monkeypatch.setattr(show.Display, "display", lambda *_arguments, **_words: None)

    def run(hosts, check_mode=False, others=None, **variables):
        for host, told in hosts.items():
            if told is not None:
                state.keep_answer(str(tmp_path), host, parts.current_run(), {
                    "answer": dict(ANSWER, **told[0]), "variables": dict(VARIABLES, **told[1])})
        task = types.SimpleNamespace(args={}, async_val=0, check_mode=check_mode, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = reboot_plan.ActionModule(task, connection, None, None, templar, None)
        return action.run(task_vars=dict({
            "inventory_hostname": next(iter(hosts)), "gpuwright_report_dir": str(tmp_path),
            "ansible_play_hosts_all": list(hosts), "ansible_play_hosts": [host for host in hosts if hosts[host]],
            "groups": {"all": list(hosts) + list(others or {})}, "hostvars": others or {}}, **variables))
    return run


def test_a_later_play_takes_its_order_and_sizes_from_the_facts(act, tmp_path):
    result = act({"a": ({}, {}), "b": ({"reboot_required": False}, {}), "c": ({}, {})})
    assert result["ansible_facts"] == {"reboot_order": ["a", "c"], "reboot_serial": [1, 1], "reboot_left": []}
    assert result["skipped_nodes"] == ["b"]
    assert state.load(str(tmp_path), "a")["phase"] == "planned"
    assert state.load(str(tmp_path), "b") == {}


def test_check_mode_plans_and_lets_nothing_begin(act, tmp_path):
    result = act({"a": ({}, {})}, check_mode=True)
    assert result["batches"] == [["a"]]
    assert result["ansible_facts"] == {"reboot_order": [], "reboot_serial": [], "reboot_left": []}
    assert state.load(str(tmp_path), "a") == {}
    assert state.read_plan(str(tmp_path), parts.current_run())["check_mode"] is True


@pytest.mark.parametrize(("hosts", "variables", "words"), [
    ({"a": ({"schedulers": ["slurmd"]}, {})}, {}, "slurmd runs there"),
    ({"a": ({}, {}), "b": None}, {}, "1 node failed (b)"),
    ({"a": ({}, {})}, {"gpuwright_serial": "x"}, "gpuwright_serial"),
    ({"a": ({}, {})}, {"gpuwright_reboot_budget": "x"}, "gpuwright_reboot_budget")])
def test_what_must_not_be_rebooted_like_this_ends_the_run(act, hosts, variables, words):
    result = act(hosts, **variables)
    assert result["failed"] and words in result["msg"]
    assert not result.get("ansible_facts", {}).get("reboot_order")


def test_a_file_of_an_earlier_run_that_cannot_be_read_ends_the_run(act, tmp_path):
    state.update(str(tmp_path), "a", open=True)
    (tmp_path / "reboot" / "a.json").write_text("{")
    assert "see whether a is in service" in act({"a": ({}, {})})["msg"]


def test_members_of_a_domain_that_the_run_leaves_out_are_named(act, tmp_path):
    act({"a": ({}, {"nvlink_domain": "7"})}, others={"b": {"nvlink_domain": 7}, "c": {}})
    made = state.read_plan(str(tmp_path), parts.current_run())
    assert made["warnings"] == ["nvlink_domain 7: b is not in this run, and is not drained"]
