# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R37: what interrupts the workload's CPUs, and who else runs on them, seen while watching for some seconds.

PRIVATE to the collection.
"""

from __future__ import annotations

from .. import _cpulist
from .._owners import activity
from .._topology import interrupts
from .finding import finding
from .isolation import GIVEN, isolated

_NAMED = 10


def r37_foreign_on_workload(view):
    """Once the CPUs are divided and nothing is left to do, only the workload is on its CPUs."""
    seconds = int(view.options.get("cpu_isolation_watch_seconds") or 0)
    cpus, pinned = _workload(view)
    if seconds <= 0 or not cpus or any(step["status"] == "drift" for step in view.steps):
        return []
    if not view.host.runs_commands or not view.exists(activity.INTERRUPTS):
        return []  # Nothing happens in a capture.
    try:
        before = activity.interrupts(view.host), activity.tasks(view.host)
        view.host.wait(seconds)
        after = activity.interrupts(view.host), activity.tasks(view.host)
    except OSError as error:
        return [finding("R37", "I", None, "the workload's CPUs cannot be watched: %s: %s" % (
            activity.INTERRUPTS, error.strerror))]
    return (_interrupts(view.host, activity.fired(before[0], after[0], cpus), seconds)
            + _tasks(view.host, activity.ran(before[1], after[1], cpus), seconds, cpus, pinned))


def _workload(view):
    """(the workload's CPUs that are in force, whether it has to be pinned there thread by thread)."""
    given = view.step(GIVEN)
    if given and given["status"] == "ok":
        return set(_cpulist.parse(given["running"])), False
    step = view.step("isolcpus")
    return (isolated(view), True) if step and step["status"] == "ok" else (set(), True)


def _interrupts(host, fired, seconds):
    """One finding for all interrupts. A disk's queues interrupt the CPU that uses the disk: that is the workload."""
    managed, labels = set(), {}
    for device in interrupts.devices(host):
        managed.update(interrupts.divided(host, device["path"])[1])
        labels.update(dict.fromkeys(interrupts.numbers(host, device["path"]), device))
    words = ["%s on CPU %s, %.1f/s" % (_named(number, names, labels.get(number)), _cpulist.format(new),
                                       sum(new.values()) / seconds)
             for number, names, new in fired if number not in managed and not interrupts.is_disk_queue(names)]
    if not words:
        return []
    return [finding("R37", "W", None, "in %d s, interrupts came to the workload's CPUs: %s" % (seconds, _first(words)))]


def _named(number, names, device):
    """An interrupt with its driver's name for it and its device."""
    told = ", ".join(names)
    if device:
        told = "%s of %s %s" % (told, " ".join(device["names"]), device["address"])
    return "%s (%s)" % (number, told.strip()) if told else number


def _tasks(host, ran, seconds, cpus, pinned):
    """What is not the workload's: processes, and the kernel's own threads, which no slice holds and few can move."""
    processes, threads, watcher = [], [], host.link("/proc/self")
    for task in ran:
        group = activity.cgroup(host, task) if str(task["pid"]) != watcher else None
        if activity.is_kernel(task):
            threads.append("%s on CPU %d" % (task["comm"], task["cpu"]))
        elif not (group is None or (group + "/").startswith("/%s/" % GIVEN.partition("/")[0])
                  or (pinned and (activity.pinned_to(host, task) or cpus) <= cpus)):
            where = group or "no control group"
            processes.append("%s (pid %d of %s) on CPU %d" % (task["comm"], task["tid"], where, task["cpu"]))
    found = [("W", "tasks that are not the workload's", processes), ("I", "threads of the kernel", threads)]
    return [finding("R37", severity, None, "in %d s, %s ran on the workload's CPUs: %s" % (seconds, who, _first(words)))
            for severity, who, words in found if words]


def _first(words):
    more = "; and %d more" % (len(words) - _NAMED) if len(words) > _NAMED else ""
    return "; ".join(words[:_NAMED]) + more
