# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The hosts of a placement as bins of like GPUs: what is free, which islands it is in, and the host's rack and domain.

PRIVATE to the collection. Pure. A bin is the free GPUs of one kind (vendor, name, memory) on one host, for a replica
has GPUs of one kind only. An island is GPUs that reach each other by NVLink or XGMI; where the fact names no such
links, those on one socket (R30), or NUMA node where the socket is not known. A host with an NVLink domain is one island
unless its links say otherwise. GPUs in MIG mode or handed to a virtual machine are left out.
"""

from __future__ import annotations

import collections
import difflib
import re

from .._values import nearest

Bin = collections.namedtuple("Bin", "host rack domain kind islands free slots")
# What may be said of a host.
KEYS = ("topology", "health", "ansible_facts", "gpus", "n_gpus", "rack", "rack_id", "nvlink_domain", "address",
        "ansible_host", "allocated_gpus", "reserved", "busy")
_CLOSE = 0.85
_WORDS_OF_LINK = re.compile(r"^(NV\d+|NV|XGMI)$")
_TYPES = {"index": int, "memory": int, "numa_node": int, "vendor": str, "name": str, "driver": str, "links": dict,
          "mig": dict}  # Of a GPU of the fact, where it is not null.
_STEP = 8 << 30  # Memory is sold in such steps; what drivers report of it differs by less.


def read(hosts, size, wanted=None):
    """({"bins", "told", "notes"}): bins sorted by rack, domain, host; what each host has; sentences said once.

    `size` is that of a tensor-parallel group, `wanted` text that a GPU's name contains. Raises ValueError.
    """
    if not isinstance(hosts, dict):
        raise ValueError("hosts is to be a dict of hosts by name, and is %s" % type(hosts).__name__)
    entries = {str(name): _entry(str(name), hosts[name]) for name in sorted(hosts, key=str)}
    _merge_racks(entries)
    bins, told = [], {}
    for name, entry in entries.items():
        told[name] = _count(entry, wanted)
        bins += _bins(name, entry, size, wanted)
    if not any(entry["gpus"] for entry in entries.values()):
        raise ValueError("there is no GPU on any of the hosts: %s" % (shortened(entries) or "there are no hosts"))
    if wanted and not bins:
        _check_wanted(wanted, entries)
    bins.sort(key=lambda one: (one.rack, one.domain or "", one.host, one.kind))
    return {"bins": bins, "told": told, "notes": _notes(entries, told), "entries": entries}


def shortened(names, most=10):
    """'a, b, c and 7 more'."""
    names = list(names)
    more = " and %d more" % (len(names) - most) if len(names) > most else ""
    return ", ".join(names[:most]) + more


def whole(value, what, least=0):
    """An integer of `least` or more; text such as '8' is one, a bool is not. Raises ValueError."""
    if isinstance(value, bool) or not re.match(r"^\s*[-+]?\d+\s*$", str(value)) or int(value) < least:
        raise ValueError("%s: %r is not an integer of %d or more" % (what, value, least))
    return int(value)


def _text(name, given, *keys):
    """The first of some keys that is given, as text. Raises ValueError."""
    value = next((given[key] for key in keys if given.get(key) not in (None, "")), None)
    if isinstance(value, (bool, dict, list, tuple)):
        raise ValueError("%s: %s: %r is no name" % (name, keys[0], value))
    return None if value is None else str(value)


def _entry(name, given):
    """One host: {rack, domain, address, gpus, used, topology}."""
    if not isinstance(given, dict):
        raise ValueError("%s: a dict with the topology of the host is needed, not %s" % (name, type(given).__name__))
    _check_keys(name, given)
    facts = given.get("ansible_facts")
    facts = facts if isinstance(facts, dict) else {}
    topology = given.get("topology") or facts.get("topology")
    count = next((given[key] for key in ("gpus", "n_gpus") if given.get(key) is not None), None)
    gpus = _gpus(name, topology, count)
    return {"rack": _text(name, given, "rack", "rack_id"), "domain": _text(name, given, "nvlink_domain"),
            "address": _text(name, given, "address", "ansible_host") or name, "gpus": gpus,
            "used": _used(name, given, gpus), "topology": topology,
            "health": given.get("health") or facts.get("health")}


def _check_keys(name, given):
    """Other keys are somebody else's, as in hostvars, unless they look like one of ours."""
    for key in sorted(str(key) for key in given if key not in KEYS and "ansible_facts" not in given):
        close = difflib.get_close_matches(key, KEYS, n=1, cutoff=_CLOSE)
        if close:
            raise ValueError("%s: %s: did you mean %s?" % (name, key, close[0]))


