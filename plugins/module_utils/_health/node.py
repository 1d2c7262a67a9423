# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The health of one node: every section of the fact, what could not be read of each, and what is wrong.

PRIVATE to the collection. Each section comes from a function `read(host, found)`, as those of the topology do;
`found` holds the PCI inventory. Whatever a reader notes on the host is why its section is not whole.
"""

from __future__ import annotations

from .._topology import pci
from . import gpu, kernel_log, nic, nvme, pcie, rdma, service, verdict

SCHEMA = 1
_READERS = {"kernel_log": kernel_log.read, "gpus": gpu.read, "rdma_devices": rdma.read, "nics": nic.read,
            "pcie": pcie.read, "nvme": nvme.read, "services": service.read}
SECTIONS = tuple(_READERS)
# Those that look devices up among all of PCI.
_OF_PCI = ("gpus", "pcie")
# What a section is when reading it failed: as empty as on a machine without such things.
_EMPTY = {"pcie": {"links": [], "aer": []}, "services": {},
          "kernel_log": {"source": None, "xids": None, "sxids": None, "aer": None, "events": None}}


def read_health(host, gather=None):
    """The fact, schema 1. `gather` names the sections wanted, all by default; the verdict is on what was gathered."""
    wanted = [name for name in SECTIONS if gather is None or name in gather]
    found = {"_pci": {}}
    health = {"schema": SCHEMA, "boot_id": host.text("/proc/sys/kernel/random/boot_id") or None}
    unreadable = {}
    if any(name in _OF_PCI for name in wanted):
        found["_pci"] = _read(host, "pci", pci.read, found, unreadable) or {}
    for name in wanted:
        health[name] = _read(host, name, _READERS[name], found, unreadable)
    health["unreadable"] = unreadable
    health["verdict"] = verdict.verdict(health)
    return health


def _read(host, name, reader, found, unreadable):
    """One section. A defect of ours in it must not take the others from the operator."""
    before = len(host.notes)
    try:
        section = reader(host, found)
    except Exception as error:  # pylint: disable=broad-except
        host.note("could not be read: %s: %s" % (type(error).__name__, error))
        section = dict(_EMPTY[name]) if name in _EMPTY else []
    if host.notes[before:]:
        unreadable[name] = "; ".join(host.notes[before:])
    return section
