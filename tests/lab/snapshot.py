# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on a node: every kernel value and every file that a run could have touched, as JSON, for exact comparison."""

from __future__ import annotations

import glob
import hashlib
import json
import os
import stat
import subprocess
import sys

VALUES = (
    "/proc/sys/vm", "/proc/sys/kernel", "/proc/sys/fs", "/proc/sys/net", "/sys/kernel/mm", "/sys/devices/system/node",
    "/proc/cmdline",
    "/proc/irq/default_smp_affinity", "/sys/devices/virtual/workqueue/cpumask", "/sys/devices/system/cpu/isolated",
    "/sys/fs/cgroup/system.slice/cpuset.cpus", "/sys/fs/cgroup/user.slice/cpuset.cpus",
    "/sys/fs/cgroup/init.scope/cpuset.cpus", "/sys/fs/cgroup/gpuwright.slice/cpuset.cpus",
    "/sys/class/block/*/queue", "/sys/class/net/*/mtu", "/sys/class/net/*/tx_queue_len",
    "/sys/class/net/*/gro_flush_timeout", "/sys/class/net/*/napi_defer_hard_irqs",
    "/sys/class/infiniband/*", "/sys/kernel/config/rdma_cm", "/sys/module/*/parameters",
)
# What no file says: routes and their rules, queueing disciplines, rings, channels, coalescing, a service's limits.
COMMANDS = (
    "ip -4 rule", "ip -6 rule", "ip -4 route show table all", "ip -6 route show table all", "tc qdisc",
    "ethtool -g eth0", "ethtool -l eth0", "ethtool -c eth0",
    "prlimit --noheadings --raw --pid $(systemctl show --value --property MainPID irqbalance)",
)
FILES = (
    "/boot/grub", "/etc", "/run", "/usr/lib/tuned", "/usr/lib/sysctl.d", "/usr/lib/tmpfiles.d", "/usr/local",
    "/var/lib", "/root",
)

# What the operating system itself changes, and why: nothing else may differ.
CHANGING_VALUES = {
    "/proc/sys/kernel/random": "random numbers, and how many there are",
    "/proc/sys/kernel/ns_last_pid": "the number of the last process",
    "/proc/sys/kernel/pty/nr": "how many terminals are open",
    "/proc/sys/kernel/perf_event_max_sample_rate": "lowered by the kernel when sampling was slow",
    "/proc/sys/kernel/perf_cpu_time_max_percent": "goes with the sample rate",
    "/proc/sys/vm/admin_reserve_kbytes": "reckoned at boot from the memory that was free then",
    "/proc/sys/vm/user_reserve_kbytes": "reckoned at boot from the memory that was free then",
    "/proc/sys/vm/stat_refresh": "a command: reading it starts a refresh",
    "/proc/sys/fs/aio-nr": "in use",
    "/proc/sys/fs/binfmt_misc": "systemd mounts it when somebody looks",
    "/proc/sys/fs/dentry-state": "in use",
    "/proc/sys/fs/file-nr": "in use",
    "/proc/sys/fs/inode-nr": "in use",
    "/proc/sys/fs/inode-state": "in use",
    "/proc/sys/fs/quota": "counters",
    "/proc/sys/net/core/netdev_rss_key": "a random number",
    "/proc/sys/net/ipv4/tcp_fastopen_key": "a random number",
    "/proc/sys/net/ipv4/tcp_mem": "reckoned at boot from the memory that was free then",
    "/proc/sys/net/ipv4/udp_mem": "reckoned at boot from the memory that was free then",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/full_scans": "counter",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/pages_collapsed": "counter",
    "/sys/kernel/mm/ksm/full_scans": "counter",
    "/sys/devices/system/node/*/meminfo": "memory in use",
    "/sys/devices/system/node/*/numastat": "counters",
    "/sys/devices/system/node/*/vmstat": "counters",
}
CHANGING_FILES = {
    "/etc/.updated": "touched by systemd at boot",
    "/run/machine-id": "the new identity of a fresh host, during its very first boot only",
    "/run/systemd": "systemd's own state: units, logins, journal streams, invocation numbers",
    "/run/udev": "udev's data on devices, in the order in which they came",
    "/run/log": "the journal",
    "/run/utmp": "who is logged in",
    "/run/user": "what a login leaves for a while",
    "/run/irqbalance": "its socket is named after its process",
    "/run/sshd.pid": "a process number",
    "/run/tuned/tuned.pid": "a process number",
    "/run/initramfs": "left by the boot loader's first stage",
    "/run/mount": "written by mount at boot",
    "/var/lib/systemd": "random seed, timers, catalogues",
    "/root/.ansible": "Ansible's temporary folder, which it makes at its first task and leaves empty",
}


def covered(path: str, names: dict[str, str]) -> bool:
    """Whether a path is one of these, lies below one, or is one for another NUMA node."""
    nodes = "/sys/devices/system/node/"
    any_node = f"{nodes}*/{path.rpartition('/')[2]}" if path.startswith(nodes) else path
    return any_node in names or any(path == name or path.startswith(name + "/") for name in names)


def value(path: str) -> str | None:
    """What the kernel says, or None for what cannot be read, such as a command that is only written."""
    try:
        with open(path, "rb") as file:
            return file.read(65536).decode("utf-8", "replace")
    except OSError:
        return None


def below(top: str, names: dict[str, str]) -> tuple[list[str], list[str]]:
    """The folders and the files below a place, without those that are covered by these names."""
    found: tuple[list[str], list[str]] = ([], [])
    for at, folders, files_here in os.walk(top):
        folders[:] = [name for name in folders if not covered(os.path.join(at, name), names)]
        for kept, here in zip(found, (folders, files_here)):
            kept.extend(path for path in (os.path.join(at, name) for name in here) if not covered(path, names))
    return found


def values() -> dict[str, str | None]:
    """The kernel's values, the names of its modules, and what commands say."""
    found = {"modules": " ".join(sorted(line.split()[0] for line in (value("/proc/modules") or "").splitlines()))}
    for top in [one for pattern in VALUES for one in glob.glob(pattern) or [pattern]]:
        paths = below(top, CHANGING_VALUES)[1] or [top]
        found.update({path: value(path) for path in paths if not covered(path, CHANGING_VALUES)})
    for words in COMMANDS:
        done = subprocess.run(words, shell=True, capture_output=True, text=True, check=False)
        found[words] = done.stdout + done.stderr
    return found


def described(path: str) -> list[str | int | None]:
    """Kind, mode, owner and content of one file, folder or link."""
    about = os.lstat(path)
    content = None
    if stat.S_ISLNK(about.st_mode):
        content = os.readlink(path)
    elif stat.S_ISREG(about.st_mode):
        with open(path, "rb") as file:
            content = hashlib.sha256(file.read()).hexdigest()
    return [stat.filemode(about.st_mode), about.st_uid, about.st_gid, content]


def files() -> dict[str, list[str | int | None]]:
    """Every file and folder in the places where settings are kept."""
    found = {}
    for top in FILES:
        for paths in below(top, CHANGING_FILES):
            found.update({path: described(path) for path in paths})
    return found


if __name__ == "__main__":
    json.dump({"values": values(), "files": files()}, sys.stdout, indent=0, sort_keys=True)
