# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host as a folder with everything that role cpu_isolation changes: systemd, GRUB, interrupts, cpufreq, irqbalance.

A stand-in: its systemd and its update-grub do what the real ones were seen to do. The lab's hosts have those.
"""

from __future__ import annotations

import os
import pathlib

from tests.sysroots import boot_tree, isolation_node, sysfs
from tests.sysroots.systemd_node import Systemd

CPU = "/sys/devices/system/cpu/"
VALUES = dict(isolation_node.SLICES, **{
    "gpuwright.slice/cpuset.cpus.partition": "root", "skew_tick": 1,
    "irq/smp_affinity_list": {"0": "0-1,8-9", "1": "4-5,12-13"}, "cpufreq/scaling_governor": "performance",
    "cpuidle/pm_qos_resume_latency_us": 50, "affinity.json": {"schema": 1, "gpus": {}}})
OPTIONS = {"cpu_isolation_mode": "slices", "cpu_isolation_partition": isolation_node.PARTITION}
BOOT = dict(isolation_node.BOOT, **{"cpufreq/scaling_governor": "performance"})
BOOT_OPTIONS = dict(isolation_node.PINNED, cpu_isolation_partition=isolation_node.PARTITION)


def build(folder, **changed):
    """Make the host below `folder`; `changed` as in plain_node."""
    everywhere = "ffff"
    files = {"/sys/devices/virtual/workqueue/cpumask": everywhere, "/proc/irq/default_smp_affinity": everywhere,
             "/usr/lib/systemd/system/irqbalance.service": "[Service]\nExecStart=/usr/sbin/irqbalance --foreground",
             "/proc/sys/kernel/random/boot_id": "6a5e1c1e-0000-4000-8000-000000000001",
             "/sys/module/kernel/parameters/none": "", CPU + "cpuidle/current_driver": "intel_idle"}
    for cpu in range(16):
        files[CPU + "cpufreq/policy%d/scaling_governor" % cpu] = "schedutil" if cpu else "powersave"
        files[CPU + "cpufreq/policy%d/scaling_available_governors" % cpu] = "performance schedutil powersave"
        files[CPU + "cpu%d/power/pm_qos_resume_latency_us" % cpu] = "0"
        files[CPU + "cpu%d/cpuidle/state0/name" % cpu] = "POLL"
    for number, cpus in (("30", "0-15"), ("31", "3"), ("40", "0-15")):
        files["/proc/irq/%s/smp_affinity_list" % number] = cpus
        files["/proc/irq/%s/effective_affinity_list" % number] = cpus.partition("-")[0]
    root = isolation_node.build(folder, **dict(files, **changed))
    _devices(root)
    for name, text in (("/usr/sbin/grub-mkconfig", boot_tree.MKCONFIG), ("/usr/sbin/update-grub", "#!/bin/sh\n"),
                       ("/etc/default/grub", boot_tree.DEFAULT)):
        boot_tree.put(root, name, text)
    (root / "etc/default/grub.d").mkdir(parents=True, exist_ok=True)
    boot_tree.put(root, "/boot/grub/grub.cfg", boot_tree.grub_cfg(root))
    boot_tree.boot(root)
    return root


def _devices(root):
    """A NIC with two queues on node 0, and a drive on node 1 that has but its administration queue."""
    for address, node, numbers in (("0000:01:00.0", 0, ("30", "31")), ("0000:81:00.0", 1, ("40",))):
        bridge = sysfs.host_bridge(root, "pci0000:%s" % ("80" if node else "00"))
        device = sysfs.device(root, bridge, address, {"class": "0x020000", "numa_node": node, "vendor": "0x15b3"})
        for number in numbers:
            sysfs.write(root, "%s/msi_irqs/%s" % (device, number), "msix")
            os.makedirs("%s/proc/irq/%s/%s" % (root, number, "nvme0q0" if node else "mlx5_comp" + number))
        if node:
            sysfs.drive(root, device, "nvme0", "A drive")
        else:
            sysfs.netdev(root, device, "eth0", {"mtu": 1500})


class Whole(Systemd):
    """Its systemctl and its update-grub work."""

    def run(self, argv, seconds=10, changes=True):
        """As Systemd, and GRUB's entries made anew from what a real shell reads."""
        if argv[0].rpartition("/")[2] != "update-grub":
            return super().run(argv, seconds, changes)
        self._may_change("running update-grub")
        self.asked.append(" ".join(argv))
        boot_tree.put(self._root(), "/boot/grub/grub.cfg", boot_tree.grub_cfg(self._root()))
        return 0, "", ""

    def _root(self):
        return pathlib.Path(self.root)
