# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action reboot_step: phases are kept, and a node passes only as what it was."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import reboot_step
from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

ENTRY = {"batch": 1, "unit": ["a"], "part": "reboot", "drain_tasks": "/out.yml", "undrain_tasks": "/back.yml",
         "allow": []}
JOB = {"pid": 7, "comm": "vllm", "holds": "/dev/nvidia0"}


@pytest.fixture
def act(tmp_path, monkeypatch):
    """Enter a phase with node a, which answers as `node` says."""

    def run(phase, node=None, part="reboot", batches=1, **arguments):
        node = dict({"boot_id": "one", "pending": [], "jobs": [], "cpus": "0-7"}, **(node or {}))
        state.write_plan(str(tmp_path), {"nodes": {"a": dict(ENTRY, part=part)}, "batches": [["a"]] * batches,
                                         "lost": [], "budget": 0, "run": parts.current_run()})
        task = types.SimpleNamespace(args=dict(arguments, phase=phase), async_val=0, check_mode=False, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = reboot_step.ActionModule(task, connection, None, None,
                                          types.SimpleNamespace(template=lambda value: value), None)

        def execute(module_name, module_args, task_vars):
            if node.get("dead"):
                raise AnsibleConnectionFailure("no route")
            return {"gpuwright.node.topology_facts": {"ansible_facts": {"topology": {"cpu": {"online": node["cpus"]}}}},
                    "gpuwright.node.health_facts": {"ansible_facts": {"health": {"unreadable": {}}}},
                    "gpuwright.node.pending_reboot": dict(node, settings=[])}[module_name]

        monkeypatch.setattr(action, "_execute_module", execute)
        return action.run(task_vars={"inventory_hostname": "a", "gpuwright_report_dir": str(tmp_path)})
    return run


def kept(tmp_path):
    return state.load(str(tmp_path), "a")


def test_the_way_of_a_node_through_its_reboot(act, tmp_path):
    begun = act("begin")
    assert (begun["drain"], begun["undrain"], begun["reboots"], begun["looks"]) == (
        "/out.yml", "/back.yml", True, False)
    assert kept(tmp_path)["open"] is True
    for phase, now in (("ready", "ready"), ("go", "rebooting"), ("verify", "verified"), ("done", "done")):
        assert "failed" not in act(phase, {"boot_id": "two"} if phase == "verify" else {})
        assert kept(tmp_path)["phase"] == now
    assert kept(tmp_path)["open"] is False


def test_what_was_before_the_first_attempt_is_never_overwritten(act, tmp_path):
    act("begin")
    act("ready")
    act("ready", {"cpus": "0-3"})
    assert kept(tmp_path)["before"]["fingerprint"]["cpus"] == {"online": "0-7"}
    said = act("verify", {"boot_id": "two", "cpus": "0-3"})
    assert said["failed"] and "CPUs online: 0-3, 0-7 before" in said["msg"]
    assert kept(tmp_path)["open"] is True


def test_a_new_way_begins_with_a_new_before(act, tmp_path):
    for phase, node in (("begin", {}), ("ready", {}), ("go", {}), ("verify", {"boot_id": "two"}), ("done", {}),
                        ("begin", {}), ("ready", {"boot_id": "two", "cpus": "0-3"})):
        assert "failed" not in act(phase, node)
    assert kept(tmp_path)["before"]["fingerprint"]["cpus"] == {"online": "0-3"}


def test_only_looking_drains_nothing(act):
    begun = act("begin", part="look")
    assert (begun["drain"], begun["undrain"], begun["reboots"], begun["looks"]) == (None, "/back.yml", False, True)


def test_a_busy_node_is_not_ready(act, tmp_path):
    act("begin")
    assert "vllm (process 7" in act("ready", {"jobs": [JOB]})["msg"]
    assert kept(tmp_path)["phase"] == "draining"


def test_a_node_that_cannot_be_asked_has_failed(act):
    act("begin")
    said = act("ready", {"dead": True})
    assert said["failed"] and "cannot be reached" in said["msg"] and "unreachable" not in said


def test_a_node_that_is_held_does_not_go_and_is_given_back(act, tmp_path):
    act("begin")
    act("ready")
    assert act("go", held={"a": "not rebooted: because"})["failed"]
    assert act("failed", message="Go: x")["give_back"] is True
    assert act("left")["failed"]
    assert (kept(tmp_path)["phase"], kept(tmp_path)["open"], kept(tmp_path)["message"]) == (
        "held", False, "not rebooted: because")


def test_a_failure_is_kept_and_fails_where_the_run_ends(act, tmp_path):
    act("begin")
    assert act("failed", message="Drain: no")["give_back"] is False
    assert act("left", batches=2)["failed"] is True
    assert act("end")["msg"] == "Drain: no"
    assert (kept(tmp_path)["phase"], kept(tmp_path)["open"]) == ("failed", True)
