# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the GPUs of a health, and what of them became worse.

PRIVATE to the collection. Pure. Thresholds are those that each GPU reports for itself; there are none of ours.
"""

from __future__ import annotations

from .finding import finding, plural

# Reasons that mean trouble with cooling or power; others (idle, power cap, application clocks) are a GPU at work.
_SLOWED = {
    "hw_slowdown": "hardware slowdown", "hw_thermal_slowdown": "too hot (hardware)",
    "hw_power_brake_slowdown": "external power brake", "sw_thermal_slowdown": "too hot (driver)",
}
_REPAIRS = {"channel_repair_pending": "a memory channel repair waits for a reset",
            "tpc_repair_pending": "a TPC repair waits for a reset", "unrepairable_memory": "memory is beyond repair"}
_GOOD_FABRIC = ("Completed", "Not Supported")
_GOOD_SUMMARY = ("Healthy", None)
_GOOD_BANDWIDTH = ("Full", None)


def findings(health):
    """The findings on every GPU."""
    found = []
    known = [gpu for gpu in health.get("gpus") or () if gpu["in_driver"]]
    for gpu in health.get("gpus") or ():
        if gpu["in_driver"] is False and (known or "gpus" not in health.get("unreadable", {})):
            found.append(finding("E", gpu["pci_address"], "gpu_lost",
                                 "GPU %s is on PCI, but its driver does not list it" % gpu["pci_address"]))
        for part in (_memory, _fabric, _heat, _modes):
            found += [finding(severity, gpu["pci_address"], what, "GPU %s: %s" % (gpu["pci_address"], words))
                      for severity, what, words in part(gpu)]
    return found


def _memory(gpu):
    ecc, rows, pages = gpu["ecc"] or {}, gpu["remapped_rows"] or {}, gpu["retired_pages"] or {}
    count = (ecc.get("volatile") or {}).get("uncorrected")
    if count:
        yield "E", "ecc_uncorrected", "%s of memory since the driver was loaded" % plural(count, "uncorrected error")
    ever = (ecc.get("aggregate") or {}).get("uncorrected")
    if ever and not count:
        yield "I", "ecc_uncorrected_ever", "%s of memory in its life" % plural(ever, "uncorrected error")
    if ecc.get("sram_threshold_exceeded"):
        yield "E", "sram_threshold", "more SRAM errors than its threshold: it is to be replaced"
    for name, words in _REPAIRS.items():
        if ecc.get(name):
            yield "E" if name == "unrepairable_memory" else "W", name, words
    if rows.get("failure"):
        yield "E", "row_remap_failure", "a row of memory could not be remapped: it is to be replaced"
    if rows.get("pending"):
        yield "E", "row_remap_pending", "a row of memory waits for a reset to be remapped"
    if rows.get("banks_without_spare"):
        banks = plural(rows["banks_without_spare"], "bank")
        yield "W", "row_remap_exhausted", "%s of memory without a spare row" % banks
    if pages.get("pending"):
        yield "E", "page_retirement_pending", "a page of memory waits for a reset to be retired"
    if ecc.get("pending") is not None and ecc.get("pending") != ecc.get("enabled"):
        yield "W", "ecc_mode_pending", "ECC will be %s after the next reset" % ("on" if ecc["pending"] else "off")


def _fabric(gpu):
    fabric, links = gpu["fabric"], gpu["nvlink"]
    if fabric and fabric["state"] not in _GOOD_FABRIC:
        yield "E", "fabric_state", "the NVLink fabric is in state %s" % fabric["state"]
    elif fabric and fabric["status"] not in ("Success", None):
        yield "E", "fabric_status", "joining the NVLink fabric ended with %s" % fabric["status"]
    told = (fabric or {}).get("health") or {}
    if told.get("summary") not in _GOOD_SUMMARY:
        yield "E", "fabric_health", "the NVLink fabric is %s" % told["summary"]
    if told.get("bandwidth") not in _GOOD_BANDWIDTH:
        yield "E", "fabric_bandwidth", "the bandwidth of its NVLink fabric is %s" % told["bandwidth"]
    for name in sorted(told):
        wrong = told[name] not in ("None", "False") if name == "incorrect_configuration" else told[name] == "True"
        if wrong and name != "partition_assigned":
            yield "E", "fabric_" + name, "the NVLink fabric reports %s" % name.replace("_", " ")
    if links and links["active"] and links["inactive"]:
        yield "E", "nvlink_inactive", "%d of its %d NVLinks are down" % (
            links["inactive"], links["active"] + links["inactive"])


def _heat(gpu):
    reasons = gpu["throttle_reasons"] or ()
    named = [words for name, words in _SLOWED.items() if name in reasons]
    if named:
        yield "W", "slowed", "its clocks are held down: %s" % ", ".join(named)
    told = gpu["temperature"] or {}
    for sensor, limit in (("gpu", "slowdown"), ("memory", "max_memory"), ("junction", "slowdown")):
        # AMD's slowdown limit is that of its junction sensor.
        if sensor == "gpu" and "junction" in told:
            continue
        if sensor in told and limit in told and told[sensor] >= told[limit]:
            yield "W", "hot_" + sensor, "its %s is at %d C of %d C" % (sensor, told[sensor], told[limit])
    if told.get("margin") is not None and told["margin"] <= told.get("slowdown_margin", 0):
        yield "W", "hot_gpu", "it is %d C past the temperature at which it slows down" % (
            told.get("slowdown_margin", 0) - told["margin"])


def _modes(gpu):
    power, mig = gpu["power"] or {}, gpu["mig"] or {}
    if gpu["recovery_action"] not in (None, "None"):
        yield "E", "recovery_action", "the driver asks for: %s" % gpu["recovery_action"]
    limit, usual = power.get("limit"), power.get("default_limit")
    if limit and usual and limit < usual - 1:
        yield "W", "power_limit", "its power limit is %.0f W, %.0f W by default" % (limit, usual)
    if gpu["persistence"] is False:
        yield "I", "persistence", "persistence mode is off: the driver lets go of it when nobody uses it"
    if mig.get("pending") is not None and mig["pending"] != mig["enabled"]:
        yield "W", "mig_pending", "MIG will be %s after the next reset" % ("on" if mig["pending"] else "off")
    most, given = [((gpu["clocks"] or {}).get(name) or {}).get("graphics")
                   for name in ("default_application", "application")]
    if most and given and given < most:
        yield "W", "application_clocks", "its application clock is %d MHz, %d MHz by default" % (given, most)


def worse(before, after, same_boot):
    """What of the GPUs became worse, in words; GPUs that are not in one of the healths are told of by their number."""
    old = {gpu["pci_address"]: gpu for gpu in before.get("gpus") or ()}
    words = []
    if "gpus" in before and "gpus" in after:
        missing = [address for address in old if address not in {gpu["pci_address"] for gpu in after["gpus"]}]
        words += ["GPU %s is gone" % address for address in missing]
    for gpu in after.get("gpus") or ():
        was = old.get(gpu["pci_address"])
        if was:
            words += ["GPU %s: %s" % (gpu["pci_address"], word) for word in _worse(was, gpu, same_boot)]
    return words


def _worse(was, now, same_boot):
    if was["persistence"] and now["persistence"] is False:
        yield "persistence mode was on and is off"
    if was["fabric"] and now["in_driver"] and not now["fabric"]:
        yield "it was in an NVLink fabric and is in none"
    active = [((gpu["nvlink"] or {}).get("active")) for gpu in (was, now)]
    if active[0] and active[1] is not None and active[1] < active[0]:
        yield "%d of %d NVLinks are left" % (active[1], active[0])
    for since in ("volatile", "aggregate") if same_boot else ("aggregate",):
        counts = [((gpu["ecc"] or {}).get(since) or {}).get("uncorrected") for gpu in (was, now)]
        if None not in counts and counts[1] > counts[0]:
            yield "%s more of memory (%s)" % (plural(counts[1] - counts[0], "uncorrected error"), since)
