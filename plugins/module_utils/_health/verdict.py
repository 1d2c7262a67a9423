# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with a node, by its health: findings for a gate, what became worse, and what is at work.

PRIVATE to the collection. Pure. E is what no job should run on; W is what somebody should look at; I is good to
know. Anything that was not gathered, or could not be read, says nothing about the node but that.
"""

from __future__ import annotations

from . import gpu_finding, link_finding
from .finding import finding, plural

_SEVERITY = {"fatal": "E", "uncorrected": "E", "nonfatal": "W", "workflow": "W", "unknown": "W", "warning": "W",
             "application": "I", "corrected": "I", "info": "I"}
_GOOD_DRIVES = ("live", None)


def verdict(health):
    """[{severity, device, what, message}] of one health, the worst first."""
    findings = []
    for part in (_unreadable, _logged, gpu_finding.findings, link_finding.findings, _drives, _services):
        findings.extend(part(health))
    return sorted(findings, key=lambda one: ("EWI".index(one["severity"]), one["what"], str(one["device"])))


def busy(health):
    """[{pid, name, memory, gpus}] of the processes that compute on a GPU, by pid; `gpus` are PCI addresses."""
    found = {}
    for gpu in health.get("gpus") or ():
        for process in gpu.get("processes") or ():
            record = found.setdefault(process["pid"], dict(process, gpus=[]))
            record["gpus"].append(gpu["pci_address"])
    return [found[pid] for pid in sorted(found)]


def worse(before, after):
    """What got worse between two healths of one node, in words; empty if nothing did.

    What was broken before and still is does not count. A log begins anew with each boot, and so do counters: after one,
    every error counts, but a warning only if the boot before did not have it, since some boards warn at each.
    """
    same_boot = bool(before.get("boot_id")) and before.get("boot_id") == after.get("boot_id")
    old = {_identity(one) for one in _lasting(before)}
    words = [one["message"] for one in _lasting(after) if _identity(one) not in old]
    words += _new_events(before, after, same_boot)
    words += gpu_finding.worse(before, after, same_boot) + link_finding.worse(before, after, same_boot)
    return list(dict.fromkeys(words))


def _lasting(health):
    """Findings that count and compare by themselves: not those of a log, a link or a counter."""
    findings = _unreadable(health) + gpu_finding.findings(health) + _drives(health) + _services(health)
    return [one for one in findings if one["severity"] in "EW"]


def _unreadable(health):
    return [finding("W", None, "unreadable", "%s: %s" % (section, reason))
            for section, reason in (health.get("unreadable") or {}).items()]


def _identity(one):
    return one["what"], one["device"], one["message"] if one["what"] == "unreadable" else None


def _events(health):
    """(severity, device, what, words, count) of everything in the kernel's log."""
    log = health.get("kernel_log") or {}
    for xid in log.get("xids") or ():
        words = "Xid %d%s" % (xid["code"], ": " + xid["name"] if xid["name"] else "")
        yield xid["severity"], xid["pci_address"], "xid_%d" % xid["code"], words, xid["count"]
    for sxid in log.get("sxids") or ():
        yield (sxid["severity"], sxid["pci_address"], "sxid_%d" % sxid["code"],
               "NVSwitch SXid %d: %s" % (sxid["code"], sxid["message"]), sxid["count"])
    for aer in log.get("aer") or ():
        yield (aer["severity"], aer["pci_address"], "aer_" + aer["severity"],
               "PCIe error (AER), %s" % aer["severity"], aer["count"])
    for event in log.get("events") or ():
        yield (event["severity"], event["device"], "%s_%s" % (event["kind"], event["severity"]), event["message"],
               event["count"])


def _logged(health):
    return [finding(_SEVERITY.get(severity, "W"), device, what, "%s%s, %s since boot" % (
        "%s: " % device if device else "", words, plural(count, "time")))
        for severity, device, what, words, count in _events(health)]


def _new_events(before, after, same_boot):
    """Lines of the log that count against a node and were not there before."""
    old = {(what, device): count for _severity, device, what, _words, count in _events(before)}
    said = []
    for severity, device, what, words, count in _events(after):
        known, severity = old.get((what, device), 0), _SEVERITY.get(severity, "W")
        more = count - known if same_boot else count if severity == "E" or not known else 0
        if severity in "EW" and more > 0:
            said.append("%s%s: %s in the kernel log" % (
                "%s: " % device if device else "", words, plural(more, "new line")))
    return said


def _drives(health):
    return [finding("E", drive["pci_address"] or drive["name"], "nvme_state", "NVMe drive %s (serial %s) is %s" % (
        drive["name"], drive["serial"], drive["state"])) for drive in health.get("nvme") or ()
        if drive["state"] not in _GOOD_DRIVES]


def _services(health):
    """Units that failed; a stopped one is somebody's choice unless the GPUs show that they miss it."""
    return [finding("E" if name == "nvidia-fabricmanager" else "W", None, "service_failed", "%s has failed" % name)
            for name, told in (health.get("services") or {}).items() if told["unit"] == "failed"]
