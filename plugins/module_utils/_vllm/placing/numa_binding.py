# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How an instance's workers are bound to the NUMA nodes of their GPUs: vLLM's own binding, or a memory policy.

PRIVATE to the collection. Pure. vLLM (numa_utils.py) finds the node of a GPU by itself only where nothing restricts
its CPUs, and raises an error else (R3): so the nodes are always named, one for each visible GPU, in their order. A
slice that is restricted later then breaks nothing. It starts each worker by numactl --cpunodebind, which goes to
every CPU of the node that the control group leaves, isolated ones too (R1).
"""

from __future__ import annotations

from ... import _cpulist
from . import parallel_sizes

SLICE = "gpuwright.slice"
_SPAWN = {"VLLM_WORKER_MULTIPROC_METHOD": "spawn"}
_CONTAINERS = ("podman", "docker")
_MOST_THREADS = 8


def slice_of(instance):
    """The slice of an instance: its own word, or that of the workload, where cpu_isolation gives CPUs."""
    return instance.get("slice") or SLICE


def allowed(instance, topology, cpus):
    """(the CPUs that the slice leaves, those of them that its threads run on by themselves).

    `cpus` is what node.py read: {"slices": {slice: CPUs}, "isolated", "partitions": {slice: word}}.
    """
    online = set(_cpulist.parse((topology.get("cpu") or {}).get("online") or ""))
    given = set(_cpulist.parse((cpus.get("slices") or {}).get(slice_of(instance)) or ""))
    group = given & online or given or online
    return group, group - set(_cpulist.parse(cpus.get("isolated") or ""))


def constraint(instance, topology, cpus):
    """What restricts the CPUs of an instance, in words, or None."""
    name = slice_of(instance)
    told = []
    if (cpus.get("slices") or {}).get(name):
        told.append("%s has CPU %s" % (name, cpus["slices"][name]))
    if (cpus.get("partitions") or {}).get(name) in ("root", "isolated"):
        told.append("it is a partition of its own")
    if cpus.get("isolated"):
        told.append("the kernel isolates CPU %s" % cpus["isolated"])
    return ", ".join(told) or None


def node_of(gpu, topology):
    """The NUMA node with CPUs that a GPU is at, or None. Its own memory, a node without CPUs, is not one (Grace)."""
    nodes = {node["id"]: set(_cpulist.parse(node.get("cpus") or "")) for node in topology.get("numa_nodes") or ()}
    if nodes.get(gpu.get("numa_node")):
        return gpu["numa_node"]
    near = set(_cpulist.parse(gpu.get("cpus") or ""))
    at = [number for number, cpus in nodes.items() if near & cpus]
    return at[0] if len(at) == 1 else None


def bind(instance, gpus, topology, here):
    """{"arguments", "environment", "memory_policy", "cpus", "why", "warnings"}. `here` is what node.py read."""
    empty = {"arguments": {}, "environment": {}, "memory_policy": None, "cpus": None, "warnings": []}
    with_cpus = [node["id"] for node in topology.get("numa_nodes") or () if node.get("cpus")]
    nodes = [node_of(gpu, topology) for gpu in gpus]
    if len(with_cpus) < 2:
        return dict(empty, memory_policy=_beside_gpu_memory(topology, with_cpus),
                    why="one NUMA node has all CPUs" if with_cpus else "the kernel tells of no NUMA nodes")
    if instance["arguments"].get("numa-bind", True) is not True:
        return dict(empty, why="its arguments say numa-bind: %s" % (
            "false" if instance["arguments"]["numa-bind"] is False else "null"))
    reason, warning = _why_not(instance, gpus, nodes, topology, here)
    if reason:
        found = dict(empty, why=reason, warnings=[warning] if warning else [])
        return dict(found, **_at_one(instance, nodes, topology, here))
    told = {"numa-bind": True}
    if None not in nodes:
        told["numa-bind-nodes"] = nodes
    return dict(empty, arguments=told, environment=dict(_SPAWN), why=_why(instance, nodes, topology, here))


def _why(instance, nodes, topology, here):
    if None in nodes:
        return "the kernel does not say at which NUMA node every GPU is: vLLM asks the driver"
    restricted = constraint(instance, topology, here.get("cpus") or {})
    return "NUMA node%s of its GPUs, in their order%s" % (
        "s" if len(set(nodes)) > 1 else "", ": %s, so vLLM cannot find them itself (R3)" % restricted
        if restricted else "")


def _why_not(instance, gpus, nodes, topology, here):
    """(why vLLM is not to bind, a warning) or (None, None)."""
    engine, tools = instance["engine"]["kind"], here.get("tools") or {}
    if parallel_sizes.is_ray(instance):
        return "workers that Ray starts are not bound by vLLM", None
    if engine in _CONTAINERS and gpus[0]["vendor"] == "amd":
        return "vLLM's images for ROCm have no numactl", (
            "workers are not bound to the NUMA nodes of their GPUs: vLLM's images for ROCm have no numactl")
    if engine not in _CONTAINERS and not tools.get("numactl"):
        return "numactl is not installed", (
            "workers are not bound to the NUMA nodes of their GPUs: vLLM does it by numactl, which is not installed; "
            "install the package numactl%s" % (" (a run that makes an environment does it)" if engine == "venv" else ""))
    group, usable = allowed(instance, topology, here.get("cpus") or {})
    reached = set().union(*(_cpus_of(node, topology) for node in set(nodes))) & (group - usable)
    if reached:
        return "numactl would put its threads on CPU %s, isolated by the kernel (R1)" % _cpulist.format(reached), (
            "workers are not bound to the NUMA nodes of their GPUs: numactl would put their threads on CPU %s, which "
            "the kernel isolates and does not balance (R1); give %s the others (AllowedCPUs, cpu_isolation_mode: "
            "slices)" % (_cpulist.format(reached), slice_of(instance)))
    return None, None


def _at_one(instance, nodes, topology, here):
    """A memory policy for a unit whose GPUs are all at one NUMA node; nothing for several.

    A container of Docker's is no child of the unit, and knows no preferred node: it gets the node's CPUs, and with them
    memory of that node.
    """
    if len(set(nodes)) != 1 or None in nodes:
        return {}
    near = _cpus_of(nodes[0], topology) & allowed(instance, topology, here.get("cpus") or {})[1]
    return {"memory_policy": {"NUMAPolicy": "preferred", "NUMAMask": str(nodes[0])},
            "cpus": (_cpulist.format(near) or None) if instance["engine"]["kind"] == "docker" else None}


def _beside_gpu_memory(topology, with_cpus):
    """Where the memory of GPUs is nodes too (R22), the processor's own alone is the host's."""
    gpu_memory = [node for node in topology.get("numa_nodes") or () if node.get("kind") == "gpu"]
    if gpu_memory and len(with_cpus) == 1:
        return {"NUMAPolicy": "bind", "NUMAMask": str(with_cpus[0])}
    return None


def _cpus_of(number, topology):
    return set().union(*(_cpulist.parse(node.get("cpus") or "") for node in topology.get("numa_nodes") or ()
                         if node["id"] == number))


def threads(instance, gpus, topology, here):
    """OMP_NUM_THREADS: one for each of several workers, as vLLM has it; a single one may take a share of its CPUs."""
    if len(gpus) > 1:
        return 1
    near = _cpus_of(node_of(gpus[0], topology), topology) or set(_cpulist.parse(
        (topology.get("cpu") or {}).get("online") or ""))
    mine = near & allowed(instance, topology, here.get("cpus") or {})[1]
    neighbours = [gpu for gpu in topology["gpus"] if node_of(gpu, topology) == node_of(gpus[0], topology)]
    return max(1, min(_MOST_THREADS, len(mine) // (2 * max(1, len(neighbours)))))
