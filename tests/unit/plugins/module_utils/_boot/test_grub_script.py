# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines in grub.cfg."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._boot import grub_script

CFG = """
menuentry 'Ubuntu' --class ubuntu --class gnu-linux $menuentry_id_option 'gnulinux-simple-1b' {
\trecordfail
\tif [ "${initrdfail}" = 1 ]; then
\t  linux\t/boot/vmlinuz-6.8.0-40-generic root=UUID=1b ro  console=ttyS0
\telse
\t  linux\t/boot/vmlinuz-6.8.0-40-generic root=PARTUUID=2c ro  console=ttyS0 panic=-1 $vt_handoff
\tfi
}
submenu 'Advanced options' $menuentry_id_option 'gnulinux-advanced-1b' {
\tmenuentry "Ubuntu, with Linux 6.8.0-40" --class gnu-linux --id 'gnulinux-6.8.0-40-generic-advanced-1b' {
\t\tlinuxefi /boot/vmlinuz-6.8.0-40-generic root=UUID=1b ro dyndbg="file a.c +p" 'pci=config_acs=x;y'
\t}
\tmenuentry 'Ubuntu (recovery mode)' $menuentry_id_option 'gnulinux-6.8.0-40-generic-recovery-1b' {
\t\tlinux /boot/vmlinuz-6.8.0-40-generic root=UUID=1b ro recovery
\t}
}
menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
\tfwsetup
}
menuentry 'Mine' {
\tlinux /boot/vmlinuz-custom root=/dev/sda1
}
"""
# From Insights' grub.cfg of RHEL 7, shortened.
RHEL7 = """menuentry 'Red Hat (3.10.0-229.el7.x86_64) 7.0' --class red --unrestricted $menuentry_id_option \
'gnulinux-3.10.0-123.el7.x86_64-advanced-7f18' {
    linux16 /vmlinuz-3.10.0-229.el7.x86_64 root=/dev/mapper/rhel-root ro rhgb quiet
}
menuentry 'Red Hat, with Linux 0-rescue-13798f' $menuentry_id_option 'gnulinux-0-rescue-13798f-advanced-7f18' {
    linux16 /vmlinuz-0-rescue-13798f root=UUID=7f18 ro
}
"""


def test_entries_of_this_system_are_told_from_recovery_and_others():
    found = grub_script.entries(CFG)
    assert [(one.version, one.normal) for one in found] == [("6.8.0-40-generic", True)] * 3 + [
        ("6.8.0-40-generic", False), ("custom", False)]
    assert found[1].options == "root=PARTUUID=2c ro console=ttyS0 panic=-1 $vt_handoff"
    assert found[2].options == 'root=UUID=1b ro "dyndbg=file a.c +p" pci=config_acs=x;y'
    assert found[0].line == 5


def test_entries_of_an_older_red_hat_are_read_too():
    assert [(one.version, one.normal) for one in grub_script.entries(RHEL7)] == [
        ("3.10.0-229.el7.x86_64", True), ("0-rescue-13798f", False)]


@pytest.mark.parametrize(("text", "expected"), [
    ("a b\tc", ["a", "b", "c"]),
    ("a='b c' \"d $e\\\"\"", ["a=b c", 'd $e"']),
    ("a\\ b c; d", ["a b", "c"]),
    ("'open", ["open"]),
])
def test_words_are_grubs(text, expected):
    assert [word for _start, word in grub_script.words(text)] == expected


@pytest.mark.parametrize("word", ["isolcpus=domain,2-3", "a=b;c", "memmap=4G$8G", "a=x y", 'a="b"', "a={b}|<c>"])
def test_what_is_quoted_is_read_back(word):
    assert [one for _start, one in grub_script.words("linux " + grub_script.quoted(word))] == ["linux", word]


def test_what_cannot_be_quoted_is_said():
    with pytest.raises(ValueError, match="cannot be quoted"):
        grub_script.quoted("it's; more")
