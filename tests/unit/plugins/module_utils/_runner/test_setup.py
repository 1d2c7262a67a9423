# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of installing and removing the command: what is written, what stays, and that no kill leaves it half done."""

from __future__ import annotations

import functools
import json
import os
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _result
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._runner import install, setup
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.engine import killed_at, roll_back
from tests.sysroots.systemd_node import Systemd

DIR = "/var/lib/node_exporter"
FILE = DIR + "/gpuwright.prom"
PARTITION = {"gpuwright.slice/AllowedCPUs": "1", "gpuwright.slice/cpuset.cpus.partition": "root"}


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return build(tmp_path / "host")


def build(folder):
    root = systemd_node.build(folder)
    (root / DIR[1:]).mkdir(parents=True)
    (root / "etc/NetworkManager/dispatcher.d").mkdir(parents=True)
    return root


def plan(root, present=True, folder=DIR, interval="1h", host=None):
    return setup.plan(host or Systemd(str(root), read_only=False), present, folder, interval)


def carry_out(root, *words, host=None):
    return setup.carry_out(functools.partial(plan, root, *words, host=host))


def divide(root):
    """Apply something that nothing but the runner puts back."""
    catalogue = ROLES["cpu_isolation"]
    host = Systemd(str(root), read_only=False)
    request = {"origins": {}, "take_over": [], "allow": [], "options": {}}
    shy = type("Catalogue", (), {"ROWS": catalogue.ROWS, "OPTIONS": (), "RULES": ()})
    made = _apply.apply(lambda: _plan.build(host, "cpu_isolation", shy, PARTITION, request), {"what": "test"})
    assert _result.failures(made) == []


def left(root, before):
    """What differs from before but the lock of a killed run."""
    after = plain_node.snapshot(root)
    return {path for path in {*before, *after} if before.get(path) != after.get(path)} - {"/run/gpuwright.lock"}


def test_present_writes_all_and_the_second_time_nothing(root):
    before = plain_node.snapshot(root)
    checked = plan(root).result()
    made = carry_out(root)
    assert made.errors == [] and made.result() == checked and checked["changed"]
    hook = next(iter(install.HOOKS))
    assert {install.LAUNCHER, install.ZIPAPP, install.AUDIT, install.AUDIT_TIMER, FILE, hook} <= set(checked["files"])
    assert "gpuwright_info" in (root / FILE[1:]).read_text()
    settled = plain_node.snapshot(root)
    again = carry_out(root)
    assert not again.due and again.result()["diff"]["after"] == "" and plain_node.snapshot(root) == settled
    gone = carry_out(root, False)
    assert gone.errors == [] and set(gone.give_back) == set(checked["files"]) and gone.kept_for == []
    assert plain_node.snapshot(root) == before
    assert not carry_out(root, False).due


def test_an_audit_since_is_no_reason_to_write_and_goes_with_the_rest(root):
    before = plain_node.snapshot(root)
    carry_out(root)
    (root / FILE[1:]).write_text("gpuwright_info 1\n")
    assert not plan(root).due
    carry_out(root, False)
    assert plain_node.snapshot(root) == before


def test_metrics_go_where_they_are_no_longer_wanted(root):
    carry_out(root)
    host = Systemd(str(root), read_only=False)
    made = carry_out(root, True, None, host=host)
    assert made.give_back == sorted([install.AUDIT, install.AUDIT_TIMER, install.AUDIT_ENABLED, FILE])
    assert "systemctl -q stop gpuwright-audit.timer gpuwright-audit.service" in host.asked
    assert not (root / FILE[1:]).exists() and (root / install.LAUNCHER[1:]).exists()


def test_another_interval_is_another_timer(root):
    carry_out(root)
    assert [path for path, _content, _mode in plan(root, True, DIR, "2h").write] == [install.AUDIT_TIMER]


@pytest.mark.parametrize("order", ["role first", "command first"])
def test_what_a_role_needs_at_boot_stays_and_is_the_roles_to_take_away(root, order):
    before = plain_node.snapshot(root)
    for step in (divide, carry_out) if order == "role first" else (carry_out, divide):
        step(root)
    gone = carry_out(root, False)
    assert gone.kept_for == ["cpu_isolation"] and install.LAUNCHER in gone.give_back
    assert (root / install.ZIPAPP[1:]).exists() and (root / install.SERVICE[1:]).exists()
    assert not (root / install.AUDIT[1:]).exists()
    assert not carry_out(root, False).due
    assert roll_back(root, kernel=Systemd).errors == []
    assert plain_node.snapshot(root) == before


def test_the_command_outlives_the_last_role_that_needs_a_boot(root):
    divide(root)
    carry_out(root)
    assert roll_back(root, roles=["cpu_isolation"], kernel=Systemd).errors == []
    assert (root / install.ZIPAPP[1:]).exists() and not (root / "etc/gpuwright/desired").exists()
    assert not plan(root).due


