# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with block devices: NVMe drives, an md array and an encrypted volume on them, a virtual disk, mounts.

A stand-in: `Queues` answers writes to a queue as kernels do, those that refuse what is too large and those that take
less in silence.
"""

from __future__ import annotations

import errno
import os

from ansible_collections.gpuwright.node.tests.sysroots import plain_node
from ansible_collections.gpuwright.node.tests.sysroots.plain_node import Kernel, put

DRIVE = {"scheduler": "[none] mq-deadline kyber", "max_sectors_kb": "128", "max_hw_sectors_kb": "512",
         "nr_requests": "1023", "wbt_lat_usec": "2000", "rq_affinity": "1", "nomerges": "0", "read_ahead_kb": "128",
         "rotational": "0", "optimal_io_size": "0"}
# What md and dm make has no requests of its own: its scheduler is a plain word, and nothing throttles it.
MADE = {"scheduler": "none", "max_sectors_kb": "128", "max_hw_sectors_kb": "512", "nr_requests": "128",
        "wbt_lat_usec": None, "rq_affinity": "0", "nomerges": "0", "read_ahead_kb": "128", "rotational": "0",
        "optimal_io_size": "0"}
VIRTUAL = dict(DRIVE, scheduler="none [mq-deadline] kyber", rotational="1", max_hw_sectors_kb="2147483647",
               nr_requests="256")
UNREADABLE = "(reading this is EINVAL)"
FOLDERS = ("/etc/udev/rules.d", "/usr/lib/udev/rules.d", "/run/udev/data")
ROOT_FS = "22 1 259:9 / / rw,relatime shared:1 - ext4 /dev/vda1 rw"


def build(folder, *mounts, **changed):
    """Two NVMe drives on two NUMA nodes, the disk vda with the root file system, and what is mounted."""
    root = plain_node.build(folder, **changed)
    for path in FOLDERS:
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
    for number in (0, 1):
        drive(root, number, numa_node=number)
    device(root, "vda", "pci0000:00/0000:00:03.0/virtio0/block/vda", "253:0", VIRTUAL)
    partition(root, "vda", "vda1", "259:9")
    mount(root, ROOT_FS, *mounts)
    return root


def mount(root, *lines):
    """What is mounted, as mountinfo has it."""
    put(root, "/proc/self/mountinfo", "\n".join(lines))


def mounted(number, point, kind="ext4", source="/dev/x"):
    """One line of mountinfo."""
    return "90 22 %s / %s rw,relatime shared:9 - %s %s rw" % (number, point, kind, source)


def drive(root, number, numa_node=0, wwid=None, **queue):
    """An NVMe drive with one namespace, as nvmeNn1."""
    folder = "pci0000:%d0/0000:%d1:00.0" % (4 + number, 4 + number)
    put(root, "/sys/devices/%s/numa_node" % folder, str(numa_node))
    name = "nvme%dn1" % number
    device(root, name, "%s/nvme/nvme%d/%s" % (folder, number, name), "259:%d" % number, dict(DRIVE, **queue),
           wwid=wwid or "eui.000000000000000%d" % number)
    link(root, "/sys/devices/%s/nvme/nvme%d/%s/device" % (folder, number, name), "../../nvme%d" % number)
    link(root, "/sys/devices/%s/nvme/nvme%d/device" % (folder, number), "../../../0000:%d1:00.0" % (4 + number))


def device(root, name, place, number, queue, **files):
    """A whole block device below /sys/devices, with its links in the classes."""
    folder = "/sys/devices/" + place
    put(root, folder + "/dev", number)
    for path, text in files.items():
        put(root, "%s/%s" % (folder, path.replace("__", "/")), text)
    for path, text in queue.items():
        if text is not None or path == "wbt_lat_usec":
            put(root, "%s/queue/%s" % (folder, path), UNREADABLE if text is None else text)
    classes(root, name, folder, number)


def partition(root, parent, name, number):
    """A partition, which has no queue."""
    folder = os.path.realpath("%s/sys/class/block/%s" % (root, parent))[len(str(root)):] + "/" + name
    put(root, folder + "/partition", "1")
    put(root, folder + "/dev", number)
    classes(root, name, folder, number)


def classes(root, name, folder, number):
    """The links to a device."""
    link(root, "/sys/class/block/" + name, "../.." + folder[len("/sys"):])
    link(root, "/sys/dev/block/" + number, "../.." + folder[len("/sys"):])


def link(root, path, target):
    """A symbolic link below the root."""
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(target)


def array(root, name="md127", number="9:127", level="raid0", chunk=524288, parts=("nvme0n1", "nvme1n1"), uuid=None):
    """An md array on these devices."""
    device(root, name, "virtual/block/" + name, number, MADE, md__level=level, md__chunk_size=str(chunk),
           md__degraded="0")
    if uuid:
        put(root, "/run/udev/data/b" + number, "I:1\nE:MD_NAME=any:0\nE:MD_UUID=%s\nG:systemd" % uuid)
    holds(root, name, *parts)


def mapping(root, name, number, mapped, uuid, *parts):
    """A device of device mapper on these."""
    device(root, name, "virtual/block/" + name, number, MADE, dm__name=mapped, dm__uuid=uuid)
    holds(root, name, *parts)


def holds(root, name, *parts):
    """The links from a device to those below it."""
    for part in parts:
        link(root, "/sys/devices/virtual/block/%s/slaves/%s" % (name, part), "../../../../../class/block/" + part)


class Queues(Kernel):
    """A host whose queues answer as a kernel's: `refuses` is what older ones do with sizes above the hardware's."""

    refuses = False
    page_kb = 4

    def read(self, path):
        """Read as Host does; what throttles writeback cannot be read where it is not in use."""
        text = super().read(path)
        if text == UNREADABLE:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
        return text

    def write_value(self, path, text):
        """Write as Host does, with the kernel's answers and side effects."""
        folder, _queue, name = path.rpartition("/queue/")
        if not folder:
            super().write_value(path, text)
        elif name == "scheduler":
            self._schedule(path, text)
        elif name == "read_ahead_kb":
            super().write_value(path, str(int(text) // self.page_kb * self.page_kb))
        elif name == "nr_requests":
            if "[none]" in self.read(folder + "/queue/scheduler") and int(text) > 1023:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
            super().write_value(path, text)
        elif name == "max_sectors_kb":
            self._limit(folder + "/queue/", text)
        elif name != "io_poll":  # Which is ignored.
            super().write_value(path, text)

    def _schedule(self, path, text):
        if "[" not in self.read(path):
            return  # Any word is taken, and nothing is done.
        before = self.read(path)
        super().write_value(path, text)
        if self.read(path) != before:
            super().write_value(path.replace("scheduler", "nr_requests"), "1023" if text == "none" else "256")

    def _limit(self, queue, text):
        most = int(self.read(queue + "max_hw_sectors_kb"))
        if int(text) < self.page_kb or (self.refuses and int(text) > most):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), queue + "max_sectors_kb")
        size = min(int(text), most)
        super().write_value(queue + "max_sectors_kb", str(size))
        if self.read(queue + "rotational") == "1":
            ahead = max(int(self.read(queue + "read_ahead_kb")), 2 * size)
            super().write_value(queue + "read_ahead_kb", str(ahead))


class OldQueues(Queues):
    """A kernel that refuses a size above the hardware's."""

    refuses = True
