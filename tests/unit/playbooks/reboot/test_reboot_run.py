# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What reboot.yml does with nodes that wait, fail, are busy, cannot be reached, or were left by an earlier run."""

from __future__ import annotations

import pytest

DEAD = {"ansible_connection": "gpuwright.standin.dead"}
WAITS = {"role": "cpu_isolation", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "4-7"}
JOB = {"pid": 4711, "comm": "vllm", "holds": "/dev/nvidia0"}
LOST_MEMORY = {"topology": {"schema": 1, "cpu": {"online": "0-7"}, "numa_nodes": [{"id": 0, "memory": 32 << 30}]}}


def test_only_nodes_that_wait_are_rebooted(reboot, world):
    world.put("b", pending=[])
    played = reboot({"a": {}, "b": {}, "c": {}}, gpuwright_serial=[1, 10])
    assert played.rc == 0, played.said
    assert sorted(played.ran) == ["reboot a", "reboot c"]
    assert played.plan["batches"] == [["a"], ["c"]]
    assert played.plan["skipped"] == ["b"]
    assert played.results == {"a": "ok", "c": "ok"}
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
    assert played.results["t1"] == "ok"


@pytest.mark.parametrize("bad", [
    {"boots": LOST_MEMORY}, {"boots": {"pending": [WAITS]}}, {"dies": True}, {"lost": True},
    {"boots": {"after_boot": "drift"}}, {"boots": {"boot": 1}}])
def test_a_node_that_is_not_as_before_stays_drained_and_stops_the_run(reboot, world, bad):
    world.put("a", **bad)
    for host in "abc":
        (world.folder / "slurm" / host).write_text("IDLE\n")
    played = reboot({"a": {}, "b": {}, "c": {}}, gpuwright_drain="slurm", gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == ["scontrol a state=drain reason=gpuwright reboot", "reboot a"]
    assert (world.folder / "slurm" / "a").read_text() == "IDLE+DRAIN gpuwright reboot\n"
    assert played.results == {"a": "failed", "b": "not reached", "c": "not reached"}
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
    assert played.results == {"a": "ok", "b": "failed", "c": "ok", "d": "not reached"}


def test_a_budget_lets_some_fail(reboot, world):
    world.put("a", boots=LOST_MEMORY)
    world.put("c", boots=LOST_MEMORY)
    played = reboot({host: {} for host in "abcde"}, gpuwright_serial=1, gpuwright_reboot_budget=1)
    assert played.rc != 0
    assert played.results == {"a": "failed", "b": "ok", "c": "failed", "d": "not reached", "e": "not reached"}


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
    assert played.results == {"a": "held", "b": "failed", "c": "held"}
    assert [(world.folder / "slurm" / host).read_text() for host in "abc"] == [
        "IDLE\n", "IDLE+DRAIN gpuwright reboot\n", "IDLE\n"]
    assert played.plan["outcome"]["a"]["in_service"]


def test_a_domain_with_a_member_that_fails_is_held_within_the_budget(reboot, world):
    world.put("t1", jobs=[JOB])
    hosts = {"t0": {"nvlink_domain": "x"}, "t1": {"nvlink_domain": "x"}, "n": {}}
    played = reboot(hosts, gpuwright_serial="100%", gpuwright_reboot_budget=1)
    assert played.ran == ["reboot n"]
    assert played.results == {"n": "ok", "t0": "held", "t1": "failed"}
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
    dies = {"ansible_connection":
            "{{ 'gpuwright.standin.dead' if reboot_done is defined else 'ansible.legacy.local' }}"}
    played = reboot({"a": dies, "b": {}}, gpuwright_serial=1)
    assert played.rc != 0
    assert played.ran == ["reboot a"]
    assert played.results == {"a": "failed", "b": "not reached"}
    assert "cannot be reached" in played.plan["outcome"]["a"]["message"]
    again = reboot({"a": {}, "b": {}}, gpuwright_serial=1)
    assert again.rc == 0, again.said
    assert again.ran == ["reboot b"]
    assert again.results == {"a": "ok", "b": "ok"}


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


def test_the_distribution_may_ask_for_a_reboot(reboot, world):
    world.put("a", pending=[], distribution=True)
    assert reboot({"a": {}}).ran == []
    played = reboot({"a": {}}, gpuwright_reboot_also=["distribution"])
    assert played.ran == ["reboot a"]


def test_the_controller_itself_is_refused(reboot):
    played = reboot({"a": {"ansible_connection": "local"}})
    assert played.rc != 0
    assert "a: it is the controller itself" in played.said


def test_a_misspelt_variable_reboots_nothing(reboot):
    played = reboot({"a": {}}, gpuwright_drian="slurm")
    assert played.rc != 0
    assert played.ran == []
    assert "did you mean gpuwright_drain?" in played.said
