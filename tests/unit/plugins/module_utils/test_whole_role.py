# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role cpu_isolation through the whole engine on a stand-in host: round trips of every row, modes, kills."""

from __future__ import annotations

import functools
import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _pending, _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import boot_tree, engine, plain_node, whole_node
from tests.sysroots.engine import killed_at, statuses, steps

ROLE = "cpu_isolation"
MODES = {"slices": (whole_node.VALUES, whole_node.OPTIONS), "boot": (whole_node.BOOT, whole_node.BOOT_OPTIONS)}
SETTLED = {"ok", "pending_reboot"}


def plan(root, mode, **request):
    values, options = MODES[mode]
    return engine.plan(root, ROLE, values, options=options, kernel=whole_node.Whole, **request)


def apply(root, mode, **request):
    values, options = MODES[mode]
    return engine.apply(root, ROLE, values, options=options, kernel=whole_node.Whole, **request)


roll_back = functools.partial(engine.roll_back, kernel=whole_node.Whole)


def but_for_a_boot(root):
    """The host without what a killed run leaves in /run, which the next boot clears.

    A kernel's file is written at once: the half-written copy of one is of this stand-in alone.
    """
    return {path: what for path, what in plain_node.snapshot(root).items() if not path.startswith("/run/gpuwright")
            and not (path.endswith(".gpuwright-new") and path.startswith(("/proc/", "/sys/")))}


def test_the_two_modes_ask_for_every_row():
    asked = set(whole_node.VALUES) | set(whole_node.BOOT)
    assert asked == {row.name for row in ROLES[ROLE].ROWS}


@pytest.mark.parametrize("mode", sorted(MODES))
def test_every_row_goes_round(tmp_path, mode):
    """Check, apply, audit, apply again, roll back: the steps agree and every byte comes back."""
    root = whole_node.build(tmp_path)
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root, mode))
    assert plain_node.snapshot(root) == before
    applied = apply(root, mode)
    assert _result.failures(applied) == []
    told = _result.result(applied)
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after", "error")}
            for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"]
    assert told["reboot_required"] is checked["reboot_required"] is True
    assert set(statuses(plan(root, mode)).values()) <= SETTLED
    settled = plain_node.snapshot(root)
    again = apply(root, mode)
    assert not again.due and again.host.asked == [] and plain_node.snapshot(root) == settled
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_after_a_boot_what_waited_is_ok_and_what_was_given_back_waits(tmp_path):
    root = whole_node.build(tmp_path)
    original = (root / "proc/cmdline").read_text()
    apply(root, "boot")
    boot_tree.boot(root)
    assert set(statuses(plan(root, "boot")).values()) == {"ok"}
    given_back = roll_back(root)
    assert given_back.errors == [] and given_back.result()["reboot_required"]
    assert {item["target"] for item in _pending.noted(given_back.host)} == {
        "isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity"}
    boot_tree.boot(root)
    assert (root / "proc/cmdline").read_text() == original


@pytest.mark.parametrize("mode, path, text, target", [
    ("slices", "/etc/systemd/system/system.slice.d/50-theirs.conf", "[Slice]\nAllowedCPUs=0-7\n",
     "system.slice/AllowedCPUs"),
    ("slices", "/etc/systemd/system/irqbalance.service.d/50-theirs.conf",
     "[Service]\nEnvironment=IRQBALANCE_BANNED_CPULIST=0-1\n", "irqbalance.service/IRQBALANCE_BANNED_CPULIST"),
    ("boot", "/etc/default/grub.d/50-theirs.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX nohz_full=5"\n',
     "nohz_full")])
def test_what_others_have_set_since_does_not_keep_a_rollback_from_its_end(tmp_path, mode, path, text, target):
    """Found before us was nothing; once ours is gone, what another file says by now is in force, and it is said."""
    root = whole_node.build(tmp_path)
    apply(root, mode)
    plain_node.put(root, path, text)
    made = roll_back(root)
    assert made.errors == []
    assert path in steps(made)[target]["reason"]
    assert not roll_back(root).due


