# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-boot: one file that is shared with others, and the entries that are made from it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._boot import kernel_install
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun

from tests.sysroots import boot_tree

VERSIONS = ("6.8.0-1", "6.8.0-2")
LOADER = "/sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ADD = [{"target": "isolcpus", "desired": "2-5"}, {"target": "quiet", "desired": ""}]
BACK = [{"target": "isolcpus", "desired": ""}, {"target": "quiet", "desired": "(given)"}]


def machine(root):
    return boot_tree.Machine(str(root), read_only=False)


def cmdline(root):
    return (root / "etc/kernel/cmdline").read_text()


def test_the_file_is_edited_and_all_entries_are_made_anew(tmp_path):
    root = boot_tree.systemd_boot(tmp_path, "root=UUID=1b2c  ro \nquiet\n", VERSIONS)
    (root / "usr/lib/modules/6.8.0-3").mkdir()
    host = machine(root)
    kernel_install.commit(host, ADD)
    assert cmdline(root) == "root=UUID=1b2c  ro isolcpus=2-5\n"
    assert kernel_install.generated(host, "isolcpus") == [(version, "2-5") for version in VERSIONS]
    assert host.ran == [["kernel-install", "add", one, "/usr/lib/modules/%s/vmlinuz" % one] for one in VERSIONS]


@pytest.mark.parametrize("text", ["root=UUID=1b2c ro quiet\n", "ro\tisolcpus=1  quiet -- single", "# none\n"])
def test_what_was_put_and_taken_away_leaves_the_file_as_it_was(text, tmp_path):
    root = boot_tree.systemd_boot(tmp_path, text)
    before = kernel_install.sources(machine(root))
    kernel_install.commit(machine(root), [{"target": "nohz_full", "desired": "2"}])
    assert kernel_install.sources(machine(root)) != before
    kernel_install.commit(machine(root), [{"target": "nohz_full", "desired": ""}])
    assert cmdline(root) == text


def test_a_failure_takes_the_edit_back(tmp_path):
    root = boot_tree.systemd_boot(tmp_path)
    host = machine(root)
    host.fails = "kernel-install"
    with pytest.raises(CommandNotRun, match="it does not work today"):
        kernel_install.commit(host, ADD)
    assert cmdline(root) == "root=UUID=1b2c ro quiet\n"


def test_nothing_due_starts_nothing(tmp_path):
    host = machine(boot_tree.systemd_boot(tmp_path))
    kernel_install.commit(host, [])
    assert not hasattr(host, "ran")


def test_without_a_kernel_that_has_an_entry_nothing_stays_changed(tmp_path):
    root = boot_tree.systemd_boot(tmp_path)
    (root / "usr/lib/modules/6.8.0-1/vmlinuz").unlink()
    with pytest.raises(CommandNotRun, match="no installed kernel"):
        kernel_install.commit(machine(root), ADD)
    assert cmdline(root) == "root=UUID=1b2c ro quiet\n"


def test_what_the_kernel_would_cut_off_is_refused(tmp_path):
    others = kernel_install.others(machine(boot_tree.systemd_boot(tmp_path)))
    assert kernel_install.rival(others, "isolcpus", "2-5") is None
    assert "the kernel keeps 2047" in kernel_install.rival(others, "isolcpus", "1" * 2040)["words"]


@pytest.mark.parametrize(("told", "expected"), [("systemd-boot 255", True), ("GRUB 2.12", False)])
def test_the_firmware_knows_which_boot_loader_ran(told, expected, tmp_path):
    root = boot_tree.systemd_boot(tmp_path)
    (root / LOADER[1:]).parent.mkdir(parents=True)
    (root / LOADER[1:]).write_bytes(b"\6\0\0\0" + (told + "\0").encode("utf-16-le"))
    assert kernel_install.here(machine(root)) is expected


def test_without_the_firmwares_word_another_boot_loaders_configuration_decides(tmp_path):
    root = boot_tree.systemd_boot(tmp_path)
    assert kernel_install.here(machine(root))
    boot_tree.put(root, "/boot/grub/grub.cfg", "")
    assert not kernel_install.here(machine(root))


@pytest.mark.parametrize(("spoil", "words"), [
    (lambda root: boot_tree.put(root, "/efi/EFI/Linux/a-6.8.0-1.efi", ""), "unified images in /efi/EFI/Linux"),
    (lambda root: (root / "usr/bin/kernel-install").unlink(), "without kernel-install"),
    (lambda root: (root / "etc/kernel/cmdline").unlink(), "cp /proc/cmdline /etc/kernel/cmdline"),
    (lambda root: (root / "boot/loader/entries/abc-6.8.0-1.conf").unlink(), "without an entry"),
    (lambda root: None, None),
])
def test_what_is_lacking_is_said(spoil, words, tmp_path):
    root = boot_tree.systemd_boot(tmp_path)
    spoil(root)
    said = kernel_install.lacking(machine(root))
    assert said is None if words is None else words in said
