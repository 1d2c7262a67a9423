# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NUMA nodes: their online CPUs, memory, distances, huge pages, and whether memory of a GPU is one of them.

PRIVATE to the collection. A kernel without NUMA has no node folder: then the list is empty, for a node number that the
kernel does not know could not be used with it either.
"""

from __future__ import annotations

import re

from .. import _cpulist
from . import cpu

FOLDER = "/sys/devices/system/node"
_GPUS = "/proc/driver/nvidia/gpus"
_PCI = "/sys/bus/pci/devices"


def read(host, found):
    """The section `numa_nodes`; also gives each core of the section `cpu` its node."""
    numbers = sorted(int(name[4:]) for name in host.names(FOLDER) if name[:4] == "node" and name[4:].isdecimal())
    if not numbers and host.is_folder(cpu.FOLDER):
        host.note("%s: no nodes, this kernel knows nothing of NUMA" % FOLDER)
    listed = found["cpu"]["online"] if found.get("cpu") else None
    online = None if listed is None else set(_cpulist.parse(listed))
    nodes = [_node(host, number, numbers, online) for number in numbers]
    for node in nodes:
        if node["kind"] == "memory":
            _tell_gpu_memory(host, found, node)
    _place_cores(found, nodes)
    return nodes


def _node(host, number, numbers, online):
    folder = "%s/node%d" % (FOLDER, number)
    listed = cpu.cpus_of(host, folder, (("cpulist", "cpumap"),))
    if listed is None:
        links = [int(name[3:]) for name in host.names(folder) if name[:3] == "cpu" and name[3:].isdecimal()]
        listed = sorted(links) or None
    memory = re.search(r"MemTotal:\s*(\d+) kB", host.text(folder + "/meminfo") or "")
    here = listed if online is None or listed is None else online.intersection(listed)
    return {
        "id": number,
        "cpus": None if here is None else _cpulist.format(here),
        "memory": int(memory.group(1)) * 1024 if memory else None,
        "distances": _distances(host, folder, numbers),
        "kind": None if listed is None else "cpu" if listed else "memory",
        "hugepages": _hugepages(host, folder + "/hugepages"),
    }


def _distances(host, folder, numbers):
    """The kernel writes one distance for each node that is online, in the order of their numbers."""
    text = host.text(folder + "/distance")
    if text is None:
        return None
    values = text.split()
    if len(values) != len(numbers) or not all(value.isdecimal() for value in values):
        host.note("%s/distance: %r does not fit %d nodes" % (folder, text, len(numbers)))
        return None
    return {str(number): int(value) for number, value in zip(numbers, values)}


def _hugepages(host, folder):
    """{"2048": {"total", "free"}} with page sizes in kB; {} where the kernel has no huge pages on this node."""
    pages = {}
    for name in host.names(folder):
        size = re.match(r"hugepages-(\d+)kB$", name)
        if size:
            here = "%s/%s" % (folder, name)
            pages[size.group(1)] = {"total": _count(host, here + "/nr_hugepages"),
                                    "free": _count(host, here + "/free_hugepages")}
    return {size: pages[size] for size in sorted(pages, key=int)}


def _count(host, path):
    text = host.text(path) or ""
    return int(text) if text.isdecimal() else None


def _tell_gpu_memory(host, found, node):
    """Mark a node without CPUs that is the memory of a GPU: the driver names it, or the machine can only mean that."""
    source = "numa_nodes.%d.kind" % node["id"]
    for name in host.names(_GPUS):
        path = "%s/%s/numa_status" % (_GPUS, name)
        told = re.search(r"Node:\s*(\d+)", host.text(path) or "")
        if told and int(told.group(1)) == node["id"]:
            node["kind"] = "gpu"
            found["sources"][source] = path
            return
    try:
        initiators = _cpulist.parse(host.text(FOLDER + "/has_generic_initiator") or "")
    except ValueError:
        initiators = []
    # An ARM server with NVIDIA GPUs and nodes without CPUs is Grace or its successor.
    arm = (found.get("system") or {}).get("architecture") == "aarch64"
    if (node["id"] in initiators or arm) and _nvidia_gpu(host):
        node["kind"] = "gpu"
        found["sources"][source] = "inferred: a node without CPUs, %s, and NVIDIA GPUs" % (
            "which is a generic initiator" if node["id"] in initiators else "on aarch64")


def _nvidia_gpu(host):
    """Whether an NVIDIA display or 3D controller is on the PCI bus."""
    return any(host.text("%s/%s/vendor" % (_PCI, name)) == "0x10de"
               and (host.text("%s/%s/class" % (_PCI, name)) or "").startswith("0x03") for name in host.names(_PCI))


def _place_cores(found, nodes):
    node_of = {number: node["id"] for node in nodes for number in _cpulist.parse(node["cpus"] or "")}
    for core in (found.get("cpu") or {}).get("cores", ()):
        core["numa_node"] = node_of.get(_cpulist.parse(core["cpus"])[0])
