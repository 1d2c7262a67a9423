# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what a restricted slice does to whoever lives in it, and on when a node may be restricted at all.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .. import _cpulist
from .._owners import unit_files
from .._owners.consumers import SLICE, unit_of
from .._topology import pci
from . import isolation
from .finding import finding
from .isolation import GIVEN, HELD, KERNEL_WORK, PARTITION, SLICES, isolated, listed, live, refuse

# Without nodes or CPUs named, vLLM detects the node itself, and raises an error when its affinity is not the whole.
_NUMA_BIND = re.compile(r"--numa[-_]bind(?![-_\w])(?!=[Ff]alse)")
_BOUND_BY_HAND = re.compile(r"--numa[-_]bind[-_](?:nodes|cpus)\b")
_NVIDIA, _AMD = 0x10DE, 0x1002
_VGA, _ACCELERATOR = 0x0300, 0x1200
_MODES = ("slices", "partition", "boot")
_PUBLISHED = "affinity.json"
NO_CGROUP = "this node has no cgroup v2 with the cpuset controller, under systemd, which sets of CPUs for slices need"


def partition_is_possible(view):
    """A mode that divides the CPUs needs a partition of them."""
    partition = view.options.get("cpu_isolation_partition") or {}
    mode = view.options.get("cpu_isolation_mode")
    if not partition.get("refused") or mode == "none" or live(view):
        return []
    if mode in _MODES:
        return [finding("partition", "E", None, partition["refused"])]  # What was applied before comes back whole.
    return [finding("partition", "I", None, "no CPU is restricted: %s" % partition["refused"])]


def squeezed(view):
    """Nothing that computes on GPUs, or starts what does, is held to the housekeeping CPUs."""
    held = {step["name"].partition("/")[0] for step in live(view, HELD)}
    # The CPUs of a partition are taken from everybody else, whatever slice they are in: machine.slice, kubepods.slice.
    alone = any(step["desired"] == "root" for step in live(view, (PARTITION,)))
    if not held and not alone:
        return []
    seen = view.consumers()
    inside = [one for one in seen["gpu"] + seen["starters"]
              if unit_of(one) in held or (alone and unit_of(one) != SLICE)]
    waiting = [name for name in seen["enabled"] if _top(_chosen_slice(view, name)) in held or (
        alone and _top(_chosen_slice(view, name)) != SLICE)]
    if inside or waiting:
        who = _named(inside) or "%s, enabled for the next boot" % listed(waiting)
        return refuse(view, "squeezed", SLICES + KERNEL_WORK, "%s: with all that they start they would be held to "
                      "the housekeeping CPUs. Run what computes in gpuwright.slice (Slice=gpuwright.slice), or leave "
                      "cpu_isolation_mode at auto" % who)
    words = ["%s" % _named([one]) for one in seen["storage"] if unit_of(one) in held]
    words += ["%s, in %s" % (unit["unit"], unit["slice"]) for unit in seen["units"]
              if unit["on_gpus"] and _top(unit["slice"]) in held]
    if words:
        return [finding("squeezed", "W", HELD[0], "held to the housekeeping CPUs: %s" % listed(words))]
    return []


def _chosen_slice(view, unit):
    """The slice that a service will be in, or the service of a socket."""
    service = unit.rpartition(".")[0] + ".service"
    chosen = [line["value"] for line in unit_files.assignments(view.host, service, {"Slice"})]
    return chosen[-1] if chosen and chosen[-1] else "system.slice"


def _top(name):
    """The slice at the top of the tree: a-b.slice lies in a.slice."""
    return name[:-len(".slice")].partition("-")[0] + ".slice"


def _named(processes):
    """Who and where: "process 7 (dockerd) in /system.slice/docker.service", each process once."""
    once = {one["pid"]: one for one in processes}.values()
    return listed("process %d (%s%s) in %s" % (
        one["pid"], one["comm"], ", holds %s" % one["holds"] if one["holds"] else "",
        one["cgroup"] or "no control group of version 2") for one in sorted(once, key=lambda one: one["pid"]))


def r3_numa_bind(view):
    """vLLM's --numa-bind finds the node of a GPU itself only if nothing restricts its CPUs; else it raises an error."""
    given, argument = live(view, (GIVEN,)), live(view, ("isolcpus",))
    ours, others = [], []
    for who, in_ours, restricted in _binding(view.consumers()):
        if argument or (given and in_ours):
            ours.append(who)
        elif restricted or isolated(view):
            others.append("%s (%s)" % (who, restricted or "isolcpus"))
    words = "--numa-bind alone with a restricted set of CPUs makes vLLM raise an error: name the nodes with " \
            "--numa-bind-nodes (%s)"
    found = refuse(view, "R3", SLICES + isolation.BOOT + KERNEL_WORK, words % listed(ours)) if ours else []
    return found + ([finding("R3", "W", None, words % listed(others))] if others else [])


