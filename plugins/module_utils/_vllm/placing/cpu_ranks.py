# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPUs of each worker of an instance that computes on CPUs: VLLM_CPU_OMP_THREADS_BIND.

PRIVATE to the collection. Pure. One hardware thread of a core each, a worker on as few NUMA nodes as it can be: vLLM's
own "auto" wants a NUMA node for every worker, and asks nobody who else computes there.
"""

from __future__ import annotations

import re

from ... import _cpulist
from . import parallel_sizes
from .parallel_sizes import CannotPlace

VARIABLE = "VLLM_CPU_OMP_THREADS_BIND"
_WORDS = ("auto", "nobind")
_LIST = re.compile(r"\d{1,5}(-\d{1,5})?(,\d{1,5}(-\d{1,5})?)*\Z", re.ASCII)


def share(instances, topology):
    """{"workers": [(instance, how many)], "busy": cpulist} of all instances on CPUs of a node, which divide them.

    "busy" is what those have whose environment names their CPUs itself.
    """
    workers, busy = [], set()
    for one in sorted(instances, key=lambda one: one["name"]):
        bound = one["environment"].get(VARIABLE)
        if not on_cpus(one, topology):
            continue
        if bound is not None:
            busy.update(*_lists_of(bound) or ())
            continue
        try:
            workers.append((one["name"], parallel_sizes.on_a_node(one, parallel_sizes.sizes(one))))
        except CannotPlace:
            continue  # It is refused by itself.
    return {"workers": workers, "busy": _cpulist.format(busy)}


def _lists_of(bound):
    """[the CPUs of each worker] that a value of the variable names, as vLLM reads it; None for what is none."""
    try:
        return [set(_cpulist.parse(part)) for part in bound.split("|")] if all(
            _LIST.match(part) for part in bound.split("|")) else None
    except ValueError:
        return None


def check_own(bound, count, given):
    """Raise CannotPlace where vLLM could not start with this value: one list a worker, of the CPUs that it is given."""
    if bound in _WORDS:
        return
    lists_of = _lists_of(bound)
    if lists_of is None:
        raise CannotPlace("%s: %r is none; legal are %s, and a list of CPUs for each worker, as in 0-7|8-15" % (
            VARIABLE, bound, ", ".join(_WORDS)))
    if len(lists_of) != count:
        raise CannotPlace("%s: %r has %d lists of CPUs for %d workers" % (VARIABLE, bound, len(lists_of), count))
    strange = set().union(*lists_of) - set(given)
    if given and strange:
        raise CannotPlace("%s: CPU %s is not among those that it may use: %s" % (
            VARIABLE, _cpulist.format(strange), _cpulist.format(given)))


def on_cpus(instance, topology):
    """Whether an instance computes on CPUs: gpus: 0 says so, or the node has no GPU at all and none was asked for."""
    return instance["gpus"] == 0 or (instance["gpus"] is None and not topology.get("gpus"))


def of_instance(name, count, shared, topology, usable):
    """([a cpulist for each of an instance's workers], a warning or None). Raises CannotPlace.

    All workers of the node are counted, so that the same instances always have the same CPUs.
    """
    workers = [one for one in (shared or {}).get("workers") or () if one[0] != name] + [(name, count)]
    free = set(usable) - set(_cpulist.parse((shared or {}).get("busy") or ""))
    if not free:
        raise CannotPlace("%s: no CPU is left for it: its slice has %s, all named by other instances" % (
            name, _cpulist.format(usable) or "none"))
    whole = sum(one[1] for one in workers)
    start = sum(one[1] for one in sorted(workers) if one[0] < name)
    if whole > len(free):
        each = sorted(free)
        return [str(each[(start + number) % len(each)]) for number in range(count)], (
            "%d workers of all instances share %d CPUs (%s)" % (whole, len(free), _cpulist.format(free)))
    return lists(whole, topology, free)[start:start + count], None


def lists(count, topology, free):
    """[a cpulist for each of `count` workers], of at least as many CPUs."""
    by_node = _cores(topology, free)
    if sum(len(cores) for cores in by_node) < count:  # Fewer cores than workers: their threads count.
        by_node = [[[cpu] for cpu in sorted(free)]]
    return [_cpulist.format(core[0] for core in part) for part in _parts(by_node, count)]


def _cores(topology, free):
    """The cores with free threads, NUMA node by NUMA node: [[[thread, ...], ...], ...]."""
    found, seen = {}, set()
    for core in (topology.get("cpu") or {}).get("cores") or ():
        threads = [cpu for cpu in _cpulist.parse(core["cpus"]) if cpu in free]
        seen.update(threads)
        if threads:
            found.setdefault(core.get("numa_node"), []).append(threads)
    rest = [[cpu] for cpu in sorted(free - seen)]
    return [found[node] for node in sorted(found, key=lambda node: (node is None, node))] + ([rest] if rest else [])


def _parts(by_node, count):
    """`count` equal parts: whole nodes are shared out where there are more workers than nodes, else joined."""
    nodes = [cores for cores in by_node if cores]
    shares = [count // len(nodes) + (number < count % len(nodes)) for number in range(len(nodes))]
    if count >= len(nodes) and all(len(cores) >= share for cores, share in zip(nodes, shares)):
        return [part for cores, share in zip(nodes, shares) for part in _cut(cores, share)]
    if count < len(nodes):
        return [[core for cores in nodes[number * len(nodes) // count:(number + 1) * len(nodes) // count]
                 for core in cores] for number in range(count)]
    return _cut([core for cores in nodes for core in cores], count)


def _cut(cores, count):
    return [cores[number * len(cores) // count:(number + 1) * len(cores) // count] for number in range(count)]
