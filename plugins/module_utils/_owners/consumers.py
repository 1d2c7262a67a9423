# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who computes on a node, and in which control group: processes at GPUs, what starts them, clients of storage.

PRIVATE to the collection. A slice that is held to a few CPUs squeezes whatever of these lives in it.
"""

from __future__ import annotations

import re

from . import gpu_units, jobs

SLICE = "gpuwright.slice"
# They start other people's processes, each in a control group of its own choosing: batch systems, container engines,
# Kubernetes. The kernel cuts a command's name to 15 letters, and so are these cut.
_STARTERS = frozenset(name[:15] for name in (
    "slurmd", "slurmstepd", "dockerd", "containerd", "containerd-shim", "containerd-shim-runc-v2", "kubelet",
    "kubelite", "k3s", "k3s-server", "k3s-agent", "rke2", "crio", "podman", "conmon", "pbs_mom", "sge_execd",
    "condor_startd", "sbatchd", "nomad", "lxd", "incusd", "raylet"))
# Enabled, they will run after the next boot. Not podman's socket, which a distribution enables and few use: its
# containers lie in machine.slice, and those that run are seen as processes.
_UNITS = frozenset(name + ".service" for name in (
    "slurmd", "docker", "containerd", "kubelet", "k3s", "k3s-agent", "rke2-server", "rke2-agent", "crio",
    "snap.docker.dockerd", "snap.microk8s.daemon-kubelite", "pbs", "condor", "lsfd", "nomad")) | {"docker.socket"}
_STORAGE = frozenset(name[:15] for name in (
    "mmfsd", "wekanode", "weka_container", "weka-agent", "wekafs_agent", "beegfs-client", "beegfs-helperd",
    "ptlrpcd", "daos_agent", "ceph-fuse", "glusterfs"))
_FILE_SYSTEMS = {"lustre": "Lustre", "gpfs": "GPFS", "wekafs": "WEKA", "beegfs": "BeeGFS", "beegfs_nodev": "BeeGFS"}
_INTERPRETERS = ("python", "pt_main", "ray::", "uvicorn")


def read(host):
    """What `cpu_isolation` has to know of this node's processes and units.

    "unified" (systemd can give slices sets of CPUs here: cgroup v2 with its cpuset controller), "complete" (every
    process could be looked into), then lists of {"pid", "comm", "cgroup", "holds"}: "gpu" (processes at GPUs and RDMA
    devices), "starters", "storage", "servers" (inference servers by their command line, with "command"), "members" (in
    our slice); "enabled" (units of starters), "mounts" (file systems of storage clients), "units" (see gpu_units.py).
    """
    held, complete = jobs.live_jobs(host)
    holds = {job["pid"]: job["holds"] for job in held}
    found = {"unified": _unified(host), "complete": complete, "gpu": [],
             "starters": [], "storage": [], "servers": [], "members": [], "enabled": _enabled(host),
             "mounts": _mounts(host), "units": gpu_units.read(host)}
    for pid in sorted(int(name) for name in host.names("/proc") if name.isdigit()):
        process = _process(host, pid, holds.get(pid))
        for group in _groups(process) if process else ():
            found[group].append(process)
    return found


def _unified(host):
    controllers = (host.text("/sys/fs/cgroup/cgroup.controllers") or "").split()
    return "cpuset" in controllers and host.exists("/run/systemd/system")


def _process(host, pid, holds):
    """One process, or None for one that ended meanwhile. `cgroup` is None where cgroup v2 does not place it."""
    comm, groups = _text(host, "/proc/%d/comm" % pid), _text(host, "/proc/%d/cgroup" % pid)
    if comm is None:
        return None
    place = re.search(r"^0::(\S*)", groups or "", re.M)
    command = ""
    if gpu_units.SERVER.search(comm) or comm.startswith(_INTERPRETERS):
        command = (_text(host, "/proc/%d/cmdline" % pid) or "").replace("\0", " ").strip()
    return {"pid": pid, "comm": comm, "cgroup": place.group(1) if place else None, "holds": holds, "command": command}


def _groups(process):
    """The lists that a process belongs to."""
    comm = process["comm"][:15]
    if process["holds"]:
        yield "gpu"
    if comm in _STARTERS:
        yield "starters"
    if comm in _STORAGE or comm.startswith("ptlrpcd_"):
        yield "storage"
    if gpu_units.SERVER.search(comm) or gpu_units.SERVER.search(process["command"]):
        yield "servers"
    if unit_of(process) == SLICE:
        yield "members"


def unit_of(process):
    """The slice or scope at the top of the tree that a process lives in, "" if in none or unknown."""
    return (process["cgroup"] or "").strip("/").partition("/")[0]


def _enabled(host):
    """Units that will start processes for others from the next boot on."""
    found = set()
    for folder in ("/etc/systemd/system", "/run/systemd/system"):
        for name in host.names(folder):
            if name.endswith((".wants", ".requires")):
                found.update(_UNITS.intersection(host.names("%s/%s" % (folder, name))))
    return sorted(found)


def _mounts(host):
    """The file systems of storage clients that are mounted: {"Lustre": its first mount point}."""
    found = {}
    for line in (host.text("/proc/mounts") or "").splitlines():
        words = line.split()
        if len(words) > 2 and words[2] in _FILE_SYSTEMS:
            found.setdefault(_FILE_SYSTEMS[words[2]], words[1])
    return found


def _text(host, path):
    """The text of a file of a process, None if it is gone meanwhile."""
    try:
        return host.read(path)
    except OSError:
        return None