def test_from_one_mode_to_the_other_what_is_not_asked_for_comes_back(tmp_path):
    root = whole_node.build(tmp_path)
    before = but_for_a_boot(root)
    apply(root, "slices")
    assert _result.failures(apply(root, "boot")) == []
    made = steps(plan(root, "boot"))
    assert "system.slice/AllowedCPUs" not in made and made["isolcpus"]["status"] == "pending_reboot"
    assert not (root / "sys/fs/cgroup/system.slice/cpuset.cpus").exists()
    assert (root / "proc/irq/31/smp_affinity_list").read_text().strip() == "3"
    assert roll_back(root).errors == []
    assert but_for_a_boot(root) == before


@pytest.mark.parametrize("mode", sorted(MODES))
def test_a_kill_at_any_moment_loses_nothing(tmp_path, monkeypatch, mode):
    """Killed before each call that changes the host; then the next run finishes, or a rollback gives all of it back."""
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    monkeypatch.setattr(whole_node.Whole, "wait", lambda self, seconds: None)
    for count in range(0, 1000, 5):  # Each file takes about five calls: every moment of some file is tried.
        root = whole_node.build(tmp_path / str(count))
        before = but_for_a_boot(root)
        if not killed_at(count, apply, root, mode):
            break
        if count % 2:
            assert _result.failures(apply(root, mode)) == [], count
            assert set(statuses(plan(root, mode)).values()) <= SETTLED, count
        assert roll_back(root).errors == [], count
        assert but_for_a_boot(root) == before, count
    assert count > 60


def test_a_kill_during_rollback_loses_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(os, "fsync", lambda handle: None)
    for count in range(0, 1000, 5):
        root = whole_node.build(tmp_path / str(count))
        before = but_for_a_boot(root)
        apply(root, "slices")
        killed = killed_at(count, roll_back, root)
        assert roll_back(root).errors == [], count
        assert but_for_a_boot(root) == before, count
        if not killed:
            break
    assert count > 20


def test_an_update_of_the_entries_that_fails_is_said_and_done_next_time(tmp_path, monkeypatch):
    root = whole_node.build(tmp_path)
    real = whole_node.Whole.run
    monkeypatch.setattr(whole_node.Whole, "run", lambda self, argv, *rest, **words: (
        (1, "", "no space left") if "update-grub" in argv[0] else real(self, argv, *rest, **words)))
    said = _result.failures(apply(root, "boot"))
    assert any("no space left" in one for one in said)
    monkeypatch.setattr(whole_node.Whole, "run", real)
    assert {step["status"] for name, step in steps(plan(root, "boot")).items() if "cpus" in name} == {"drift"}
    assert _result.failures(apply(root, "boot")) == []
    assert set(statuses(plan(root, "boot")).values()) <= SETTLED


def test_where_interrupts_went_before_us_is_not_what_we_have_made_of_it(tmp_path):
    """A driver that is loaded after the first apply gets its interrupts where our default sends them."""
    root = whole_node.build(tmp_path)
    numbers = {number: root / "proc/irq" / number for number in ("30", "31")}
    for number, place in numbers.items():
        place.rename(tmp_path / number)
    apply(root, "slices")
    for number, place in numbers.items():
        (tmp_path / number).rename(place)
        (place / "smp_affinity_list").write_text("0-1,4-5,8-9,12-13\n")
    apply(root, "slices")
    assert (numbers["30"] / "smp_affinity_list").read_text().strip() == "0-1,8-9"
    assert roll_back(root).errors == []
    assert {(place / "smp_affinity_list").read_text().strip() for place in numbers.values()} == {"0-15"}


def test_a_partition_that_is_refused_gives_all_of_the_old_one_back(tmp_path, monkeypatch):
    root = whole_node.build(tmp_path)
    apply(root, "slices")
    refused = dict(whole_node.OPTIONS["cpu_isolation_partition"], workload="", refused="no core is left")
    monkeypatch.setitem(MODES, "refused", (
        {"cpufreq/scaling_governor": "performance"}, dict(whole_node.OPTIONS, cpu_isolation_partition=refused)))
    made = apply(root, "refused")
    assert _result.failures(made) == ["partition: no core is left"]
    assert {step["status"] for step in made.steps if "_restore" in step} == {"drift"}
    assert not list((root / "sys/fs/cgroup").glob("*/cpuset.cpus"))


