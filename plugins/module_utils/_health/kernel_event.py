# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Recognises the lines of a kernel log that tell of broken hardware, and what each says.

PRIVATE to the collection. Pure. The words are those of NVIDIA's driver (nvidia.ko, nvidia-nvswitch), amdgpu, and
the kernel's AER, machine check, EDAC and NVMe code.
"""

from __future__ import annotations

import re

from .._topology import pci
from . import xid

# Lists of the fact, in its order.
KINDS = ("xids", "sxids", "aer", "events")
_LONGEST = 160
_ADDRESS = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}(?:\.[0-7])?"
# What any line of interest has in it: most have nothing, and logs are long.
_ANY = re.compile(r"Xid|PCIe Bus Error|Hardware Error|NVRM|amdgpu|nvme|EDAC|DPC:")
_XID = re.compile(r"NVRM:? Xid \((?P<place>[^)]*)\): (?P<code>\d+)(?:, ?(?P<words>.*))?")
_SXID = re.compile(r"SXid \((?P<place>[^)]*)\): (?P<code>\d+), (?P<words>.*)")
_AER = re.compile(r"(?P<place>%s): (?:AER: )?PCIe Bus Error: severity=(?P<severity>[^,]+)" % _ADDRESS)
_EDAC = re.compile(r"EDAC (?P<place>MC\d+): \d+ (?P<severity>CE|UE) ")
_MACHINE_CHECK = re.compile(
    r"\[Hardware Error\]: (?:event severity: (?P<event>\w+)|(?P<decoded>Corrected|Deferred|Uncorrected)\b"
    r"|CPU \d+: Machine Check|Machine check events logged)")
# Kind of event, the severity it has by itself, and what says it; `place` is the device.
_OTHERS = (
    ("gpu_off_bus", "fatal", re.compile(r"NVRM: (?:GPU (?P<place>%s): )?GPU has fallen off the bus" % _ADDRESS)),
    ("gpu_init_failed", "fatal", re.compile(r"NVRM: GPU (?P<place>%s): RmInitAdapter failed" % _ADDRESS)),
    ("gpu_reset", "fatal", re.compile(r"amdgpu (?P<place>%s): (?:amdgpu: )?GPU reset begin" % _ADDRESS)),
    ("gpu_reset_failed", "fatal", re.compile(
        r"amdgpu (?P<place>%s): (?:amdgpu: )?GPU (?:reset\(\d+\) failed|Recovery Failed)" % _ADDRESS)),
    ("ras_uncorrected", "fatal", re.compile(
        r"amdgpu (?P<place>%s): .*?\b[1-9]\d* (?:new )?uncorrectable hardware errors detected" % _ADDRESS)),
    ("nvme_reset", "warning", re.compile(
        r"nvme (?P<place>nvme\d+): (?:controller is down; will reset|.*timeout, reset controller)")),
    ("nvme_lost", "fatal", re.compile(
        r"nvme (?P<place>nvme\d+): (?:Disabling device after reset failure|Removing after probe failure"
        r"|Device not ready; aborting)")),
    ("pcie_containment", "fatal", re.compile(r"(?P<place>%s): DPC: containment event" % _ADDRESS)),
)
_CHECKS = {"corrected": "corrected", "info": "corrected", "recoverable": "uncorrected", "uncorrected": "uncorrected",
           "fatal": "uncorrected", "deferred": "uncorrected", "CE": "corrected", "UE": "uncorrected"}
_WORST_FIRST = ("fatal", "uncorrected", "workflow", "warning", "unknown", "application", "corrected", "info")


def recognise(line):
    """(list of the fact, what to count it by, its record) of a line, or None."""
    if not _ANY.search(line):
        return None
    for reader in (_xid, _sxid, _aer, _machine_check, _other):
        event = reader(line)
        if event:
            return event
    return None


def worse_of(record, told):
    """The worse severity of two records of one thing."""
    if "severity" not in record:
        return told["severity"]
    both = (record["severity"], told["severity"])
    return min(both, key=lambda name: _WORST_FIRST.index(name) if name in _WORST_FIRST else 0)


def _address(place):
    """The PCI address in "PCI:0000:9b:00", "0000:01:00" or "PCI:0000:01:00 GPU-I:05"."""
    match = re.search(r"\b%s" % _ADDRESS, place.lower())
    return pci.normal(match.group()) if match else None


def _cut(words):
    return words.strip()[:_LONGEST]


def _xid(line):
    match = _XID.search(line)
    if not match:
        return None
    code, words = int(match.group("code")), match.group("words") or ""
    severity, name = xid.classify(code, words)
    address = _address(match.group("place"))
    return "xids", (address, code), {
        "pci_address": address, "code": code, "name": name, "severity": severity, "message": _cut(words)}


def _sxid(line):
    """An NVSwitch's error says itself whether it is fatal."""
    match = _SXID.search(line)
    if not match:
        return None
    code, words, address = int(match.group("code")), match.group("words"), _address(match.group("place"))
    severity = {"Fatal": "fatal", "Non-fatal": "warning"}.get(words.partition(",")[0].strip(), xid.UNKNOWN)
    return "sxids", (address, code), {
        "pci_address": address, "code": code, "severity": severity, "message": _cut(words)}


def _aer(line):
    match = _AER.search(line)
    if not match:
        return None
    address, words = pci.normal(match.group("place")), match.group("severity")
    severity = ("corrected" if words.startswith("Correct") else "nonfatal" if "Non-Fatal" in words
                else "fatal" if "Fatal" in words else xid.UNKNOWN)
    return "aer", (address, severity), {"pci_address": address, "severity": severity,
                                        "message": _cut(line[match.start("severity") - len("severity="):])}


def _machine_check(line):
    match = _MACHINE_CHECK.search(line) or _EDAC.search(line)
    if not match:
        return None
    told = match.groupdict()
    word = told.get("event") or (told.get("decoded") or "").lower() or told.get("severity")
    severity, device = _CHECKS.get(word, xid.UNKNOWN), told.get("place")
    return "events", ("machine_check", device, severity), {
        "kind": "machine_check", "device": device, "severity": severity, "message": _cut(line[match.start():])}


def _other(line):
    for kind, severity, form in _OTHERS:
        match = form.search(line)
        if match:
            place = match.group("place")
            device = place if place is None or place.startswith("nvme") else pci.normal(place)
            return "events", (kind, device), {
                "kind": kind, "device": device, "severity": severity, "message": _cut(line[match.start():])}
    return None
