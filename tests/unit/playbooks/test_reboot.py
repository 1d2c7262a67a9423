# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reboot.yml does with nodes that wait, fail, are busy, are drained by others, or were left by an earlier run."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest

STANDINS = pathlib.Path(__file__).with_name("standins_reboot")
DEAD = {"ansible_connection": "gpuwright.standin.dead"}
WAITS = {"role": "cpu_isolation", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "4-7"}
JOB = {"pid": 4711, "comm": "vllm", "holds": "/dev/nvidia0"}
NODE = {"pending": [WAITS], "boot": 1, "jobs": [], "schedulers": [], "health": {"schema": 1, "boot_id": "x", "unreadable": {}},
        "topology": {"schema": 1, "cpu": {"online": "0-7"}, "numa_nodes": [{"id": 0, "memory": 64 << 30}]}}
LOST_MEMORY = {"topology": {"schema": 1, "cpu": {"online": "0-7"}, "numa_nodes": [{"id": 0, "memory": 32 << 30}]}}


@pytest.fixture(scope="module")
def collections(checkout, tmp_path_factory):
    """The collection with stand-ins for what asks a node, and reboot.yml with one for what takes it down."""
    folder = tmp_path_factory.mktemp("collections")
    node = folder / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "playbooks", "meta"):
        shutil.copytree(checkout / part, node / part, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("pending_reboot", "health_facts", "topology_facts"):
        shutil.copy(STANDINS / (module + ".py"), node / "plugins" / "modules")
    standin = folder / "ansible_collections" / "gpuwright" / "standin" / "plugins"
    (standin / "connection").mkdir(parents=True)
    (standin / "action").mkdir()
    (standin / "modules").mkdir()
    shutil.copy(STANDINS.with_name("standins") / "dead.py", standin / "connection")
    shutil.copy(STANDINS / "reboot.py", standin / "action")
    shutil.copy(STANDINS / "health_facts.py", standin / "modules" / "reboot.py")
    playbook = node / "playbooks" / "reboot.yml"
    text = playbook.read_text()
    assert text.count("ansible.builtin.reboot:") == 1
    assert text.count("delay: 15\n") == 1
    playbook.write_text(text.replace("ansible.builtin.reboot:", "gpuwright.standin.reboot:")
                        .replace("delay: 15\n", "delay: 0\n"))
    return folder


@pytest.fixture
def world(tmp_path):
    """The folder of the nodes' files, with `put` and `get`."""
    folder = tmp_path / "world"
    for part in ("slurm", "kubernetes", "bin"):
        (folder / part).mkdir(parents=True)
    for command in ("scontrol", "kubectl"):
        shutil.copy(STANDINS / command, folder / "bin")

    def put(host, **changed):
        (folder / (host + ".json")).write_text(json.dumps(dict(NODE, **changed)))

    def get(host):
        return json.loads((folder / (host + ".json")).read_text())

    return types.SimpleNamespace(folder=folder, put=put, get=get)


@pytest.fixture
def reboot(collections, world, tmp_path):
    """Play reboot.yml on `{host: variables}`, each of whose files says what it is."""

    def run(hosts, *arguments, group="inference", **variables):
        members = {}
        for name, values in hosts.items():
            python = world.folder / "bin" / ("python-" + name)
            python.write_text('#!/bin/sh\nNODE=%s exec "%s" "$@"\n' % (name, sys.executable))
            python.chmod(0o755)
            members[name] = dict({"ansible_connection": "ansible.legacy.local", "ansible_become": False,
                                  "ansible_python_interpreter": str(python)}, **values)
            if not (world.folder / (name + ".json")).exists():
                world.put(name)
        settled = {"gpuwright_reboot_settle": 0, "gpuwright_drain_poll": 0, "gpuwright_drain_timeout": 3}
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {
            "children": {group: {"hosts": members}}, "vars": dict(settled, **variables)}}))
        log = tmp_path / "log"
        log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.json"), "gpuwright.node.reboot",
             *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=120,
            env=dict(kept, ANSIBLE_COLLECTIONS_PATH=str(collections), HOME=str(tmp_path), GPUWRIGHT_TEST_LOG=str(log),
                     GPUWRIGHT_TEST_WORLD=str(world.folder), PATH="%s:%s" % (world.folder / "bin", kept["PATH"])))
        report = tmp_path / "report" / "reboot.json"
        return types.SimpleNamespace(
            rc=answer.returncode, output=answer.stdout, said=answer.stdout + answer.stderr,
            ran=[line for line in log.read_text().splitlines() if not line.startswith("show ")],
            plan=json.loads(report.read_text()) if report.exists() else None)

    return run


def results(played):
    return {host: told["result"] for host, told in played.plan["outcome"].items()}


