# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads AMD's compute topology (KFD): its GPUs, their memory, and which of them XGMI links join.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import pci

NODES = "/sys/class/kfd/kfd/topology/nodes"
_XGMI = 11
# Heaps of a bank: 0 is system memory; 1 and 2 are the GPU's own, seen by the CPU or not.
_GPU_HEAPS = (1, 2)


def read(host):
    """[{node, pci_address, name, memory, uuid, xgmi: [node, ...]}] of all nodes that can compute."""
    gpus = []
    for node in sorted((name for name in host.names(NODES) if name.isdigit()), key=int):
        folder = "%s/%s" % (NODES, node)
        properties = _properties(host, folder + "/properties")
        if not properties.get("simd_count"):
            continue
        identity = properties.get("unique_id")
        gpus.append({
            "node": int(node),
            "pci_address": _address(properties),
            "name": host.text(folder + "/name") or None,
            # As rocm-smi and HIP spell it.
            "uuid": "GPU-%016x" % identity if identity else None,
            "memory": _memory(host, folder, properties),
            "xgmi": _xgmi(host, folder),
        })
    return gpus


def _properties(host, path):
    """{name: number} of a file of such lines."""
    found = {}
    for line in (host.text(path) or "").split("\n"):
        words = line.split()
        if len(words) == 2 and words[1].isdigit():
            found[words[0]] = int(words[1])
    return found


def _address(properties):
    """The PCI address behind a location: bus, device and function in 16 bits, the domain beside them."""
    if not properties.get("vendor_id"):
        return None
    place = properties.get("location_id", 0)
    return pci.normal("%x:%x:%x.%x" % (
        properties.get("domain", 0), place >> 8 & 0xFF, place >> 3 & 0x1F, place & 7))


def _memory(host, folder, properties):
    banks = [_properties(host, "%s/mem_banks/%s/properties" % (folder, bank))
             for bank in host.names(folder + "/mem_banks")]
    total = sum(bank.get("size_in_bytes", 0) for bank in banks if bank.get("heap_type") in _GPU_HEAPS)
    return total or properties.get("local_mem_size") or None


def _xgmi(host, folder):
    """The nodes that XGMI joins to this one."""
    links = [_properties(host, "%s/io_links/%s/properties" % (folder, link))
             for link in host.names(folder + "/io_links")]
    return sorted({link["node_to"] for link in links if link.get("type") == _XGMI and "node_to" in link})
