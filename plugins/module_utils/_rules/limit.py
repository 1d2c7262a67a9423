# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what limits jobs besides the settings: stacks without end, Slurm, Docker, logins, and shared memory.

PRIVATE to the collection. What services may lock is in memlock.py, how many files they may open in file_limit.py.
"""

from __future__ import annotations

import json
import re

from .. import _limit_values as limit
from .._owners import limits, pam_limits, systemd_conf, unit_files
from .._values import nearest
from .finding import finding
from .isolation import listed

# What is in the defaults of roles, or would be: not to find one of them on a node is nothing to wonder at.
_WELL_KNOWN = frozenset(name + ".service" for name in (
    "slurmd", "docker", "containerd", "crio", "podman", "kubelet", "k3s", "k3s-agent", "rke2-agent", "rke2-server",
    "pbs", "lsfd", "condor", "sshd", "ssh", "nomad", "vllm", "dcgm-exporter", "nvidia-dcgm"))
_SLURM = ("/etc/slurm/slurm.conf", "/run/slurm/conf/slurm.conf", "/etc/slurm-llnl/slurm.conf")
_DOCKER = "/etc/docker/daemon.json"
_GIB_KIB = 1 << 20


def services_are_known(view):
    """A service that an option names, that is not installed and that nobody knows, is perhaps misspelt."""
    found = []
    here = set(unit_files.services(view.host))
    for option, named in sorted(view.options.items()):
        for one in named if option.endswith("_services") and isinstance(named, (list, tuple)) else ():
            unit = str(one) if str(one).endswith(".service") else "%s.service" % one
            if unit not in _WELL_KNOWN and not limits.canonical(view.host, unit):
                found.append(finding("limit-services", "W", None, "%s: %s is not installed here, and is left out; %s"
                                     % (option, one, nearest(unit, here | _WELL_KNOWN))))
    return found


def stack(view):
    """With a stack limit of infinity glibc gives threads 2 MiB, of which NCCL before 2.28 dies."""
    wrong = []
    for job in view.jobs():
        try:
            pair = limits.of_process(view.host, job["pid"], "LimitSTACK")
        except OSError:
            continue
        if pair.startswith("unlimited:"):
            wrong.append("process %d (%s)" % (job["pid"], job["comm"]))
    return [finding("limit-stack", "W", None, "the stack of %s is unlimited, so that its threads get 2 MiB each, of "
                    "which NCCL before 2.28 dies: give what starts it LimitSTACK=8M, or ulimit -s 8192"
                    % listed(wrong))] if wrong else []


def slurm_propagates(view):
    """By default a job has the limits of the shell that it was submitted from, and not those of slurmd."""
    path = next((path for path in _SLURM if view.exists(path)), None)
    if path is None or not limits.canonical(view.host, "slurmd.service"):
        return []
    pairs = re.findall(r"^\s*(\w+)\s*=\s*(\S+)", view.text(path) or "", re.M)
    said = {key.lower(): value for key, value in pairs}
    spared = said.get("propagateresourcelimitsexcept", "").upper().split(",")
    spread = said.get("propagateresourcelimits", "ALL").upper().split(",")
    if "MEMLOCK" in spared or "ALL" in spared or not {"ALL", "MEMLOCK"} & set(spread):
        return []
    return [finding("limit-slurm", "W", None, "%s lets jobs have the memlock limit of the shell that they are "
                    "submitted from, whatever slurmd has here: set PropagateResourceLimitsExcept=MEMLOCK in it" % path)]


def docker_ulimits(view):
    """What Docker's own configuration gives to containers beats what its service has."""
    try:
        given = json.loads(view.text(_DOCKER) or "{}")["default-ulimits"]
        soft = {name: int(one["Soft"]) for name, one in given.items()}
    except (ValueError, KeyError, TypeError, AttributeError):
        return []
    found = []
    if soft.get("memlock", -1) != -1:
        found.append(finding("R15", "W", None, "%s: default-ulimits lets containers lock %d bytes of memory, and RDMA "
                             "needs more: set memlock to -1, or start them with --ulimit memlock=-1"
                             % (_DOCKER, soft["memlock"])))
    if soft.get("stack") == -1:
        found.append(finding("limit-stack", "W", None, "%s: default-ulimits gives containers a stack without end, of "
                             "whose threads NCCL before 2.28 dies: set stack to 8388608" % _DOCKER))
    return found


def logins(view):
    """What limits.d gives to everybody reaches nobody who is named there with less, nor past PAM."""
    found = []
    for step in view.steps:
        if step["kind"] != "pam_limit" or "_restore" in step or step["status"] not in ("ok", "drift"):
            continue
        less = ["%(file)s:%(line)s gives %(domain)s %(value)s" % one
                for one in pam_limits.of_some(pam_limits.lines(view.host), step["name"])
                if not limit.enough(step["_row"].value.read(one["value"]), step["desired"])]
        if less:
            found.append(finding("limit-logins", "W", step["name"], "some users are given less: %s" % listed(less)))
        if pam_limits.sshd_uses_pam(view.host) is False:
            found.append(finding("limit-logins", "W", step["name"], "sshd opens sessions without PAM, which are given "
                                 "none of this: set UsePAM yes in /etc/ssh/sshd_config"))
    return found


def r35_shm(view):
    """NCCL and vLLM talk through /dev/shm; a container has 64 MiB of it unless it is told otherwise."""
    gpus = len(view.topology("gpus"))
    size = _shm(view, "/proc/mounts")
    found = []
    if gpus and size is not None and size < gpus * _GIB_KIB:
        found.append(finding("R35", "W", None, "/dev/shm has %d MiB for %d GPUs, and NCCL and vLLM need about 1 GiB "
                             "for each: mount it with a larger size" % (size >> 10, gpus)))
    small = []
    for job in view.jobs():
        own = _shm(view, "/proc/%d/mounts" % job["pid"])
        if own is not None and own != size and own < _GIB_KIB:
            small.append("process %d (%s) has %d MiB" % (job["pid"], job["comm"], own >> 10))
    if small:
        found.append(finding("R35", "W", None, "containers have too little /dev/shm: %s. Start them with --ipc=host or "
                             "--shm-size" % listed(small)))
    return found


def _shm(view, path):
    """The size of /dev/shm in KiB as a mount table has it; None where it says none, which is half of the memory."""
    found = re.search(r"^\S+ /dev/shm tmpfs \S*\bsize=(\d+)k", view.text(path) or "", re.M)
    return int(found.group(1)) if found else None


def r35_remove_ipc(view):
    """With RemoveIPC a job's shared memory goes when its user logs out."""
    step = view.step("RemoveIPC")
    if step is not None:
        value = step["desired"] if step["status"] in ("ok", "drift") else step["running"]
    else:
        given = systemd_conf.assignments(view.host, "logind.conf", ("RemoveIPC",))
        installed = unit_files.files(view.host, "systemd-logind.service")
        value = given[-1]["value"] if given else "yes" if installed else None
    if value not in ("yes", "true", "on", "1") or (step is None and len(view.topology("gpus")) < 2):
        return []
    return [finding("R35", "W", "RemoveIPC" if step else None, "RemoveIPC=yes: when a user logs out, the shared memory "
                    "of jobs that still run goes, /dev/shm/nccl-* with it. Set it to no in logind.conf.d")]
