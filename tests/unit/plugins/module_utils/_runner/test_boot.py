# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what happens at boot: volatile settings alone come back, whatever else is wrong."""

from __future__ import annotations

import json
import os
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules.finding import finding
from ansible_collections.gpuwright.node.plugins.module_utils._runner import desired, main, switch
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from .conftest import OTHER, PARTITION, VALUES, wish
from tests.sysroots.engine import killed_at
from tests.sysroots.plain_node import put, snapshot

VALUES_OF_ISOLATION = {"gpuwright.slice/cpuset.cpus.partition": "root"}
CHECKED = "%d settings that nothing else persists were checked\n"


@pytest.fixture(name="booted")
def fixture_booted(root, capsys):
    """run() -> (exit status, what it said)."""

    def run():
        status = main.main(["boot", "--sysroot", str(root)])
        return status, capsys.readouterr().out
    return run


def changed(before, after):
    return {name for name in {*before, *after} if before.get(name) != after.get(name)}


def test_what_nothing_persists_comes_back_and_nothing_else_changes(root, booted):
    before = snapshot(root)
    assert booted() == (0, "role probe: gpuwright.slice/cpuset.cpus.partition: root, was member\n" + CHECKED % 1)
    assert changed(before, snapshot(root)) == {PARTITION}
    before = snapshot(root)
    assert booted() == (0, CHECKED % 1)
    assert snapshot(root) == before


def test_a_file_that_somebody_laid_out_anew_is_an_applys_affair(root, booted):
    booted()
    text = json.dumps(json.loads((root / desired.path("probe")[1:]).read_text()))
    put(root, desired.path("probe"), text)
    before = snapshot(root)
    assert booted() == (0, CHECKED % 1)
    assert snapshot(root) == before


@pytest.mark.parametrize("path, text, words", [
    (switch.DISABLED, "", "/etc/gpuwright/disabled exists"),
    ("/proc/cmdline", "ro gpuwright=off quiet", "the kernel argument gpuwright=off is given"),
])
def test_switched_off_it_says_so_and_changes_nothing(root, booted, path, text, words):
    put(root, path, text)
    before = snapshot(root)
    assert booted() == (0, "nothing is changed: %s\n" % words)
    assert snapshot(root) == before


def test_another_argument_does_not_switch_it_off(root, booted):
    put(root, "/proc/cmdline", "ro gpuwright=offline xgpuwright=off")
    assert booted()[0] == 0
    assert (root / PARTITION[1:]).read_text().strip() == "root"


def test_without_desired_settings_there_is_nothing_to_do(root, booted):
    (root / desired.path("probe")[1:]).unlink()
    (root / desired.FOLDER[1:]).rmdir()
    before = snapshot(root)
    assert booted() == (0, CHECKED % 0)
    assert snapshot(root) == before


@pytest.mark.parametrize("role, content, words", [
    ("aaa", "{", "/etc/gpuwright/desired/aaa.json is damaged"),
    ("aaa", desired.text("aaa", {"values": {}, "options": {}, "take_over": []}), "knows no such role"),
    ("numa", desired.text("numa", {"values": {"x": 1}, "options": {}, "take_over": []}), "no setting of this role"),
    ("cpu_isolation", desired.text("cpu_isolation", {"values": VALUES_OF_ISOLATION, "options": {}, "take_over": ["x"]}),
     "nor an owner"),
])
def test_a_role_that_cannot_be_planned_is_named_and_the_others_come_back(root, booted, role, content, words):
    put(root, desired.path(role), content)
    status, said = booted()
    assert status == 1
    assert said.startswith("role %s: " % role) and words in said.splitlines()[0]
    assert (root / PARTITION[1:]).read_text().strip() == "root"


def test_a_damaged_journal_is_named_and_nothing_is_written(root, booted):
    put(root, "/var/lib/gpuwright/journal.json", "{")
    before = snapshot(root)
    status, said = booted()
    assert status == 1 and "journal.json is damaged" in said
    assert snapshot(root) == before


def test_one_setting_that_fails_does_not_stop_the_others(root, booted):
    wish(root, "probe", dict(VALUES, **{"other.slice/cpuset.cpus.partition": "root"}))
    (root / PARTITION[1:]).unlink()
    status, said = booted()
    assert status == 1
    assert "role probe: gpuwright.slice/cpuset.cpus.partition: %s: No such file" % PARTITION in said
    assert (root / OTHER[1:]).read_text().strip() == "root"