def test_only_nodes_that_wait_are_rebooted(reboot, world):
    world.put("b", pending=[])
    played = reboot({"a": {}, "b": {}, "c": {}}, gpuwright_serial=[1, 10])
    assert played.rc == 0, played.said
    assert sorted(played.ran) == ["reboot a", "reboot c"]
    assert played.plan["batches"] == [["a"], ["c"]]
    assert played.plan["skipped"] == ["b"]
    assert results(played) == {"a": "ok", "c": "ok"}
    assert played.plan["outcome"]["a"]["seconds_down"] == 42
    assert "2 of 2 nodes done" in played.output
    assert played.output.count("2 of 2 nodes done") == 1
    again = reboot({"a": {}, "b": {}, "c": {}})
    assert (again.rc, again.ran) == (0, [])
    assert "Nothing waits for a reboot" in again.output


def test_check_mode_says_who_when_and_why_and_reboots_nothing(reboot, world):
    world.put("b", jobs=[JOB])
    played = reboot({"a": {"rack": "r1"}, "b": {"rack": "r1"}}, "--check")
    assert played.rc == 0, played.said
    assert played.ran == []
    line = next(line for line in played.output.splitlines() if line.split()[:2] == ["b", "2"])
    assert "r1" in line
    assert "isolcpus: (none) -> 4-7" in played.output
    assert "vllm, process 4711" in played.output
    assert not (world.folder.parent / "report" / "reboot").joinpath("a.json").exists()


def test_limit_chooses_nodes(reboot):
    played = reboot({"a": {}, "b": {}, "c": {}}, "--limit", "c:b")
    assert played.rc == 0, played.said
    assert sorted(played.ran) == ["reboot b", "reboot c"]


def test_racks_are_spread_and_domains_stay_together(reboot, world):
    hosts = {"n%d" % number: {"rack": "r%d" % (number % 2)} for number in range(4)}
    hosts.update({"t%d" % tray: {"rack": "r9", "nvlink_domain": "x"} for tray in range(3)})
    world.put("t1", pending=[])
    played = reboot(hosts, gpuwright_serial=[1, 10])
    assert played.rc == 0, played.said
    batches = played.plan["batches"]
    assert len(batches[0]) == 1
    assert {"t0", "t1", "t2"} <= set(next(batch for batch in batches if "t0" in batch))
    assert all(len([host for host in batch if hosts[host]["rack"] == "r0"]) < 2 for batch in batches)
    assert "reboot t1" not in played.ran
    assert played.plan["nodes"]["t1"]["part"] == "along"
    assert results(played)["t1"] == "ok"


@pytest.mark.parametrize("bad", [{"boots": LOST_MEMORY}, {"boots": {"pending": [WAITS]}}, {"dies": True},
                                 {"boots": {"after_boot": "drift"}}, {"boots": {"boot": 1}}])
