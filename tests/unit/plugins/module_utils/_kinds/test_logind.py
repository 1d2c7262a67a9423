# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind logind: a drop-in that the logind which runs takes up, without a restart."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import logind
from ansible_collections.gpuwright.node.plugins.module_utils._row import logind as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node, service_node
from tests.sysroots.service_node import LIB, Services

CATALOGUE = types.SimpleNamespace(ROWS=(row("RemoveIPC", Word("yes", "no"), variable="r", doc="A row.",
                                            source="https://example.org/"),), OPTIONS=(), RULES=())
FOLDER = "/etc/systemd/logind.conf.d/"
FILE = FOLDER + "90-gpuwright-rdma_roce.conf"
HANG_UP = "systemctl kill --signal=HUP systemd-logind.service"


def plan(host, value="no"):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "rdma_roce", CATALOGUE, {"RemoveIPC": value}, asked)


def apply(root, **words):
    host = Services(str(root), read_only=False, **words)
    return _apply.apply(functools.partial(plan, host), {"what": "test"}), host.asked


def roll_back(root):
    host = Services(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host)), host.asked


def test_a_setting_goes_round_without_a_restart(tmp_path):
    root = service_node.build(tmp_path)
    before = plain_node.snapshot(root)
    step = plan(Services(str(root))).steps[0]
    assert (step["status"], step["running"]) == ("drift", "yes") and plain_node.snapshot(root) == before
    made, asked = apply(root)
    assert (made.steps[0].get("error"), made.steps[0]["after"], asked) == (None, "no", [HANG_UP])
    assert (root / FILE[1:]).read_text().endswith("[Login]\nRemoveIPC=no\n")
    assert plan(Services(str(root))).steps[0]["status"] == "ok" and apply(root)[1] == []
    made, asked = roll_back(root)
    assert (made.errors, asked) == ([], [HANG_UP]) and plain_node.snapshot(root) == before


@pytest.mark.parametrize("path, line, status", [
    (FOLDER + "95-site.conf", "RemoveIPC=true", "conflict"), (FOLDER + "95-site.conf", "RemoveIPC=off", "drift"),
    ("/usr/lib/systemd/logind.conf.d/99-vendor.conf", "RemoveIPC=yes", "conflict"),
    (FOLDER + "20-site.conf", "RemoveIPC=yes", "drift"), ("/etc/systemd/logind.conf", "RemoveIPC=yes", "drift")])
def test_a_file_that_is_read_after_ours_is_named(tmp_path, path, line, status):
    step = plan(Services(str(service_node.build(tmp_path, **{path: "[Login]\n" + line})))).steps[0]
    assert step["status"] == status and (path + ":2" in step["reason"]) is (status == "conflict")


@pytest.mark.parametrize("files, running", [
    ({}, "yes"), ({"/etc/systemd/logind.conf": "[Login]\nRemoveIPC=0"}, "no"),
    ({"/etc/systemd/logind.conf": "[Login]\n#RemoveIPC=no"}, "yes"),
    ({"/etc/systemd/logind.conf": "[Login]\nRemoveIPC=yes", FOLDER + "10.conf": "[Login]\nRemoveIPC = False"}, "no")])
def test_without_a_bus_the_files_tell(tmp_path, files, running):
    assert plan(Host(str(service_node.build(tmp_path, **files)))).steps[0]["running"] == running


def test_without_logind_it_does_not_apply(tmp_path):
    root = service_node.build(tmp_path, **{LIB + "systemd-logind.service": None})
    step = plan(Services(str(root))).steps[0]
    assert (step["status"], step["reason"]) == ("not_applicable", logind.ABSENT)


def test_a_logind_that_cannot_be_told_is_an_error_unless_it_does_not_run(tmp_path):
    root = service_node.build(tmp_path)
    assert "--signal=HUP" in apply(root, fails=(HANG_UP,))[0].steps[0]["error"]
    (root / "sys/fs/cgroup/system.slice/systemd-logind.service/cgroup.procs").unlink()
    assert roll_back(root)[0].errors == []
    logind.commit(Services(str(root), read_only=False, fails=(HANG_UP,)), [], [])
