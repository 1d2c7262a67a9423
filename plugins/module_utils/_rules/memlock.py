# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R15: who registers memory with an RDMA device may lock all of it.

PRIVATE to the collection. A process with CAP_IPC_LOCK needs no limit; containers and steps of jobs inherit the limit of
the service that starts them.
"""

from __future__ import annotations

import re

from .. import _limit_values as limit
from .._owners import limits
from .finding import finding
from .isolation import listed
from .rdma_node import steps

UNIT, LOGIN = "LimitMEMLOCK", "memlock"
_IPC_LOCK = 1 << 14
_STARTERS = {"docker": "docker.service", "cri-containerd": "containerd.service", "crio": "crio.service",
             "kubepods": "containerd.service", "slurmstepd": "slurmd.service"}


def r15_services(view):
    """A service that starts RDMA jobs gives them no limit; one that this plan raises will not.

    Where the operator has the limit not managed it is a warning: the word is the operator's.
    """
    covered = set(_covered(view))
    wrong = []
    for named in view.options.get("rdma_roce_services") or () if view.topology("rdma_devices") else ():
        unit = limits.canonical(view.host, str(named))
        if unit and unit not in covered:
            pair = _of_unit(view, unit)
            if pair and not _is_endless(pair):
                wrong.append("%s has %s" % (unit, pair))
    if not wrong:
        return []
    severity = "E" if any(step["name"] == UNIT and "_restore" not in step for step in view.steps) else "W"
    return [finding("R15", severity, None, "the memory that RDMA jobs may lock is limited: %s. Registering more fails, "
                    "and NCCL goes over TCP. Set rdma_roce_memlock: infinity" % listed(wrong))]


def r15_jobs(view):
    """A job that holds an RDMA device locks what it likes; one that cannot has to be started anew."""
    covered = _covered(view)
    found = {}
    for job in view.jobs():
        pair = _of_process(view, job["pid"])
        if not job["holds"].startswith("/dev/infiniband/") or pair is None or _is_endless(pair):
            continue
        unit = _unit(view, job["pid"])
        words = "process %d (%s) may lock %s of memory" % (job["pid"], job["comm"], pair.partition(":")[0])
        if unit in covered or (unit is None and steps(view, LOGIN)):
            found.setdefault(("W", "what starts it is not limited: start it anew"), []).append(words)
        else:
            found.setdefault(("E", "registering more fails, and NCCL goes over TCP: add %s to rdma_roce_services, or "
                              "give the container --ulimit memlock=-1" % (unit or "the service that starts it")),
                             []).append(words)
    return [finding("R15", severity, None, "%s: %s" % (listed(words), why))
            for (severity, why), words in sorted(found.items())]


def _covered(view):
    """The services whose limit this plan raises, or that have none."""
    return [step["target"].partition("/")[0] for step in view.steps if step["name"] == UNIT
            and "_restore" not in step and step["status"] in ("ok", "drift")]


def _of_unit(view, unit):
    try:
        pid = limits.main_process(view.host, unit)
        return limits.of_process(view.host, pid, UNIT) if pid else limits.next_start(view.host, unit, UNIT)
    except OSError:
        return None


def _of_process(view, pid):
    """SOFT:HARD of a process, None where it needs none, or is gone."""
    try:
        status = view.host.read("/proc/%d/status" % pid)
    except OSError:
        status = ""
    capable = re.search(r"^CapEff:\s*([0-9a-fA-F]+)", status, re.M)
    if capable and int(capable.group(1), 16) & _IPC_LOCK:
        return None
    try:
        return limits.of_process(view.host, pid, UNIT) or None
    except OSError:
        return None


def _is_endless(pair):
    try:
        return limit.pair(pair)[0] == float("inf")
    except ValueError:
        return False


def _unit(view, pid):
    """The service that a process belongs to or was started by, None for a login."""
    place = re.search(r"^0::(\S*)", view.text("/proc/%d/cgroup" % pid) or "", re.M)
    parts = place.group(1).strip("/").split("/") if place else []
    for part in parts:
        for start, unit in _STARTERS.items():
            if part.startswith(start):
                return unit
    services = [part for part in parts if part.endswith(".service") and not part.startswith("user@")]
    return services[-1] if services else None
