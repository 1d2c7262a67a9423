# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which interrupts network, RDMA and NVMe devices have, where they may go, and which the kernel places itself.

PRIVATE to the collection. No file says that an interrupt is managed by the kernel: its name, a file that nobody may
write (Linux 6.12 and later), or a write that was refused (EIO, later EPERM) does. What was refused is kept in RECORD
until the next boot, for interrupt numbers live no longer.
"""

from __future__ import annotations

import json
import re

from .. import _cpulist
from . import cpu, nic, numa, nvme, pci

IRQ = "/proc/irq"
RECORD = "/run/gpuwright-managed-interrupts.json"
_FILES = {"affinity_hint", "effective_affinity", "effective_affinity_list", "node", "smp_affinity",
          "smp_affinity_list", "spurious"}
# Queues of disks, a CPU each: the kernel spreads them and moves none. Queue 0 of an NVMe drive is for administration.
_DISK_QUEUE = re.compile(r"nvme\d+q[1-9]\d*\Z|virtio\d+-req(?:\.\d+|uest)\Z")


def devices(host):
    """[{"address", "names", "node", "path"}] of the PCI devices behind NICs, RDMA devices and NVMe drives.

    "node" is None where it cannot be told. A device without an interrupt that is in use is left out.
    """
    names = {}
    for folder in (nic.NET, nic.RDMA, nvme.CLASS):
        for name in host.names(folder):
            device = nic.device_folder(host, "%s/%s" % (folder, name))
            address = pci.above(host, device) if device else None
            if address and name not in names.setdefault(address, []):
                names[address].append(name)
    found = {}
    listed = [{"address": address, "names": names[address], "node": _node(host, found, address),
               "path": "%s/%s" % (pci.DEVICES, address)} for address in sorted(names, key=pci.order)]
    return [device for device in listed if numbers(host, device["path"])]


def _node(host, found, address):
    """The NUMA node of a device; only where its own file does not tell, the whole tree is read."""
    given = pci.number(host, "%s/%s/numa_node" % (pci.DEVICES, address))
    if given is not None and given >= 0:
        return given
    if not found:
        found.update(sources={}, notes=[])
        for name, reader in (("cpu", cpu), ("numa_nodes", numa), ("_pci", pci)):
            found[name] = reader.read(host, found)
    return pci.describe(host, found, address)["numa_node"]


def numbers(host, path):
    """The numbers of a device's interrupts that a driver has asked for; the line that devices share is not its own."""
    own = [name for name in host.names(path + "/msi_irqs") if name.isdigit()]
    if not own:
        line = pci.attribute(host, path + "/irq") or ""
        own = [line] if line.isdigit() and int(line) and len(actions(host, line)) == 1 else []
    return [number for number in sorted(own, key=int) if host.exists("%s/%s" % (IRQ, number))]


def actions(host, number):
    """What drivers call an interrupt."""
    return [name for name in host.names("%s/%s" % (IRQ, number)) if name not in _FILES]


def allowed(host, number):
    """The CPUs that an interrupt may go to, or None if it is gone meanwhile."""
    return _cpus(host, "%s/%s/smp_affinity_list" % (IRQ, number))


def effective(host, number):
    """The CPU that it goes to, or None; until the next one comes it can be one that it may no longer go to."""
    return _cpus(host, "%s/%s/effective_affinity_list" % (IRQ, number)) or None


def _cpus(host, path):
    try:
        return set(_cpulist.parse(host.read(path)))
    except (OSError, ValueError):
        return None


def is_disk_queue(names):
    """Whether interrupts of these names serve nothing but queues that the kernel spreads itself."""
    return bool(names) and all(_DISK_QUEUE.match(name) for name in names)


def divided(host, path):
    """(the numbers of a device's interrupts that can be moved, those that the kernel manages)."""
    refused, movable, managed = record(host), [], []
    for number in numbers(host, path):
        names = actions(host, number)
        kept = refused.get(number) == names or is_disk_queue(names) or not _may_write(host, number)
        (managed if kept else movable).append(number)
    return movable, managed


def _may_write(host, number):
    try:
        return bool(host.mode("%s/%s/smp_affinity_list" % (IRQ, number)) & 0o222)
    except OSError:
        return True


def record(host):
    """{number: names} of the interrupts that were refused to us since boot."""
    try:
        kept = json.loads(host.read(RECORD))
        return dict(kept)
    except (OSError, ValueError, TypeError):
        return {}


def remember(host, refused):
    """Keep the numbers that were refused."""
    if refused:
        kept = dict(record(host), **{number: actions(host, number) for number in refused})
        host.write_file(RECORD, json.dumps(kept, sort_keys=True).encode())


def forget(host, path):
    """Drop what was kept on a device that is left alone from now on."""
    kept = record(host)
    left = {number: names for number, names in kept.items() if number not in numbers(host, path)}
    if not left:
        host.remove_file(RECORD)
    elif left != kept:
        host.write_file(RECORD, json.dumps(left, sort_keys=True).encode())
