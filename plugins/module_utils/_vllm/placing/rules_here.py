# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a node stands against an instance as it was placed: memory, ports, CPUs, limits, tools, shared memory.

PRIVATE to the collection. Pure. Each function takes (instance, placed, node) and returns findings; E means that the
instance is not switched.
"""

from __future__ import annotations

from ... import _cpulist
from ..._rules.finding import finding
from . import gpu_choice, numa_binding
from .visible_devices import CDI

UTILIZATION = 0.92  # vLLM's own.
_GIB = float(1 << 30)
_DRIVERS = {"nvidia": "NVIDIA", "amd": "amdgpu"}
# vLLM's queue between its processes has 10 chunks of 16 MiB, and NCCL takes a few MiB for each channel of each pair.
_SHARED, _SHARED_PER_GPU = 256 << 20, 128 << 20
_FIRST_PERSON = 1000  # Below are system users, whom RemoveIPC spares (SYS_UID_MAX).


def findings(instance, placed, node):
    """All of them."""
    found = [finding(rule, severity, None, "%s: %s" % (instance["name"], words))
             for rule, severity, words in placed["warnings"]]
    for rule in (driver, memory, port, r1_isolated, r3_binding, r5_near, r15_memlock, r35_shared_memory, tools, reach):
        found += rule(instance, placed, node)
    return found


def _say(instance, rule, severity, words):
    return [finding(rule, severity, None, "%s: %s" % (instance["name"], words))]


def merged(instance, placed):
    """The arguments of an instance; what it does not say, its place says."""
    said = {flag: value for flag, value in instance["arguments"].items() if value is not None}
    return dict(placed["arguments"], **said)


def utilization(instance):
    """The part of each GPU's memory that vLLM takes."""
    value = instance["arguments"].get("gpu-memory-utilization")
    try:
        return UTILIZATION if value is None or isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        return UTILIZATION  # What is wrong with it is said of the arguments.


def driver(instance, placed, node):
    """The engine sees no GPU before its driver is loaded."""
    without = [gpu for gpu in placed["gpus"] if not (gpu.get("driver") or gpu.get("driver_version") or gpu.get("uuid"))]
    if not without or instance["state"] != "started":
        return []
    return _say(instance, "driver", "E", "no driver has GPU %s (%s): install the %s driver, or load it: vLLM "
                "sees no GPU until then" % (
                    ", ".join(str(gpu["index"]) for gpu in without), ", ".join(
                        str(gpu.get("pci_address")) for gpu in without), _DRIVERS[without[0]["vendor"]]))


def memory(instance, placed, node):
    """vLLM does not start on a GPU with less free memory than it is to take."""
    found = []
    for gpu in placed["gpus"] if instance["state"] == "started" else ():
        known = node.get("memory") or {}
        sizes = known.get(gpu_choice.key(gpu) if gpu.get("mig_device") else gpu.get("pci_address")) or {}
        total, free = sizes.get("total"), sizes.get("free")
        here = [one for one in node.get("holders") or () if gpu.get("pci_address") in one["gpus"]]
        mine = [one for one in here if one["ours"] == instance["name"] or one["ours"] in (node.get("leaving") or ())]
        others = ", ".join(one["who"] for one in here if one not in mine)
        own = [(one.get("memory") or {}).get(gpu["pci_address"]) for one in mine]
        if not total or free is None or (None in own and not others):
            if others:
                found += _say(instance, "memory", "W", "%s on GPU %d, whose free memory is not known" % (
                    _are(others), gpu["index"]))
            continue
        share = utilization(instance)
        there = free + sum(size or 0 for size in own)
        if there < share * total:
            found += _say(instance, "memory", "E", "GPU %d (%s) has %.1f GiB free of %.1f, and vLLM takes %g of all "
                          "(gpu-memory-utilization), %.1f GiB: %s" % (
                              gpu["index"], gpu["pci_address"], there / _GIB, total / _GIB, share,
                              share * total / _GIB, _are(others) if others else "no process is seen to have the rest"))
    return found


def _are(who):
    return "%s %s" % (who, "are there" if ", process" in who else "is there")


def port(instance, placed, node):
    """The port of the API is its own."""
    there = (node.get("listeners") or {}).get((instance["listen"], instance["port"]))
    headless = merged(instance, placed).get("headless")
    if instance["state"] != "started" or headless or not there or there["ours"] == instance["name"]:
        return []
    if there["ours"] in (node.get("leaving") or ()):
        return []
    return _say(instance, "R25", "E", "port %d is taken by %s" % (
        instance["port"], "instance %s" % there["ours"] if there["ours"] else there["who"]))


def _affinity(instance, node):
    """(CPUs that a drop-in of others binds the unit to, that drop-in); (None, None) for none."""
    told = ((node.get("overrides") or {}).get(instance["name"]) or {})
    for key in ("CPUAffinity", "AllowedCPUs"):
        if key in told:
            try:
                return set(_cpulist.parse(told[key]["value"].replace(" ", ","))), told[key]["file"]
            except ValueError:
                continue
    return None, None


def _allowed(instance, placed, node):
    """The CPUs that the unit may use at all."""
    group = numa_binding.allowed(instance, node["topology"], node.get("cpus") or {})[0]
    bound, _path = _affinity(instance, node)
    return group if bound is None else group & bound or bound


def r1_isolated(instance, placed, node):
    """Threads on isolated CPUs all stay where they were started."""
    isolated = set(_cpulist.parse((node.get("cpus") or {}).get("isolated") or ""))
    bound, path = _affinity(instance, node)
    given = (node.get("cpus") or {}).get("slices", {}).get(placed["slice"])
    explicit = bound if bound is not None else set(_cpulist.parse(given or ""))
    if not explicit & isolated:
        return []
    return _say(instance, "R1", "E", "%s gives it CPU %s, isolated by the kernel (isolcpus), which balances no threads "
                "there: its many threads would share few of them" % (
                    path or placed["slice"], _cpulist.format(explicit & isolated)))


