# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the NVMe controllers and their namespaces with the queue settings of each.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from . import nic, pci

CLASS = "/sys/class/nvme"
BLOCK = "/sys/class/block"
_SECTOR = 512
_NUMBERS = ("max_sectors_kb", "max_hw_sectors_kb", "read_ahead_kb", "nr_requests", "rotational")
_DISK = re.compile(r"nvme(\d+)(?:c\d+)?n(\d+)\Z")


def read(host, found):
    """The section `nvme`: a controller each; one reached over a fabric has no PCI address."""
    names = [name for name in host.names(CLASS) if re.match(r"nvme\d+\Z", name)]
    disks = _disks(host)
    controllers = [_controller(host, found, name, disks) for name in names or sorted(set(disks.values()))]
    return sorted(controllers, key=lambda drive: (
        pci.order(drive["pci_address"] or "ffffffff:ff:ff.7"), int(drive["name"][4:])))


def _disks(host):
    """{disk: controller} of the block devices, for kernels whose controllers do not list them."""
    disks = {}
    for name in host.names(BLOCK) or host.names("/sys/block"):
        match = _DISK.match(name)
        if match:
            target = (host.link("%s/%s/device" % (_block_folder(host, name), name)) or "").rpartition("/")[2]
            if not target.startswith("nvme-subsys"):
                disks[name] = target if re.match(r"nvme\d+\Z", target) else "nvme" + match.group(1)
    return disks


def _block_folder(host, name):
    return BLOCK if host.exists("%s/%s" % (BLOCK, name)) else "/sys/block"


def _controller(host, found, name, disks):
    folder = "%s/%s" % (CLASS, name)
    own = sorted(disk for disk, controller in disks.items() if controller == name)
    address = _address(host, folder, own)
    record = pci.describe(host, found, address) if address else {}
    node = record.get("numa_node")
    if not address:
        # A fabric's controller lies near the NIC that reaches it; newer kernels say so.
        node = pci.number(host, folder + "/numa_node")
        node = node if node is not None and node >= 0 else None
    return {
        "name": name,
        "pci_address": address,
        "model": _model(host, folder, own),
        "numa_node": node,
        "cpus": record.get("cpus"),
        "namespaces": [_namespace(host, disk) for disk in _namespaces(host, folder, own)],
    }


def _address(host, folder, own):
    """Where a controller sits: its device, what it says itself, or where its disk hangs."""
    device = nic.device_folder(host, folder)
    address = pci.above(host, device) if device else None
    if address is None and pci.attribute(host, folder + "/transport") in (None, "pcie"):
        address = pci.normal(pci.attribute(host, folder + "/address"))
        if address is None and own:
            address = pci.above(host, "%s/%s" % (_block_folder(host, own[0]), own[0]))
    return address


def _model(host, folder, own):
    """What a controller calls itself; a capture without the class folder has it behind its disk."""
    places = [folder] + ["%s/%s/device" % (_block_folder(host, disk), disk) for disk in own]
    return next(filter(None, (pci.attribute(host, place + "/model") for place in places)), None)


def _namespaces(host, folder, own):
    """The disks of a controller. With multipath its own are hidden (nvme0c1n2) and stand for a shared one (nvme0n2)."""
    names = [name for name in host.names(folder) if _DISK.match(name)] or own
    return sorted({"nvme%sn%s" % _DISK.match(name).groups() for name in names},
                  key=lambda disk: [int(number) for number in _DISK.match(disk).groups()])


def _namespace(host, disk):
    folder = "%s/%s" % (_block_folder(host, disk), disk)
    sectors = pci.number(host, folder + "/size")
    queue = {"scheduler": _chosen(pci.attribute(host, folder + "/queue/scheduler"))}
    queue.update((name, pci.number(host, "%s/queue/%s" % (folder, name))) for name in _NUMBERS)
    return {"name": disk, "size": None if sectors is None else sectors * _SECTOR, "queue": queue}


def _chosen(text):
    """The scheduler in brackets; a queue that can have none says just that."""
    match = re.search(r"\[([^\]]+)\]", text or "")
    return match.group(1) if match else text or None
