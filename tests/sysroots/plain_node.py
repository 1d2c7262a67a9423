# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small two-node host as a folder of files, for what needs values to read and write but no devices.

A stand-in for a kernel: its files keep what is written to them, and `Kernel` moves brackets and zeroes twins as one
does. The lab's hosts have real ones.
"""

from __future__ import annotations

import errno
import os
import pathlib
import re

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

THP = "/sys/kernel/mm/transparent_hugepage"
FILES = {
    "/etc/machine-id": "0123456789abcdef0123456789abcdef",
    "/proc/cmdline": "BOOT_IMAGE=/boot/vmlinuz root=/dev/sda1 ro quiet",
    "/proc/meminfo": "MemTotal:       131072000 kB\nSwapTotal:       1048576 kB",
    "/proc/stat": "cpu  1 2 3 4\nbtime 1760000000",
    "/proc/cpuinfo": "processor\t: 0\nvendor_id\t: GenuineIntel\n\nprocessor\t: 1\nvendor_id\t: GenuineIntel\n",
    "/proc/sys/vm/swappiness": "60",
    "/proc/sys/vm/max_map_count": "65530",
    "/proc/sys/vm/dirty_ratio": "20",
    "/proc/sys/vm/dirty_background_ratio": "10",
    "/proc/sys/vm/dirty_bytes": "0",
    "/proc/sys/vm/dirty_background_bytes": "0",
    "/proc/sys/vm/panic_on_oom": "0",
    "/proc/sys/vm/zone_reclaim_mode": "0",
    "/proc/sys/kernel/panic": "0",
    "/proc/sys/kernel/numa_balancing": "1",
    THP + "/enabled": "[always] madvise never",
    THP + "/defrag": "always defer defer+madvise [madvise] never",
    THP + "/shmem_enabled": "always within_size advise [never] deny force",
    THP + "/khugepaged/defrag": "1",
    THP + "/khugepaged/pages_to_scan": "4096",
    THP + "/khugepaged/scan_sleep_millisecs": "10000",
    THP + "/khugepaged/max_ptes_none": "511",
    "/sys/devices/system/node/online": "0-1",
    "/sys/devices/system/node/node0/cpulist": "0",
    "/sys/devices/system/node/node1/cpulist": "1",
    "/sys/devices/system/node/node0/distance": "10 21",
    "/sys/devices/system/node/node1/distance": "21 10",
    "/sys/devices/system/node/node0/hugepages/hugepages-2048kB/nr_hugepages": "0",
    "/sys/devices/system/node/node1/hugepages/hugepages-2048kB/nr_hugepages": "0",
    "/sys/devices/system/node/node0/hugepages/hugepages-1048576kB/nr_hugepages": "0",
    "/sys/devices/system/node/node1/hugepages/hugepages-1048576kB/nr_hugepages": "0",
    "/sys/devices/system/cpu/online": "0-1",
    "/sys/devices/system/cpu/possible": "0-1",
    "/sys/devices/system/cpu/present": "0-1",
    "/sys/devices/system/cpu/cpu0/topology/physical_package_id": "0",
    "/sys/devices/system/cpu/cpu0/topology/core_id": "0",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0",
    "/sys/devices/system/cpu/cpu1/topology/physical_package_id": "1",
    "/sys/devices/system/cpu/cpu1/topology/core_id": "0",
    "/sys/devices/system/cpu/cpu1/topology/thread_siblings_list": "1",
}
FOLDERS = ("/etc/sysctl.d", "/etc/tmpfiles.d", "/run", "/var/lib")


def build(folder, **changed):
    """Make the host below `folder`; `changed` maps a path, with its slashes, to another text, or None for no file."""
    root = pathlib.Path(folder)
    for path in FOLDERS:
        (root / path[1:]).mkdir(parents=True, exist_ok=True)
    for path, text in dict(FILES, **changed).items():
        if text is not None:
            put(root, path, text)
    return root


def put(root, path, text):
    """Write one file below the root, its folders made."""
    place = root / path[1:]
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(text + "\n", encoding="utf-8")


class Kernel(Host):
    """A host whose files answer a write as a kernel's do: words are bracketed, a twin is zeroed, junk is EINVAL."""

    def write_value(self, path, text):
        """Write as Host does, with the kernel's side effects."""
        old = self.read(path)
        if "[" in old:
            words = re.sub(r"[\[\]]", "", old).split()
            if text not in words:
                raise OSError(errno.EINVAL, os.strerror(errno.EINVAL), path)
            text = " ".join("[%s]" % word if word == text else word for word in words)
        twin = re.sub("_ratio$", "_bytes", path) if path.endswith("_ratio") else re.sub("_bytes$", "_ratio", path)
        super().write_value(path, text + "\n")
        if "/vm/dirty_" in path and twin != path:
            super().write_value(twin, "0\n")


def process(root, pid, comm, *holds):
    """A process that holds files open, as /proc shows it."""
    put(root, "/proc/%d/comm" % pid, comm)
    put(root, "/proc/%d/cmdline" % pid, comm)
    put(root, "/proc/%d/stat" % pid, "%d (%s) S " % (pid, comm) + " ".join(["1"] * 18) + " 100 " + " ".join(["0"] * 30))
    (root / "proc" / str(pid) / "fd").mkdir(parents=True, exist_ok=True)
    for number, held in enumerate(holds):
        os.symlink(held, root / "proc" / str(pid) / "fd" / str(number + 3))


def snapshot(root):
    """Every folder, file and link below the root with its content and mode, for comparing before with after."""
    found = {}
    for place in sorted(pathlib.Path(root).rglob("*")):
        name = "/" + str(place.relative_to(root))
        if place.is_symlink():
            found[name] = os.readlink(place)
        elif place.is_dir():
            found[name] = "folder"
        else:
            found[name] = (place.read_bytes(), place.stat().st_mode)
    return found