def _gpus(name, topology, count):
    """The GPUs of a host as [{number, kind, out, links, numa, socket}]; `out` says why one cannot be used."""
    if topology is None and count is None:
        raise ValueError("%s: neither a topology nor a number of gpus is known of it: run "
                         "gpuwright.node.topology_facts on it, or give gpus" % name)
    if topology is None and not isinstance(count, (list, tuple)):
        return [{"number": number, "kind": ("", "", 0), "out": None, "links": None, "numa": None, "socket": None}
                for number in range(whole(count, "%s: gpus" % name))]
    found = topology.get("gpus") if isinstance(topology, dict) else count if topology is None else None
    if not isinstance(found, (list, tuple)) or not all(_is_gpu(one) for one in found):
        raise ValueError("%s: its topology has no list of gpus, or a damaged one: gather the section gpus with "
                         "gpuwright.node.topology_facts" % name)
    cpu = (topology or {}).get("cpu")
    sockets = {core.get("numa_node"): core.get("package")
               for core in (cpu.get("cores") or () if isinstance(cpu, dict) else ()) if isinstance(core, dict)}
    return [_gpu(one, found, sockets) for one in found]


def _is_gpu(one):
    return isinstance(one, dict) and all(one.get(key) is None or isinstance(one[key], kind)
                                         for key, kind in _TYPES.items())


def _gpu(gpu, found, sockets):
    # CUDA and HIP number what their own driver has, in PCI order.
    mine = [one for one in found if one.get("vendor") == gpu.get("vendor") and not _handed_out(one)]
    number = mine.index(gpu) if gpu in mine else None
    out = "vfio" if number is None else "mig" if (gpu.get("mig") or {}).get("enabled") else None
    links = gpu.get("links")
    if links is not None:
        links = {str(peer) for peer, kind in links.items() if _WORDS_OF_LINK.match(str(kind))}
    numa = gpu.get("numa_node")
    return {"number": number, "index": str(gpu.get("index")), "out": out, "links": links, "numa": numa, "fact": gpu,
            "socket": sockets.get(numa) if sockets.get(numa) is not None else numa,
            "kind": (gpu.get("vendor") or "", gpu.get("name") or "", round((gpu.get("memory") or 0) / _STEP))}


def _handed_out(gpu):
    return str(gpu.get("driver") or "").startswith("vfio")


def _used(name, given, gpus):
    """The numbers of the GPUs that others use: lists of numbers, or how many of the first."""
    known = [gpu["number"] for gpu in gpus if gpu["number"] is not None]
    used = set()
    for key in ("allocated_gpus", "reserved", "busy"):
        told = given.get(key)
        if told is None:
            continue
        if not isinstance(told, (list, tuple)):
            count = whole(told, "%s: %s" % (name, key))
            if count > len(known):
                raise ValueError("%s: %s: %d GPUs, but there are %d" % (name, key, count, len(known)))
            used.update([number for number in known if number not in used][:count])
            continue
        for number in told:
            number = whole(number, "%s: %s" % (name, key))
            if number not in known:
                raise ValueError("%s: %s: there is no GPU %d; %s" % (name, key, number, nearest(number, known)))
            used.add(number)
    return used


