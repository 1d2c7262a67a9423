# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPUs of a node an instance gets: those that were named, those that it has, or the free ones best connected.

PRIVATE to the collection. Pure. GPUs are those of the topology fact, always given back in PCI order, which is CUDA's
with CUDA_DEVICE_ORDER=PCI_BUS_ID. A MIG device is its GPU with the key `mig_device`.
"""

from __future__ import annotations

import re

from ..._derive import interconnect
from ..._topology import pci
from ..._values import nearest
from .parallel_sizes import CannotPlace

_DRIVERS = {"nvidia": ("nvidia", None), "amd": ("amdgpu", None)}
# How two GPUs without NVLink reach one another, the nearest first: nvidia-smi's words, and between the last two what
# it does not tell apart, NUMA nodes of one socket.
_PATHS = ("PIX", "PXB", "PHB", "NODE", "socket", "SYS")
_ADDRESS = re.compile(r"(?:[0-9a-f]{4,8}:)?[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\Z", re.IGNORECASE)


def key(gpu):
    """What names a GPU for good: its address; of a part of one, what tells it from the other parts."""
    if gpu.get("mig_device"):
        return gpu["mig_device"].get("uuid") or "%s/%s" % (gpu["pci_address"], gpu["mig_device"]["index"])
    if gpu["vendor"] == "amd":  # Partitions of one GPU are several at one address, of which not all have a UUID.
        return gpu.get("uuid") or "%s/%d" % (gpu["pci_address"], gpu["index"])
    return gpu.get("pci_address") or "index %s" % gpu["index"]


def able(topology):
    """([GPUs that vLLM can use], {index: why not} of the others)."""
    good, out = [], {}
    for gpu in topology.get("gpus") or ():
        why = _why_not(gpu)
        if why:
            out[gpu["index"]] = why
        else:
            good.append(gpu)
    return good, out


def numbered(topology, vendor):
    """The GPUs of a vendor that its driver shows, which it numbers in this order; all, where it is not known of any.

    NVIDIA's driver gives every GPU a UUID: one that has fallen off the bus keeps its driver and has none.
    """
    mine = [gpu for gpu in able(topology)[0] if gpu["vendor"] == vendor]
    shown = [gpu for gpu in mine if gpu.get("uuid")] if vendor == "nvidia" else []
    return shown or [gpu for gpu in mine if is_driven(gpu)] or mine


def is_driven(gpu):
    """Whether anything shows that a GPU has its driver."""
    return bool(gpu.get("driver") or gpu.get("driver_version") or gpu.get("uuid"))


def _why_not(gpu):
    drivers = _DRIVERS.get(gpu["vendor"])
    if drivers is None:
        return "of vendor %s, for which there is no vLLM engine here" % (gpu["vendor"] or "unknown")
    if gpu.get("driver") not in drivers:
        return "held by the driver %s" % gpu["driver"]
    return None


# -- GPUs by name -----------------------------------------------------------------------------------------------------


def named(names, topology):
    """The GPUs of a list of indexes, UUIDs and PCI addresses, in PCI order. Raises CannotPlace."""
    _good, out = able(topology)
    gpus = topology.get("gpus") or []
    found = []
    for word in names:
        gpu = _one(str(word).strip(), gpus)
        if gpu["index"] in out:
            raise CannotPlace("gpus: %s is %s" % (word, out[gpu["index"]]))
        if _is_divided(gpu) and "mig_device" not in gpu:
            raise CannotPlace("gpus: %s is divided by MIG: name one of its devices: %s" % (word, ", ".join(
                device["uuid"] or "without a UUID" for device in gpu["mig"]["devices"]) or "it has none yet"))
        if key(gpu) in [key(other) for other in found]:
            raise CannotPlace("gpus: %s is named twice" % word)
        found.append(gpu)
    if len({gpu["vendor"] for gpu in found}) > 1:
        raise CannotPlace("gpus: %s are of different vendors" % ", ".join(str(word) for word in names))
    return in_order(found)


def in_order(gpus):
    """GPUs in PCI order, parts of one GPU in theirs."""
    return sorted(gpus, key=lambda gpu: (gpu["index"], (gpu.get("mig_device") or {}).get("index") or 0))


def _one(word, gpus):
    if not gpus:
        raise CannotPlace("gpus: %s: there is no GPU on this node" % word)
    if word.isdigit():
        if int(word) < len(gpus):
            return gpus[int(word)]
        raise CannotPlace("gpus: there is no GPU %s on this node: it has %d, 0 to %d" % (
            word, len(gpus), len(gpus) - 1))
    if word.upper().startswith("MIG-"):
        return _part(word, gpus)
    if _ADDRESS.match(word):
        return _only(word, [gpu for gpu in gpus if gpu["pci_address"] == pci.normal(word)],
                     [gpu["pci_address"] for gpu in gpus])
    if word.upper().startswith("GPU-"):
        return _only(word, [gpu for gpu in gpus if len(word) > 4 and (gpu["uuid"] or "").lower().startswith(
            word.lower())], [gpu["uuid"] for gpu in gpus])
    raise CannotPlace("gpus: %r is no index, UUID (GPU-... or MIG-...) or PCI address (0000:18:00.0)" % word)


def _only(word, found, known):
    known = [one for one in known if one]
    if len(found) == 1:
        return found[0]
    if found:
        raise CannotPlace("gpus: %s is the beginning of %d UUIDs: write more of it" % (word, len(found)))
    raise CannotPlace("gpus: there is no GPU %s on this node; %s" % (
        word, nearest(word, known) if known else "their UUIDs are not known here"))


def _part(word, gpus):
    devices = [dict(gpu, mig_device=device) for gpu in gpus for device in (gpu.get("mig") or {}).get("devices") or ()]
    return _only(word, [one for one in devices if (one["mig_device"].get("uuid") or "").lower() == word.lower()],
                 [one["mig_device"].get("uuid") for one in devices])


def _is_divided(gpu):
    return bool((gpu.get("mig") or {}).get("enabled"))


# -- GPUs by number ---------------------------------------------------------------------------------------------------


def counted(count, topology, barred, had=()):
    """(the GPUs, why these): `count` of those that nobody has. Raises CannotPlace.

    `barred` is {key: who has it}; `had` are the keys of the GPUs that the instance has now, which it keeps.
    """
    good, out = able(topology)
    usable = [gpu["index"] for vendor in _DRIVERS for gpu in numbered(topology, vendor)]
    out.update((gpu["index"], "its driver does not show it" if is_driven(gpu) else "no driver has it")
               for gpu in good if gpu["index"] not in usable)
    good = [gpu for gpu in good if gpu["index"] in usable]
    sockets = {core.get("numa_node"): core["package"] for core in (topology.get("cpu") or {}).get("cores") or ()}
    good = [dict(gpu, socket=sockets.get(gpu["numa_node"])) for gpu in good]
    free = [gpu for gpu in good if key(gpu) not in barred and not _is_divided(gpu)]
    kept = [gpu for gpu in free if key(gpu) in had]
    if len(kept) == count and len(had) == count and len({gpu["vendor"] for gpu in kept}) == 1:
        return in_order(kept), "it has them already"
    kinds = {}
    for gpu in free:
        kinds.setdefault((gpu["vendor"], gpu.get("name"), gpu.get("memory")), []).append(gpu)
    teams = [_best(members, count, had) for members in kinds.values() if len(members) >= count]
    if not teams:
        raise CannotPlace(_shortage(count, topology, free, kinds, barred, out))
    return in_order(min(teams, key=lambda team: (_cost(team), -(team[0].get("memory") or 0), _indexes(team)))), \
        "the free GPUs that are best connected"


def _best(gpus, count, had):
    """Of like GPUs so many that are nearest to one another; among equals, its own, and what leaves sockets whole."""
    crowd = {}
    for gpu in gpus:
        crowd[gpu["numa_node"]] = crowd.get(gpu["numa_node"], 0) + 1
    return min((_grown(seed, gpus, count) for seed in gpus), key=lambda team: (
        _cost(team), sum(key(gpu) not in had for gpu in team), sum(crowd[gpu["numa_node"]] for gpu in team),
        _indexes(team)))


def _grown(seed, gpus, count):
    team = [seed]
    left = [gpu for gpu in gpus if gpu is not seed]
    while len(team) < count:
        near = min(left, key=lambda gpu: (_distance(gpu, team), gpu["index"]))
        team.append(near)
        left.remove(near)
    return team


def _distance(gpu, team):
    """How far a GPU is from others: the worst step, all steps, the links missed, the sockets changed."""
    steps = [_step(gpu, other) for other in team]
    return (max(step for step, _links in steps), sum(step for step, _links in steps),
            -sum(links for _step_, links in steps),
            sum(gpu["numa_node"] != other["numa_node"] for other in team))


def _step(one, other):
    """(0 for NVLink or XGMI, else how far through PCIe and sockets; the number of links)."""
    links = (interconnect.peer_links(one) or {}).get(str(other["index"]))
    if links:
        return 0, links
    word = (one.get("links") or {}).get(str(other["index"]))
    if word in _PATHS:
        return 1 + _PATHS.index(word), 0
    for place, path in (("numa_node", "NODE"), ("socket", "socket")):
        if one.get(place) is not None and one[place] == other.get(place):
            return 1 + _PATHS.index(path), 0
    return 1 + _PATHS.index("SYS"), 0


def _cost(team):
    pairs = [_step(one, other) for number, one in enumerate(team) for other in team[number + 1:]]
    return (max([step for step, _links in pairs] or [0]), sum(step for step, _links in pairs),
            -sum(links for _step_, links in pairs), len({gpu["numa_node"] for gpu in team}))


def _indexes(team):
    return sorted(gpu["index"] for gpu in team)


def _shortage(count, topology, free, kinds, barred, out):
    gpus = topology.get("gpus") or []
    if not gpus:
        return "%d GPU%s wanted, and there is none on this node" % (count, "s" if count > 1 else "")
    told = ["GPU %d: %s" % (gpu["index"], out.get(gpu["index"]) or barred.get(key(gpu)) or (
        "divided by MIG: name its devices" if _is_divided(gpu) else "free")) for gpu in gpus]
    alike = ", not all alike" if len(free) >= count and len(kinds) > 1 else ""
    return "%d GPU%s wanted, %d of %d free%s (%s)" % (
        count, "s" if count > 1 else "", len(free), len(gpus), alike, "; ".join(told))
