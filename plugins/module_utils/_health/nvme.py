# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads which NVMe drives are here and whether each works; what SMART knows is not in sysfs and is left to it.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._topology import nic, nvme, pci


def read(host, _found):
    """The section `nvme`, by PCI address, then name: [{name, pci_address, serial, model, firmware, state}]."""
    drives = []
    for name in host.names(nvme.CLASS):
        if not re.match(r"nvme\d+\Z", name):
            continue
        folder = "%s/%s" % (nvme.CLASS, name)
        device = nic.device_folder(host, folder)
        told = {ours: pci.attribute(host, "%s/%s" % (folder, theirs)) for ours, theirs in (
            ("serial", "serial"), ("model", "model"), ("firmware", "firmware_rev"), ("state", "state"))}
        address = pci.above(host, device) if device else None
        drives.append(dict({"name": name, "pci_address": address},
                           **{key: value.strip() or None if value else None for key, value in told.items()}))
    return sorted(drives, key=lambda drive: (
        pci.order(drive["pci_address"] or "ffffffff:ff:ff.7"), int(drive["name"][4:])))
