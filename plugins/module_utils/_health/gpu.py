# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPUs of a node as they are now: which there are by PCI, joined with what the driver of each vendor says.

PRIVATE to the collection. Each vendor's reader fills the same record; what it does not know stays null.
"""

from __future__ import annotations

from .._topology import gpu, pci
from . import gpu_amd, gpu_nvidia

# Drivers that hold a GPU for a virtual machine or until somebody wants it: the host has nothing to read there.
_FOR_OTHERS = ("vfio-pci", "pci-stub", "pci-pf-stub")
EMPTY = ("pci_address", "vendor", "driver", "name", "uuid", "in_driver", "performance_state", "persistence", "mig",
         "recovery_action", "ecc", "remapped_rows", "retired_pages", "throttle_reasons", "throttle_microseconds",
         "clocks", "temperature", "power", "utilization", "link", "replays", "fabric", "nvlink", "processes")


def read(host, found):
    """The section `gpus`, by PCI address; a GPU that only the driver or only PCI knows is in it too."""
    records = {}
    for address, vendor, driver in _on_pci(host, found):
        records[address] = _record(pci_address=address, vendor=vendor, driver=driver, link=pci.link(host, address))
    mine = {vendor: {address: record for address, record in records.items()
                     if record["vendor"] == vendor and record["driver"] not in _FOR_OTHERS}
            for vendor in ("nvidia", "amd")}
    for vendor, reader in (("nvidia", gpu_nvidia.read), ("amd", gpu_amd.read)):
        for address, told in reader(host, found, mine[vendor]):
            record = records.setdefault(address, _record(pci_address=address, vendor=vendor))
            record.update((key, value) for key, value in told.items() if key != "link")
            record["link"] = _joined(record["link"], told.get("link"))
        for record in mine[vendor].values():
            record["in_driver"] = bool(record["in_driver"])
    return [records[address] for address in sorted(records, key=pci.order)]


def _record(**known):
    return dict(dict.fromkeys(EMPTY), **known)


def _on_pci(host, found):
    """(address, vendor, driver) of each NVIDIA or AMD device that computes, virtual functions left out."""
    for address, device in found["_pci"].items():
        kind = (device["class"] or 0) >> 8
        if kind >> 8 != 0x03 and kind != 0x1200 or pci.is_virtual_function(host, address):
            continue
        vendor = gpu.VENDORS.get(_vendor(host, address))
        driver = pci.driver(host, address)
        # AMD's old display adapters and other processors' graphics compute nothing.
        if vendor == "nvidia" or vendor == "amd" and (kind != 0x0300 or driver in ("amdgpu",) + _FOR_OTHERS):
            yield address, vendor, driver


def _vendor(host, address):
    text = pci.attribute(host, "%s/%s/vendor" % (pci.DEVICES, address)) or ""
    try:
        return int(text, 16)
    except ValueError:
        return None


def _joined(first, second):
    """Two records of one link: the kernel's own, then the driver's for what that lacks."""
    if not first or not second:
        return first or second
    return {key: second.get(key) if value is None else value for key, value in first.items()}