def test_a_node_that_is_not_as_before_stays_drained_and_stops_the_run(reboot, world, bad):
    world.put("a", **bad)
    for host in "abc":
        (world.folder / "slurm" / host).write_text("IDLE\n")
    played = reboot({"a": {}, "b": {}, "c": {}}, gpuwright_drain="slurm", gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == ["scontrol a state=drain reason=gpuwright reboot", "reboot a"]
    assert (world.folder / "slurm" / "a").read_text() == "IDLE+DRAIN gpuwright reboot\n"
    assert results(played) == {"a": "failed", "b": "not reached", "c": "not reached"}
    assert "still drained" in played.output
    assert "1 node failed (a), gpuwright_reboot_budget is 0" in played.said


def test_what_differs_is_named(reboot, world):
    world.put("a", boots=LOST_MEMORY)
    played = reboot({"a": {}})
    assert "memory of NUMA node 0: 32, 64 before" in played.plan["outcome"]["a"]["message"]
    assert not played.plan["outcome"]["a"]["in_service"]


def test_the_others_of_a_batch_come_through_and_the_next_one_does_not_begin(reboot, world):
    world.put("b", boots=LOST_MEMORY)
    played = reboot({"a": {}, "b": {}, "c": {}, "d": {}}, gpuwright_serial=[3, 1])
    assert played.rc != 0
    assert sorted(played.ran) == ["reboot a", "reboot b", "reboot c"]
    assert results(played) == {"a": "ok", "b": "failed", "c": "ok", "d": "not reached"}


def test_a_budget_lets_some_fail(reboot, world):
    world.put("a", boots=LOST_MEMORY)
    world.put("c", boots=LOST_MEMORY)
    played = reboot({host: {} for host in "abcde"}, gpuwright_serial=1, gpuwright_reboot_budget=1)
    assert played.rc != 0
    assert results(played) == {"a": "failed", "b": "ok", "c": "failed", "d": "not reached", "e": "not reached"}


def test_a_busy_node_is_not_rebooted_unless_allowed(reboot, world):
    world.put("a", jobs=[JOB])
    played = reboot({"a": {}, "b": {}}, gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == []
    assert "vllm (process 4711, /dev/nvidia0)" in played.plan["outcome"]["a"]["message"]
    played = reboot({"a": {}, "b": {}}, gpuwright_serial=1, gpuwright_reboot_allow=["busy"])
    assert played.rc == 0, played.said
    assert sorted(played.ran) == ["reboot a", "reboot b"]


def test_one_busy_node_of_a_batch_holds_the_others_back_and_gives_them_back(reboot, world):
    world.put("b", jobs=[JOB])
    for host in "abc":
        (world.folder / "slurm" / host).write_text("IDLE\n")
    played = reboot({"a": {}, "b": {}, "c": {}}, gpuwright_drain="slurm", gpuwright_serial="100%")
    assert played.rc != 0
    assert not [line for line in played.ran if line.startswith("reboot")]
    assert results(played) == {"a": "held", "b": "failed", "c": "held"}
    assert [(world.folder / "slurm" / host).read_text() for host in "abc"] == [
        "IDLE\n", "IDLE+DRAIN gpuwright reboot\n", "IDLE\n"]
    assert played.plan["outcome"]["a"]["in_service"]


def test_a_domain_with_a_member_that_fails_is_held_within_the_budget(reboot, world):
    world.put("t1", jobs=[JOB])
    hosts = {"t0": {"nvlink_domain": "x"}, "t1": {"nvlink_domain": "x"}, "n": {}}
    played = reboot(hosts, gpuwright_serial="100%", gpuwright_reboot_budget=1)
    assert played.ran == ["reboot n"]
    assert results(played) == {"n": "ok", "t0": "held", "t1": "failed"}
    assert "t1 of its nvlink_domain failed" in played.plan["outcome"]["t0"]["message"]


def test_a_node_that_cannot_be_reached_stops_everything_or_counts(reboot):
    played = reboot({"a": {}, "b": DEAD})
    assert played.rc != 0
    assert played.ran == []
    assert "1 node failed (b)" in played.said
    played = reboot({"a": {}, "b": DEAD}, gpuwright_reboot_budget=1)
    assert played.ran == ["reboot a"]
    assert played.plan["lost"] == ["b"]


def test_a_node_that_is_lost_after_the_reboot_stops_the_run(reboot, world):
    """By then it is known that the node was asked once, so the connection dies with the second boot."""
    dies = {"ansible_connection": "{{ 'gpuwright.standin.dead' if reboot_done is defined else 'ansible.legacy.local' }}"}
    played = reboot({"a": dies, "b": {}}, gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == ["reboot a"]
    assert results(played) == {"a": "failed", "b": "not reached"}
    assert "cannot be reached" in played.plan["outcome"]["a"]["message"]
    again = reboot({"a": {}, "b": {}}, gpuwright_serial=1)
    assert again.rc == 0, again.said
    assert again.ran == ["reboot b"]
    assert results(again) == {"a": "ok", "b": "ok"}


def test_a_second_run_compares_with_what_was_before_the_first(reboot, world):
    world.put("a", boots=LOST_MEMORY)
    (world.folder / "slurm" / "a").write_text("IDLE\n")
    assert reboot({"a": {}}, gpuwright_drain="slurm").rc != 0
    again = reboot({"a": {}}, gpuwright_drain="slurm")
    assert again.rc != 0
    assert again.ran == []
    assert "32, 64 before" in again.plan["outcome"]["a"]["message"]
    world.put("a", pending=[], boot=3)
    last = reboot({"a": {}}, gpuwright_drain="slurm")
    assert last.rc == 0, last.said
    assert last.ran == ["scontrol a state=resume "]
    assert (world.folder / "slurm" / "a").read_text() == "IDLE\n"


def test_a_node_that_never_went_down_is_rebooted_by_the_second_run(reboot, world):
    world.put("a", dies=True)
    assert reboot({"a": {}}).rc != 0
    world.put("a")
    again = reboot({"a": {}})
    assert again.rc == 0, again.said
    assert again.ran == ["reboot a"]


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


def test_the_distribution_may_ask_for_a_reboot(reboot, world):
    world.put("a", pending=[], distribution=True)
    assert reboot({"a": {}}).ran == []
    played = reboot({"a": {}}, gpuwright_reboot_also=["distribution"])
    assert played.ran == ["reboot a"]


@pytest.mark.parametrize(("variables", "words"), [
    ({"gpuwright_drian": "slurm"}, "did you mean gpuwright_drain?"),
    ({"gpuwright_drain": "slrum"}, "did you mean slurm?"),
    ({"gpuwright_drain_tasks": "x.yml"}, "set both"),
    ({"gpuwright_reboot_budget": -1}, "gpuwright_reboot_budget"),
    ({"gpuwright_serial": "some"}, "gpuwright_serial"),
    ({"gpuwright_reboot_allow": ["link"]}, "legal: busy")])
def test_a_variable_that_is_wrong_reboots_nothing(reboot, variables, words):
    played = reboot({"a": {}}, **variables)
    assert played.rc != 0
    assert played.ran == []
    assert words in played.said


def test_the_controller_itself_is_refused(reboot):
    played = reboot({"a": {"ansible_connection": "local"}})
    assert played.rc != 0
    assert "a: it is the controller itself" in played.said
