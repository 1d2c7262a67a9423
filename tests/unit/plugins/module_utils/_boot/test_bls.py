# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the Boot Loader Specification, and GRUB's environment block."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._boot import bls
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import boot_tree

# As recorded on RHEL 8: the entry of one machine, the environment block of another.
ENTRY = """
title Red Hat Enterprise Linux (4.18.0-80.1.2.el8_0.x86_64) 8.0 (Ootpa)
version 4.18.0-80.1.2.el8_0.x86_64
linux /vmlinuz-4.18.0-80.1.2.el8_0.x86_64
initrd /initramfs-4.18.0-80.1.2.el8_0.x86_64.img $tuned_initrd
options root=/dev/mapper/rhel_vm37--146-root ro crashkernel=auto rd.lvm.lv=rhel_vm37-146/root $tuned_params noapic
id rhel-20190428101407-4.18.0-80.1.2.el8_0.x86_64
"""
GRUBENV = """# GRUB Environment Block
saved_entry=295e1ba1696e4fad9e062f096f92d147-4.18.0-305.el8.x86_64
kernelopts=root=/dev/mapper/root_vg-lv_root ro console=tty0 console=ttyS0,115200
tuned_params=skew_tick=1 a\\\\b
boot_success=0
"""


def host(root):
    return Host(str(root))


def test_an_entry_is_read_with_its_variables_put_in(tmp_path):
    boot_tree.put(tmp_path, "/boot/loader/entries/a.conf", ENTRY)
    boot_tree.put(tmp_path, "/boot/grub2/grubenv", GRUBENV + "#" * 500)
    assert [(one.version, one.line, one.options) for one in bls.entries(host(tmp_path))] == [(
        "4.18.0-80.1.2.el8_0.x86_64", 6,
        "root=/dev/mapper/rhel_vm37--146-root ro crashkernel=auto rd.lvm.lv=rhel_vm37-146/root skew_tick=1 a\\b "
        "noapic")]


def test_a_variable_that_is_set_nowhere_is_nothing(tmp_path):
    boot_tree.put(tmp_path, "/boot/loader/entries/a.conf", "linux /v\noptions $kernelopts ${x}quiet\n")
    assert [(one.version, one.options, one.variables) for one in bls.entries(host(tmp_path))] == [
        ("a", " quiet", ["kernelopts", "x"])]


def test_rescue_and_unified_images_are_no_entries_of_kernels(tmp_path):
    boot_tree.put(tmp_path, "/efi/loader/entries/abc-0-rescue.conf", "linux /v\noptions ro\n")
    boot_tree.put(tmp_path, "/efi/loader/entries/uki.conf", "efi /EFI/Linux/a.efi\n")
    boot_tree.put(tmp_path, "/efi/loader/entries/ok.conf", "# x\nlinux\t/v\noptions ro\noptions quiet\n")
    assert [(one.file, one.options) for one in bls.entries(host(tmp_path))] == [
        ("/efi/loader/entries/ok.conf", "ro quiet")]


def test_there_may_be_no_entries(tmp_path):
    assert bls.folder(host(tmp_path)) is None
    assert bls.entries(host(tmp_path)) == []


def test_the_room_in_the_environment_block_is_what_its_padding_takes(tmp_path):
    boot_tree.put(tmp_path, "/boot/grub2/grubenv", GRUBENV + "#" * (1024 - len(GRUBENV)))
    assert bls.room(host(tmp_path)) == 1024 - len(GRUBENV)
