# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The eight-GPU node with services, modules and GRUB, and configuration space that is written as on the real one.

A stand-in: of a function's bytes only the fields that the specification calls writable change, as hardware answers;
`writes` holds what came, and with `errno` every write ends so. The lab's guests have real bridges.
"""

from __future__ import annotations

import os
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci_config

from tests.sysroots import boot_tree, eight_gpu, engine, plain_node
from tests.sysroots.service_node import Services

DEVICES = "sys/bus/pci/devices"
PEER_SYMBOL = "alias symbol:ib_register_peer_memory_client ib_core"
_FOLDERS = ("/etc/modules-load.d", "/etc/modprobe.d", "/etc/systemd/system", "/run/systemd/system",
            "/etc/default/grub.d", "/sys/fs/cgroup/system.slice")
_FILES = {"/etc/machine-id": plain_node.FILES["/etc/machine-id"], "/proc/stat": plain_node.FILES["/proc/stat"],
          "/sys/fs/cgroup/cgroup.controllers": "cpuset cpu io memory hugetlb pids"}
_MODULES = {"modules.dep": "updates/dkms/nvidia-peermem.ko.zst: updates/dkms/nvidia.ko.zst\n"
                           "updates/dkms/nvidia.ko.zst:", "modules.builtin": "", "modules.symbols": PEER_SYMBOL}


def build(folder, fault=None, **changed):
    """The node with a machine's identity; `changed` maps a path, with its slashes, to another text."""
    root = pathlib.Path(eight_gpu.build(str(folder), fault))
    for path in plain_node.FOLDERS + _FOLDERS:
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
    release = (root / "proc/sys/kernel/osrelease").read_text().strip()
    modules = {"/lib/modules/%s/%s" % (release, name): text for name, text in _MODULES.items()}
    for path, text in dict(_FILES, **dict(modules, **changed)).items():
        plain_node.put(root, path, text)
    for name, text in (("/usr/sbin/grub-mkconfig", boot_tree.MKCONFIG), ("/usr/sbin/update-grub", "#!/bin/sh\n"),
                       ("/etc/default/grub", boot_tree.DEFAULT)):
        boot_tree.put(root, name, text)
    boot_tree.put(root, "/boot/grub/grub.cfg", boot_tree.grub_cfg(root))
    return root


def config(root, address):
    """The configuration space of a function."""
    return (pathlib.Path(root) / DEVICES / address / "config").read_bytes()


def put_config(root, address, space):
    """Another configuration space for a function."""
    (pathlib.Path(root) / DEVICES / address / "config").write_bytes(space)


class Pci(Services):
    """A host whose configuration space answers writes as hardware does, and whose update-grub works."""

    def __init__(self, root, read_only=True, error=None, **words):
        super().__init__(root, read_only=read_only, **words)
        self.writes = []
        self.error = error

    def run(self, argv, seconds=10, changes=True):
        """As Services, and GRUB's entries made anew from what a real shell reads; packages are in dpkg's file."""
        if argv[0].rpartition("/")[2] != "update-grub":
            return super().run(argv, seconds, changes)
        self._may_change("running update-grub")
        root = pathlib.Path(self.root)
        boot_tree.put(root, "/boot/grub/grub.cfg", boot_tree.grub_cfg(root))
        return 0, "", ""

    def write_bytes_at(self, path, offset, data):
        """Change the writable bits of a function, or refuse."""
        self._may_change("writing %s" % path)
        if self.error:
            raise OSError(self.error, os.strerror(self.error), path)
        before = self.read_bytes(path)
        writable = bytearray(len(before))
        for place, mask in ((pci_config.device_control(before), 0x7FFF), (pci_config.acs_control(before), 0x7F)):
            if place is not None:
                writable[place:place + 2] = mask.to_bytes(2, "little")
        self.writes.append((path.split("/")[-2], offset, data))
        kept = bytes(old & ~bits | new & bits for old, new, bits in zip(
            before[offset:], data, writable[offset:]))
        super().write_bytes_at(path, offset, kept)


def plan(root, values=None, **request):
    """The plan of role gpudirect there."""
    return engine.plan(root, "gpudirect", values or {}, kernel=Pci, **request)


def findings(root, values=None, **options):
    """{rule: [(severity, message)]} of such a plan."""
    found = {}
    for one in plan(root, values, options=options).findings:
        found.setdefault(one["rule"], []).append((one["severity"], one["message"]))
    return found
