# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole topology of one node: every section of the fact, read in the order in which they need one another.

PRIVATE to the collection. Each section comes from a function `read(host, found)`; `found` holds what was read before
it, the PCI inventory under a private name, and `sources` and `notes` for all.
"""

from __future__ import annotations

import functools

from . import closeness, cpu, gpu, kernel, nic, numa, nvme, owner, pci, rdma, system

SCHEMA = 1
# Section, and the earlier ones that reading it needs. The order is that of the fact, and of reading.
_NEEDS = {
    "system": (),
    "cpu": ("numa_nodes",),
    "numa_nodes": ("system", "cpu"),
    "_pci": ("numa_nodes",),
    "gpus": ("_pci",),
    "nics": ("_pci",),
    "rdma_devices": ("_pci", "nics"),
    "nvme": ("_pci",),
    "pci_paths": ("gpus", "rdma_devices", "nvme"),
    "gpu_nics": ("pci_paths", "nics"),
    "kernel": ("system", "gpu_nics"),
    "owners": (),
}
SECTIONS = tuple(name for name in _NEEDS if not name.startswith("_"))
# What a section is when reading it failed: as empty as on a machine without such things.
_MAPPINGS = ("system", "cpu", "gpu_nics", "kernel", "owners")


class UnknownNic(Exception):
    """The operator named a NIC that this node does not have, or one for two purposes; the text says which."""


def read_topology(host, gather=None, compute_nics=None, storage_nics=None, found=None):
    """The fact, schema 1. `gather` names the sections wanted (all by default); what they need is read and left out.

    `compute_nics` and `storage_nics` are the operator's word on which NICs serve GPUs and which serve storage. Raises
    UnknownNic for one that is not here. What an earlier call has left in `found`, a dict, is not read again.
    """
    readers = {
        "system": system.read, "cpu": cpu.read, "numa_nodes": numa.read, "_pci": pci.read, "gpus": gpu.read,
        "nics": nic.read, "rdma_devices": rdma.read, "nvme": nvme.read, "pci_paths": closeness.read,
        "gpu_nics": functools.partial(_gpu_nics, compute_nics=compute_nics, storage_nics=storage_nics),
        "kernel": kernel.read, "owners": owner.read,
    }
    wanted = _with_needs(SECTIONS if gather is None else gather)
    found = {} if found is None else found
    found.setdefault("sources", {})
    found["notes"] = host.notes
    for name in _NEEDS:
        if name in wanted and name not in found:
            found[name] = _read(name, readers[name], host, found)
    fact = {"schema": SCHEMA}
    fact.update((name, found[name]) for name in SECTIONS if name in (SECTIONS if gather is None else gather))
    fact.update(sources=found["sources"], notes=list(host.notes))
    return fact


def _gpu_nics(_host, found, compute_nics, storage_nics):
    try:
        return closeness.gpu_nics(found, compute_nics, storage_nics)
    except ValueError as error:
        if compute_nics is None and storage_nics is None:
            raise
        raise UnknownNic(str(error))


def _with_needs(names):
    """The sections named and everything that reading them needs."""
    wanted = set()
    waiting = list(names)
    while waiting:
        name = waiting.pop()
        if name not in wanted:
            wanted.add(name)
            waiting.extend(_NEEDS[name])
    return wanted


def _read(name, reader, host, found):
    """One section. A defect of ours in it must not take the others from the operator: it becomes a note."""
    try:
        return reader(host, found)
    except UnknownNic:
        raise
    except Exception as error:  # pylint: disable=broad-except
        host.note("%s: could not be read: %s: %s" % (name.strip("_"), type(error).__name__, error))
        return {} if name in _MAPPINGS else []
