# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What forbids a reboot, and what is not as it has to be after one."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import compare

WAITS = {"role": "test", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "4-7"}
TOPOLOGY = {"cpu": {"online": "0-7"}, "numa_nodes": [{"id": 0, "memory": 64 << 30}]}
HEALTH = {"boot_id": "x", "unreadable": {}}


def snapshot(boot_id="one", pending=(), topology=None, health=None):
    return compare.snapshot(topology or TOPOLOGY, health or HEALTH, {"boot_id": boot_id, "pending": list(pending)})


def step(status):
    return {"role": "test", "target": "isolcpus", "status": status, "reason": "running without"}


def test_all_is_well():
    before, after = snapshot(pending=[WAITS]), snapshot("two")
    assert compare.wrong(before, after, [step("ok")], "reboot") == []
    assert after["verdict"] == "ok"


def test_each_thing_that_is_not_well_is_said():
    before = snapshot(pending=[WAITS])
    assert "was not rebooted" in compare.wrong(before, snapshot(), [], "reboot")[0]
    assert compare.wrong(before, snapshot(), [], "along") == []
    assert "still waits" in compare.wrong(before, snapshot("two", [WAITS]), [step("pending_reboot")], "reboot")[0]
    assert compare.wrong(before, snapshot("two"), [step("drift")], "reboot") == [
        "isolcpus is drift after the boot: running without"]
    less = dict(TOPOLOGY, cpu={"online": "0-3"})
    assert compare.wrong(before, snapshot("two", topology=less), [step("ok")], "reboot") == [
        "CPUs online: 0-3, 0-7 before"]
    silent = dict(HEALTH, unreadable={"gpus": "nvidia-smi: no answer after 10 s"})
    assert any("nvidia-smi: no answer" in said
               for said in compare.wrong(before, snapshot("two", health=silent), [step("ok")], "reboot"))


def test_a_drift_that_waited_for_no_boot_is_not_this_playbooks_matter():
    other = dict(step("drift"), target="other")
    assert compare.wrong(snapshot(pending=[WAITS]), snapshot("two"), [step("ok"), other], "reboot") == []


def test_whoever_computes_is_named_once():
    health = {"gpus": [{"pci_address": "0000:18:00.0", "processes": [
        {"pid": 10, "name": "python3", "memory": 1}, {"pid": 11, "name": "trainer", "memory": 1}]}]}
    answer = {"jobs": [{"pid": 10, "comm": "python3", "holds": "/dev/nvidia0"}]}
    said = compare.forbids(health, answer, [])
    assert said.startswith("busy: python3 (process 10, /dev/nvidia0), trainer (process 11, 0000:18:00.0);")
    assert "gpuwright_reboot_allow: [busy]" in said
    assert compare.forbids(health, answer, ["busy"]) is None
    assert compare.forbids({}, {"jobs": []}, []) is None
    many = {"jobs": [{"pid": pid, "comm": "x", "holds": "/dev/nvidia0"} for pid in range(9)]}
    assert "and 4 more" in compare.forbids({}, many, [])
