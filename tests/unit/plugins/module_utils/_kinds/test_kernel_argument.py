# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments through the whole engine: configured, generated and running, on every boot loader that is known."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _input, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import CpuList, IsolCpus
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import kernel_argument
from ansible_collections.gpuwright.node.plugins.module_utils._row import kernel_argument as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import boot_tree, plain_node

WORDS = {"doc": "A test.", "source": "https://docs.kernel.org/admin-guide/kernel-parameters.html"}
CATALOGUE = types.SimpleNamespace(RULES=[], OPTIONS=[], ROWS=[
    row("isolcpus", IsolCpus(), variable="test_isolcpus", **WORDS),
    row("nohz_full", CpuList(), variable="test_nohz_full", **WORDS),
    row("console", Word("ttyS0", "tty0"), variable="test_console", **WORDS)])
WANTED = {"isolcpus": "domain,2-5", "nohz_full": "2,3,4,5"}
OURS = "/etc/default/grub.d/90-gpuwright-test.cfg"
RED_HAT = {"/etc/default/grub": 'GRUB_CMDLINE_LINUX="ro quiet"\n', "/etc/kernel/cmdline": "ro quiet\n"}


@pytest.fixture(autouse=True)
def known(monkeypatch):
    monkeypatch.setitem(_input.KINDS, "kernel_argument", kernel_argument)


def make_plan(root, values, read_only, allow, kind):
    request = {"origins": {}, "take_over": [], "allow": allow, "options": {}}
    return _plan.build(kind(str(root), read_only=read_only), "test", CATALOGUE, values, request)


def check(root, values=None, allow=(), kind=boot_tree.Machine):
    made = make_plan(root, WANTED if values is None else values, True, list(allow), kind)
    assert not hasattr(made.host, "ran")
    return {step["target"]: step for step in made.steps}


def apply(root, values=None, allow=(), kind=boot_tree.Machine):
    asked = WANTED if values is None else values
    return _apply.apply(functools.partial(make_plan, root, asked, False, list(allow), kind), {"what": "test"})


def roll_back(root, allow=()):
    host = boot_tree.Machine(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host, (), list(allow)))


def kept(root):
    """All files but those of this boot, which a boot forgets."""
    return {name: one for name, one in plain_node.snapshot(root).items() if not name.startswith("/run")}


def statuses(steps):
    return {name: step["status"] for name, step in steps.items()}


def errors(plan):
    return plan.errors + [step["error"] for step in plan.steps if "error" in step]


@pytest.fixture
def debian(tmp_path):
    text = 'GRUB_CMDLINE_LINUX_DEFAULT="console=tty1 console=ttyS0"'
    return boot_tree.debian(tmp_path, **{"grub.d/50-cloudimg.cfg": text})


def test_applied_booted_and_rolled_back_every_byte_is_as_before(debian):
    before = kept(debian)
    steps = check(debian)
    assert statuses(steps) == {"isolcpus": "drift", "nohz_full": "drift"}
    assert [steps["isolcpus"][state] for state in ("running", "generated", "configured")] == ["", "", None]
    made = apply(debian)
    assert errors(made) == []
    assert made.host.ran == [["/usr/sbin/update-grub"]]
    assert statuses(check(debian)) == {"isolcpus": "pending_reboot", "nohz_full": "pending_reboot"}
    boot_tree.boot(debian)
    assert statuses(check(debian)) == {"isolcpus": "ok", "nohz_full": "ok"}
    assert "console=ttyS0 isolcpus=domain,2-5 nohz_full=2-5" in (debian / "proc/cmdline").read_text()
    assert not apply(debian).due
    back = roll_back(debian)
    assert errors(back) == []
    assert [(step["target"], step["after"]) for step in back.steps] == [("isolcpus", ""), ("nohz_full", "")]
    boot_tree.boot(debian)
    assert kept(debian) == before


@pytest.mark.parametrize("isolated, nohz_full, status, words", [
    ("2-5", "2-5", "ok", None), ("1-5", "2-5", "ok", None), ("2-5", None, "ok", None),
    ("2-3", "2-5", "pending_reboot", "domain,2-5, of which the kernel made 2-3"),
    ("", "2-5", "pending_reboot", "domain,2-5, of which the kernel made nothing"),
    ("2-5", "(null)", "pending_reboot", "2-5, of which the kernel made nothing")])
def test_what_the_kernel_did_not_take_is_not_in_force(debian, isolated, nohz_full, status, words):
    """It drops a set with a line in its log, and of two sets the first counts: tuned's, perhaps, and not ours."""
    apply(debian)
    boot_tree.boot(debian)
    for name, text in (("isolated", isolated), ("nohz_full", nohz_full)):
        if text is not None:
            plain_node.put(debian, "/sys/devices/system/cpu/" + name, text)
    steps = check(debian)
    assert status in statuses(steps).values() and set(statuses(steps).values()) <= {"ok", status}
    assert words is None or any(step["running"] == words and words in step["reason"] for step in steps.values())


