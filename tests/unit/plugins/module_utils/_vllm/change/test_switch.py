# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of switching instances on a stand-in host: what is stopped, written and started, and errors."""

from __future__ import annotations

import json
import os
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._kinds import vllm_instance
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import state, switch

from tests.sysroots import engine, vllm_node
from tests.sysroots.plain_node import put
from tests.sysroots.vllm_node import asked, snapshot
from tests.sysroots.vllm_switched import LLAMA, OWNER, QWEN, commands, plan, run, settled, statuses


def test_a_new_instance_is_written_enabled_and_started(tmp_path):
    root = vllm_node.build(tmp_path)
    host = vllm_node.host(root)
    before = snapshot(root)
    checked = plan(vllm_node.host(root, read_only=True), asked("llama"))
    assert snapshot(root) == before
    assert statuses(checked) == {"vllm@.service": "drift", LLAMA: "drift"}
    made = run(host, asked("llama"))
    assert commands(host) == ["daemon-reload", "start " + LLAMA]
    assert sorted(host.running(LLAMA)) == [
        "/etc/systemd/system/vllm@.service", "/etc/systemd/system/vllm@llama.service.d/50-gpuwright.conf",
        "/etc/vllm/llama.env", "/etc/vllm/llama.yaml"]
    assert made.step("llama")["changed"] and state.read(host, "llama")["phase"] == "switched"
    assert state.read(host, "llama")["down_since"] is None
    assert switch.keep(host, ["llama"], OWNER) == {"llama": 0}
    again = vllm_node.host(root)
    now = snapshot(root)
    assert statuses(run(again, asked("llama"))) == {LLAMA: "ok"}
    assert commands(again) == [] and snapshot(root) == now


def test_the_engine_s_user_can_read_what_a_hardened_root_writes(tmp_path):
    """With root's umask of 077 or 027, as benchmarks of security want it, its secrets are still for nobody else."""
    root = vllm_node.build(tmp_path)
    old = os.umask(0o077)
    try:
        run(vllm_node.host(root), asked("llama", secret="hush"))
    finally:
        os.umask(old)
    modes = {name: oct((root / name).stat().st_mode & 0o777) for name in (
        "etc/vllm", "etc/vllm/llama.yaml", "etc/vllm/llama.secret.env", "etc/systemd/system/vllm@llama.service.d")}
    assert list(modes.values()) == ["0o755", "0o644", "0o600", "0o755"]


def test_roll_back(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, dict(asked("llama", secret="hush"), **asked("qwen")))
    put(root, "/var/lib/gpuwright/vllm/arguments-0123456789abcdef.json", '{"key": "what an engine said of itself"}')
    made = engine.roll_back(root, kernel=vllm_node.Engines)
    assert made.errors == []
    assert snapshot(root) == before


def test_what_differs_is_stopped_first_and_started_with_the_new_files(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, dict(asked("llama"), **asked("qwen", gpus="2,3")))
    host = vllm_node.host(root)
    wanted = dict(asked("llama", **{"max-model-len": 4096}), **asked("qwen", gpus="2,3"))
    made = run(host, wanted)
    assert made.step("llama")["reason"] == "max-model-len 8192 -> 4096"
    assert statuses(made) == {LLAMA: "drift", QWEN: "ok"}
    assert commands(host) == ["stop " + LLAMA, "daemon-reload", "start " + LLAMA]
    assert "max-model-len: 4096" in host.running(LLAMA)["/etc/vllm/llama.yaml"]
    kept = state.read(host, "llama")
    assert switch.keep(host, ["llama"], OWNER)["llama"] > 0
    assert kept["down_since"] and "8192" in kept["previous"]["files"]["/etc/vllm/llama.yaml"]["text"]


def test_the_old_engine_is_stopped_while_its_own_files_are_there(tmp_path, monkeypatch):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    seen, real = [], vllm_instance.stop
    monkeypatch.setattr(vllm_instance, "stop", lambda host, unit: (
        seen.append((root / "etc/vllm/llama.env").read_text()[-4:]), real(host, unit)))
    run(vllm_node.host(root), asked("llama", gpus="2,3"))
    assert seen == ["0,1\n"]


