# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind pam_limit: what the next login gets, root too, and which other line wins."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import pam_limit
from ansible_collections.gpuwright.node.plugins.module_utils._limit_values import Limit
from ansible_collections.gpuwright.node.plugins.module_utils._row import pam_limit as row

from tests.sysroots import plain_node

WORDS = {"doc": "A row.", "source": "https://example.org/"}
CATALOGUE = types.SimpleNamespace(ROWS=(row("memlock", Limit(), variable="m", **WORDS),
                                        row("nofile", Limit(), variable="n", **WORDS)), OPTIONS=(), RULES=())
FOLDER = "/etc/security/limits.d/"
FILE = FOLDER + "90-gpuwright-rdma_roce.conf"


def build(folder, **files):
    return plain_node.build(folder, **dict({"/etc/pam.d/sshd": "session required pam_limits.so"}, **files))


def plan(host, values=None):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "rdma_roce", CATALOGUE, values or {"memlock": "infinity"}, asked)


def apply(root, values=None):
    host = Host(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, values), {"what": "test"})


def roll_back(root):
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, Host(str(root), read_only=False)))


def test_limits_of_logins_go_round(tmp_path):
    root = build(tmp_path)
    before = plain_node.snapshot(root)
    step = plan(Host(str(root))).steps[0]
    assert (step["status"], step["running"]) == ("drift", "") and plain_node.snapshot(root) == before
    made = apply(root, {"memlock": "infinity", "nofile": 1048576})
    assert [(one.get("error"), one["after"]) for one in made.steps] == [(None, "infinity"), (None, "1048576")]
    assert (root / FILE[1:]).read_text().endswith(
        "* - memlock unlimited\n* - nofile 1048576\nroot - memlock unlimited\nroot - nofile 1048576\n")
    assert plan(Host(str(root))).steps[0]["status"] == "ok"
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("line", ["* hard memlock 64", "root - memlock 65536"])
def test_a_later_file_that_gives_less_is_named(tmp_path, line):
    step = plan(Host(str(build(tmp_path, **{FOLDER + "95-site.conf": line})))).steps[0]
    assert step["status"] == "conflict" and FOLDER + "95-site.conf:1 gives " + line.split()[0] in step["reason"]


@pytest.mark.parametrize("name, line", [
    ("95-site.conf", "* - memlock unlimited"), ("95-site.conf", "@students hard memlock 64"),
    ("20-site.conf", "* - memlock 64"), ("95-site.conf", "* - nofile 64")])
def test_what_does_not_win_or_gives_as_much_is_no_conflict(tmp_path, name, line):
    assert plan(Host(str(build(tmp_path, **{FOLDER + name: line})))).steps[0]["status"] == "drift"


def test_a_limit_that_others_give_to_everybody_is_not_lowered(tmp_path):
    root = build(tmp_path, **{"/etc/security/limits.conf": "* - nofile 1048576\nroot - nofile unlimited"})
    step = plan(Host(str(root)), {"nofile": 65536}).steps[0]
    assert (step["status"], step["running"]) == ("ok", "1048576") and "limits.conf:1 gives it" in step["reason"]


def test_what_others_give_to_users_only_is_not_enough_for_root(tmp_path):
    root = build(tmp_path, **{"/etc/security/limits.conf": "* - nofile 1048576"})
    assert plan(Host(str(root)), {"nofile": 65536}).steps[0]["status"] == "drift"


def test_without_pam_limits_it_does_not_apply(tmp_path):
    step = plan(Host(str(build(tmp_path, **{"/etc/pam.d/sshd": "session required pam_unix.so"})))).steps[0]
    assert (step["status"], step["reason"]) == ("not_applicable", pam_limit.ABSENT)


def test_what_others_changed_meanwhile_is_no_failure_of_a_rollback(tmp_path):
    root = build(tmp_path, **{"/etc/security/limits.conf": "* - memlock 64\nroot - memlock 64"})
    apply(root)
    plain_node.put(root, "/etc/security/limits.conf", "* - memlock 128\nroot - memlock 128")
    made = roll_back(root)
    assert made.errors == [] and "the other files give 128:128" in made.steps[0]["reason"]
    assert not (root / FILE[1:]).exists()