def test_without_the_flag_domain_nothing_is_isolated_and_nothing_missing(debian):
    asked = {"isolcpus": "managed_irq,2-5"}
    apply(debian, asked)
    boot_tree.boot(debian)
    plain_node.put(debian, "/sys/devices/system/cpu/isolated", "")
    assert statuses(check(debian, asked)) == {"isolcpus": "ok"}


def test_a_setting_that_is_no_longer_asked_for_goes_alone(debian):
    apply(debian)
    made = apply(debian, {"isolcpus": "domain,2-5"})
    assert errors(made) == []
    assert "nohz_full" not in (debian / OURS[1:]).read_text()
    assert kernel_argument.generated(made.host, "nohz_full", "/proc/cmdline") == ""


def test_a_generator_that_fails_is_an_error_and_is_tried_again(debian):
    class Broken(boot_tree.Machine):
        fails = "update-grub"
    assert "it does not work today" in errors(apply(debian, kind=Broken))[0]
    steps = check(debian)
    assert statuses(steps) == {"isolcpus": "drift", "nohz_full": "drift"}
    assert "the boot loader's entries say nothing" in steps["isolcpus"]["reason"]
    assert errors(apply(debian)) == []
    assert statuses(check(debian)) == {"isolcpus": "pending_reboot", "nohz_full": "pending_reboot"}


def test_entries_that_differ_are_named(debian):
    cfg = debian / "boot/grub/grub.cfg"
    cfg.write_text(cfg.read_text().replace("ro  console", "ro isolcpus=1 console", 1))
    assert check(debian)["isolcpus"]["generated"] == "6.1.0-55-amd64=1 6.1.0-56-amd64="


@pytest.mark.parametrize(("text", "words"), [
    ('GRUB_CMDLINE_LINUX="isolcpus=1"\n', "/etc/default/grub.d/70-site.cfg:1 gives isolcpus=1"),
    ('\nGRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=1"',
     "/etc/default/grub.d/70-site.cfg:2 gives isolcpus=1"),
])
def test_another_files_value_is_a_conflict_and_nothing_of_ours_is_written(text, words, debian):
    boot_tree.put(debian, "/etc/default/grub.d/70-site.cfg", text)
    step = check(debian, {"isolcpus": "2-5"})["isolcpus"]
    assert step["status"] == "conflict"
    assert words in step["reason"]
    assert not apply(debian, {"isolcpus": "2-5"}).due


def test_a_later_file_that_would_lose_ours_is_a_conflict(debian):
    boot_tree.put(debian, "/etc/default/grub.d/99-vendor.cfg", 'GRUB_CMDLINE_LINUX_DEFAULT=" quiet"\n')
    step = check(debian)["isolcpus"]
    assert step["status"] == "conflict"
    assert "/etc/default/grub.d/99-vendor.cfg:1 replaces GRUB_CMDLINE_LINUX_DEFAULT" in step["reason"]


def test_the_same_value_in_another_file_is_found_however_it_is_spelt(debian):
    boot_tree.put(debian, "/etc/default/grub.d/70-site.cfg",
                  'GRUB_CMDLINE_LINUX_DEFAULT="$GRUB_CMDLINE_LINUX_DEFAULT isolcpus=domain,2,3,4-5"\n')
    host = boot_tree.Machine(str(debian))
    settled, isolcpus = kernel_argument.others(host), CATALOGUE.ROWS[0]
    found = kernel_argument.given(settled, isolcpus, "isolcpus", OURS, "domain,2-5")
    assert (found["file"], found["line"]) == ("/etc/default/grub.d/70-site.cfg", 1)
    assert kernel_argument.given(settled, isolcpus, "isolcpus", OURS, "domain,2-4") is None
    assert kernel_argument.rival(settled, isolcpus, "isolcpus", "/proc/cmdline", OURS, "domain,2-5") is None


def test_one_value_of_a_repeatable_key_is_enough(debian):
    running = kernel_argument.read(boot_tree.Machine(str(debian)), "console", "/proc/cmdline")
    assert running == "tty1 ttyS0"
    assert kernel_argument.satisfied(running, "ttyS0")
    assert not kernel_argument.satisfied("6.1.0=2-5 6.2.0=", "2-5")


