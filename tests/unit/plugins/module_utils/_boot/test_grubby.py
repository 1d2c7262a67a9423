# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Red Hat family's GRUB: grubby is told, and believed only as far as its files show it."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._boot import grubby
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun

from tests.sysroots import boot_tree, plain_node

LINE = "root=/dev/mapper/rhel-root ro crashkernel=1G rd.lvm.lv=rhel/root rd.lvm.lv=rhel/swap"
DEFAULT = 'GRUB_TIMEOUT=1\nGRUB_DISTRIBUTOR="$(sed \'s, release .*$,,g\' /etc/system-release)"\n' \
          'GRUB_CMDLINE_LINUX="crashkernel=1G rd.lvm.lv=rhel/root"\nGRUB_ENABLE_BLSCFG=true\n'
ADD = [{"target": "isolcpus", "desired": "domain,2-5"}, {"target": "nohz_full", "desired": "2-5"}]
REMOVE = [{"target": "isolcpus", "desired": ""}, {"target": "nohz_full", "desired": ""}]


class OldGrubby(boot_tree.Machine):
    """The first grubby for these entries: it looks for a key anywhere in the line, and edits with commas."""

    @staticmethod
    def grubby(root, words):
        verb, _sign, argument = words[1].partition("=")
        for path in (root / "boot/loader/entries").iterdir():
            text = path.read_text()
            if verb == "--remove-args":
                text = re.sub("%s[^ \n]*" % argument, "", text)
            elif "," not in argument:
                text = re.sub(r"(?m)^(options .*)$", r"\1 " + argument, text)
            path.write_text(text)


def machine(root, kind=boot_tree.Machine):
    return kind(str(root), read_only=False)


def files(root):
    return {name: kept for name, kept in plain_node.snapshot(root).items() if name.startswith(("/boot", "/etc"))}


@pytest.fixture
def root(tmp_path):
    return boot_tree.red_hat(tmp_path, LINE, LINE, **{"/etc/default/grub": DEFAULT, "/etc/kernel/cmdline": LINE + "\n"})


def test_all_entries_and_what_later_kernels_get_are_given_the_arguments(root):
    host = machine(root)
    assert grubby.here(host)
    before = files(root)
    grubby.commit(host, ADD)
    assert {value for _version, value in grubby.generated(host, "isolcpus")} == {"domain,2-5"}
    assert [line for _file, line in grubby.sources(host)] == [
        LINE + " isolcpus=domain,2-5 nohz_full=2-5",
        "crashkernel=1G rd.lvm.lv=rhel/root isolcpus=domain,2-5 nohz_full=2-5"]
    assert host.ran[0] == ["/usr/sbin/grubby", "--update-kernel=ALL", "--args=isolcpus=domain,2-5"]
    grubby.commit(machine(root), REMOVE)
    assert files(root) == before


def test_the_entry_for_rescue_is_not_asked(root):
    assert [version for version, _value in grubby.generated(machine(root), "ro")] == [
        "5.14.0-400.el9.x86_64", "5.14.0-401.el9.x86_64"]


def test_variables_of_the_environment_block_are_followed(tmp_path):
    env = "# GRUB Environment Block\nkernelopts=%s\n" % LINE
    root = boot_tree.red_hat(tmp_path, "$kernelopts $tuned_params", **{
        "/etc/default/grub": DEFAULT, "/boot/grub2/grubenv": env + "#" * (1024 - len(env))})
    host = machine(root)
    assert grubby.generated(host, "crashkernel") == [("5.14.0-400.el9.x86_64", "1G")]
    grubby.commit(host, ADD)
    assert grubby.generated(host, "nohz_full") == [("5.14.0-400.el9.x86_64", "2-5")]


def test_a_grubby_that_changes_other_arguments_is_undone(tmp_path):
    root = boot_tree.red_hat(tmp_path, "root=/dev/sda1 ro nohz=on nohz_full=2-5")
    before = files(root)
    with pytest.raises(CommandNotRun, match="grubby changed other arguments .* as before"):
        grubby.commit(machine(root, OldGrubby), [{"target": "nohz", "desired": ""}])
    assert files(root) == before


def test_a_grubby_that_does_not_do_it_is_named(root):
    before = files(root)
    with pytest.raises(CommandNotRun, match="did not give isolcpus=domain,2-5"):
        grubby.commit(machine(root, OldGrubby), ADD)
    assert files(root) == before


def test_a_grubby_that_fails_is_named_in_its_own_words(root):
    host = machine(root)
    host.fails = "grubby"
    with pytest.raises(CommandNotRun, match="it does not work today"):
        grubby.commit(host, ADD)


def test_nothing_due_starts_nothing(root):
    host = machine(root)
    grubby.commit(host, [])
    assert not hasattr(host, "ran")


def test_a_value_with_a_space_is_not_for_grubby(root):
    with pytest.raises(CommandNotRun, match="white space"):
        grubby.commit(machine(root), [{"target": "dyndbg", "desired": "file a +p"}])


def test_entries_that_do_not_agree_are_named(tmp_path):
    root = boot_tree.red_hat(tmp_path, LINE, LINE + " isolcpus=1")
    found = grubby.rival(grubby.others(machine(root)), "isolcpus", "2-5")
    assert "do not agree" in found["words"]
    assert found["value"] == "1"
    assert found["line"] == 5


def test_entries_that_agree_may_be_changed(tmp_path):
    root = boot_tree.red_hat(tmp_path, LINE + " isolcpus=1", LINE + " isolcpus=1")
    assert grubby.rival(grubby.others(machine(root)), "isolcpus", "2-5") is None


def test_what_does_not_fit_into_the_environment_block_is_refused(tmp_path):
    env = "# GRUB Environment Block\nkernelopts=%s\n" % LINE
    root = boot_tree.red_hat(tmp_path, "$kernelopts", **{"/boot/grub2/grubenv": env + "#" * (1024 - len(env))})
    others = grubby.others(machine(root))
    room = 1024 - len(env) - len(" isolcpus=")
    assert grubby.rival(others, "isolcpus", "1" * room) is None
    assert grubby.rival(others, "isolcpus", "1" * (room + 1))["file"] == "/boot/grub2/grubenv"


def test_what_the_kernel_would_cut_off_is_refused(root):
    found = grubby.rival(grubby.others(machine(root)), "isolcpus", "1" * 2000)
    assert "the kernel keeps 2047" in found["words"]


@pytest.mark.parametrize("text", ['GRUB_CMDLINE_LINUX="$(x)"\n', 'GRUB_CMDLINE_LINUX="open\n', "GRUB_TIMEOUT=1\n"])
def test_what_later_kernels_get_is_what_can_be_told(text, tmp_path):
    root = boot_tree.red_hat(tmp_path, LINE, **{"/etc/default/grub": text})
    assert [line for _file, line in grubby.sources(machine(root))] == [LINE]


def test_entries_that_only_root_may_see_are_not_taken_for_none(root):
    class Locked(boot_tree.Machine):
        def listing(self, folder):
            raise PermissionError(13, "Permission denied", folder)
    host = machine(root, Locked)
    assert grubby.here(host)
    with pytest.raises(PermissionError):
        grubby.generated(host, "isolcpus")
