# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of module rollback: everything comes back from the journal alone, and what does not is named."""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.modules import rollback, settings

from tests.sysroots import plain_node
from tests.sysroots.engine import DEFAULTS


def applied(tmp_path, run_module):
    """A host with vm and numa applied by the module; THP needs a kernel that moves its brackets."""
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    for role in ("vm", "numa"):
        run_module(settings, role=role, values=DEFAULTS[role], sysroot=str(root))
    return root, before


def texts(found):
    """A snapshot without the newlines that a kernel would not keep either."""
    return {path: what if isinstance(what, str) else (what[0].rstrip(), what[1]) for path, what in found.items()}


def test_everything_comes_back_and_the_second_time_there_is_nothing_to_do(tmp_path, run_module):
    root, before = applied(tmp_path, run_module)
    checked = run_module(rollback, check_mode=True, sysroot=str(root))
    result = run_module(rollback, sysroot=str(root))
    assert result["changed"] and "failed" not in result
    assert checked["files"] == result["files"] and checked["diff"] == result["diff"]
    assert result["files"] == ["/etc/gpuwright/desired/numa.json", "/etc/gpuwright/desired/vm.json",
                               "/etc/sysctl.d/90-gpuwright-numa.conf", "/etc/sysctl.d/90-gpuwright-vm.conf",
                               "/etc/tmpfiles.d/90-gpuwright-vm.conf"]
    swappiness = next(step for step in result["settings"] if step["target"] == "vm.swappiness")
    assert (swappiness["running"], swappiness["desired"], swappiness["after"]) == ("10", "60", "60")
    assert texts(plain_node.snapshot(root)) == texts(before)
    again = run_module(rollback, sysroot=str(root))
    assert (again["changed"], again["settings"], again["files"]) == (False, [], [])


def test_check_mode_gives_nothing_back(tmp_path, run_module):
    root, _before = applied(tmp_path, run_module)
    settled = plain_node.snapshot(root)
    assert run_module(rollback, check_mode=True, sysroot=str(root))["changed"]
    assert plain_node.snapshot(root) == settled


def test_one_role_alone_can_be_given_back(tmp_path, run_module):
    root, _before = applied(tmp_path, run_module)
    result = run_module(rollback, roles=["numa"], sysroot=str(root))
    assert {step["target"] for step in result["settings"]} == {"kernel.numa_balancing", "vm.zone_reclaim_mode"}
    assert (root / "etc/sysctl.d/90-gpuwright-vm.conf").exists()
    assert not (root / "etc/sysctl.d/90-gpuwright-numa.conf").exists()


def test_a_role_that_nobody_knows_is_an_error(tmp_path, run_module):
    root, _before = applied(tmp_path, run_module)
    result = run_module(rollback, roles=["nmua"], sysroot=str(root))
    assert result["failed"] and "numa" in result["msg"]


def test_what_cannot_come_back_is_named_and_stays_in_the_journal(tmp_path, run_module):
    root, _before = applied(tmp_path, run_module)
    os.unlink(root / "proc/sys/vm/swappiness")
    (root / "proc/sys/vm/swappiness").mkdir()
    result = run_module(rollback, sysroot=str(root))
    assert result["failed"] and "vm.swappiness" in result["msg"]
    os.rmdir(root / "proc/sys/vm/swappiness")
    plain_node.put(root, "/proc/sys/vm/swappiness", "10")
    assert "failed" not in run_module(rollback, sysroot=str(root))
    assert (root / "proc/sys/vm/swappiness").read_text().strip() == "60"


def test_a_setting_that_is_gone_cannot_come_back_and_that_is_no_failure(tmp_path, run_module):
    root, _before = applied(tmp_path, run_module)
    os.unlink(root / "proc/sys/kernel/numa_balancing")
    result = run_module(rollback, sysroot=str(root))
    step = next(step for step in result["settings"] if step["target"] == "kernel.numa_balancing")
    assert "failed" not in result and "is gone" in step["reason"]
    assert not (root / "var/lib/gpuwright").exists()


def test_without_root_nothing_is_tried(tmp_path, run_module, monkeypatch):
    root, _before = applied(tmp_path, run_module)
    monkeypatch.setattr(Host, "is_root", lambda host: False)
    result = run_module(rollback, sysroot=str(root))
    assert "needs root" in result["msg"] and result["changed"] is False
