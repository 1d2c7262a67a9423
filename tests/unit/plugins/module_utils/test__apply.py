# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the apply: same steps as the check, read back, idempotent, and harmless when killed at any moment."""

from __future__ import annotations

import json
import os
import signal

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _result
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host, Locked
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import sysctl
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import plain_node
from tests.sysroots.engine import DEFAULTS, VM, apply, killed_at, plan, roll_back, statuses, steps

JOURNAL = "var/lib/gpuwright/journal.json"


def every_row():
    """One legal value, other than the stand-in host's, for every row of the catalogue that is not its row's twin."""
    values = {"vm": dict(VM, nr_hugepages={2048: 4}), "thp": {}, "numa": {}}
    values["thp"] = {row.name: row.value.words[1] if hasattr(row.value, "words") else 1 for row in ROLES["thp"].ROWS}
    values["numa"] = {row.name: 2 for row in ROLES["numa"].ROWS}
    bytes_form = {"vm.dirty_bytes": 1 << 30, "vm.dirty_background_bytes": 1 << 28}
    ratio_form = {"vm.dirty_ratio": None, "vm.dirty_background_ratio": None}
    return [*values.items(), ("vm", dict(VM, **bytes_form, **ratio_form))]


def test_the_rows_below_are_all_there_are():
    tried = {(role, name) for role, values in every_row() for name, value in values.items() if value is not None}
    elsewhere = set(ROLES) - {"vm", "thp", "numa"}  # Those go round in test_whole_role.py and _settings/test_ROLE.py.
    assert tried == {(role, row.name) for role, catalogue in ROLES.items() if role not in elsewhere
                     for row in catalogue.ROWS}