def test_rollback_of_everything_takes_it_away_and_tells_systemd(root):
    before = plain_node.snapshot(root)
    carry_out(root)
    asked = []

    class Told(Systemd):
        def run(self, argv, seconds=10, changes=True):
            asked.append(" ".join(argv))
            return super().run(argv, seconds, changes)
    assert roll_back(root, kernel=Told).errors == []
    assert plain_node.snapshot(root) == before
    assert "systemctl daemon-reload" in asked and any("stop gpuwright-device.timer" in words for words in asked)


def test_a_journal_from_before_needs_were_kept_there_keeps_the_runner(root):
    divide(root)
    place = root / "var/lib/gpuwright/journal.json"
    journal = json.loads(place.read_text())
    del journal["files"][install.ZIPAPP]["needed_by"]
    place.write_text(json.dumps(journal))
    assert carry_out(root, False).kept_for == ["cpu_isolation"]
    assert (root / install.ZIPAPP[1:]).exists()


def test_what_was_in_the_place_of_the_command_comes_back(root):
    plain_node.put(root, install.LAUNCHER, "#!/bin/sh\necho theirs")
    before = plain_node.snapshot(root)
    carry_out(root)
    assert "gpuwright.pyz" in (root / install.LAUNCHER[1:]).read_text()
    carry_out(root, False)
    assert plain_node.snapshot(root) == before


def test_a_command_of_ours_whose_journal_is_gone_is_no_original(root):
    carry_out(root)
    (root / "var/lib/gpuwright/journal.json").unlink()
    plain_node.put(root, install.LAUNCHER, (root / install.LAUNCHER[1:]).read_text())
    carry_out(root)
    carry_out(root, False)
    assert not (root / install.LAUNCHER[1:]).exists()


def test_what_fails_is_named(root):
    made = carry_out(root, host=Systemd(str(root), read_only=False, fails=("systemctl daemon-reload",)))
    assert made.errors == ["systemctl daemon-reload: Failed: as the test wants it"]
    assert plan(root).due and carry_out(root).errors == [] and not plan(root).due


def test_another_run_is_not_waited_for(root):
    with Host(str(root), read_only=False).only_one(_apply.LOCK, {"what": "role vm"}):
        with pytest.raises(Locked, match="role vm"):
            carry_out(root)


@pytest.mark.parametrize("text, expected", [("1h", 3600), ("30min", 1800), ("90", 90), (" 2 d ", 172800), ("60s", 60),
                                            ("5m", 300)])
def test_intervals(text, expected):
    assert setup.seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "59s", "8d", "1y", "-5min", "hourly", "1h30", "9999999999h"])
def test_intervals_that_are_none(text):
    with pytest.raises(setup.BadWish, match="no interval from 1min to 7d"):
        setup.seconds(text)


@pytest.mark.parametrize("folder, words", [("/nowhere", "no folder on this node.*--collector.textfile.directory"),
                                           ("relative", "no absolute path"), ("/var/../etc", "no absolute path"),
                                           ("/var/lib/%i", "no absolute path"), ("/var/lib/a b", "no absolute path"),
                                           ("/etc/machine-id", "no folder on this node")])
def test_a_folder_for_metrics_that_cannot_be(root, folder, words):
    before = plain_node.snapshot(root)
    with pytest.raises(setup.BadWish, match=words):
        carry_out(root, True, folder)
    assert plain_node.snapshot(root) == before


class Telling(Systemd):
    """A systemd that notes, outside of its host, that it was told to start the audit's timer."""

    def run(self, argv, seconds=10, changes=True):
        if "restart" in argv:
            pathlib.Path(self.root + ".told").touch()
        return super().run(argv, seconds, changes)


def install_it(root):
    return carry_out(root, host=Telling(str(root), read_only=False))


@pytest.mark.parametrize("action", ["install", "remove", "with a role"])
def test_a_kill_at_any_moment_is_mended_by_the_next_run(tmp_path, monkeypatch, action):
    """SIGKILL before the first, second, ... call that changes the host; then the next run, and back again."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for count in range(1000):
        root = build(tmp_path / str(count))
        before = plain_node.snapshot(root)
        if action == "remove":
            carry_out(root)
        job = {"install": (install_it, root), "remove": (carry_out, root, False), "with a role": (divide, root)}[action]
        killed = killed_at(count, *job)
        job[0](*job[1:])
        assert not (root / install.UNTOLD[1:]).exists(), count
        if action == "install":
            assert not plan(root).due and pathlib.Path(str(root) + ".told").exists(), count
        if action == "with a role":
            assert install.due(Host(str(root))) == [], count
            assert roll_back(root, kernel=Systemd).errors == [], count
        carry_out(root, False)
        assert left(root, before) == set(), count
        if not killed:
            break
    assert count > 20
