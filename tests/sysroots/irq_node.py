# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder with a network card, two NVMe drives and their interrupts, and an irqbalance.

A stand-in with the behaviour seen on Linux 6.1: the queues of a drive refuse to be moved (EIO), CPUs that are offline
are refused (EINVAL), and a process has the environment that its unit's files gave it when it was started.
"""

from __future__ import annotations

import errno
import os
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._owners import unit_environment

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.systemd_node import Systemd

PCI, DEVICES = "/sys/bus/pci/devices/", "/sys/devices/pci0000:40/"
NIC, NEAR, FAR = "0000:41:00.0", "0000:42:00.0", "0000:81:00.0"
UNIT = "irqbalance.service"
PID = 500
# number: (device, name or None for one that no driver has asked for, CPUs)
INTERRUPTS = {
    "33": (NIC, "mlx5_async0@pci:0000:41:00.0", "0-3"), "34": (NIC, "mlx5_comp0@pci:0000:41:00.0", "3"),
    "35": (NIC, None, ""),
    "36": (NEAR, "nvme0q0", "1"), "37": (NEAR, "nvme0q1", "0-1"), "38": (NEAR, "nvme0q2", "2-3"),
    "39": (FAR, "nvme1q0", "0-3"), "40": (FAR, "nvme1q1", "0-3"),
}
_NAMES = {NIC: ("net/ens1", "infiniband/mlx5_0"), NEAR: ("nvme/nvme0",), FAR: ("nvme/nvme1",)}
_NODES = {NIC: "0", NEAR: "0", FAR: "1"}


def build(folder, **changed):
    """The host; `changed` as in plain_node."""
    root = systemd_node.build(folder, **dict({
        "/sys/devices/system/cpu/online": "0-3", "/sys/devices/system/cpu/possible": "0-3",
        "/sys/devices/system/cpu/present": "0-3",
        "/sys/devices/system/node/node0/cpulist": "0-1", "/sys/devices/system/node/node1/cpulist": "2-3",
        "/proc/sys/kernel/random/boot_id": "first-boot", "/proc/irq/default_smp_affinity": "f",
        "/usr/lib/systemd/system/" + UNIT: "[Service]\nEnvironmentFile=-/etc/default/irqbalance\n"
                                           "ExecStart=/usr/sbin/irqbalance --foreground $IRQBALANCE_ARGS",
        "/etc/default/irqbalance": "# IRQBALANCE_BANNED_CPULIST=",
        "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % UNIT: str(PID),
        "/proc/%d/comm" % PID: "irqbalance", "/proc/%d/environ" % PID: "LANG=C\0",
        "/proc/%d/cmdline" % PID: "/usr/sbin/irqbalance\0--foreground",
    }, **changed))
    for address, names in _NAMES.items():
        place = DEVICES + address
        plain_node.put(root, place + "/numa_node", _NODES[address])
        for name in names:
            plain_node.put(root, "%s/%s/type" % (place, name), "1")
            link(root, "/sys/class/" + name, "%s/%s" % (place, name))
            link(root, "%s/%s/device" % (place, name), place)
        link(root, PCI + address, place)
    for number, (address, name, cpus) in INTERRUPTS.items():
        interrupt(root, number, address, name, cpus)
    return root


def link(root, path, target):
    """A symbolic link to an absolute path of the node's."""
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def interrupt(root, number, address, name, cpus):
    """One interrupt of a device."""
    plain_node.put(root, DEVICES + "%s/msi_irqs/%s" % (address, number), "msix")
    if name:
        (root / "proc/irq" / number / name).mkdir(parents=True, exist_ok=True)
        plain_node.put(root, "/proc/irq/%s/smp_affinity_list" % number, cpus)
        plain_node.put(root, "/proc/irq/%s/effective_affinity_list" % number, cpus.partition("-")[0])


def affinity(root, number):
    """Where an interrupt may go."""
    return (root / "proc/irq" / number / "smp_affinity_list").read_text().strip()


class Irqs(Systemd):
    """The host with its kernel and its systemd; interrupts in `refused` answer a write with an error of that number."""

    def __init__(self, root, read_only=True, refused=None, **words):
        super().__init__(root, read_only=read_only, **words)
        self.refused = dict.fromkeys(("37", "38", "40"), errno.EIO) if refused is None else refused

    def write_value(self, path, text):
        """Write, with the errors of a kernel."""
        if path.startswith("/proc/irq/") and path.endswith("_list"):
            online = _cpulist.parse(self.read("/sys/devices/system/cpu/online"))
            error = self.refused.get(path.split("/")[3]) or (
                0 if set(_cpulist.parse(text)) & set(online) else errno.EINVAL)
            if error:
                raise OSError(error, os.strerror(error), path)
        super().write_value(path, text)

    def run(self, argv, seconds=10, changes=True):
        """A restart gives the process what its unit's files say."""
        if argv[:2] == ["systemctl", "try-restart"] and " ".join(argv) not in self.fails:
            self.asked.append(" ".join(argv))
            place = pathlib.Path(self.root) / "proc" / str(PID) / "environ"
            if unit_environment.pids(self, argv[2]):
                values = unit_environment.next_start(self, argv[2])
                place.write_text("".join("%s=%s\0" % pair for pair in sorted(values.items())))
            return 0, "", ""
        return super().run(argv, seconds, changes)