def test_the_request_is_kept_for_the_runner_and_for_the_reboot(tmp_path):
    root = whole_node.build(tmp_path)
    apply(root, "slices")
    kept = json.loads((root / "etc/gpuwright/desired/cpu_isolation.json").read_text())
    assert kept["values"] == json.loads(json.dumps(whole_node.VALUES)) and kept["options"] == whole_node.OPTIONS
    assert (root / "usr/local/lib/gpuwright/gpuwright.pyz").stat().st_mode & 0o777 == 0o755


def test_a_mode_that_is_none_is_an_error_before_any_write(tmp_path):
    root = whole_node.build(tmp_path)
    before = plain_node.snapshot(root)
    options = dict(whole_node.OPTIONS, cpu_isolation_mode="slice")
    with pytest.raises(BadInput, match="cpu_isolation_mode: 'slice' is not one of auto, .*; did you mean slices?"):
        engine.apply(root, ROLE, whole_node.VALUES, options=options, kernel=whole_node.Whole)
    assert plain_node.snapshot(root) == before


def test_where_the_boot_loader_is_not_ours_nothing_of_the_mode_is_done(tmp_path):
    """Interrupts would be squeezed onto a few CPUs for nothing."""
    root = whole_node.build(tmp_path)
    plain_node.put(root, "/run/ostree-booted", "")
    plain_node.put(root, "/usr/bin/rpm-ostree", "")
    made = apply(root, "boot")
    found = {step["name"]: step["status"] for step in made.steps}
    assert {found[name] for name in found if name in isolation.ALL} == {"refused"}
    assert any("rpm-ostree kargs" in one for one in _result.failures(made))


def test_what_is_refused_does_not_take_the_place_of_what_the_next_boot_puts_back(tmp_path, monkeypatch):
    """A refused change leaves the old division in force, and so the runner goes on with the old one."""
    root = whole_node.build(tmp_path)
    apply(root, "slices")
    desired = root / "etc/gpuwright/desired/cpu_isolation.json"
    before = desired.read_text()
    inverted = dict(whole_node.VALUES, **{name: "0-3,99" for name in whole_node.VALUES if name.endswith("AllowedCPUs")})
    inverted["irq/smp_affinity_list"] = {"0": "99"}
    monkeypatch.setitem(MODES, "inverted", (inverted, whole_node.OPTIONS))
    made = apply(root, "inverted")
    assert statuses(made)["eth0 0000:01:00.0"] == statuses(made)["system.slice/AllowedCPUs"] == "refused"
    assert desired.read_text() == before
    (root / "sys/fs/cgroup/gpuwright.slice/cpuset.cpus.partition").write_text("member\n")
    assert statuses(apply(root, "inverted"))["gpuwright.slice/cpuset.cpus.partition"] == "refused"
    assert desired.read_text() == before and (root / "usr/local/lib/gpuwright/gpuwright.pyz").exists()
    assert _result.failures(apply(root, "slices")) == []


@pytest.mark.parametrize("mode, path, text, theirs", [
    ("slices", "/etc/systemd/system/gpuwright.slice.d/95-theirs.conf", "[Slice]\nAllowedCPUs=2\n",
     "gpuwright.slice/AllowedCPUs"),
    ("slices", "/etc/systemd/system/system.slice.d/95-theirs.conf", "[Slice]\nAllowedCPUs=2\n",
     "system.slice/AllowedCPUs"),
    ("boot", "/etc/default/grub.d/50-theirs.cfg", 'GRUB_CMDLINE_LINUX="$GRUB_CMDLINE_LINUX isolcpus=2"\n', "isolcpus"),
])
def test_cpus_are_divided_as_a_whole_or_not_at_all(tmp_path, mode, path, text, theirs):
    """One set that somebody else has set otherwise, and the system is not squeezed beside it for nothing."""
    root = whole_node.build(tmp_path)
    plain_node.put(root, path, text)
    boot_tree.put(root, "/boot/grub/grub.cfg", boot_tree.grub_cfg(root))
    made = apply(root, mode)
    found = {step["name"]: step["status"] for step in made.steps}
    assert found.pop(theirs) == "conflict"
    dividing = set(found) & set(isolation.ALL)
    assert len(dividing) > 5 and {found[name] for name in dividing} == {"refused"}
    assert found["cpufreq/scaling_governor"] == "drift"
    assert any(path in one and "as a whole" in one for one in _result.failures(made))