def _merge_racks(entries):
    """Racks that one NVLink domain spans are one; a host with neither rack nor domain stands alone."""
    same = {}

    def first(rack):
        while same.get(rack, rack) != rack:
            rack = same[rack]
        return rack

    for name, entry in entries.items():
        rack = ("rack", entry["rack"]) if entry["rack"] is not None else ("host", name)
        entry["place"] = rack if entry["domain"] is None or entry["rack"] is not None else None
        if entry["domain"] is not None:
            entry["place"] = entry["place"] or ("domain", entry["domain"])
            pair = sorted({first(("domain", entry["domain"])), first(entry["place"])}, reverse=True)
            same[pair[-1]] = pair[0]  # A rack's name wins over a domain's.
    for entry in entries.values():
        entry["place"] = first(entry["place"])


def _bins(name, entry, size, wanted):
    by_kind = collections.defaultdict(list)
    for gpu in entry["gpus"]:
        if gpu["out"] is None and gpu["number"] not in entry["used"] and _is_wanted(gpu, wanted):
            by_kind[gpu["kind"]].append(gpu)
    for kind, gpus in sorted(by_kind.items()):
        islands = _islands(gpus, entry["domain"])
        yield Bin(name, entry["place"], entry["domain"], kind, islands, len(gpus),
                  sum(len(island) // size for island in islands))


def _islands(gpus, domain):
    """Tuples of (NUMA node, number) of the GPUs that reach each other by NVLink, else of those on one socket."""
    if "index" not in gpus[0]:  # Only counted.
        return (tuple((0, gpu["number"]) for gpu in gpus),)
    left, islands = list(gpus), []
    while left:
        island = [left.pop(0)]
        for one in island:
            near = [gpu for gpu in left if _are_near(one, gpu, domain)]
            left = [gpu for gpu in left if gpu not in near]
            island += near
        islands.append(tuple(sorted((-1 if gpu["numa"] is None else gpu["numa"], gpu["number"]) for gpu in island)))
    return tuple(sorted(islands))


def _are_near(one, other, domain):
    if one["links"] or other["links"]:
        return other["index"] in (one["links"] or ()) or one["index"] in (other["links"] or ())
    return domain is not None or one["socket"] == other["socket"]


def _is_wanted(gpu, wanted):
    return not wanted or str(wanted).lower() in gpu["kind"][1].lower()


def _check_wanted(wanted, entries):
    names = sorted({gpu["kind"][1] for entry in entries.values() for gpu in entry["gpus"] if gpu["kind"][1]})
    if not any(str(wanted).lower() in name.lower() for name in names):
        raise ValueError("gpu: no GPU has %r in its name; %s" % (wanted, nearest(wanted, names)))


def _count(entry, wanted):
    """How many GPUs of a host are what: {free, busy, mig, vfio, other}."""
    told = collections.Counter(dict.fromkeys(("free", "busy", "mig", "vfio", "other"), 0))
    for gpu in entry["gpus"]:
        other = "free" if _is_wanted(gpu, wanted) else "other"
        told[gpu["out"] or ("busy" if gpu["number"] in entry["used"] else other)] += 1
    return dict(told)


def links_unknown(entry):
    """Whether the fact of a host with several GPUs does not tell which of them have NVLink to one another."""
    return entry["domain"] is None and len(entry["gpus"]) > 1 and all(
        "index" in gpu and gpu["links"] is None for gpu in entry["gpus"])


def _notes(entries, told):
    """Sentences on what was left out, or is not known, one for all hosts that it holds for."""
    said = (
        ("no GPUs, and not used", [name for name, entry in entries.items() if not entry["gpus"]]),
        ("no rack: each stands alone, as if in a rack of its own",
         [name for name, entry in entries.items()
          if entry["gpus"] and entry["place"][0] == "host" and len(entries) > 1]),
        ("GPUs in MIG mode, which are left out", [name for name, counts in told.items() if counts["mig"]]),
        ("GPUs bound to vfio for a virtual machine, which are left out",
         [name for name, counts in told.items() if counts["vfio"]]),
        ("links between GPUs not known, so that sockets count as islands",
         [name for name, entry in entries.items() if links_unknown(entry)]))
    return ["%s: %s" % (shortened(names), words) for words, names in said if names]
