# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The live jobs of a node: processes that hold a GPU or an RDMA device, and running Slurm steps.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

# Files that only somebody who computes or sends keeps open. /dev/nvidiactl and /dev/nvidia-modeset prove nothing, and
# /dev/dri/cardN is a screen; AMD compute opens /dev/kfd and render nodes, RDMA verbs open uverbs.
_DEVICE = re.compile(r"/dev/(?:nvidia\d+|nvidia-caps(?:-imex-channels)?/\S+|nvidia-caps\d+|kfd|dri/renderD\d+"
                     r"|infiniband/uverbs\d+)$")
# They hold such files for as long as the node is up and lose nothing when traffic stalls: the kernel cuts a command's
# name to 15 letters, and so are these cut. A display server computes for nobody's job.
_DAEMONS = frozenset(name[:15] for name in (
    "nvidia-persistenced", "nv-fabricmanager", "nvidia-fabricmanager", "nvlsm", "nvidia-imex", "nv-hostengine",
    "dcgm-exporter", "nvidia-smi", "nvidia-powerd", "nvidia-device-plugin", "gpu-feature-discovery", "mig-parted",
    "nvidia-mig-parted", "nvidia_gpu_exporter", "nvtop", "rocm-smi", "amd-smi", "rdcd",
    "opensm", "ibacm", "rdma-ndd", "iwpmd", "srp_daemon", "sharpd", "sharp_am", "node_exporter", "telegraf",
    "systemd-logind", "systemd-udevd", "Xorg", "X", "Xwayland", "gnome-shell", "kwin_x11", "kwin_wayland"))
_STEP = "slurmstepd"
_TICKS = 100  # USER_HZ: what /proc counts in, on every architecture that has GPUs.


def live_jobs(host):
    """([{"pid", "comm", "holds"}], whether every process could be looked into).

    One entry a process, with the first device that it holds; a Slurm step holds its own name ("slurm step").
    """
    pids = [name for name in host.names("/proc") if name.isdigit()]
    found, complete = [], not host.live or "1" in pids  # hidepid=2 leaves out what others run, init first.
    for name in pids:
        comm = _text(host, "/proc/%s/comm" % name)
        if comm is None or comm[:15] in _DAEMONS:
            continue
        holds, readable = _device(host, name)
        complete = complete and readable
        if comm == _STEP and not holds and _is_step(host, name):
            holds = "slurm step"
        if holds:
            found.append({"pid": int(name), "comm": comm, "holds": holds})
    if not complete:
        host.note("live jobs: the open files of other users' processes cannot be seen without root")
    return sorted(found, key=lambda job: job["pid"]), complete


def started_at(host, pid):
    """When a process was started, in whole seconds since the epoch, or None where there is no such process."""
    process, system = _text(host, "/proc/%s/stat" % pid), _text(host, "/proc/stat")
    booted = re.search(r"^btime (\d+)", system or "", re.M)
    fields = (process or "").rpartition(")")[2].split()
    if not booted or len(fields) < 20 or not fields[19].isdigit():
        return None
    return int(booted.group(1)) + int(fields[19]) // _TICKS


def _device(host, pid):
    """The first device that a process holds or None, and whether its open files could be read."""
    folder = "/proc/%s/fd" % pid
    try:
        numbers = host.listing(folder)
    except OSError as error:
        return None, not isinstance(error, PermissionError)
    targets = sorted(host.link("%s/%s" % (folder, number)) or "" for number in numbers)
    return next((target for target in targets if _DEVICE.match(target)), None), True


def _is_step(host, pid):
    """Whether a slurmstepd runs a step: not the one that Slurm keeps ready ("slurmstepd infinity")."""
    words = (_text(host, "/proc/%s/cmdline" % pid) or "").replace("\0", " ").split()
    return "infinity" not in words[1:2]


def _text(host, path):
    """The text of a file of a process, None if it is gone meanwhile."""
    try:
        return host.read(path)
    except OSError:
        return None
