# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts an instance on a node: its GPUs or CPUs, its NUMA nodes, its slice, its rank among several nodes, and why.

PRIVATE to the collection. Pure. The operator's own arguments and environment are never overwritten: what comes from
here is what they do not say.
"""

from __future__ import annotations

from ... import _cpulist
from . import cpu_ranks, gpu_choice, node_network, numa_binding, parallel_sizes, visible_devices
from .parallel_sizes import DATA, PIPELINE, TENSOR, CannotPlace

__all__ = ["CannotPlace", "place"]
_LOST = ("%s: it was started with GPU %s, and this node shows no GPU at all now: look at lspci and dmesg; gpus: 0 "
         "moves it to CPUs")
_DIVIDED = "a MIG device is a GPU by itself to CUDA and NCCL: %s over several cannot be. Start an instance on each"


def place(instance, topology, affinity, holders, nccl_environment, taken, here=None):
    """Where an instance runs: see the keys below. Raises CannotPlace.

    `affinity` is /etc/gpuwright/affinity.json or None; `holders` [{"gpus": [address], "who", "ours": instance}] of the
    processes at GPUs; `nccl_environment` what is not in /etc/nccl.conf already; `taken` {instance: {"gpus": [keys]}}
    of all instances placed before, by earlier runs too; `here` is the rest that node.py read.
    """
    here = here or {}
    asked, gpus, why = _chosen(instance, topology, holders, taken, here)
    placed = {"gpus": gpus, "visible": {}, "arguments": _size_arguments(instance, asked), "environment": {},
              "slice": numa_binding.slice_of(instance), "cpus": None, "memory_policy": None, "devices": [],
              "read_only": _read_only(here), "why": {"gpus": why, "size": parallel_sizes.words(asked)},
              "warnings": [], "sizes": dict(asked)}
    _add_network(placed, instance, topology, nccl_environment, here, asked)
    if gpus:
        _add_gpus(placed, instance, topology, here)
    else:
        _add_cpus(placed, instance, topology, affinity, here, asked)
    placed["environment"] = {name: value for name, value in sorted(placed["environment"].items())
                             if name not in instance["environment"]}
    said = instance["arguments"]  # A flag that says null is left to vLLM; a size that does is worked out.
    placed["arguments"] = {flag: value for flag, value in placed["arguments"].items()
                           if flag not in said or (flag in (TENSOR, PIPELINE) and said[flag] is None)}
    return placed


def _read_only(here):
    """What a container has to see of the node for NCCL: its configuration, and the topology file that it may name."""
    paths = ["/etc/nccl.conf"] if here.get("nccl_conf") else []
    told = (here.get("nccl_values") or {}).get("NCCL_TOPO_FILE")
    return paths + ([told] if told else [])


def _chosen(instance, topology, holders, taken, here):
    """(sizes, GPUs in PCI order, why these)."""
    wish, name = instance["gpus"], instance["name"]
    lost = (taken.get(name) or {}).get("gpus") if wish is None and not topology.get("gpus") else None
    if lost:
        raise CannotPlace(_LOST % (name, ", ".join(lost)))
    if cpu_ranks.on_cpus(instance, topology):
        asked = parallel_sizes.sizes(instance)
        return asked, [], "gpus: 0" if wish == 0 else "there is no GPU on this node"
    if isinstance(wish, (list, tuple)):
        gpus = gpu_choice.named(wish, topology)
        asked = parallel_sizes.sizes(instance, len(gpus))
        _check_parts(gpus, asked)
        return asked, gpus, _enough(instance, asked, len(gpus), "named by the instance")
    asked = parallel_sizes.sizes(instance, wish, _fitted(here, name) if wish is None else None)
    count = wish or parallel_sizes.on_a_node(instance, asked)
    _enough(instance, asked, count, "")
    had = (taken.get(name) or {}).get("gpus") or ()
    gpus, why = gpu_choice.counted(count, topology, _barred(instance, topology, holders, taken), had)
    return asked, gpus, why


def _fitted(here, name):
    """What `fit` of the model's config.json found for this node's GPUs, or None."""
    return (here.get("fits") or {}).get(name)


def _check_parts(gpus, asked):
    world = asked[TENSOR] * asked[PIPELINE] * asked[DATA]
    if any(gpu.get("mig_device") for gpu in gpus) and (world > 1 or len(gpus) > 1):
        raise CannotPlace(_DIVIDED % parallel_sizes.words(asked))


def _enough(instance, asked, count, why):
    needed = parallel_sizes.on_a_node(instance, asked)
    if needed > count:
        raise CannotPlace("%s: %s needs %d GPUs on this node, and gpus gives it %d (R29)" % (
            instance["name"], parallel_sizes.words(asked), needed, count))
    return why


def _barred(instance, topology, holders, taken):
    """{key of a GPU: who has it}: other instances, and processes that are not this instance's own."""
    found = {}
    for name, one in sorted(taken.items()):
        if name != instance["name"]:
            found.update((gpu, "instance %s has it" % name) for gpu in one.get("gpus") or ())
    for holder in holders or ():
        if holder.get("ours") != instance["name"]:
            for gpu in topology.get("gpus") or ():
                if gpu.get("pci_address") in holder["gpus"]:
                    found.setdefault(gpu_choice.key(gpu), "%s is on it" % holder["who"])
    return found


