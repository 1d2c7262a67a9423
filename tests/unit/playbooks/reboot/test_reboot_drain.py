# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How reboot.yml takes nodes out of service and puts back those that it took out: Slurm, Kubernetes, own tasks."""

from __future__ import annotations

import json


def test_none_is_refused_where_a_scheduler_runs(reboot, world):
    world.put("b", schedulers=["slurmd"])
    played = reboot({"a": {}, "b": {}}, gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == []
    assert "b: slurmd runs there, and gpuwright_drain is none" in played.said


def test_a_node_that_an_admin_drained_stays_drained(reboot, world):
    (world.folder / "slurm" / "a").write_text("IDLE+DRAIN bad fan\n")
    (world.folder / "slurm" / "b").write_text("DOWN+DRAIN bad disk\n")
    played = reboot({"a": {}, "b": {}}, gpuwright_drain="slurm")
    assert played.rc == 0, played.said
    assert sorted(played.ran) == ["reboot a", "reboot b"]
    assert (world.folder / "slurm" / "a").read_text() == "IDLE+DRAIN bad fan\n"


def test_slurm_waits_for_the_last_job(reboot, world):
    (world.folder / "slurm" / "a-1").write_text("MIXED\n")
    (world.folder / "slurm" / ".first").write_text("MIXED+DRAIN")
    played = reboot({"a": {"gpuwright_slurm_node": "a-1"}}, gpuwright_drain="slurm")
    assert played.rc == 0, played.said
    assert played.ran == ["scontrol a-1 state=drain reason=gpuwright reboot", "reboot a", "scontrol a-1 state=resume "]


def test_a_drain_that_takes_too_long_reboots_nothing(reboot, world):
    (world.folder / "slurm" / "a").write_text("ALLOCATED\n")
    (world.folder / "slurm" / ".first").write_text("ALLOCATED+DRAIN")
    played = reboot({"a": {}}, gpuwright_drain="slurm")
    assert played.rc != 0
    assert played.ran == ["scontrol a state=drain reason=gpuwright reboot"]
    assert played.plan["outcome"]["a"]["message"].startswith("The last job is gone")


def kubernetes(world, host, **changed):
    node = {"metadata": {"name": host}, "spec": {},
            "status": {"conditions": [{"type": "Ready", "status": "True"}]}}
    (world.folder / "kubernetes" / host).write_text(json.dumps(dict(node, **changed)))


def cordoned(world, host):
    return json.loads((world.folder / "kubernetes" / host).read_text())["spec"].get("unschedulable", False)


def test_kubernetes_is_drained_and_uncordoned(reboot, world):
    kubernetes(world, "a")
    world.put("a", schedulers=["kubelet"])
    played = reboot({"a": {}}, gpuwright_drain="kubernetes")
    assert played.rc == 0, played.said
    assert played.ran == ["kubectl annotate a", "kubectl drain a", "reboot a", "kubectl uncordon a",
                          "kubectl annotate a"]
    assert json.loads((world.folder / "kubernetes" / "a").read_text())["metadata"]["annotations"] == {}


def test_a_node_that_an_admin_cordoned_stays_cordoned(reboot, world):
    kubernetes(world, "a", spec={"unschedulable": True})
    played = reboot({"a": {}}, gpuwright_drain="kubernetes")
    assert played.rc == 0, played.said
    assert played.ran == ["kubectl drain a", "reboot a"]
    assert cordoned(world, "a")


def test_a_pod_that_cannot_be_evicted_stops_the_run(reboot, world):
    kubernetes(world, "a", stuck=True)
    kubernetes(world, "b")
    played = reboot({"a": {}, "b": {}}, gpuwright_drain="kubernetes", gpuwright_serial=1)
    assert played.rc != 0
    assert not [line for line in played.ran if line.startswith("reboot")]
    assert cordoned(world, "a")
    assert not cordoned(world, "b")


def test_own_files_of_tasks_drain_and_undrain(reboot, world):
    for name in ("out", "back"):
        (world.folder / (name + ".yml")).write_text(json.dumps([
            {"name": name, "ansible.builtin.shell": "echo %s {{ inventory_hostname }} >> $GPUWRIGHT_TEST_LOG" % name,
             "delegate_to": "localhost"}]))
    world.put("a", schedulers=["slurmd"])
    played = reboot({"a": {}}, gpuwright_drain_tasks=str(world.folder / "out.yml"),
                    gpuwright_undrain_tasks=str(world.folder / "back.yml"))
    assert played.rc == 0, played.said
    assert played.ran == ["out a", "reboot a", "back a"]


def test_a_controller_of_slurm_that_cannot_be_reached_stops_the_run(reboot, world):
    """A delegate that is lost makes the node unreachable for Ansible, which would then go on with the next batch."""
    nowhere = {"ansible_connection": "gpuwright.standin.dead"}
    hosts = {"a": {}, "b": {}, "c": {}, "head": nowhere}
    for sizes in (1, [2, 1]):
        played = reboot(hosts, "--limit", "a:b:c", gpuwright_drain="slurm", gpuwright_drain_host="head",
                        gpuwright_serial=sizes)
        assert played.rc != 0
        assert played.ran == []
        kept = json.loads((world.folder.parent / "report" / "reboot" / "c.json").read_text())
        assert kept["phase"] == "planned"
        assert "open" not in kept