def r3_binding(instance, placed, node):
    """--numa-bind without nodes fails where CPUs are restricted; a list of nodes covers every visible GPU."""
    told = merged(instance, placed)
    if told.get("numa-bind") is not True or not placed["gpus"]:
        return []
    nodes, restricted = told.get("numa-bind-nodes"), numa_binding.constraint(
        instance, node["topology"], node.get("cpus") or {}) or _affinity(instance, node)[1]
    if nodes is None and told.get("numa-bind-cpus") is None:
        return _say(instance, "R3", "E", "numa-bind cannot find the GPUs' NUMA nodes itself (%s), and the kernel does "
                    "not say them: name them with numa-bind-nodes" % restricted) if restricted else []
    found = []
    with_cpus = sorted(one["id"] for one in node["topology"].get("numa_nodes") or () if one.get("cpus"))
    if isinstance(nodes, (list, tuple)):
        if len(nodes) != len(placed["gpus"]):
            found += _say(instance, "R3", "E", "numa-bind-nodes has %d nodes for %d GPUs: one for each, in PCI order"
                          % (len(nodes), len(placed["gpus"])))
        strange = sorted({str(one) for one in nodes} - {str(one) for one in with_cpus})
        if strange:
            found += _say(instance, "R3", "E", "numa-bind-nodes: %s has no CPUs here; nodes with CPUs are %s" % (
                ", ".join(strange), ", ".join(map(str, with_cpus))))
    method = instance["environment"].get("VLLM_WORKER_MULTIPROC_METHOD", "spawn")
    if method != "spawn":
        found += _say(instance, "R3", "W", "VLLM_WORKER_MULTIPROC_METHOD=%s makes numa-bind do nothing" % method)
    return found


def r5_near(instance, placed, node):
    """Each GPU has CPUs of its own NUMA node among those that the unit may use."""
    may = _allowed(instance, placed, node)
    far = ["GPU %d (%s)" % (gpu["index"], gpu["cpus"]) for gpu in placed["gpus"]
           if gpu.get("cpus") and not may & set(_cpulist.parse(gpu["cpus"]))]
    if not far or not may:
        return []
    return _say(instance, "R5", "E", "%s leaves it CPU %s, none of them near %s" % (
        _affinity(instance, node)[1] or placed["slice"], _cpulist.format(may), ", ".join(far)))


def r15_memlock(instance, placed, node):
    """Ours is without limit; a drop-in of somebody else's may lower it."""
    told = ((node.get("overrides") or {}).get(instance["name"]) or {}).get("LimitMEMLOCK")
    if not told or told["value"].strip().lower() in ("infinity", "infinity:infinity"):
        return []
    severity = "E" if node["topology"].get("rdma_devices") else "W"
    return _say(instance, "R15", severity, "%s sets LimitMEMLOCK=%s: RDMA and pinned memory need infinity" % (
        told["file"], told["value"]))


def r35_shared_memory(instance, placed, node):
    """Workers on one node speak to one another through /dev/shm."""
    found = []
    count, size = len(placed["gpus"]) or len(placed.get("ranks") or ()), node.get("shm")
    needed = _SHARED + _SHARED_PER_GPU * count
    if count > 1 and size is not None and size < needed:
        found += _say(instance, "R35", "W", "/dev/shm holds %d MiB, and %d workers want %d: queues of vLLM and buffers "
                      "of NCCL lie there" % (size >> 20, count, needed >> 20))
    uid = (node.get("users") or {}).get(instance["user"])
    if count > 1 and node.get("remove_ipc") and uid is not None and uid >= _FIRST_PERSON:
        found += _say(instance, "R35", "W", "RemoveIPC=yes (logind.conf): when the last session of user %s ends, its "
                      "shared memory goes, the engine's too; take a system user, or RemoveIPC=no" % instance["user"])
    return found


def tools(instance, placed, node):
    """The container engine is there, and knows the GPUs."""
    kind, here = instance["engine"]["kind"], node.get("tools") or {}
    if kind not in ("podman", "docker"):
        return []
    if not here.get(kind):
        return _say(instance, "engine", "E", "%s is not installed on this node, and this role does not install it: "
                    "install the package %s" % (kind, "podman" if kind == "podman" else "docker.io, docker-ce or moby"))
    if not any(gpu["vendor"] == "nvidia" for gpu in placed["gpus"]):
        return []
    if kind == "podman" and not (node.get("cdi") or {}).get(CDI):
        return _say(instance, "engine", "E", "no CDI specification for %s in /etc/cdi or /var/run/cdi, by which Podman "
                    "gives GPUs to containers: nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml" % CDI)
    lacking = len(placed["gpus"]) - len([one for one in placed["devices"] if one.startswith(CDI + "=")])
    if kind == "podman" and lacking > 0:
        all_of = len(placed["gpus"])
        return _say(instance, "engine", "E", "the CDI specification for %s has %s GPUs: make it anew with nvidia-ctk "
                    "cdi generate" % (CDI, "none of its" if lacking == all_of else "only %d of its %d" % (
                        all_of - lacking, all_of)))
    if kind == "docker" and not here.get("nvidia-ctk"):
        return _say(instance, "engine", "W", "nvidia-ctk is not installed: without NVIDIA's container toolkit Docker "
                    "gives no container a GPU")
    return []


def reach(instance, placed, node):
    """The user of the unit can start the engine and read the model."""
    return [one for words in (node.get("beyond_reach") or {}).get(instance["name"], ())
            for one in _say(instance, "user", "W", words)]
