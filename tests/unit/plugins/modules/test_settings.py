# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of module settings: options in, result out; the plan behind it has tests of its own."""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.modules import settings

from tests.sysroots import plain_node

SWAPPINESS = {"vm.swappiness": 10}


def test_check_mode_and_apply_say_the_same(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = run_module(settings, check_mode=True, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert plain_node.snapshot(root) == before
    applied = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert checked["changed"] is True and checked["diff"] == applied["diff"] and checked["rules"] == applied["rules"]
    step = applied["settings"][0]
    assert (step.pop("changed"), step.pop("after")) == (True, "10")
    assert applied["settings"] == checked["settings"] and not any(key.startswith("_") for key in step)
    again = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert (again["changed"], again["diff"]["before"], again["settings"][0]["status"]) == (False, "", "ok")
    assert again["reboot_required"] is False


def test_the_diff_is_one_text_of_values_and_files(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    diff = run_module(settings, check_mode=True, role="vm", values=SWAPPINESS, sysroot=str(root))["diff"]
    assert diff["before"] == ("vm.swappiness = 60\n# /etc/sysctl.d/90-gpuwright-vm.conf\n(absent)\n"
                              "# /etc/gpuwright/desired/vm.json: (absent)\n")
    assert diff["after"].startswith("vm.swappiness = 10\n# /etc/sysctl.d/90-gpuwright-vm.conf\n# Written by gpuwright")
    assert diff["after"].endswith(" bytes\n")


def test_bad_input_fails_before_anything_is_written(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    for values, words in (({"vm.swapiness": 1}, "did you mean vm.swappiness?"),
                          ({"vm.swappiness": 300, "kernel.panic": 10}, "300 is not an integer from 0 to 200")):
        result = run_module(settings, role="vm", values=values, sysroot=str(root))
        assert result["failed"] and "nothing was changed" in result["msg"] and words in result["msg"]
    result = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root), take_over=["kubelet"])
    assert result["failed"] and "known: nccl.conf, sysctl.d, tmpfiles.d, tuned" in result["msg"]
    assert plain_node.snapshot(root) == before


def test_what_would_fail_is_said_in_check_mode(tmp_path, run_module, monkeypatch):
    warned = []
    monkeypatch.setattr(settings.AnsibleModule, "warn", lambda module, text: warned.append(text))
    root = plain_node.build(tmp_path)
    result = run_module(settings, check_mode=True, role="vm", values={"vm.panic_on_oom": 1}, sysroot=str(root))
    assert "failed" not in result
    assert warned and all(said.startswith("role vm: an apply would fail: vm.panic_on_oom is refused by R16")
                          for said in warned)


def test_without_root_nothing_is_tried(tmp_path, run_module, monkeypatch):
    root = plain_node.build(tmp_path)
    monkeypatch.setattr(Host, "is_root", lambda host: False)
    result = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert result["failed"] and "needs root" in result["msg"] and result["settings"][0]["status"] == "drift"
    assert result["changed"] is False
    assert (root / "proc/sys/vm/swappiness").read_text() == "60\n"
    assert "failed" not in run_module(settings, check_mode=True, role="vm", values=SWAPPINESS, sysroot=str(root))


def test_a_failing_step_fails_the_task_and_is_named(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    os.unlink(root / "proc/sys/vm/swappiness")
    (root / "proc/sys/vm/swappiness").mkdir()
    result = run_module(settings, role="vm", values=dict(SWAPPINESS, **{"kernel.panic": 10}), sysroot=str(root))
    assert result["failed"] and result["msg"].startswith("role vm: vm.swappiness cannot be read")
    assert (root / "proc/sys/kernel/panic").read_text() == "10"


def test_another_run_is_named(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    with Host(str(root), read_only=False).only_one("/run/gpuwright.lock", {"what": "role thp"}):
        result = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert result["failed"] and "another run is changing this node" in result["msg"] and "role thp" in result["msg"]


def test_a_journal_of_another_machine_is_refused(tmp_path, run_module):
    root = plain_node.build(tmp_path)
    run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    plain_node.put(root, "/etc/machine-id", "f" * 32)
    result = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert result["failed"] and "belongs to another machine" in result["msg"]


def test_a_journal_that_cannot_be_written_means_nothing_is_changed(tmp_path, run_module, monkeypatch):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)

    def full(host, path, data, mode=0o644):
        raise OSError(28, "No space left on device", path)
    monkeypatch.setattr(Host, "write_file", full)
    result = run_module(settings, role="vm", values=SWAPPINESS, sysroot=str(root))
    assert result["failed"] and result["msg"] == (
        "role vm: /var/lib/gpuwright/journal.json: No space left on device")
    left = plain_node.snapshot(root)
    assert left.pop("/var/lib/gpuwright", None) in (None, "folder") and left == before
