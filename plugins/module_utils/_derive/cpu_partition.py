# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CPUs of a node are for housekeeping, which for the workload, and which of those for each GPU.

PRIVATE to the collection. Pure. It deals in whole physical cores with all their online SMT siblings, and in one NUMA
node after another, for on each of them the kernel has work to do: interrupts, softirqs, kernel threads.

Housekeeping are, on every NUMA node with CPUs:
- the core of CPU 0 (where that is offline: of the lowest CPU online), which the kernel cannot do without;
- then those near most NICs: in `cpus` of the most NICs and RDMA devices, the kernel's local_cpulist of a PCI device.
  Most often that is the whole node, and all its cores are equal; where it is less, such as one chiplet, it counts;
- then those of fewest threads: E-cores of a hybrid processor do for interrupts, and the workload keeps the P-cores;
- then those that share a last-level cache with housekeeping already, so that the other caches are the workload's.

The rest is for the workload. The GPUs of a NUMA node share its rest equally: to within one core, of each kind of core
for itself, those below one cache together; what is left over goes to the first GPUs. A GPU on a node without CPUs
belongs to the nearest that has some; one of unknown place to the node of its `cpus`, else to where GPUs have most.

Nodes without CPUs (memory, GPUs' memory) are not in the answer. A kernel without NUMA is one node, 0. CPUs that are
isolated by the boot are dealt like others: the partition must not change once it is in force.

A node with no more cores than housekeeping wants is all housekeeping. The whole is refused where nothing is left for
work at all, or less than one core for each GPU of a node; then every CPU is housekeeping: nothing can be misused.
"""

from __future__ import annotations

import collections
import functools

from .. import _cpulist


def cpu_partition(topology, housekeeping_cores_per_node=2):
    """{housekeeping, workload, gpus: {"0"}, numa_nodes: {"0": {housekeeping, workload}}, refused: None or the reason}.

    All sets are cpulists. One core a node is allowed for small machines, but two are what a node under load wants.
    Raises ValueError for a number of cores that is none.
    """
    count = _count(housekeeping_cores_per_node)
    try:
        return _partition(topology, count)
    except ValueError as error:
        return _refusal(topology, str(error))


def _count(value):
    """A number of cores, also as the string that `-e` makes of it."""
    if isinstance(value, str) and value.strip().isdecimal() and value.isascii():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError("housekeeping_cores_per_node: %r is not a whole number of cores from 1 on" % (value,))
    return value


def _partition(topology, count):
    """The answer. Raises ValueError with the reason of a refusal."""
    cores = _cores(topology)
    first = min(min(core["cpus"]) for core in cores)
    nodes = collections.defaultdict(list)
    for core in cores:
        nodes[core["node"]].append(core)
    kept = {node: _housekeeping(here, count, first) for node, here in nodes.items()}
    work = {node: _in_order(core for core in here if core not in kept[node]) for node, here in nodes.items()}
    if not any(work.values()):
        largest = max(len(here) for here in nodes.values())
        raise ValueError("no core is left for work: housekeeping takes %s of each NUMA node, and none has more than %d"
                         % (_cores_in_words(count), largest))
    gpus = {}
    for node, here in _homes(topology, work).items():
        gpus.update(_dealt(node, work[node], here, count))
    return {
        "housekeeping": _cpus(core for here in kept.values() for core in here),
        "workload": _cpus(core for here in work.values() for core in here),
        "gpus": {str(index): _cpus(gpus[index]) for index in sorted(gpus)},
        "numa_nodes": {str(node): {"housekeeping": _cpus(kept[node]), "workload": _cpus(work[node])}
                       for node in sorted(nodes)},
        "refused": None,
    }


def _refusal(topology, reason):
    """What is said instead of a partition: all CPUs are housekeeping, nothing is for work."""
    cpu = topology.get("cpu") or {}
    listed = cpu.get("online") or ",".join(core["cpus"] for core in cpu.get("cores") or ())
    nodes = {str(node["id"]): node["cpus"] for node in topology.get("numa_nodes") or () if node.get("cpus")}
    return {
        "housekeeping": _tidy(listed),
        "workload": "",
        "gpus": {},
        "numa_nodes": {node: {"housekeeping": _tidy(cpus), "workload": ""}
                       for node, cpus in (nodes or {"0": listed}).items()},
        "refused": reason,
    }


def _tidy(listed):
    """A cpulist in the kernel's form; one that is none is as good as empty here, its text is in the reason."""
    try:
        return _cpulist.format(_cpulist.parse(listed))
    except ValueError:
        return ""


def _cpus(cores):
    return _cpulist.format(cpu for core in cores for cpu in core["cpus"])


def _cores_in_words(number):
    return "%d core%s" % (number, "" if number == 1 else "s")


# -- Cores -------------------------------------------------------------------------------------------------------------


def _cores(topology):
    """The cores with a CPU online, by their lowest one: [{cpus, node, cache, interrupts}], `cpus` a list here."""
    cpu = topology.get("cpu") or {}
    listed = [(_cpulist.parse(core["cpus"]), core.get("numa_node")) for core in cpu.get("cores") or ()]
    if not listed:
        raise ValueError("the topology names no cores: its section cpu was not read, or this kernel tells nothing")
    all_of_them = [number for cpus, _node in listed for number in cpus]
    online = set(_cpulist.parse(cpu["online"]) if cpu.get("online") else all_of_them)
    if not online <= set(all_of_them) or len(all_of_them) != len(set(all_of_them)):
        wrong = [number for number in online | set(all_of_them) if all_of_them.count(number) != 1]
        raise ValueError("CPUs %s are in no core or in several" % _cpulist.format(wrong))
    cache_of = {number: cpus[0] for cpus in (_cpulist.parse(cache["cpus"]) for cache in cpu.get("caches") or ())
                for number in cpus}
    interrupts = _interrupts(topology)
    only = _only_node(topology, [node for _cpus_there, node in listed])
    cores = [{"cpus": here, "node": only if node is None else node, "cache": cache_of.get(here[0], 0),
              "interrupts": interrupts[here[0]]}
             for here, node in ((sorted(online.intersection(cpus)), node) for cpus, node in listed) if here]
    return sorted(cores, key=lambda core: core["cpus"])


def _only_node(topology, places):
    """The node of cores that no node claims: the only one that there is, 0 where the kernel knows nothing of NUMA."""
    known = {node for node in places if node is not None}
    known |= {node["id"] for node in topology.get("numa_nodes") or () if node.get("cpus") != ""}
    if None in places and len(known) > 1:
        raise ValueError("%s on one of the NUMA nodes %s, and it is not known on which" % (
            _cores_in_words(places.count(None)), _cpulist.format(known)))
    return min(known, default=0)


def _interrupts(topology):
    """How many NICs and RDMA devices are near each CPU; the two of one PCI device are one."""
    devices = {(device.get("pci_address") or device.get("name"), device["cpus"])
               for section in ("nics", "rdma_devices") for device in topology.get(section) or () if device.get("cpus")}
    found = collections.Counter()
    for listed, number in collections.Counter(cpus for _address, cpus in devices).items():
        found.update(dict.fromkeys(_cpulist.parse(listed), number))
    return found


def _housekeeping(cores, count, first):
    """The housekeeping cores of one NUMA node."""
    chosen = [core for core in cores if first in core["cpus"]]
    rest = [core for core in cores if core not in chosen]
    while rest and len(chosen) < count:
        best = min(rest, key=functools.partial(_worth, {core["cache"] for core in chosen}))
        chosen.append(best)
        rest.remove(best)
    return chosen


def _worth(caches, core):
    """How a core compares as the next one for housekeeping: the lower the better."""
    return -core["interrupts"], len(core["cpus"]), core["cache"] not in caches, core["cpus"]


def _in_order(cores):
    """Cores in the order in which they are dealt: those of most threads first, and those of one cache together."""
    return sorted(cores, key=lambda core: (-len(core["cpus"]), core["cache"], core["cpus"]))


# -- GPUs --------------------------------------------------------------------------------------------------------------


def _homes(topology, work):
    """{NUMA node: [index of each GPU that gets its cores there]}; those of unknown place come last, and even it out."""
    homes = {}
    waiting = []
    for gpu in topology.get("gpus") or ():
        places = _places(topology, gpu, work)
        if len(places) == 1:
            homes.setdefault(places[0], []).append(gpu["index"])
        else:
            waiting.append((gpu["index"], places))
    for index, places in waiting:
        free = [node for node in places if work[node]] or places
        home = min(free, key=lambda node: ((len(homes.get(node, ())) + 1) / max(len(work[node]), 1), node))
        homes.setdefault(home, []).append(index)
    return homes


def _places(topology, gpu, work):
    """The NUMA nodes with CPUs that may be a GPU's: one where it is known, the nearest ones, or all."""
    if gpu.get("numa_node") in work:
        return [gpu["numa_node"]]
    distances = [node.get("distances") or {} for node in topology.get("numa_nodes") or ()
                 if node["id"] == gpu.get("numa_node")]
    reached = {node: distances[0][str(node)] for node in work if distances and str(node) in distances[0]}
    if reached:
        return sorted(node for node in reached if reached[node] == min(reached.values()))
    near = set(_cpulist.parse(gpu.get("cpus") or ""))
    return sorted(node["id"] for node in topology.get("numa_nodes") or ()
                  if node["id"] in work and near.intersection(_cpulist.parse(node.get("cpus") or ""))) or sorted(work)


def _dealt(node, cores, gpus, count):
    """{GPU: its cores} on one NUMA node: as many for each, of each kind; to whom one more falls, has the fewest."""
    if len(cores) < len(gpus):
        raise ValueError("NUMA node %s has %s left for GPU%s %s, once housekeeping has %d" % (
            node, _cores_in_words(len(cores)), "" if len(gpus) == 1 else "s", _cpulist.format(gpus), count))
    dealt = {gpu: [] for gpu in sorted(gpus)}
    for threads in sorted({len(core["cpus"]) for core in cores}, reverse=True):
        kind = [core for core in cores if len(core["cpus"]) == threads]
        each, over = divmod(len(kind), len(dealt))
        lucky = sorted(dealt, key=lambda gpu: (len(dealt[gpu]), gpu))[:over]
        for gpu, mine in dealt.items():
            share = each + (gpu in lucky)
            mine += kind[:share]
            del kind[:share]
    return dealt
