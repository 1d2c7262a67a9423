# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The eight-GPU node with a kernel that lets configuration space be written as the real one does.

A stand-in: of a function's bytes only the fields that the specification calls writable change, as hardware answers;
`writes` holds what came, and with `errno` every write ends so. The lab's guests have real bridges.
"""

from __future__ import annotations

import os
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci_config

from tests.sysroots import eight_gpu, plain_node

DEVICES = "sys/bus/pci/devices"


def build(folder, fault=None, **changed):
    """The node with a machine's identity; `changed` maps a path, with its slashes, to another text."""
    root = pathlib.Path(eight_gpu.build(str(folder), fault))
    for path in plain_node.FOLDERS + ("/etc/modules-load.d", "/etc/modprobe.d", "/etc/systemd/system"):
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
    for path, text in dict({"/etc/machine-id": plain_node.FILES["/etc/machine-id"],
                            "/proc/stat": plain_node.FILES["/proc/stat"]}, **changed).items():
        plain_node.put(root, path, text)
    return root


def config(root, address):
    """The configuration space of a function."""
    return (pathlib.Path(root) / DEVICES / address / "config").read_bytes()


def put_config(root, address, space):
    """Another configuration space for a function."""
    (pathlib.Path(root) / DEVICES / address / "config").write_bytes(space)


class Pci(Host):
    """A host whose configuration space answers writes as hardware does."""

    def __init__(self, root, read_only=True, error=None):
        super().__init__(root, read_only=read_only)
        self.writes = []
        self.error = error

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
