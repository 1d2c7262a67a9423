# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the processes of an instance are where they were placed: CPUs, memory, GPUs, limits, and how many they are.

PRIVATE to the collection. Rules R1, R3, R5 and R15 by what the kernel says of each process, not by what was written.
"""

from __future__ import annotations

import re

from ... import _cpulist
from ..placing import parallel_sizes

# A worker takes its memory after it was bound; some of its interpreter's pages may be from before.
SHARE = 0.9
_JUDGED = 64 << 20  # Bytes: less than this says nothing of where a worker allocates.
_SET = re.compile(r"^Limit(MEMLOCK|NOFILE|STACK)=(\S+)", re.M)
_UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def workers(found):
    """Those of the processes that compute: the workers, or the engine itself where it has none."""
    for role in ("worker", "engine"):
        some = [process for process in found if process["role"] == role]
        if some:
            return some
    return []


def expected(instance, placed):
    """How many workers this node has."""
    return parallel_sizes.on_a_node(instance, placed["sizes"])


def count(instance, placed, found):
    """What differs in the number of workers."""
    wanted, there = expected(instance, placed), workers(found)
    if len(there) == wanted:
        return []
    return ["workers: wanted %d, found %d%s" % (wanted, len(there), " (%s)" % _names(there) if there else "")]


def cpus(instance, placed, found, isolated):
    """What differs in the CPUs that the processes may use."""
    differs = []
    for mask, some in _by(found, lambda process: process["cpus"]):
        if placed["cpus"] and set(_numbers(mask)) - set(_numbers(placed["cpus"])):
            differs.append("CPUs of %s: wanted within %s, found %s" % (_names(some), placed["cpus"], mask))
    here = expected(instance, placed)
    judged = workers(found) if len(placed.get("ranks") or ()) == here else []
    for worker in judged if here == 1 or all(worker["ranks"] for worker in judged) else ():
        wanted = placed["ranks"][local_rank(placed, worker["ranks"], here)]
        if set(_numbers(worker["cpus"])) - set(_numbers(wanted)):
            differs.append("CPUs of %s: wanted within %s, found %s" % (_names([worker]), wanted, worker["cpus"]))
    for mask, some in _by(found, lambda process: process["cpus"]):
        bare = set(_numbers(mask)) & isolated
        if bare:
            differs.append("CPUs of %s: %s are isolated: the kernel balances no threads there (R1)" % (
                _names(some), _cpulist.format(bare)))
    return differs + _far(placed, workers(found))


def _far(placed, some):
    """Workers that may not run on any CPU beside the GPUs of the instance (R5)."""
    near = {cpu for gpu in placed.get("gpus") or () for cpu in _numbers(gpu.get("cpus"))}
    if not near:
        return []
    far = [process for process in some if process["cpus"] and not near & set(_numbers(process["cpus"]))]
    return ["CPUs of %s: found %s, none of which is beside the instance's GPUs: %s (R5)" % (
        _names(far), far[0]["cpus"], _cpulist.format(near))] if far else []


def limits(files, found, limits_of):
    """What differs in the limits of the processes; memory to lock is without limit whatever the files say (R15)."""
    wanted = {"memlock": float("inf")}
    for text in files:
        wanted.update({name.lower(): _limit(word) for name, word in _SET.findall(text)})
    differs = []
    for name, least in sorted(wanted.items()):
        short = [(limits_of[process["pid"]][name][0], process) for process in found
                 if name in (limits_of.get(process["pid"]) or {}) and limits_of[process["pid"]][name][0] < least]
        for soft, some in _by(short, lambda pair: pair[0]):
            differs.append("limit %s of %s: wanted %s, found %s%s" % (
                name, _names([process for _soft, process in some]), _said(least), _said(soft),
                " (R15)" if name == "memlock" else ""))
    return differs


def _limit(word):
    soft = word.partition(":")[0]
    if soft == "infinity":
        return float("inf")
    return int(soft[:-1]) * _UNITS[soft[-1]] if soft[-1:] in _UNITS else int(soft)


def _said(number):
    return "unlimited" if number == float("inf") else str(number)


def nodes_of(deployment, worker):
    """The NUMA nodes that a worker's memory shall be on; empty where nothing was asked for."""
    arguments, placed = deployment["arguments"], deployment["placed"]
    bound = arguments.get("numa-bind-nodes")
    if arguments.get("numa-bind") and isinstance(bound, list):
        here = expected(deployment["instance"], placed)
        if here > 1 and not worker["ranks"]:
            return {int(node) for node in bound}  # A worker of Ray's says no rank.
        index = local_rank(placed, worker["ranks"], here)
        return {int(bound[index])} if index < len(bound) else set()
    policy = placed.get("memory_policy") or {}
    return set(_numbers(policy.get("NUMAMask"))) if policy.get("NUMAPolicy") in ("bind", "preferred") else set()


