# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the network interfaces with a device behind them: whether each has a carrier, and what it lost.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._topology import nic, pci

_ERROR = re.compile(r"error|collisions\Z|fifo")
_ETHERNET, _INFINIBAND = 1, 32


def read(host, _found):
    """The section `nics`, by PCI address, then name."""
    found = []
    for name in host.names(nic.NET):
        folder = "%s/%s" % (nic.NET, name)
        device = nic.device_folder(host, folder)
        if device is None or pci.number(host, folder + "/type") not in (_ETHERNET, _INFINIBAND, None):
            continue
        speed = pci.number(host, folder + "/speed")
        found.append({
            "name": name,
            "pci_address": pci.above(host, device),
            "operstate": pci.attribute(host, folder + "/operstate") or None,
            "speed": speed if speed is not None and 0 < speed < 0xFFFF0000 and speed != 0xFFFF else None,
            "carrier_changes": pci.number(host, folder + "/carrier_changes"),
            "errors": _errors(host, folder + "/statistics"),
        })
    return sorted(found, key=lambda record: (pci.order(record["pci_address"] or "ffffffff:ff:ff.7"), record["name"]))


def _errors(host, folder):
    """{counter: value} of the error counters that are not zero."""
    told = {name: pci.number(host, "%s/%s" % (folder, name)) for name in host.names(folder) if _ERROR.search(name)}
    return {name: value for name, value in told.items() if value}
