# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the plan of role vllm_service: statuses, reasons, and what the module says of it."""

from __future__ import annotations

import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import result, state, switch

from tests.sysroots import vllm_node
from tests.sysroots.vllm_node import asked, deployment, snapshot

LLAMA = "vllm@llama.service"
OWNER = {"what": "test"}


def plan(root, wanted, **words):
    return planner.plan(vllm_node.host(root, read_only=True), wanted, **words)


def settled(root, wanted):
    host = vllm_node.host(root)
    switch.switch(lambda: planner.plan(host, wanted), list(wanted), OWNER)
    switch.keep(host, list(wanted), OWNER)


def test_a_step_has_what_every_step_of_a_report_has(tmp_path):
    told = result.result(plan(vllm_node.build(tmp_path), asked("llama")))
    template, step = told["settings"]
    assert set(step) == set(template) == {"name", "kind", "target", "desired", "running", "configured", "status",
                                          "disruption", "why", "reason", "file"}
    assert (step["name"], step["desired"], step["running"], step["status"], step["reason"], step["disruption"]) == (
        LLAMA, "started", "absent", "drift", "not there yet", "process")
    assert step["why"] == "llama on GPUs 0,1" and step["file"].endswith("vllm@llama.service.d/50-gpuwright.conf")
    assert (template["name"], template["reason"]) == ("vllm@.service", "not there yet")
    assert (told["due"], told["open"], told["changed"], told["problems"]) == (["llama"], [], True, [])
    assert told["commands"] == {"llama": ["vllm", "serve", "llama"]} and json.dumps(told)


def test_the_check_says_what_the_switch_does(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    wanted = asked("llama", gpus="2,3", secret="hush")
    checked = result.result(plan(root, wanted))
    host = vllm_node.host(root)
    told = result.result(switch.switch(lambda: planner.plan(host, wanted), ["llama"], OWNER))
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after")} for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"]
    assert checked["settings"][0]["running"] == "started, with other settings"
    assert checked["settings"][0]["reason"] == "GPUs 0,1 -> 2,3; the secret VLLM_API_KEY is new"
    assert "hush" not in json.dumps([checked, told])
    assert {one["before_header"] for one in checked["diff"]} == {
        LLAMA, "/etc/vllm/llama.env", "/etc/vllm/llama.secret.env"}


def test_a_diff_has_each_file_whole_and_a_template_once(tmp_path):
    wanted = dict(asked("llama"), **asked("qwen"))
    shown = result.diff(plan(vllm_node.build(tmp_path), wanted))
    headers = [one["before_header"] for one in shown]
    assert len(headers) == len(set(headers)) and headers.count("/etc/systemd/system/vllm@.service") == 1
    yaml = next(one for one in shown if one["after_header"] == "/etc/vllm/llama.yaml")
    assert yaml["before"] == "# /etc/vllm/llama.yaml\n(absent)\n" and "max-model-len: 8192" in yaml["after"]


@pytest.mark.parametrize("words, reason", [
    ({"problem": "llama: no GPU is free"}, "llama: no GPU is free"),
    ({"made": dict(deployment("llama"), problems=["utilisation: did you mean gpu-memory-utilization?"])},
     "utilisation: did you mean gpu-memory-utilization?"),
    ({"made": dict(deployment("llama"), findings=[{"rule": "R25", "severity": "E", "setting": None,
                                                   "message": "both listen on port 8000"}])},
     "R25: both listen on port 8000")])
def test_what_cannot_be_is_refused_and_nothing_of_it_is_touched(tmp_path, words, reason):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    made = plan(root, asked("llama", **words))
    assert (made.step("llama")["status"], made.step("llama")["reason"]) == ("refused", reason)
    assert result.problems(made) == ["%s: %s" % (LLAMA, reason)] and not made.due
    host = vllm_node.host(root)
    switch.switch(lambda: planner.plan(host, asked("llama", **words)), ["llama"], OWNER)
    assert snapshot(root) == before


def test_what_may_not_be_read_is_unreadable_never_ok(tmp_path, monkeypatch):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama", secret="hush"))
    real = vllm_node.Engines.read_bytes

    def read_bytes(host, path, limit=1 << 24):
        if path.endswith("secret.env"):
            raise PermissionError(13, os.strerror(13), path)
        return real(host, path, limit)
    monkeypatch.setattr(vllm_node.Engines, "read_bytes", read_bytes)
    step = plan(root, asked("llama", secret="hush")).step("llama")
    assert (step["status"], step["reason"]) == (
        "unreadable", "/etc/vllm/llama.secret.env: Permission denied; run with become")
    wrong = asked("llama", secret="hush")
    wrong["llama"]["deployment"]["problems"] = ["no such argument"]
    step = plan(root, wrong).step("llama")
    assert (step["status"], step["reason"]) == (
        "unreadable", "/etc/vllm/llama.secret.env: Permission denied; run with become; no such argument")


def test_a_state_file_that_is_damaged_means_a_restart_and_a_note(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    (root / "var/lib/gpuwright/vllm/llama.json").write_text("{")
    made = plan(root, asked("llama"))
    assert made.step("llama")["status"] == "drift" and "damaged" in made.host.notes[0]


def test_other_files_beside_the_state_are_no_instances(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    (root / "var/lib/gpuwright/vllm/schema-0.33.0.json").write_text('{"flags": {}}')
    assert state.names(vllm_node.host(root)) == ["llama"]
    assert list(plan(root, asked("llama")).asked) == ["llama"]


def test_without_the_journal_what_is_no_longer_asked_for_is_still_found(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    (root / "var/lib/gpuwright/journal.json").unlink()
    host = vllm_node.host(root)
    switch.switch(lambda: planner.plan(host, {}), ["llama"], OWNER)
    assert not (root / "etc/vllm/llama.yaml").exists() and host.running(LLAMA) is None


def test_an_instance_that_is_absent_and_never_was_is_ok(tmp_path):
    made = plan(vllm_node.build(tmp_path), asked("llama", state="absent"))
    assert [step["status"] for step in made.steps] == ["ok"]