@pytest.mark.parametrize("role, values", every_row())
def test_every_row_goes_round(tmp_path, role, values):
    """Check, apply, audit, apply again, roll back: the steps agree and every byte comes back."""
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root, role, values))
    applied = apply(root, role, values)
    assert not _result.failures(applied)
    told = _result.result(applied)
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after", "error")}
            for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"] and told["changed"] is checked["changed"]
    assert set(statuses(plan(root, role, values)).values()) == {"ok"}
    settled = plain_node.snapshot(root)
    assert not apply(root, role, values).changing
    assert plain_node.snapshot(root) == settled
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_a_write_is_read_back_and_what_the_kernel_kept_is_said(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    real = Host.write_value
    monkeypatch.setattr(Host, "write_value", lambda host, path, text: real(
        host, path, "2" if "nr_hugepages" in path else text))
    made = apply(root, "vm", dict(VM, nr_hugepages={2048: {0: 512}}))
    step = steps(made)["node0/hugepages-2048kB"]
    assert step["error"].endswith("nr_hugepages: wrote 512, the kernel keeps 2") and step["after"] == "2"
    assert _result.failures(made) == ["node0/hugepages-2048kB: " + step["error"]]


def test_what_makes_no_sense_after_a_write_is_that_settings_failure_alone(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    real = Host.write_value
    monkeypatch.setattr(plain_node.Kernel, "write_value", lambda host, path, text: real(
        host, path, "junk" if path.endswith("swappiness") else text))
    made = apply(root, "vm", VM)
    assert [words.partition(": ")[0] for words in _result.failures(made)] == ["vm.swappiness"]
    assert "junk" in steps(made)["vm.swappiness"]["error"]
    assert (root / "proc/sys/kernel/panic").read_text().strip() == "10"

    def puzzled(*_words):
        raise ValueError("junk")
    monkeypatch.setattr(sysctl, "read", puzzled)
    made = roll_back(root)
    assert steps(made)["vm.swappiness"]["status"] == "unreadable" and "vm.swappiness" in " ".join(made.errors)


def test_one_setting_that_fails_does_not_stop_the_others(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    real = plain_node.Kernel.write_value

    def refusing(host, path, text):
        if path.endswith("swappiness"):
            raise OSError(22, "Invalid argument", path)
        real(host, path, text)
    monkeypatch.setattr(plain_node.Kernel, "write_value", refusing)
    made = apply(root, "vm", VM)
    assert _result.failures(made) == ["vm.swappiness: /proc/sys/vm/swappiness: Invalid argument"]
    assert steps(made)["vm.swappiness"]["changed"] is False
    assert (root / "proc/sys/kernel/panic").read_text().strip() == "10"


def test_originals_are_of_the_first_run(tmp_path):
    root = plain_node.build(tmp_path)
    apply(root, "vm", {"vm.swappiness": 10})
    apply(root, "vm", {"vm.swappiness": 20})
    entry = json.loads((root / JOURNAL).read_text())["entries"]["sysctl:vm.swappiness"]
    assert (entry["original"], entry["path"]) == ("60", "/proc/sys/vm/swappiness")


def test_a_file_of_ours_that_was_there_before_comes_back(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.put(root, "/etc/sysctl.d/90-gpuwright-vm.conf", "# from an older installation")
    before = plain_node.snapshot(root)
    apply(root, "vm", VM)
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_folders_that_were_not_there_go_again(tmp_path):
    root = plain_node.build(tmp_path)
    (root / "etc/tmpfiles.d").rmdir()
    before = plain_node.snapshot(root)
    apply(root, "thp", DEFAULTS["thp"])
    assert (root / "etc/tmpfiles.d/90-gpuwright-thp.conf").exists()
    roll_back(root)
    assert plain_node.snapshot(root) == before


@pytest.mark.parametrize("role", sorted(DEFAULTS))
def test_a_kill_before_any_system_call_loses_nothing(tmp_path, monkeypatch, role):
    """SIGKILL before the first, second, ... call that changes the host; then either the next run, or the rollback."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # No power is cut here, and hundreds of them take minutes.
    moments = 0
    for then_apply in (True, False):
        for count in range(1000):
            root = plain_node.build(tmp_path / ("%s-%d" % (then_apply, count)))
            before = plain_node.snapshot(root)
            if not killed_at(count, apply, root, role, DEFAULTS[role]):
                break
            moments += 1
            if then_apply:
                apply(root, role, DEFAULTS[role])
                assert set(statuses(plan(root, role, DEFAULTS[role])).values()) == {"ok"}, count
            assert roll_back(root).errors == [], count
            left = {path: what for path, what in plain_node.snapshot(root).items() if path != "/run/gpuwright.lock"}
            assert left == before, count
    assert moments > 30


def test_a_kill_during_rollback_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for count in range(1000):
        root = plain_node.build(tmp_path / str(count))
        before = plain_node.snapshot(root)
        apply(root, "vm", VM)
        killed = killed_at(count, roll_back, root)
        assert roll_back(root).errors == []
        left = {path: what for path, what in plain_node.snapshot(root).items() if path != "/run/gpuwright.lock"}
        assert left == before, count
        if not killed:
            break
    assert count > 10


def test_another_run_is_waited_for_by_nobody_and_named(tmp_path):
    root = plain_node.build(tmp_path)
    with Host(str(root), read_only=False).only_one("/run/gpuwright.lock", {"what": "role thp"}):
        with pytest.raises(Locked, match="role thp"):
            apply(root, "vm", VM)
    assert (root / "proc/sys/vm/swappiness").read_text() == "60\n"


def test_what_another_run_changed_in_between_is_planned_again(tmp_path):
    """Two runs plan at once; the second gets the lock after the first is rolled back."""
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, "vm", {"vm.swappiness": 10, "kernel.panic": 5})
    calls = []

    def make_plan():
        calls.append(None)
        made = plan(root, "vm", {"vm.swappiness": 10, "kernel.panic": 7}, read_only=False)
        if len(calls) == 1:
            roll_back(root)
        return made
    _apply.apply(make_plan, {"what": "test"})
    assert json.loads((root / JOURNAL).read_text())["entries"]["sysctl:kernel.panic"]["original"] == "0"
    roll_back(root)
    assert plain_node.snapshot(root) == before


def refuse(monkeypatch, name, path, number=1):
    """Make one method of the host fail for one path."""
    real = getattr(Host, name)

    def failing(host, where, *rest, **words):
        if where == path:
            raise OSError(number, os.strerror(number), where)
        return real(host, where, *rest, **words)
    monkeypatch.setattr(Host, name, failing)


DROP_IN = "/etc/sysctl.d/90-gpuwright-vm.conf"


@pytest.mark.parametrize("values, method", [({}, "remove_file"), ({"kernel.panic": 10}, "write_file")])
def test_a_file_that_cannot_be_changed_keeps_the_original_in_the_journal(tmp_path, monkeypatch, values, method):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, "vm", {"vm.swappiness": 10, "kernel.panic": 10})
    with monkeypatch.context() as patch:
        refuse(patch, method, DROP_IN)
        made = apply(root, "vm", values)
        assert any(said.startswith(DROP_IN + ": Operation not permitted") for said in _result.failures(made))
        if not values:
            assert roll_back(root).errors == [DROP_IN + ": Operation not permitted"]
    assert not _result.failures(apply(root, "vm", values))
    assert "vm.swappiness" not in ((root / DROP_IN[1:]).read_text() if values else "")
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_a_value_that_the_kernel_refuses_does_not_stay_in_the_file(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    refuse(monkeypatch, "write_file", "/proc/sys/vm/max_map_count", number=22)
    made = apply(root, "vm", {"vm.max_map_count": 1048576, "vm.swappiness": 10})
    assert _result.failures(made) == ["vm.max_map_count: /proc/sys/vm/max_map_count: Invalid argument"]
    assert "max_map_count" not in (root / DROP_IN[1:]).read_text() and "swappiness" in (root / DROP_IN[1:]).read_text()


def test_panic_on_oom_is_not_written_where_the_way_back_up_failed(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    refuse(monkeypatch, "write_file", "/proc/sys/kernel/panic", number=30)
    made = apply(root, "vm", {"vm.panic_on_oom": 1, "kernel.panic": 10}, options={"vm_panic_on_oom_attested": True})
    assert steps(made)["vm.panic_on_oom"]["error"] == "not written, for kernel.panic failed"
    assert (root / "proc/sys/vm/panic_on_oom").read_text() == "0\n"


def test_a_file_of_ours_that_was_edited_is_put_right(tmp_path):
    root = plain_node.build(tmp_path)
    apply(root, "vm", {"vm.swappiness": 10})
    ours = (root / DROP_IN[1:]).read_text()
    for text in (ours + "vm.dirty_bytes = 8192\n", "vm.swappiness = 10\n"):
        (root / DROP_IN[1:]).write_text(text)
        step = steps(plan(root, "vm", {"vm.swappiness": 10}))["vm.swappiness"]
        assert (step["status"], step["reason"]) == ("drift", DROP_IN + " is not as we wrote it")
        apply(root, "vm", {"vm.swappiness": 10})
        assert (root / DROP_IN[1:]).read_text() == ours


def test_a_file_of_ours_whose_journal_is_gone_is_no_original(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    apply(root, "vm", {"vm.swappiness": 10})
    (root / JOURNAL).unlink()
    (root / JOURNAL).parent.rmdir()
    assert plan(root, "vm", {}).due, "its line goes though nothing else is known of it"
    apply(root, "vm", {"vm.swappiness": 20})
    roll_back(root)
    assert not (root / DROP_IN[1:]).exists()
    plain_node.put(root, "/proc/sys/vm/swappiness", "60")
    assert plain_node.snapshot(root) == before


def test_a_link_in_the_place_of_our_file_comes_back_as_a_link(tmp_path):
    root = plain_node.build(tmp_path)
    (root / DROP_IN[1:]).symlink_to("/dev/null")
    before = plain_node.snapshot(root)
    apply(root, "vm", {"vm.swappiness": 10})
    assert not (root / DROP_IN[1:]).is_symlink()
    roll_back(root)
    assert plain_node.snapshot(root) == before


def test_twins_that_were_both_zero_come_back_by_the_one_that_can_be_written(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/dirty_background_ratio": "0"})
    apply(root, "vm", {"vm.dirty_background_bytes": 4096})
    entry = json.loads((root / JOURNAL).read_text())["entries"][
        "sysctl:vm.dirty_background_bytes+vm.dirty_background_ratio"]
    assert (entry["path"], entry["original"]) == ("/proc/sys/vm/dirty_background_ratio", "0")


def test_a_place_that_is_gone_is_not_applicable_and_forgotten(tmp_path):
    root = plain_node.build(tmp_path)
    apply(root, "vm", {"nr_hugepages": {2048: 4}})
    for place in root.glob("sys/devices/system/node/node1/hugepages/*/nr_hugepages"):
        place.unlink()
    made = apply(root, "vm", {"nr_hugepages": {2048: 4}})
    gone = [step for step in made.steps if "is gone" in step["reason"]]
    assert [step["status"] for step in gone] == ["not_applicable", "not_applicable"]
    assert not [step for step in plan(root, "vm", {"nr_hugepages": {2048: 4}}).steps if "is gone" in step["reason"]]


def test_a_change_goes_on_when_the_connection_closes(tmp_path, monkeypatch):
    root = plain_node.build(tmp_path)
    heard, write = [], plain_node.Kernel.write_file

    def hang_up(host, *given, **more):
        signal.raise_signal(signal.SIGHUP)
        return write(host, *given, **more)
    monkeypatch.setattr(plain_node.Kernel, "write_file", hang_up)
    before = signal.signal(signal.SIGHUP, lambda number, _frame: heard.append(number))
    try:
        assert _result.failures(apply(root, "vm", VM)) == [] and heard == []
        signal.raise_signal(signal.SIGHUP)
        assert heard == [signal.SIGHUP]
    finally:
        signal.signal(signal.SIGHUP, before)


def test_a_lock_file_that_somebody_removed_spoils_nothing(tmp_path):
    host = Host(str(plain_node.build(tmp_path)), read_only=False)
    with host.only_one("/run/gpuwright.lock", {}):
        os.unlink(tmp_path / "run/gpuwright.lock")


def test_the_runner_is_waited_for(tmp_path, monkeypatch):
    """It holds the lock for seconds, whenever a device was added."""
    root = plain_node.build(tmp_path)
    runner = Host(str(root), read_only=False).only_one("/run/gpuwright.lock", {"what": _apply.RUNNERS_WORDS})
    runner.__enter__()
    waited = []

    def wait(_self, seconds):
        waited.append(seconds)
        if len(waited) == 2:
            runner.__exit__(None, None, None)
    monkeypatch.setattr(plain_node.Kernel, "wait", wait)
    assert _result.failures(apply(root, "vm", VM)) == [] and len(waited) == 2
