# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the sets of CPUs themselves: which there are, which the system keeps, that no core is split.

PRIVATE to the collection. The words that all rules of role cpu_isolation share are here too.
"""

from __future__ import annotations

from .. import _cpulist
from .finding import finding

GIVEN = "gpuwright.slice/AllowedCPUs"
HELD = ("system.slice/AllowedCPUs", "user.slice/AllowedCPUs", "init.scope/AllowedCPUs")
PARTITION = "gpuwright.slice/cpuset.cpus.partition"
SLICES = HELD + (GIVEN, PARTITION)
BOOT = ("isolcpus", "nohz_full", "rcu_nocbs", "irqaffinity")
KERNEL_WORK = ("workqueue/cpumask", "irq/default_smp_affinity", "irq/smp_affinity_list",
               "irqbalance.service/IRQBALANCE_BANNED_CPULIST")
ALL = SLICES + BOOT + KERNEL_WORK
_MASKS = ("workqueue/cpumask", "irq/default_smp_affinity")
_WORKLOAD = (GIVEN, "isolcpus", "nohz_full")
_HOUSEKEEPING = HELD + ("irqaffinity", "workqueue/cpumask", "irq/default_smp_affinity", "irq/smp_affinity_list")
_ISOLATED = "/sys/devices/system/cpu/isolated"
NAMED = 5


def live(view, names=ALL):
    """The steps of these settings that this node is asked for."""
    return [step for step in view.steps
            if step["name"] in names and "_restore" not in step and step["status"] != "not_applicable"]


def refuse(view, rule, names, message):
    """Findings that refuse all of these settings that are asked for: half of them would be worse than none."""
    asked = sorted({step["name"] for step in live(view, names)}, key=names.index)
    return ([finding(rule, "E", asked[0], message)] if asked else []) + [
        finding(rule, "E", name, "not without %s" % asked[0]) for name in asked[1:]]


def cpus(step):
    """The CPUs that a step asks for, as a set."""
    if step["name"] in _MASKS:
        return set(_cpulist.from_mask(step["desired"]))
    words = [word for word in step["desired"].split(",") if not word[:1].isalpha()]
    return set(_cpulist.parse(",".join(words)))


def union(view, names):
    """All the CPUs that these settings ask for."""
    return set().union(*(cpus(step) for step in live(view, names)))


def isolated(view):
    """The CPUs that the running kernel isolates: no load is balanced on them."""
    try:
        return set(_cpulist.parse(view.text(_ISOLATED) or ""))
    except ValueError:  # "(null)", on a kernel that was never given any.
        return set()


def listed(words):
    """The first few of some words, and how many more there are."""
    words = list(words)
    more = " and %d more" % (len(words) - NAMED) if len(words) > NAMED else ""
    return ", ".join(words[:NAMED]) + more


def cpus_are_there(view):
    """Every CPU that is named exists and is online."""
    online = set(_cpulist.parse(view.topology("cpu")["online"] or ""))
    present = set(_cpulist.parse(view.topology("cpu")["present"] or "")) or online
    for step in live(view) if online else ():
        if not cpus(step) - online:
            continue
        missing = cpus(step) - present
        if missing:
            nearest = min(online, key=lambda cpu: abs(cpu - min(missing)))
            words = "there is no CPU %s, the nearest is %d; there are %s" % (
                _cpulist.format(missing), nearest, _cpulist.format(online))
        else:
            words = "CPU %s is offline; online are %s" % (_cpulist.format(cpus(step) - online), _cpulist.format(online))
        return refuse(view, "no-such-cpu", (step["name"],) + tuple(name for name in ALL if name != step["name"]), words)
    return []


def divided_as_a_whole(view):
    """Where one of the sets is somebody else's, or not to be set or read, CPUs are not divided by the others alone."""
    for names in (SLICES, _WORKLOAD[1:]):
        blocked = next((step for step in live(view, names)
                        if step["status"] in ("conflict", "unreadable", "refused")), None)
        if blocked and any(step["status"] == "drift" for step in live(view)):
            return refuse(view, "half", (blocked["name"],) + tuple(name for name in ALL if name != blocked["name"]),
                          "%s. CPUs are divided as a whole or not at all" % blocked["reason"])
    return []


def housekeeping_stays(view):
    """The system keeps CPU 0 and never shares its CPUs with the workload: an inverted set has cost 2/3 of a node."""
    first = next((step for step in live(view, _WORKLOAD) if 0 in cpus(step)), None)
    if first is not None:
        return refuse(view, "housekeeping", (first["name"],) + ALL,
                      "%s would take CPU 0 from the system; this is the set of the workload's CPUs, not of those that "
                      "housekeeping keeps" % first["desired"])
    kept, given = union(view, _HOUSEKEEPING), union(view, _WORKLOAD)
    if kept & given:
        return refuse(view, "housekeeping", ALL, "CPU %s would be both the system's and the workload's"
                      % _cpulist.format(kept & given))
    online = set(_cpulist.parse(view.topology("cpu")["online"] or ""))
    if given and online and not online - given:
        return refuse(view, "housekeeping", ALL, "no CPU would be left to the system")
    return []


def the_rest_is_the_workloads(view):
    """In slices the workload gets most of the cores that housekeeping need not keep: less would throttle the node."""
    given = union(view, (GIVEN,))
    count = int(view.options.get("cpu_isolation_housekeeping_cores_per_node") or 2)
    cores = [(set(_cpulist.parse(core["cpus"])), core["numa_node"]) for core in view.topology("cpu")["cores"]]
    nodes = {node for _cpus, node in cores}
    spare = sum(max(0, sum(here == node for _cpus, here in cores) - count) for node in nodes)
    got = sum(core <= given for core, _node in cores)
    if not given or got * 2 >= spare:
        return []
    return refuse(view, "workload", (GIVEN,) + tuple(name for name in ALL if name != GIVEN),
                  "the workload would get %d of the %d cores that are left where housekeeping keeps %d on each NUMA "
                  "node: give it more, or raise cpu_isolation_housekeeping_cores_per_node" % (got, spare, count))


def r4_whole_cores(view):
    """Cores are not split, every node keeps two cores for the system, and no CPU belongs to nobody."""
    given = union(view, _WORKLOAD)
    if not given:
        return []
    setting = live(view, _WORKLOAD)[0]["name"]
    cores = [set(_cpulist.parse(core["cpus"])) for core in view.topology("cpu")["cores"]]
    split = [_cpulist.format(core) for core in cores if core & given and core - given]
    said = ["the set splits the SMT siblings %s" % listed("(%s)" % core for core in split)] if split else []
    for node in view.topology("numa_nodes"):
        here = set(_cpulist.parse(node["cpus"] or ""))
        left = sum(bool(core & here) and not core & given for core in cores)
        if here and left < 2:
            said.append("node %d keeps %s for the system, and with it for the interrupts of its devices: it needs two "
                        "cores" % (node["id"], "one core" if left else "no core"))
    said += _left_over(view, given)
    return [finding("R4", "W", setting, words) for words in said]


def _left_over(view, given):
    """What is odd in how many CPUs go where."""
    online = set(_cpulist.parse(view.topology("cpu")["online"] or ""))
    kept = union(view, HELD)
    said = []
    if kept and online - kept - given:
        said.append("CPU %s is neither the system's nor the workload's" % _cpulist.format(online - kept - given))
    if len(given) * 2 < len(online):
        said.append("the workload gets %d of %d CPUs: is the set inverted?" % (len(given), len(online)))
    return said
