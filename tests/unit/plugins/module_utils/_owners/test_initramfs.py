# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the initramfs holds, and that it is made anew by the distribution's own tool."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import initramfs

from tests.sysroots import service_node
from tests.sysroots.service_node import Services

DEBIAN = {"/usr/sbin/update-initramfs": "", "/boot/initrd.img-6.1.0-test": ""}
DRACUT = {"/usr/bin/dracut": ""}


@pytest.mark.parametrize("files, maker, listing, making", [
    (DEBIAN, "update-initramfs", "lsinitramfs /boot/initrd.img-6.1.0-test", "update-initramfs -u -k all"),
    (DRACUT, "dracut", "lsinitrd --kver 6.1.0-test", "dracut --force --regenerate-all")])
def test_each_family_has_its_tools(tmp_path, files, maker, listing, making):
    host = Services(str(service_node.build(tmp_path, **files)), read_only=False)
    assert initramfs.maker(host) == maker
    assert initramfs.held(host, {"nvidia", "tcp-bbr", "nvme"}) == ["nvme", "tcp-bbr"]
    initramfs.make(host)
    assert host.asked == [listing, making]


@pytest.mark.parametrize("call", [lambda host: initramfs.held(host, {"nvme"}), initramfs.make])
def test_a_tool_that_fails_is_named(tmp_path, call):
    fails = ("lsinitramfs /boot/initrd.img-6.1.0-test", "update-initramfs -u -k all")
    host = Services(str(service_node.build(tmp_path, **DEBIAN)), read_only=False, fails=fails)
    with pytest.raises(CommandNotRun, match="initramfs.*: Failed: as the test wants it"):
        call(host)


def test_a_kernel_without_an_initramfs_has_nothing_to_list(tmp_path):
    host = Services(str(service_node.build(tmp_path, **{"/sbin/update-initramfs": ""})))
    assert initramfs.held(host, {"nvme"}) == [] and host.asked == []
    assert initramfs.maker(Host(str(service_node.build(tmp_path / "none")))) is None
