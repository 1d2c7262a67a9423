# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the kernel arguments that isolate CPUs: what the kernel demands of them, and who must not be there.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import zlib

from .. import _cpulist
from . import isolation
from .finding import finding
from .isolation import BOOT, KERNEL_WORK, cpus, isolated, listed, live, refuse

_CPU = "/sys/devices/system/cpu/"
_MANY = 4  # So many threads on one CPU are no accident of one moment.


def threads_are_pinned(view):
    """Isolated CPUs are for those who pin every thread to a CPU of its own, and say so."""
    if not live(view, ("isolcpus", "nohz_full")) or view.options.get("cpu_isolation_threads_pinned"):
        return []
    return refuse(view, "threads-pinned", BOOT + KERNEL_WORK,
                  "no load is balanced on isolated CPUs: threads that nobody pins one by one all share the CPU on "
                  "which they were started. Set cpu_isolation_threads_pinned if every thread is, else "
                  "cpu_isolation_mode to slices")


def one_way_only(view):
    """CPUs are isolated at boot or given to a slice, not both."""
    if live(view, ("isolcpus",)) and live(view, isolation.SLICES):
        return refuse(view, "two-ways", isolation.SLICES + BOOT + KERNEL_WORK, "the same CPUs would be isolated at "
                      "boot and given to a slice, whose threads nothing would balance: choose one cpu_isolation_mode")
    return []


def r1_servers_inside(view):
    """A server with many threads collapses onto one isolated CPU, or is left with those of the system."""
    seen = view.consumers() if live(view, ("isolcpus", "nohz_full")) else None
    if seen is None:
        return []
    who = ["process %d (%s)" % (one["pid"], one["comm"]) for one in seen["servers"]]
    who += [unit["unit"] for unit in seen["units"] if unit["server"]]
    if not who:
        return []
    return refuse(view, "R1", BOOT + KERNEL_WORK, "%s: many threads, which on isolated CPUs all share one, and beside "
                  "them get the housekeeping CPUs only. Use cpu_isolation_mode slices" % listed(who))


def r1_slice_inside(view):
    """A slice is not given CPUs that the running kernel isolates: nothing would balance its threads."""
    inside = isolation.union(view, isolation.HELD + (isolation.GIVEN,)) & isolated(view)
    if not inside:
        return []
    return refuse(view, "R1", isolation.SLICES + KERNEL_WORK, "the running kernel isolates CPU %s (isolcpus): a "
                  "slice's threads there would all share one. Take the argument away and reboot first"
                  % _cpulist.format(inside))


def r1_running(view):
    """What computes on this node now does not sit with all its threads on one isolated CPU."""
    inside = isolated(view)
    if not inside:
        return []
    seen = view.consumers()
    found = []
    for one in {one["pid"]: one for one in seen["gpu"] + seen["servers"]}.values():
        on = _last_cpus(view, one["pid"])
        allowed = _allowed(view, one["pid"])
        if len(on) > _MANY and len(set(on)) == 1 and on[0] in inside:
            found.append("%d threads of process %d (%s) share CPU %d" % (len(on), one["pid"], one["comm"], on[0]))
        elif one in seen["servers"] and len(on) > 1 and len(allowed & inside) > 1:
            found.append("process %d (%s) may run on the isolated CPUs %s, where nothing balances its %d threads" % (
                one["pid"], one["comm"], _cpulist.format(allowed & inside), len(on)))
    severity = "W" if view.options.get("cpu_isolation_mode") == "none" else "E"
    return [finding("R1", severity, "isolcpus", listed(found))] if found else []


def _last_cpus(view, pid):
    """The CPU on which each thread of a process last ran."""
    folder, numbers = "/proc/%d/task" % pid, []
    for thread in view.host.names(folder):
        fields = (view.text("%s/%s/stat" % (folder, thread)) or "").rpartition(")")[2].split()
        if len(fields) > 36 and fields[36].isdigit():
            numbers.append(int(fields[36]))
    return numbers


def _allowed(view, pid):
    found = re.search(r"^Cpus_allowed_list:\s*(\S+)$", view.text("/proc/%d/status" % pid) or "", re.M)
    return set(_cpulist.parse(found.group(1))) if found else set()


def r2_kernel_conditions(view):
    """isolcpus= with flags needs `domain` among them, nohz_full= needs CONFIG_NO_HZ_FULL and the same CPUs."""
    by_name = {step["name"]: step for step in live(view, BOOT)}
    argument, full = by_name.get("isolcpus"), by_name.get("nohz_full")
    flags = [word for word in argument["desired"].split(",") if word[:1].isalpha()] if argument else []
    if flags and "domain" not in flags:
        return refuse(view, "R2", BOOT + KERNEL_WORK, "isolcpus=%s isolates nothing from the scheduler: with flags, "
                      "`domain` must be one of them" % argument["desired"])
    if full and _full_dynticks(view) is False:
        return refuse(view, "R2", ("nohz_full",), "this kernel is built without CONFIG_NO_HZ_FULL and ignores it: set "
                      "cpu_isolation_nohz_full to null")
    if full and argument and cpus(full) != cpus(argument):
        return refuse(view, "R2", BOOT + KERNEL_WORK, "nohz_full (%s) and isolcpus (%s) name different CPUs" % (
            _cpulist.format(cpus(full)), _cpulist.format(cpus(argument))))
    return []


def _full_dynticks(view):
    """Whether CONFIG_NO_HZ_FULL is in, or None where nothing tells: the file is there only in a kernel that has it."""
    if view.exists(_CPU + "nohz_full"):
        return True
    config = view.text("/boot/config-%s" % view.text("/proc/sys/kernel/osrelease")) or _packed_config(view)
    if config:
        return re.search(r"^CONFIG_NO_HZ_FULL=y$", config, re.M) is not None
    return False if view.exists(_CPU + "isolated") else None


def _packed_config(view):
    """The configuration that the kernel itself holds, or None."""
    try:
        return zlib.decompress(view.host.read_bytes("/proc/config.gz"), 31).decode("ascii", "replace")
    except (OSError, zlib.error):
        return None


def rcu_is_offloaded_already(view):
    """rcu_nocbs= adds nothing where nohz_full= names the same CPUs."""
    offloaded, full = isolation.union(view, ("rcu_nocbs",)), isolation.union(view, ("nohz_full",))
    if offloaded and offloaded <= full:
        return [finding("rcu-nocbs", "I", "rcu_nocbs", "nohz_full offloads RCU callbacks of the same CPUs already; "
                        "where they then run is decided by neither")]
    return []
