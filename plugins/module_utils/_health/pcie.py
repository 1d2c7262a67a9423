# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the PCIe links of GPUs, NICs and NVMe drives, now against the most that can be, and the AER counters.

PRIVATE to the collection. A device in a slot that is narrower or slower than itself runs as well as it can:
`expected` is the lesser of the two.
"""

from __future__ import annotations

import re

from .._topology import gpu, pci

_COUNTER = re.compile(r"^(\w+) (\d+)$", re.MULTILINE)
_AER = (("correctable", "aer_dev_correctable", "TOTAL_ERR_COR"), ("nonfatal", "aer_dev_nonfatal", "TOTAL_ERR_NONFATAL"),
        ("fatal", "aer_dev_fatal", "TOTAL_ERR_FATAL"))
_NVME = 0x010802


def read(host, found):
    """The section `pcie`: {links: [...], aer: [...]}, by address; `aer` has only devices that counted something."""
    links = []
    for address in sorted(found["_pci"], key=pci.order):
        kind = _kind(host, address, found["_pci"][address]["class"] or 0)
        link = pci.link(host, address) if kind else {}
        if any(value is not None for value in link.values()):
            links.append(dict({"pci_address": address, "kind": kind}, **_with_slot(host, found, address, link)))
    return {"links": links, "aer": _counted(host, found)}


def _kind(host, address, code):
    """gpu, nic or nvme; None for other devices and for virtual functions, whose link is that of their device."""
    kind = None
    if code >> 16 == 0x03 or code >> 8 == 0x1200:
        vendor = pci.attribute(host, "%s/%s/vendor" % (pci.DEVICES, address)) or ""
        kind = "gpu" if vendor in ("0x%04x" % known for known in (gpu.NVIDIA, gpu.AMD)) else None
    elif code >> 16 == 0x02:
        kind = "nic"
    elif code == _NVME:
        kind = "nvme"
    return None if kind and pci.is_virtual_function(host, address) else kind


def _with_slot(host, found, address, link):
    """The link with what can be expected of it, by its own most and that of the port above."""
    above = found["_pci"][address]["path"]
    slot = pci.link(host, above[-1]) if above else {}
    widths = [width for width in (link["max_width"], slot.get("max_width")) if width]
    speeds = [speed for speed in (link["max_speed"], slot.get("max_speed")) if gigatransfers(speed)]
    return dict(link, expected_width=min(widths, default=None),
                expected_speed=min(speeds, key=gigatransfers, default=None))


def gigatransfers(speed):
    """The number in "32.0 GT/s PCIe", or None."""
    match = re.match(r"\d+(\.\d+)?", speed or "")
    return float(match.group()) if match else None


def _counted(host, found):
    """[{pci_address, correctable, nonfatal, fatal, errors}] of the devices whose AER counters are not all zero."""
    counted = []
    for address in sorted(found["_pci"], key=pci.order):
        record, errors = {}, {}
        for ours, name, total in _AER:
            told = dict(_COUNTER.findall(pci.attribute(host, "%s/%s/%s" % (pci.DEVICES, address, name)) or ""))
            each = {error: int(value) for error, value in told.items()
                    if not error.startswith("TOTAL_") and value != "0"}
            record[ours] = int(told.get(total, 0)) or sum(each.values())
            errors.update(each)
        if any(record.values()):
            counted.append(dict({"pci_address": address}, errors=errors, **record))
    return counted