def test_a_comment_or_a_restart_policy_restarts_nothing(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    for changed in ({"comment": "# another word\n"}, {"unit": "RestartSec=20\n"}):
        host = vllm_node.host(root)
        made = run(host, asked("llama", **changed))
        assert made.step("llama")["status"] == "drift" and "(no restart)" in made.step("llama")["reason"]
        assert commands(host) == ["daemon-reload"]
        assert state.read(host, "llama")["phase"] == "kept"
        assert statuses(plan(vllm_node.host(root), asked("llama", **changed))) == {LLAMA: "ok"}


def test_a_template_that_changes_restarts_every_instance_and_says_so(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, dict(asked("llama"), **asked("qwen")))
    host = vllm_node.host(root)
    wanted = dict(asked("llama", template="LimitNOFILE=1\n"), **asked("qwen", template="LimitNOFILE=1\n"))
    made = run(host, wanted)
    template = next(step for step in made.steps if step["target"] == "vllm@.service")
    assert template["reason"] == ("LimitNOFILE (not set) -> 1; every instance starts from it: restarts llama, qwen")
    assert commands(host)[-2:] == ["start " + LLAMA, "start " + QWEN] and template["changed"]


def test_of_instances_that_share_a_template_those_not_named_run_an_older_one_until_their_turn(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, dict(asked("llama"), **asked("qwen")))
    host = vllm_node.host(root)
    wanted = dict(asked("llama", template="LimitNOFILE=1\n"), **asked("qwen", template="LimitNOFILE=1\n"))
    switch.switch(lambda: plan(host, wanted), ["llama"], OWNER)
    switch.keep(host, ["llama"], OWNER)
    made = plan(vllm_node.host(root), wanted)
    assert statuses(made) == {LLAMA: "ok", QWEN: "drift"}
    assert "runs an older configuration: /etc/systemd/system/vllm@.service" in made.step("qwen")["reason"]


def test_what_is_not_asked_for_any_more_is_stopped_and_gone(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("qwen"))
    only_qwen = {path: what for path, what in snapshot(root).items() if not path.startswith(("/proc", "/var/lib"))}
    settled(root, dict(asked("qwen"), **asked("llama", secret="hush")))
    host = vllm_node.host(root)
    made = run(host, asked("qwen"))
    assert made.step("llama")["reason"].startswith("no longer asked for")
    assert "stays on the disk" not in made.step("llama")["reason"]  # The other one has the same engine and model.
    assert made.step("llama")["after"] == "absent"
    assert commands(host) == ["stop " + LLAMA, "daemon-reload"]
    assert {path: what for path, what in snapshot(root).items()
            if not path.startswith(("/proc", "/var/lib"))} == only_qwen
    assert not state.names(vllm_node.host(root)) == ["llama", "qwen"]
    assert statuses(plan(vllm_node.host(root), asked("qwen"))) == {QWEN: "ok"}


def test_the_last_one_that_goes_leaves_nothing(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, asked("llama"))
    put(root, "/var/lib/gpuwright/vllm/arguments-0123456789abcdef.json", '{"key": "what an engine said of itself"}')
    newer = asked("llama")
    newer["llama"]["instance"]["engine"] = {"kind": "venv", "path": "/opt/gpuwright/vllm-0.34.0"}
    newer["llama"]["deployment"]["files"]["/etc/vllm/llama.yaml"]["text"] += "seed: 1\n"
    run(vllm_node.host(root), newer)
    for version in ("0.33.0", "0.34.0"):
        (root / "opt/gpuwright" / ("vllm-" + version)).mkdir(parents=True)
    made = run(vllm_node.host(root), asked("llama", state="absent"))
    assert made.step("llama")["reason"].endswith("; /opt/gpuwright/vllm-0.33.0 stays on the disk; "
                                                 "/opt/gpuwright/vllm-0.34.0 stays on the disk")
    shutil.rmtree(root / "opt")
    assert made.errors == [] and "error" not in made.step("llama")
    assert snapshot(root) == before
    assert statuses(plan(vllm_node.host(root), asked("llama", state="absent"))) == {LLAMA: "ok"}


def test_stopped_means_files_without_a_process_now_and_at_boot(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    host = vllm_node.host(root)
    made = run(host, asked("llama", state="stopped"))
    assert "it runs and is to be stopped" in made.step("llama")["reason"]
    assert "it is started at boot" in made.step("llama")["reason"]
    assert host.running(LLAMA) is None and (root / "etc/vllm/llama.yaml").exists()
    assert not (root / "etc/systemd/system/multi-user.target.d").exists() or not list(
        (root / "etc/systemd/system/multi-user.target.d").iterdir())
    assert statuses(plan(vllm_node.host(root), asked("llama", state="stopped"))) == {LLAMA: "ok"}
    assert state.read(host, "llama")["phase"] == "kept"


@pytest.mark.parametrize("crash", [True, False])
def test_a_unit_that_failed_or_was_edited_is_noticed(tmp_path, crash):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    if crash:
        vllm_node.host(root).crash(LLAMA, again=False)
        words = "has failed (exit-code)"
    else:
        place = root / "etc/vllm/llama.yaml"
        place.write_text(place.read_text() + "seed: 1\n")
        words = "seed 1 -> (not set)"
    host = vllm_node.host(root)
    made = run(host, asked("llama"))
    assert words in made.step("llama")["reason"]
    assert ("reset-failed " + LLAMA in commands(host)) is crash and commands(host)[-1] == "start " + LLAMA


def test_after_a_restart_of_systemd_s_own_the_times_of_the_files_tell(tmp_path):
    """Edited, started again by systemd, and edited back: the text is right, what runs is not."""
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    vllm_node.host(root).crash(LLAMA)
    assert "/etc/vllm/llama.yaml" in plan(vllm_node.host(root), asked("llama")).step("llama")["reason"]
    for place in (root / "etc").rglob("*"):
        os.utime(place, (1, 1), follow_symlinks=False)
    assert statuses(plan(vllm_node.host(root), asked("llama"))) == {LLAMA: "ok"}


def test_a_replica_on_several_nodes_starts_anew_though_nothing_differs_on_this_one(tmp_path):
    root = vllm_node.build(tmp_path)
    of_two = {"nnodes": 2, "node_rank": 1}
    settled(root, asked("llama", several=of_two))
    host = vllm_node.host(root)
    switch.switch(lambda: plan(host, asked("llama", several=of_two)), [], OWNER)
    assert commands(host) == []
    made = switch.switch(lambda: plan(host, asked("llama", several=of_two)), ["llama"], OWNER)
    assert commands(host) == ["stop " + LLAMA, "daemon-reload", "start " + LLAMA]
    assert "replica" in made.step("llama")["reason"] and state.read(host, "llama")["phase"] == "switched"


@pytest.mark.parametrize("fails", ["stop " + LLAMA, "daemon-reload", "start " + LLAMA])
def test_what_goes_wrong_is_said_and_the_next_run_goes_on(tmp_path, fails):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    wanted = asked("llama", gpus="2,3")
    host = vllm_node.host(root, fails=("systemctl " + fails,))
    made = run(host, wanted)
    assert "as the test wants it" in made.step("llama")["error"] and made.step("llama")["changed"] is False
    assert "as the test wants it" in state.read(host, "llama")["error"]
    again = run(vllm_node.host(root), wanted)
    assert "interrupted" in again.step("llama")["reason"] and "error" not in again.step("llama")
    assert host.running(LLAMA)["/etc/vllm/llama.env"].endswith("=2,3\n")
    kept = state.read(host, "llama")
    assert kept["previous"]["files"]["/etc/vllm/llama.env"]["text"].endswith("=0,1\n") and kept["error"] is None


def test_the_secret_is_nowhere_but_in_files_for_root_alone(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama", secret="hush-1"))
    made = run(vllm_node.host(root), asked("llama", secret="hush-2"))
    assert made.step("llama")["reason"] == "the secret VLLM_API_KEY changed"
    holding = {str(place.relative_to(root)): oct(place.stat().st_mode & 0o777) for place in root.rglob("*")
               if place.is_file() and not str(place.relative_to(root)).startswith("run/stand-in")
               and b"hush" in place.read_bytes()}
    assert holding == {"etc/vllm/llama.secret.env": "0o600", "var/lib/gpuwright/vllm/llama.json": "0o600"}
    assert (root / "var/lib/gpuwright/vllm").stat().st_mode & 0o777 == 0o700
    switch.keep(vllm_node.host(root), ["llama"], OWNER)
    assert "hush" not in json.dumps(state.read(vllm_node.host(root), "llama"))
