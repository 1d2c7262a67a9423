# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads a PCI function's configuration space: what it is, payload sizes, ASPM, ACS, ATS, and its resizable BARs.

PRIVATE to the collection. Offsets and bits are those of the PCI Express specification, as pci_regs.h of Linux names
them. Beyond the first 64 bytes the kernel shows it to root only.
"""

from __future__ import annotations

import errno
import re

from . import pci

EXPRESS, ACS, ATS, RESIZABLE = 0x10, 0x000D, 0x000F, 0x0015
DEVICE_CONTROL, ACS_CONTROL = 8, 6
PAYLOAD, READ_REQUEST = 5, 12  # Where these fields of the device control word begin; each has three bits.
ENDPOINT, ROOT_PORT, UPSTREAM, DOWNSTREAM = 0, 4, 5, 6
_EXTENDED, _BYTES = 0x100, 4096
_ASPM = ("", "L0s", "L1", "L0s L1")
_RESOURCE = re.compile(r"0x([0-9a-f]+) 0x([0-9a-f]+) 0x([0-9a-f]+)\Z")
_MEMORY = 0x200


def path(address):
    """The file of a function's configuration space."""
    return "%s/%s/config" % (pci.DEVICES, address)


def read(host, place):
    """The bytes of a configuration space file. Raises OSError, with words where it takes root."""
    config = host.read_bytes(place, _BYTES)
    if len(config) <= 64:
        raise OSError(errno.EACCES, "configuration space beyond its first 64 bytes takes root", place)
    return config


def word(config, offset):
    """The 16 bits at an offset."""
    return int.from_bytes(config[offset:offset + 2], "little")


def capability(config, wanted):
    """Where a capability begins in the first 256 bytes, or None."""
    if len(config) <= 64 or not config[6] & 0x10:
        return None
    place, seen = config[0x34] & 0xFC, set()
    while 0x40 <= place <= min(len(config), 256) - 4 and place not in seen:
        seen.add(place)
        if config[place] == wanted:
            return place
        place = config[place + 1] & 0xFC
    return None


def extended_capability(config, wanted):
    """Where an extended capability begins, or None."""
    place, seen = _EXTENDED, set()
    while _EXTENDED <= place <= len(config) - 4 and place not in seen:
        seen.add(place)
        header = int.from_bytes(config[place:place + 4], "little")
        if header in (0, 0xFFFFFFFF):
            return None
        if header & 0xFFFF == wanted:
            return place
        place = header >> 20 & 0xFFC
    return None


def device_control(config):
    """Where the device control word of the PCI Express capability is, or None for a function that has none."""
    return _offset(config, capability(config, EXPRESS), DEVICE_CONTROL)


def acs_control(config):
    """Where the ACS control word is, or None for a function without access control services."""
    return _offset(config, extended_capability(config, ACS), ACS_CONTROL)


def _offset(config, start, field):
    return None if start is None or start + field + 2 > len(config) else start + field


def field(control, first):
    """The size in bytes that one of the two fields of a device control word stands for."""
    return 128 << (control >> first & 7)


def with_field(control, first, size):
    """A device control word with one of the two fields set to a size in bytes, and no other bit changed."""
    return control & ~(7 << first) | (size // 128).bit_length() - 1 << first


def facts(config):
    """{port_type, max_payload, max_payload_supported, max_read_request, aspm, acs, ats, resizable}; None: not there.

    `acs` is the control word, `ats` whether it is switched on, `resizable` {bar: [now, largest]} in bytes.
    """
    express, acs = capability(config, EXPRESS), acs_control(config)
    ats = _offset(config, extended_capability(config, ATS), 6)
    found = {"port_type": None, "max_payload": None, "max_payload_supported": None, "max_read_request": None,
             "aspm": None, "acs": None if acs is None else word(config, acs),
             "ats": None if ats is None else bool(word(config, ats) & 0x8000), "resizable": _resizable(config)}
    if express is not None and express + 0x14 <= len(config):
        control = word(config, express + DEVICE_CONTROL)
        found.update(port_type=word(config, express + 2) >> 4 & 0xF, max_payload=field(control, PAYLOAD),
                     max_payload_supported=128 << (word(config, express + 4) & 7),
                     max_read_request=field(control, READ_REQUEST), aspm=_ASPM[word(config, express + 0x10) & 3])
    return found


def _resizable(config):
    start, bars = extended_capability(config, RESIZABLE), {}
    if start is None or start + 12 > len(config):
        return bars
    count = config[start + 8] >> 5 & 7
    for number in range(min(count, (len(config) - start - 4) // 8)):
        place = start + 4 + 8 * number
        offered = int.from_bytes(config[place:place + 4], "little") >> 4
        control = int.from_bytes(config[place + 4:place + 8], "little")
        # Sizes beyond 128 TB are told in the upper half of the control register: none of those is a GPU's yet.
        largest = offered.bit_length() - 1
        bars[control & 7] = [1 << 20 + (control >> 8 & 0x3F), 1 << 20 + largest if largest >= 0 else None]
    return bars


def bars(host, address):
    """{index: size in bytes} of a function's memory windows, from the file `resource`."""
    found = {}
    lines = (pci.attribute(host, "%s/%s/resource" % (pci.DEVICES, address)) or "").splitlines()
    for index, line in enumerate(lines[:6]):
        match = _RESOURCE.match(line.strip())
        start, end, flags = (int(part, 16) for part in match.groups()) if match else (0, 0, 0)
        if flags & _MEMORY and end > start:
            found[index] = end - start + 1
    return found


def describe(host, address):
    """`facts` of a function, read once, or None where its configuration space cannot be read, with a note."""
    kept = host.facts.setdefault("pci_config", {})
    if address not in kept:
        try:
            kept[address] = facts(read(host, path(address)))
        except OSError as error:
            kept[address] = None
            host.note("%s: %s" % (path(address), error.strerror))
    return kept[address]
