# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind vllm_instance and of what a rollback does with it: stop first, files then, and what stays is named."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _journal, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import vllm_instance
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import plan as planner
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import switch

from tests.sysroots import engine, plain_node, vllm_node
from tests.sysroots.vllm_node import asked, snapshot

LLAMA = "vllm@llama.service"


def settled(root, wanted):
    host = vllm_node.host(root)
    switch.switch(lambda: planner.plan(host, wanted), list(wanted), {"what": "test"})
    switch.keep(host, list(wanted), {"what": "test"})


def roll_back(root, roles=(), **words):
    host = vllm_node.host(root, **words)
    return _rollback.carry_out(lambda: _rollback.plan_rollback(host, roles))


def test_the_unit_is_stopped_while_its_files_are_there(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    made = roll_back(root)
    told = [one for one in made.host.asked if "show" not in one]
    assert told == ["systemctl stop " + LLAMA, "systemctl daemon-reload"] and made.errors == []
    step = made.result()["settings"][0]
    assert (step["target"], step["running"], step["desired"]) == (LLAMA, "static active", "absent")


@pytest.mark.parametrize("theirs", [True, False])
def test_the_engine_s_cache_and_home_go_unless_they_were_there_before(tmp_path, theirs):
    root = vllm_node.build(tmp_path)
    if theirs:
        plain_node.put(root, "/var/cache/vllm/llama/theirs", "x")
    settled(root, asked("llama"))
    assert (root / "var/cache/vllm/llama/compiled").exists() and (root / "var/lib/vllm/home/llama/compiled").exists()
    roll_back(root)
    assert (root / "var/cache/vllm/llama/theirs").exists() is theirs
    assert (root / "var/cache/vllm").exists() is theirs and not (root / "var/lib/vllm/home").exists()


def test_models_and_engines_stay_and_are_named(tmp_path):
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    host = vllm_node.host(root, read_only=True)
    assert _rollback.plan_rollback(host).result()["notes"] == [
        "%s stays on the disk: remove it yourself if nothing else uses it" % path
        for path in ("/opt/gpuwright/vllm-0.33.0", "/srv/models/org--m/files")]


def test_a_unit_that_does_not_stop_keeps_its_files_and_can_be_tried_again(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, asked("llama"))
    made = roll_back(root, fails=("systemctl stop " + LLAMA,))
    assert len(made.errors) == 1 and "as the test wants it" in made.errors[0]
    assert (root / "etc/vllm/llama.yaml").exists() and vllm_node.host(root).running(LLAMA)
    assert roll_back(root).errors == [] and snapshot(root) == before


def test_our_own_engine_is_no_job_that_a_rollback_of_all_waits_for(tmp_path):
    """It is stopped first; the job of somebody else is still protected."""
    root = vllm_node.build(tmp_path)
    settled(root, asked("llama"))
    journal = json.loads((root / "var/lib/gpuwright/journal.json").read_text())
    _journal.remember_value(journal, "sysctl:vm.swappiness", {
        "role": "network", "kind": "sysctl", "name": "vm.swappiness", "target": "vm.swappiness", "since": 1,
        "path": "/proc/sys/vm/swappiness", "original": "10", "disruption": "link"})
    (root / "var/lib/gpuwright/journal.json").write_text(json.dumps(journal))
    host = vllm_node.host(root, read_only=True)
    assert {step["status"] for step in _rollback.plan_rollback(host).steps} == {"drift"}
    made = roll_back(root, fails=("systemctl stop " + LLAMA,))
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "60" and len(made.errors) == 2
    plain_node.process(root, 4000, "python", "/dev/nvidia1")
    found = {step["target"]: step for step in _rollback.plan_rollback(vllm_node.host(root, read_only=True)).steps}
    assert found["vm.swappiness"]["status"] == "refused" and "process 4000" in found["vm.swappiness"]["reason"]
    assert found[LLAMA]["status"] == "drift"


def test_what_an_engine_said_of_itself_goes_although_nothing_was_ever_switched(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    plain_node.put(root, "/var/lib/gpuwright/vllm/schema-1.json", "{}")
    assert roll_back(root).errors == [] and snapshot(root) == before
    assert not _rollback.plan_rollback(vllm_node.host(root)).due


def test_the_role_alone_can_be_given_back(tmp_path):
    root = vllm_node.build(tmp_path)
    before = snapshot(root)
    settled(root, asked("llama"))
    engine.apply(root, "vm", {"vm.swappiness": 10}, kernel=vllm_node.Engines)
    assert roll_back(root, ["vllm_service"]).errors == []
    assert not (root / "etc/vllm").exists() and not (root / "var/lib/gpuwright/vllm").exists()
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "10"
    assert roll_back(root).errors == []
    assert snapshot(root).keys() == before.keys()


@pytest.mark.parametrize("text, seconds", [
    ("2min", 270), ("1min 30s", 210), ("infinity", 86400), ("", 300), ("500ms", 31)])
def test_a_stop_is_waited_for_as_long_as_systemd_may_take(text, seconds):
    assert vllm_instance._stop_seconds(text) == seconds


def test_a_node_without_systemd_is_told_as_that(tmp_path, monkeypatch):
    root = vllm_node.build(tmp_path)
    host = vllm_node.host(root)
    monkeypatch.setattr(vllm_node.Engines, "run", lambda *args, **more: (
        1, "", "System has not been booted with systemd as init system (PID 1).\nFailed to connect to bus"))
    monkeypatch.setattr(vllm_node.Engines, "exists", lambda self, path: path != "/run/systemd/system")
    with pytest.raises(OSError, match="systemd does not run this node"):
        vllm_instance.show(host, LLAMA)
    monkeypatch.setattr(vllm_node.Engines, "exists", lambda self, path: True)
    with pytest.raises(OSError, match="systemctl show %s: System has not" % LLAMA):
        vllm_instance.show(host, LLAMA)


def test_a_start_that_waits_goes_on_by_itself(tmp_path, monkeypatch):
    root = vllm_node.build(tmp_path)
    host = vllm_node.host(root)
    shown = {"ActiveState": "inactive", "Job": "77"}
    monkeypatch.setattr(vllm_instance, "show", lambda host, unit: shown)

    def run(self, argv, seconds=10, changes=True):
        raise CommandNotRun("systemctl: no answer after 90 s")
    monkeypatch.setattr(vllm_node.Engines, "run", run)
    vllm_instance.start(host, LLAMA)
    shown["Job"] = ""
    with pytest.raises(OSError, match="no answer after 90 s"):
        vllm_instance.start(host, LLAMA)


def test_states_that_come_to_the_same():
    assert vllm_instance.satisfied("absent", "disabled inactive")
    assert vllm_instance.satisfied("static inactive", "absent")
    assert not vllm_instance.satisfied("absent", "enabled inactive")
    assert not vllm_instance.satisfied("static active", "absent")


def test_an_image_is_read_by_its_files(tmp_path):
    root = vllm_node.build(tmp_path)
    host = engine.Kernel(str(root))
    assert vllm_instance.read(host, LLAMA, None) == "absent"
    plain_node.put(root, "/etc/systemd/system/vllm@.service", "[Service]")
    assert vllm_instance.read(host, LLAMA, None) == "disabled inactive"