def test_what_a_rule_refuses_stays_as_it_is(root, booted, monkeypatch):
    name = "gpuwright.slice/cpuset.cpus.partition"
    monkeypatch.setattr(ROLES["probe"], "RULES", [lambda view: [finding("R0", "E", name, "not on this host")]])
    before = snapshot(root)
    assert booted() == (0, "role probe: %s: refused, R0: not on this host\n" % name + CHECKED % 1)
    assert snapshot(root) == before


def test_what_is_no_longer_asked_for_is_left_to_an_apply(root, booted):
    host = Host(str(root), read_only=False)
    booted()
    _apply.apply(lambda: _plan.build(host, "probe", ROLES["probe"], VALUES, desired.read(host, "probe")), {})
    wish(root, "probe", {"vm.swappiness": 10})
    before = snapshot(root)
    assert booted() == (0, CHECKED % 0)
    assert snapshot(root) == before


def test_it_waits_for_another_run_and_then_does_its_work(root, booted, monkeypatch):
    holding = Host(str(root), read_only=False).only_one(_apply.LOCK, {"what": "role vm"})
    holding.__enter__()
    monkeypatch.setattr(Host, "wait", lambda _host, _seconds: holding.__exit__(None, None, None))
    assert booted()[0] == 0
    assert (root / PARTITION[1:]).read_text().strip() == "root"


def test_it_gives_up_on_a_run_that_does_not_end_and_names_it(root, booted, monkeypatch):
    waited = []
    monkeypatch.setattr(Host, "wait", lambda _host, seconds: waited.append(seconds))
    with Host(str(root), read_only=False).only_one(_apply.LOCK, {"what": "role vm"}):
        status, said = booted()
    assert status == 2 and "another run is still changing this node" in said and "role vm" in said
    assert 10 < sum(waited) < 60  # The service's own time limit.
    assert (root / PARTITION[1:]).read_text().strip() == "member"


def test_a_lock_that_cannot_be_made_is_named(root, booted):
    (root / "run").rmdir()
    assert booted() == (2, "%s/run/gpuwright.lock: No such file or directory\n" % root)


def test_a_kill_at_any_moment_is_mended_by_the_next_run(tmp_path, root, booted, monkeypatch):
    """SIGKILL before the first, second, ... call that changes the host."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    before = snapshot(root)
    wish(root, "probe", dict(VALUES, **{"other.slice/cpuset.cpus.partition": "root"}))
    for count in range(1000):
        put(root, PARTITION, "member")
        put(root, OTHER, "member")
        killed = killed_at(count, main.main, ["boot", "--sysroot", str(root)])
        status, said = booted()
        assert (status, said.splitlines()[-1]) == (0, (CHECKED % 2).strip()), count
        left = snapshot(root)
        assert {(root / path[1:]).read_text().strip() for path in (PARTITION, OTHER)} == {"root"}, count
        assert changed(before, left) - {"/run/gpuwright.lock"} == {PARTITION, OTHER, desired.path("probe")}, count
        if not killed:
            break
    assert count > 15


def test_roles_that_ask_for_nothing_volatile_are_not_planned(root, booted, monkeypatch):
    put(root, desired.path("vm"), desired.text("vm", {"values": {"vm.swappiness": 1}, "options": {}, "take_over": []}))
    planned = []
    real = _plan.build
    monkeypatch.setattr(_plan, "build", lambda host, role, *rest: planned.append(role) or real(host, role, *rest))
    booted()
    assert set(planned) == {"probe"}


def test_a_defect_in_one_role_leaves_the_others_alone(root, booted, monkeypatch):
    def broken(view):
        raise KeyError("gone")
    monkeypatch.setitem(ROLES, "aaa", types.SimpleNamespace(**dict(vars(ROLES["probe"]), RULES=[broken])))
    wish(root, "aaa", VALUES)
    status, said = booted()
    assert status == 1 and said.startswith("role aaa: could not be planned: KeyError: 'gone'\n")
    assert (root / PARTITION[1:]).read_text().strip() == "root"


def test_the_zipapp_does_the_same(root, zipapp):
    """Its catalogue has no role `probe`: what it says of it shows that it planned."""
    before = snapshot(root)
    done = zipapp("boot", "--sysroot", root)
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "role probe: this version of the runner knows no such role: apply it again\n" + CHECKED % 0
    assert snapshot(root) == before
