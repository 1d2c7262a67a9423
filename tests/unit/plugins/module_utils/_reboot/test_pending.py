# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits for a boot, on a stand-in machine with GRUB: applied, booted, given back, booted again."""

from __future__ import annotations

import functools
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import IsolCpus
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._reboot import pending
from ansible_collections.gpuwright.node.plugins.module_utils._row import kernel_argument

from tests.sysroots import boot_tree, plain_node

CATALOGUE = types.SimpleNamespace(RULES=[], OPTIONS=[], ROWS=[
    kernel_argument("isolcpus", IsolCpus(), variable="test_isolcpus", doc="A test.", source="https://docs.kernel.org/")])
REQUEST = {"origins": {}, "take_over": [], "allow": [], "options": {}}


@pytest.fixture
def machine(tmp_path, monkeypatch):
    monkeypatch.setitem(pending.ROLES, "test", CATALOGUE)
    root = boot_tree.debian(tmp_path)
    plain_node.put(root, pending.BOOT_ID, "0034515a-ee05-498d-8bcc-d1edca89c442")
    return root


def asked(root, *also):
    before = plain_node.snapshot(root)
    found = pending.pending_reboot(Host(str(root)), also)
    assert plain_node.snapshot(root) == before
    return found


def apply(root):
    host = boot_tree.Machine(str(root), read_only=False)
    made = _apply.apply(functools.partial(_plan.build, host, "test", CATALOGUE, {"isolcpus": "1"}, REQUEST),
                        {"what": "test"})
    assert not made.errors


def test_nothing_waits_on_a_node_that_was_never_touched(machine):
    assert asked(machine) == {
        "settings": [], "pending": [], "given_back": [], "boot_id": "0034515a-ee05-498d-8bcc-d1edca89c442",
        "jobs": [], "schedulers": [], "distribution": None, "reboot_required": False}


def test_a_kernel_argument_waits_until_the_boot(machine):
    apply(machine)
    found = asked(machine)
    assert found["pending"] == [
        {"role": "test", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "1"}]
    assert found["reboot_required"] is True
    boot_tree.boot(machine)
    found = asked(machine)
    assert (found["pending"], found["reboot_required"]) == ([], False)
    assert [(step["role"], step["status"]) for step in found["settings"]] == [("test", "ok")]


def test_what_was_given_back_waits_too_until_run_is_empty(machine):
    apply(machine)
    boot_tree.boot(machine)
    host = boot_tree.Machine(str(machine), read_only=False)
    _rollback.carry_out(functools.partial(_rollback.plan_rollback, host, (), []))
    found = asked(machine)
    assert found["pending"] == found["given_back"] == [
        {"role": "test", "name": "isolcpus", "target": "isolcpus", "running": "1", "desired": ""}]
    (machine / "run/gpuwright-pending.json").unlink()
    boot_tree.boot(machine)
    assert asked(machine)["reboot_required"] is False


def test_a_role_of_another_version_is_not_passed_over(machine):
    apply(machine)
    path = machine / "etc/gpuwright/desired/test.json"
    path.with_name("newer.json").write_text(path.read_text().replace('"role": "test"', '"role": "newer"'))
    with pytest.raises(pending.UnknownRole, match="newer.json is of role newer"):
        asked(machine)


def test_jobs_and_schedulers_are_named(machine):
    plain_node.process(machine, 10, "slurmd")
    plain_node.process(machine, 11, "k3s-agent")
    plain_node.process(machine, 12, "kubelet")
    plain_node.process(machine, 13, "python3", "/dev/nvidia3")
    found = asked(machine)
    assert found["schedulers"] == ["kubelet", "slurmd"]
    assert found["jobs"] == [{"pid": 13, "comm": "python3", "holds": "/dev/nvidia3"}]


def test_the_distribution_counts_only_where_it_is_asked(machine):
    plain_node.put(machine, "/run/reboot-required", "*** System restart required ***")
    plain_node.put(machine, "/run/reboot-required.pkgs", "linux-image-6.1\nlibc6\nlinux-image-6.1")
    assert asked(machine)["reboot_required"] is False
    found = asked(machine, "distribution")
    assert found["distribution"] == "/run/reboot-required is there: libc6, linux-image-6.1"
    assert found["reboot_required"] is True


@pytest.mark.parametrize(("answer", "said"), [
    ((1, "Core libraries have been updated\n  * kernel\n\nReboot is required to fully utilize these updates.\n", ""),
     "needs-restarting -r: Reboot is required to fully utilize these updates."),
    ((1, "", ""), "needs-restarting -r: says so"),
    ((0, "Reboot should not be necessary.\n", ""), None)])
def test_the_red_hat_family_is_asked(tmp_path, answer, said):
    host = Host(str(plain_node.build(tmp_path)))
    host.run = lambda argv, seconds, changes: answer
    assert pending.distribution(host) == said


@pytest.mark.parametrize(("words", "notes"), [("No such file or directory", 0), ("no answer after 120 s", 1)])
def test_a_tool_that_hangs_is_a_note_and_one_that_lacks_is_none(tmp_path, words, notes):
    def run(argv, seconds, changes):
        raise CommandNotRun("needs-restarting: %s" % words)

    host = Host(str(plain_node.build(tmp_path)))
    host.run = run
    assert pending.distribution(host) is None
    assert len(host.notes) == notes