def local_rank(placed, ranks, here):
    """Which of the `here` workers of its node one is, in the order in which vLLM numbers them: DP, then PP, then TP."""
    tensor, pipeline = placed["sizes"][parallel_sizes.TENSOR], placed["sizes"][parallel_sizes.PIPELINE]
    return (ranks.get("DP", 0) * tensor * pipeline + ranks.get("PP", 0) * tensor + ranks.get("TP", 0)) % here


def memory(deployment, found, pages_of):
    """What differs in where the workers' memory is (R3, R5)."""
    differs = []
    for worker in workers(found):
        wanted, pages = nodes_of(deployment, worker), pages_of.get(worker["pid"])
        allowed = set(_numbers(worker["mems"]))
        if wanted and allowed and not wanted <= allowed:
            differs.append("memory of %s: wanted on NUMA node %s, which its control group forbids: %s is allowed" % (
                worker["title"], _cpulist.format(wanted), worker["mems"]))
        whole = sum(pages["nodes"].values()) if pages else 0
        if not wanted or whole < _JUDGED:
            continue
        there = sum(size for node, size in pages["nodes"].items() if node in wanted) / float(whole)
        if there < SHARE:
            differs.append("memory of %s: wanted on NUMA node %s, found %d %% there of %d MiB (%s); at least %d %% is "
                           "wanted" % (worker["title"], _cpulist.format(wanted), there * 100, whole >> 20, ", ".join(
                               "node %d: %d MiB" % (node, size >> 20) for node, size in sorted(pages["nodes"].items())),
                               SHARE * 100))
    return differs


def gpus(placed, pids, computing):
    """What differs in the GPUs on which the unit's processes compute; `computing` is {address: [processes]}."""
    wanted = {gpu["pci_address"] for gpu in placed.get("gpus") or () if gpu.get("pci_address") in computing}
    used = {address for address, some in computing.items() if any(process["pid"] in pids for process in some or ())}
    if not used or used == wanted:
        return []
    return ["GPUs: wanted %s, found %s" % (", ".join(sorted(wanted)) or "none", ", ".join(sorted(used)))]


def variables(placed, found):
    """What differs in the variables that choose the GPUs, as the main process was started with them."""
    if found is None:
        return []
    return ["%s: wanted %s, found %s" % (name, value, found.get(name, "no such variable"))
            for name, value in sorted((placed.get("visible") or {}).items()) if found.get(name) != str(value)]


def _by(things, key):
    """The things of each key, in the order of the keys."""
    groups = {}
    for thing in things:
        groups.setdefault(key(thing), []).append(thing)
    return sorted(groups.items())


def _names(found):
    """Some processes in words."""
    words = ["%s (process %d)" % (process["title"], process["pid"]) for process in found[:3]]
    return ", ".join(words) + (" and %d more" % (len(found) - 3) if len(found) > 3 else "")


def _numbers(text):
    try:
        return _cpulist.parse(text or "")
    except ValueError:
        return []
