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
    _check(topology, partition)
    gpus = {str(gpu["index"]): gpu for gpu in topology.get("gpus") or ()}
    nearest = topology.get("gpu_nics") or {}
    told = {"schema": SCHEMA, "refused": partition.get("refused")}
    told.update((name, _tidy(partition[name])) for name in _SETS)
    told["gpus"] = {}
    for index in sorted(partition["gpus"], key=int):
        told["gpus"][index] = {
            "pci_address": gpus[index].get("pci_address"),
            "uuid": gpus[index].get("uuid"),
            "cpus": _tidy(partition["gpus"][index]),
            "memory_nodes": _memory_nodes(topology, set(_cpulist.parse(partition["gpus"][index]))),
            "rdma_devices": list(nearest.get(index) or ()),
        }
    return told


def _tidy(listed):
    return _cpulist.format(_cpulist.parse(listed))


def _check(topology, partition):
    """Raise ValueError for what the filter cpu_partition would not say of this node, such as an operator's mistake."""
    gpus = partition.get("gpus") if isinstance(partition, dict) else None
    sets = [partition.get(name) for name in _SETS] + list(gpus.values()) if isinstance(gpus, dict) else [None]
    if not all(isinstance(cpus, str) for cpus in sets):
        raise ValueError("the partition must be what the filter gpuwright.node.cpu_partition gives: a dictionary with "
                         "housekeeping and workload, lists of CPUs, and gpus, one list of CPUs for each")
    known = sorted(str(gpu["index"]) for gpu in topology.get("gpus") or ())
    strange = sorted(str(index) for index in gpus if index not in known)
    if strange:
        raise ValueError("the partition has CPUs for GPU %s, which is not on this node; there are: %s" % (
            ", ".join(strange), ", ".join(known) or "none"))
    online = (topology.get("cpu") or {}).get("online")
    missing = {number for cpus in sets for number in _cpulist.parse(cpus)}.difference(_cpulist.parse(online or ""))
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
