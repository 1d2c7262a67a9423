# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The CPUs of each worker of an instance that computes on CPUs: VLLM_CPU_OMP_THREADS_BIND.

PRIVATE to the collection. Pure. One hardware thread of a core each, a worker on as few NUMA nodes as it can be: vLLM's
own "auto" wants a NUMA node for every worker, and asks nobody who else computes there.
"""

from __future__ import annotations

from .. import _cpulist
from .parallel_sizes import CannotPlace


def lists(count, topology, usable, taken=()):
    """[a cpulist for each of `count` workers], of the `usable` CPUs that are not `taken`. Raises CannotPlace."""
    free = set(usable) - set(taken)
    by_node = _cores(topology, free)
    if sum(len(cores) for cores in by_node) < count:  # Fewer cores than workers: their threads count.
        by_node = [[[cpu] for cpu in sorted(free)]]
    if sum(len(cores) for cores in by_node) < count:
        raise CannotPlace("%d workers on CPUs, and %d CPU%s free for them (%s)%s" % (
            count, len(free), " is" if len(free) == 1 else "s are", _cpulist.format(free) or "none",
            "; other instances have %s" % _cpulist.format(taken) if taken else ""))
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
