# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind unit_state: enabled and running, and both given back as they were found."""

from __future__ import annotations

import functools
import shutil
import subprocess
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import unit_state
from ansible_collections.gpuwright.node.plugins.module_utils._row import unit_state as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import plain_node, service_node
from tests.sysroots.plain_node import put
from tests.sysroots.service_node import LIB, UNITS, WANTS, Services

UNIT = "nvidia-persistenced.service"
CATALOGUE = types.SimpleNamespace(ROWS=(row(UNIT, Word("enabled", "disabled"), variable="p", doc="A row.",
                                            source="https://example.org/"),), OPTIONS=(), RULES=())
INSTALL = "[Service]\nExecStart=/usr/bin/nvidia-persistenced\n[Install]\nWantedBy=multi-user.target"
PROCS = "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % UNIT
LINKS = {"enabled": UNITS, "enabled-runtime": "/run/systemd/system"}


def build(folder, at_boot="disabled", now="inactive"):
    root = service_node.build(folder, **{LIB + UNIT: "[Service]" if at_boot == "static" else INSTALL})
    if at_boot in LINKS:
        place = root / LINKS[at_boot][1:] / WANTS
        place.mkdir()
        (place / UNIT).symlink_to(LIB + UNIT)
    if now != "inactive":
        put(root, PROCS, "900" if now == "active" else "")
    return root


def plan(host, value="enabled"):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    return _plan.build(host, "gpudirect", CATALOGUE, {UNIT: value}, asked)


def apply(root, value="enabled", **words):
    host = Services(str(root), read_only=False, **words)
    made = _apply.apply(functools.partial(plan, host, value), {"what": "test"})
    return made, [line for line in host.asked if " show " not in line]


def roll_back(root):
    host = Services(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


@pytest.mark.parametrize("value", ["enabled", "disabled"])
@pytest.mark.parametrize("at_boot", ["enabled", "disabled", "enabled-runtime", "static"])
@pytest.mark.parametrize("now", ["active", "inactive"])
def test_any_state_goes_round(tmp_path, at_boot, now, value):
    root = build(tmp_path, at_boot, now)
    before = plain_node.snapshot(root)
    plan(Services(str(root)), value)
    assert plain_node.snapshot(root) == before
    made, _asked = apply(root, value)
    assert made.steps[0].get("error") is None
    assert plan(Services(str(root)), value).steps[0]["status"] == "ok" and apply(root, value)[1] == []
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("at_boot, now, asked", [
    ("disabled", "inactive", ["systemctl enable " + UNIT, "systemctl start " + UNIT]),
    ("enabled", "inactive", ["systemctl start " + UNIT]), ("disabled", "active", ["systemctl enable " + UNIT]),
    ("static", "inactive", ["systemctl start " + UNIT]), ("static", "active", []), ("enabled", "active", [])])
def test_only_what_is_missing_is_done(tmp_path, at_boot, now, asked):
    assert apply(build(tmp_path, at_boot, now))[1] == asked


@pytest.mark.parametrize("at_boot, now, shown, words", [
    ("enabled", "inactive", "enabled inactive", "running enabled inactive"),
    ("disabled", "active", "disabled active", "persisted as disabled"),
    ("enabled", "failed", "enabled failed", "running enabled failed")])
def test_half_a_state_is_shown_in_systemds_words(tmp_path, at_boot, now, shown, words):
    step = plan(Services(str(build(tmp_path, at_boot, now)))).steps[0]
    assert (step["status"], step["running"]) == ("drift", shown) and words in step["reason"]


def test_a_failure_is_not_given_back(tmp_path):
    root = build(tmp_path, "enabled", "failed")
    apply(root)
    assert roll_back(root).errors == []
    assert Services(str(root)).run(["systemctl", "show", "--property=ActiveState", UNIT])[1] == "ActiveState=inactive\n"


@pytest.mark.parametrize("masked", [False, True])
def test_a_unit_that_is_not_installed_or_masked_does_not_apply(tmp_path, masked):
    root = service_node.build(tmp_path, **({LIB + UNIT: INSTALL, "/dev/null": ""} if masked else {}))
    if masked:
        (root / UNITS[1:] / UNIT).symlink_to("/dev/null")
    step = plan(Services(str(root))).steps[0]
    assert (step["status"], step["reason"]) == ("not_applicable", unit_state.ABSENT)


def test_a_start_that_fails_is_said_in_systemds_words(tmp_path):
    made, _asked = apply(build(tmp_path), fails=("systemctl start " + UNIT,))
    assert "systemctl start %s: Failed: as the test wants it" % UNIT in made.steps[0]["error"]


@pytest.mark.parametrize("at_boot, now, shown", [
    ("enabled", "active", "enabled"), ("disabled", "inactive", "disabled"), ("static", "active", "enabled"),
    ("disabled", "active", "disabled active")])
def test_a_capture_is_read_by_its_files(tmp_path, at_boot, now, shown):
    assert plan(Host(str(build(tmp_path, at_boot, now)))).steps[0]["running"] == shown


def test_a_unit_that_was_linked_is_linked_again(tmp_path):
    root = build(tmp_path, "enabled")
    host = Services(str(root), read_only=False)
    unit_state.write(host, UNIT, LIB + UNIT, "linked inactive")
    assert host.asked[-2:] == ["systemctl disable " + UNIT, "systemctl link " + LIB + UNIT]


def test_a_unit_that_was_removed_has_no_original(tmp_path):
    root = build(tmp_path)
    apply(root)
    (root / (LIB + UNIT)[1:]).unlink()
    made = roll_back(root)
    assert made.errors == [] and made.steps[0]["status"] == "not_applicable"


if shutil.which("systemctl"):
    def test_the_real_systemctl_keeps_links_of_this_boot_apart(tmp_path):
        """What the stand-in plays: disable without --runtime leaves the link under /run."""
        place = tmp_path / LIB[1:]
        place.mkdir(parents=True)
        (place / "x.service").write_text("[Service]\nExecStart=/bin/true\n[Install]\nWantedBy=multi-user.target\n")

        def ask(*words):
            return subprocess.run(["systemctl", "--root=%s" % tmp_path, *words, "x.service"], capture_output=True,
                                  text=True, check=False).stdout.strip()
        seen = []
        for words in (["enable", "--runtime"], ["enable"], ["disable"], ["disable", "--runtime"]):
            ask(*words)
            seen.append(ask("is-enabled"))
        assert seen == ["enabled-runtime", "enabled", "enabled-runtime", "disabled"]
