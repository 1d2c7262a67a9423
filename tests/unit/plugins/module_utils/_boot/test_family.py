# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which boot loader makes the command line, told by the files that are there."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._boot import family, grub_d, grubby, kernel_install
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import boot_tree, plain_node


def find(root):
    return family.find(Host(str(root)))


@pytest.mark.parametrize(("build", "expected"), [
    (boot_tree.debian, grub_d),
    (lambda folder: boot_tree.red_hat(folder, "root=/dev/sda1 ro"), grubby),
    (boot_tree.systemd_boot, kernel_install),
])
def test_a_known_boot_loader_is_told(build, expected, tmp_path):
    assert find(build(tmp_path)) == (expected, None)


@pytest.mark.parametrize(("files", "words"), [
    ({"/run/ostree-booted": "", "/usr/bin/rpm-ostree": ""}, "rpm-ostree kargs --append-if-missing=KEY=VALUE"),
    ({"/run/ostree-booted": "", "/usr/bin/rpm-ostree": "", "/usr/bin/bootc": "", "/usr/lib/bootc/x": ""},
     "/usr/lib/bootc/kargs.d/"),
    ({"/run/ostree-booted": ""}, "without rpm-ostree or bootc"),
])
def test_a_machine_that_is_an_image_is_refused_with_a_pointer(files, words, tmp_path):
    root = boot_tree.red_hat(tmp_path, "root=/dev/sda1 ro", **files)
    loader, said = find(root)
    assert loader is None
    assert words in said


@pytest.mark.parametrize(("files", "words"), [
    ({}, "no boot loader's configuration"),
    ({"/boot/grub/grub.cfg": ""}, "GRUB without update-grub"),
    ({"/boot/grub2/grub.cfg": ""}, "GRUB without entries"),
    ({"/etc/zipl.conf": "", "/usr/sbin/grubby": "", "/boot/loader/entries/a.conf": "linux /v\n"}, "zipl"),
    ({"/boot/extlinux/extlinux.conf": ""}, "extlinux"),
    ({"/boot/firmware/cmdline.txt": ""}, "Raspberry Pi"),
    ({"/boot/loader/entries/a.conf": "linux /v\n"}, "/boot/loader/entries is made by something"),
    ({"/boot/loader/loader.conf": "", "/usr/bin/kernel-install": ""}, "there is no /etc/kernel/cmdline"),
])
def test_any_other_machine_is_refused_with_what_is_there(files, words, tmp_path):
    root = plain_node.build(tmp_path)
    for path, text in files.items():
        boot_tree.put(root, path, text)
    loader, said = find(root)
    assert loader is None
    assert words in said


def test_a_grub_that_does_not_read_drop_ins_is_not_given_one(tmp_path):
    root = boot_tree.debian(tmp_path)
    boot_tree.put(root, "/usr/sbin/grub-mkconfig", ". ${sysconfdir}/default/grub\n")
    assert "GRUB without update-grub and /etc/default/grub.d" in find(root)[1]