def _binding(seen):
    """(who, whether in our slice, what else restricts it) for each that binds without naming nodes."""
    for unit in seen["units"]:
        if _binds(unit["command"]):
            keys = (("CPUAffinity", unit["affinity"]), ("AllowedCPUs", unit["allowed"]))
            yield unit["unit"], unit["ours"], " and ".join(key for key, value in keys if value)
    for one in seen["servers"]:
        if _binds(one["command"]):
            yield "process %d (%s)" % (one["pid"], one["comm"]), unit_of(one) == SLICE, ""


def _binds(command):
    return _NUMA_BIND.search(command) is not None and _BOUND_BY_HAND.search(command) is None


def r5_gpus_own_cpus(view):
    """The slice that the workload runs in has CPUs of every GPU's own node."""
    given = isolation.union(view, (GIVEN,))
    if not given:
        return []
    far = ["%s (%s)" % (address, _cpulist.format(local)) for address, local in _gpus(view) if not local & given]
    if not far:
        return []
    return refuse(view, "R5", (GIVEN,) + SLICES + KERNEL_WORK, "gpuwright.slice would get CPU %s, none of them near "
                  "GPU %s" % (_cpulist.format(given), listed(far)))


def launchers_are_told_right(view):
    """What launchers are told of each GPU's CPUs is among the workload's."""
    given = isolation.union(view, (GIVEN, "isolcpus"))
    partition = view.options.get("cpu_isolation_partition") or {}
    told = set().union(*(_cpulist.parse(cpus) for cpus in (partition.get("gpus") or {}).values()))
    if not given or not live(view, (_PUBLISHED,)) or not told - given:
        return []
    words = "it gives GPUs CPU %s, which is not the workload's: where cpu_isolation_cpus is set by hand, set " \
            "cpu_isolation_partition too"
    return [finding("affinity", "W", _PUBLISHED, words % _cpulist.format(told - given))]


def _gpus(view):
    """(address, its CPUs) of every GPU whose CPUs are known."""
    for address, record in pci.read(view.host).items():
        kind = (record["class"] or 0) >> 8
        if kind >> 8 != 0x03 and kind != _ACCELERATOR:
            continue
        told = pci.describe(view.host, {"_pci": {address: record}, "sources": {}, "notes": []}, address)
        computes = told["vendor"] == _NVIDIA or (
            told["vendor"] == _AMD and (kind != _VGA or told["driver"] == "amdgpu"))
        if computes and told["cpus"] and not told["virtual_function"]:
            yield address, set(_cpulist.parse(told["cpus"]))


def why_not(view):
    """For mode auto: why nothing may be restricted on this node now, or None where all evidence is there."""
    seen = view.consumers()
    if not seen["unified"]:
        return NO_CGROUP
    if not seen["complete"] and not view.is_ours(GIVEN):  # Who cannot look does not undo what root found right.
        return "who uses the GPUs cannot be told without root"
    outside = [one for one in seen["gpu"] + seen["starters"] if unit_of(one) != SLICE]
    outside += [one for one in seen["storage"] if unit_of(one) + "/AllowedCPUs" in HELD]
    if outside:
        return "%s would be squeezed onto the housekeeping CPUs" % _named(outside)
    if seen["enabled"]:
        return "%s is enabled, and what it starts would be squeezed" % listed(seen["enabled"])
    if seen["mounts"]:
        return "a storage client would be squeezed: %s" % listed(
            "%s at %s" % pair for pair in sorted(seen["mounts"].items()))
    return _why_not_units(view, seen)


def _why_not_units(view, seen):
    elsewhere = ["%s (%s)" % (unit["unit"], unit["slice"]) for unit in seen["units"]
                 if unit["on_gpus"] and not unit["ours"]]
    if elsewhere:
        return "%s would be squeezed: it is not in gpuwright.slice" % listed(elsewhere)
    if not seen["members"] and not any(unit["ours"] for unit in seen["units"]):
        return "no service is in gpuwright.slice yet (Slice=gpuwright.slice in its unit): nobody to give CPUs to"
    binding = [who for who, in_ours, _restricted in _binding(seen) if in_ours]
    if binding:
        return "%s: with --numa-bind alone vLLM would raise an error; name the nodes with --numa-bind-nodes (R3)" % (
            listed(binding))
    if isolated(view):
        return "the running kernel isolates CPU %s (isolcpus): a slice's threads there would all share one (R1)" % (
            _cpulist.format(isolated(view)))
    return None
