# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for the configfs of the RDMA connection manager: a host as a folder with RDMA devices.

As on Linux 6.1: a folder is made for a device with its ports in it, may be removed as it is, and shows what the kernel
keeps by device; a number beyond a byte is ERANGE, anything else EINVAL. The lab's test_rdma.py has the real one.
"""

from __future__ import annotations

import errno
import json
import os
import pathlib
import shutil

from tests.sysroots import systemd_node
from tests.sysroots.plain_node import put
from tests.sysroots.systemd_node import Systemd

ROOT = "/sys/kernel/config/rdma_cm"
KEPT = "rdma_cm.json"
RDMA = "/sys/class/infiniband/"


def build(folder, loaded=True, ports=None, **changed):
    """The host with mlx5_0, whose one port is Ethernet; `ports` maps devices to {port: link layer}."""
    root = systemd_node.build(folder, **changed)
    for device, layers in (ports or {"mlx5_0": {"1": "Ethernet"}}).items():
        for port, layer in layers.items():
            put(root, "%s%s/ports/%s/link_layer" % (RDMA, device, port), layer)
    keep(root, {})
    (root / (ROOT if loaded else "/sys/kernel/config")[1:]).mkdir(parents=True)
    return root


def keep(root, values):
    """What the kernel keeps: {device: {port: value}}."""
    (root / KEPT).write_text(json.dumps(values, sort_keys=True))


def kept(root, device, port="1"):
    """The value of a port."""
    return json.loads((pathlib.Path(root) / KEPT).read_text()).get(device, {}).get(port, 0)


class Cm(Systemd):
    """The host, whose configfs is the kernel's and whose modprobe works if `modules` is true."""

    modules = True

    def make_folder(self, path, mode=0o755):
        """A folder of a device comes with its ports."""
        made = super().make_folder(path, mode)
        if path.startswith(ROOT + "/"):
            device = path.rpartition("/")[2]
            if not self.exists(RDMA + device):
                shutil.rmtree(self.root + path)
                raise OSError(errno.ENODEV, os.strerror(errno.ENODEV), path)
            for port in self.names(RDMA + device + "/ports"):
                put(pathlib.Path(self.root), "%s/ports/%s/default_roce_tos" % (path, port),
                    str(kept(self.root, device, port)))
        return made

    def remove_folder(self, path):
        """A folder of a device goes as it is."""
        if path.startswith(ROOT + "/"):
            self._may_change("removing %s" % path)
            shutil.rmtree(self.root + path)
        else:
            super().remove_folder(path)

    def write_value(self, path, text):
        """The kernel keeps the value, not the file."""
        if path.startswith(ROOT + "/"):
            error = errno.EINVAL if not text.isdigit() else errno.ERANGE if int(text) > 255 else 0
            if error:
                raise OSError(error, os.strerror(error), path)
            device, _ports, port = path[len(ROOT) + 1:].split("/")[:3]
            values = json.loads((pathlib.Path(self.root) / KEPT).read_text())
            values.setdefault(device, {})[port] = int(text)
            keep(pathlib.Path(self.root), {name: {key: value for key, value in each.items() if value}
                                           for name, each in values.items() if any(each.values())})
        super().write_value(path, text)

    def run(self, argv, seconds=10, changes=True):
        """modprobe brings the folder."""
        if argv == ["modprobe", "rdma_cm"]:
            self._may_change("running modprobe")
            if not self.modules:
                return 1, "", "modprobe: FATAL: Module rdma_cm not found in directory /lib/modules/6.1.0\n"
            (pathlib.Path(self.root) / ROOT[1:]).mkdir()
            return 0, "", ""
        if argv[0] == "mount":
            return 32, "", "mount: /sys/kernel/config: none already mounted.\n"
        return super().run(argv, seconds, changes)