def _size_arguments(instance, asked):
    """The sizes that the instance does not name and that are not vLLM's default."""
    return {flag: size for flag, size in asked.items()
            if flag in (TENSOR, PIPELINE) and size > 1 and instance["arguments"].get(flag) is None}


def _add_network(placed, instance, topology, nccl, here, asked):
    placed["environment"].update(nccl or {})
    placed["arguments"].update(node_network.arguments(instance, asked))
    told, why = node_network.environment(instance, topology, here.get("addresses") or {},
                                         here.get("nccl_values") or nccl or {})
    placed["environment"].update(told)
    if why:
        placed["why"]["network"] = why
        known = isinstance((here.get("configs") or {}).get(instance["name"]), dict)  # Then rules_fit.py says more.
        crossing = None if known else node_network.crossing(asked, parallel_sizes.on_a_node(instance, asked))
        placed["warnings"] += [("R30", "W", crossing)] if crossing else []
        if "GLOO_SOCKET_IFNAME" not in told:
            placed["warnings"].append(("network", "W", why))


def _add_gpus(placed, instance, topology, here):
    gpus = placed["gpus"]
    placed["visible"], placed["why"]["visible"] = visible_devices.variables(instance, gpus, topology)
    placed["devices"] = visible_devices.devices(gpus, topology, here.get("cdi") or {}, instance.get("several"))
    bound = numa_binding.bind(instance, gpus, topology, here)
    placed["arguments"].update(bound["arguments"])
    placed["environment"].update(bound["environment"], **visible_devices.record(gpus))
    placed["environment"].setdefault("OMP_NUM_THREADS", str(numa_binding.threads(instance, gpus, topology, here)))
    placed.update(memory_policy=bound["memory_policy"], cpus=bound["cpus"])
    placed["why"]["numa"] = bound["why"]
    placed["warnings"] += [("numa", "W", words) for words in bound["warnings"]]
    idle = len(gpus) - parallel_sizes.on_a_node(instance, placed["sizes"])
    if idle > 0:
        placed["warnings"].append(("R29", "W", "%d of its %d GPUs stay idle: %s uses %d" % (
            idle, len(gpus), parallel_sizes.words(placed["sizes"]), len(gpus) - idle)))


def _add_cpus(placed, instance, topology, affinity, here, asked):
    """The CPUs of each worker: those of the slice, and of them the workload's, where cpu_isolation says which."""
    cpus = here.get("cpus") or {}
    group, usable = numa_binding.allowed(instance, topology, cpus)
    workload = set(_cpulist.parse((affinity or {}).get("workload") or ""))
    if instance["gpus"] is None:
        placed["warnings"].append(("gpus", "W", "there is no GPU on this node: it runs on CPUs; gpus: 0 says that "
                                                "this is meant"))
    if cpu_ranks.VARIABLE in instance["environment"]:
        cpu_ranks.check_own(instance["environment"][cpu_ranks.VARIABLE],
                            parallel_sizes.on_a_node(instance, asked), group)
        placed["why"]["cpus"] = "its environment says %s" % cpu_ranks.VARIABLE
        return
    placed["ranks"], shared = cpu_ranks.of_instance(
        instance["name"], parallel_sizes.on_a_node(instance, asked), here.get("cpu_share"), topology,
        usable & workload or usable)
    placed["warnings"] += [("cpus", "W", shared)] if shared else []
    placed["environment"][cpu_ranks.VARIABLE] = "|".join(placed["ranks"])
    placed["why"]["cpus"] = "a hardware thread of each core%s, NUMA node by NUMA node" % (
        " that %s leaves" % placed["slice"] if numa_binding.constraint(instance, topology, cpus) else "")
