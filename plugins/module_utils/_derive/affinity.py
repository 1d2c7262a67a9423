# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a launcher needs to place a process by its GPU: its CPUs, its memory and its RDMA devices.

PRIVATE to the collection. Pure. It is what /etc/gpuwright/affinity.json holds.
"""

from __future__ import annotations

from .. import _cpulist

SCHEMA = 1
_SETS = ("housekeeping", "workload")


def affinity(topology, partition):
    """{schema, housekeeping, workload, refused, gpus: {"0": {pci_address, uuid, cpus, memory_nodes, rdma_devices}}}.

    Only GPUs that the partition gives CPUs are in it: a process on another one is not to be bound. `memory_nodes` are
    the NUMA nodes of the GPU's CPUs, the nearest with memory for one that has none, and [] where the kernel knows
    nothing of NUMA. Raises ValueError for a partition that does not fit this node.
    """
    sets, slices = _sets(partition)
    _check(topology, sets, slices)
    gpus = {str(gpu["index"]): gpu for gpu in topology.get("gpus") or ()}
    nearest = topology.get("gpu_nics") or {}
    told = dict({"schema": SCHEMA, "refused": partition.get("refused")}, **sets)
    told["gpus"] = {index: {
        "pci_address": gpus[index].get("pci_address"),
        "uuid": gpus[index].get("uuid"),
        "cpus": cpus,
        "memory_nodes": _memory_nodes(topology, set(_cpulist.parse(cpus))),
        "rdma_devices": list(nearest.get(index) or ()),
    } for index, cpus in sorted(slices.items(), key=lambda item: int(item[0]))}
    return told


def _sets(partition):
    """({housekeeping, workload}, {GPU: its CPUs}); an operator's own may have numbers where one CPU or GPU is meant."""
    gpus = partition.get("gpus") if isinstance(partition, dict) else None
    sets = {name: partition.get(name) for name in _SETS} if isinstance(gpus, dict) else {"": None}
    slices = {str(index): cpus for index, cpus in (gpus or {}).items()}
    if not all(isinstance(cpus, (str, int)) for cpus in [*sets.values(), *slices.values()]):
        raise ValueError("the partition must be what the filter gpuwright.node.cpu_partition gives: a dictionary with "
                         "housekeeping and workload, lists of CPUs, and gpus, one list of CPUs for each")
    return tuple({name: _cpulist.format(_cpulist.parse(str(cpus))) for name, cpus in named.items()}
                 for named in (sets, slices))


def _check(topology, sets, slices):
    """Raise ValueError for GPUs and CPUs that this node does not have."""
    known = sorted(str(gpu["index"]) for gpu in topology.get("gpus") or ())
    strange = sorted(set(slices) - set(known))
    if strange:
        raise ValueError("the partition has CPUs for GPU %s, which is not on this node; there are: %s" % (
            ", ".join(strange), ", ".join(known) or "none"))
    online = (topology.get("cpu") or {}).get("online")
    named = {number for cpus in [*sets.values(), *slices.values()] for number in _cpulist.parse(cpus)}
    missing = named.difference(_cpulist.parse(online or ""))
    if missing and online:
        raise ValueError("the partition has CPUs %s, which are not online on this node; online: %s" % (
            _cpulist.format(missing), online))


def _memory_nodes(topology, cpus):
    """The NUMA nodes to allocate from for these CPUs: their own, or the nearest with memory that is no GPU's."""
    nodes = topology.get("numa_nodes") or ()
    # Memory of unknown size is memory.
    usable = {node["id"] for node in nodes if node.get("memory") != 0 and node.get("kind") != "gpu"}
    chosen = set()
    for node in nodes:
        if cpus.intersection(_cpulist.parse(node.get("cpus") or "")):
            distances = node.get("distances") or {}
            reach = {other: distances[str(other)] for other in usable if str(other) in distances}
            chosen.update([node["id"]] if node["id"] in usable else [min(reach, key=lambda other: (
                reach[other], other))] if reach else [])
    return sorted(chosen)