@pytest.mark.parametrize(("build", "words"), [
    (lambda folder: boot_tree.red_hat(folder, "ro quiet", **RED_HAT), "grubby were never tried"),
    (boot_tree.systemd_boot, "kernel-install were never tried"),
])
def test_what_could_not_be_tried_is_checked_only_unless_it_is_allowed(build, words, tmp_path):
    root = build(tmp_path)
    step = check(root)["isolcpus"]
    assert step["status"] == "refused"
    assert words in step["reason"]
    assert "unverified" in step["reason"]
    before = kept(root)
    apply(root)
    assert kept(root) == before
    assert statuses(check(root, allow=["unverified"])) == {"isolcpus": "drift", "nohz_full": "drift"}


@pytest.mark.parametrize("build", [
    lambda folder: boot_tree.red_hat(folder, "ro quiet", "ro quiet", **RED_HAT),
    lambda folder: boot_tree.red_hat(folder, "ro isolcpus=7", **{
        "/etc/default/grub": 'GRUB_CMDLINE_LINUX="isolcpus=7"\n'}),
    boot_tree.systemd_boot,
    lambda folder: boot_tree.systemd_boot(folder, "root=UUID=1b2c isolcpus=7\tro\nquiet"),
])
def test_in_shared_files_each_argument_of_ours_comes_and_goes(build, tmp_path):
    root = build(tmp_path)
    before = kept(root)
    made = apply(root, allow=["unverified"])
    assert errors(made) == []
    assert not (root / OURS[1:]).exists()
    assert statuses(check(root)) == {"isolcpus": "pending_reboot", "nohz_full": "pending_reboot"}
    assert not apply(root).due
    assert [step["status"] for step in roll_back(root).steps] == ["refused", "refused"]
    assert errors(roll_back(root, allow=["unverified"])) == []
    assert kept(root) == before


def test_an_image_is_refused_with_the_command_that_does_it(tmp_path):
    root = boot_tree.red_hat(tmp_path, "ro", **{"/run/ostree-booted": "", "/usr/bin/rpm-ostree": ""})
    step = check(root, allow=["unverified"])["isolcpus"]
    assert step["status"] == "refused"
    assert "rpm-ostree kargs --append-if-missing=" in step["reason"]


def test_what_cannot_be_written_here_may_still_be_right(tmp_path):
    root = boot_tree.red_hat(tmp_path, "ro", **{"/run/ostree-booted": "", "/usr/bin/rpm-ostree": ""})
    boot_tree.put(root, "/proc/cmdline", "ro isolcpus=domain,2-5 nohz_full=2-5\n")
    host = boot_tree.Machine(str(root))
    assert kernel_argument.persisted(host, CATALOGUE.ROWS[0], "isolcpus") == {"configured": "domain,2-5", "file": None}
    assert kernel_argument.generated(host, "nohz_full", "/proc/cmdline") == "2-5"
    with pytest.raises(OSError, match="rpm-ostree"):
        kernel_argument.commit(host, [], [])


def test_where_files_are_shared_what_is_configured_is_read_from_them(tmp_path):
    root = boot_tree.red_hat(tmp_path, "ro", **dict(RED_HAT, **{"/etc/kernel/cmdline": "ro isolcpus=2,3\n"}))
    host = boot_tree.Machine(str(root))
    assert kernel_argument.persisted(host, CATALOGUE.ROWS[0], "isolcpus") == {
        "configured": "/etc/kernel/cmdline=2-3 /etc/default/grub=", "file": "/etc/kernel/cmdline"}
    assert kernel_argument.persisted(host, None, "isolcpus")["configured"].startswith("/etc/kernel/cmdline=2,3")
    assert kernel_argument.persisted(host, CATALOGUE.ROWS[1], "nohz_full")["configured"] is None


def test_an_original_is_named_alike_however_the_key_is_spelt():
    assert kernel_argument.identity(None, "intel-iommu", "/proc/cmdline") == "kernel_argument:intel_iommu"


def test_our_drop_in_is_read_back():
    text = kernel_argument.compose("# head\n", [(key, "/proc/cmdline", "2-5") for key in ("isolcpus", "nohz_full")])
    assert kernel_argument.parse(text) == {"isolcpus": "2-5", "nohz_full": "2-5"}
    assert kernel_argument.files("test") == [OURS] == [kernel_argument.file("test", "isolcpus")]


def test_nobody_undercuts_and_a_write_waits_for_the_boot(debian):
    host = boot_tree.Machine(str(debian))
    assert kernel_argument.before_us([], "isolcpus", OURS) is None
    kernel_argument.write(host, "isolcpus", "/proc/cmdline", "2-5")
    assert kernel_argument.in_force(host, CATALOGUE.ROWS[0], "isolcpus", "/proc/cmdline") == ("/proc/cmdline", "")


def test_without_a_command_line_there_is_no_such_setting(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/cmdline": None})
    assert kernel_argument.places(boot_tree.Machine(str(root)), CATALOGUE.ROWS[0], {}) == []
