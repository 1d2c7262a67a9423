# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a tuned profile sets on a node: sysctl keys and files under /sys, each with its value and where it comes from.

PRIVATE to the collection. A target is ("sysctl", "vm.swappiness") or ("sysfs", "/sys/..."). tuned sets its values when
it starts or changes its profile, after systemd-sysctl and systemd-tmpfiles. With reapply_sysctl (the default) it then
applies /run/sysctl.d, /etc/sysctl.d and /etc/sysctl.conf once more, so a key that stands there beats its [sysctl] ones.
"""

from __future__ import annotations

import fnmatch
import re

from . import sysctl_d, tuned_profile

POST_LOADED_FILE = "/etc/tuned/post_loaded_profile"
_THP = "/sys/kernel/mm/transparent_hugepage/"
# The vm unit's options in the order in which tuned applies them, and the target of each.
_VM_TARGETS = {
    "dirty_background_bytes": ("sysctl", "vm.dirty_background_bytes"),
    "dirty_background_ratio": ("sysctl", "vm.dirty_background_ratio"),
    "dirty_bytes": ("sysctl", "vm.dirty_bytes"),
    "dirty_ratio": ("sysctl", "vm.dirty_ratio"),
    "transparent_hugepage": ("sysfs", _THP + "enabled"),
    "transparent_hugepage.defrag": ("sysfs", _THP + "defrag"),
    "transparent_hugepages": ("sysfs", _THP + "enabled"),
}
_CPU = "/sys/devices/system/cpu/"
_GOVERNORS = _CPU + "cpufreq/policy*/scaling_governor"
# Of the cpu unit's options those that are a file of each CPU.
_CPU_TARGETS = {"governor": ("sysfs", _GOVERNORS),
                "pm_qos_resume_latency_us": ("sysfs", _CPU + "cpu*/power/pm_qos_resume_latency_us")}
# Anything else is refused by tuned; None is a value that cannot be told.
_THP_VALUES = ("always", "never", "madvise", None)
# Writing one of a pair makes the kernel forget the other.
_TWINS = {"vm.dirty_bytes": "vm.dirty_ratio", "vm.dirty_background_bytes": "vm.dirty_background_ratio"}
_TWINS.update({ratio: size for size, ratio in list(_TWINS.items())})


def values(host, profile):
    """What a profile (names separated by blanks) sets here: {target: {"value", "file", "modifier", "reapplied"}}.

    "value" is None where only the running tuned can tell it. "modifier" is ">" or "<" where tuned writes only what is
    larger or smaller than the value it finds. "reapplied" says that a line in /etc/sysctl.d beats it. The path of a
    sysfs target may be a glob. A profile that tuned would refuse sets nothing, and becomes a note.
    """
    found = {}
    try:
        units, variables = tuned_profile.load(host, profile.split() + (host.text(POST_LOADED_FILE) or "").split())
        units = [unit for unit in units if tuned_profile.applies(host, unit, variables)]
    except tuned_profile.BrokenProfile as error:
        host.note("tuned: %s" % error)
        return found
    last_sysctl = max([place for place, unit in enumerate(units) if unit["type"] == "sysctl"], default=-1)
    settings = tuned_profile.main_settings(host)
    for place, unit in enumerate(units):
        for target, option in targets(host, unit):
            text, path = unit["options"][option]
            again = target[0] == "sysctl" and place <= last_sysctl and _reapplies(settings, target[1])
            one = dict(_value(unit, option, text, variables), file=path, reapplied=again)
            if target[1] == _GOVERNORS:
                one["value"] = _first_offered(host, one["value"])
            if unit["type"] != "vm" or target[1] != _THP + "enabled" or one["value"] in _THP_VALUES:
                found[_ratio(target, one)] = one
    return found


def targets(host, unit):
    """(target, option) for each option of a merged unit that sets a sysctl or a file under /sys."""
    options = unit["options"]
    if unit["type"] == "sysctl":
        return [(("sysctl", sysctl_d.normal_key(option)), option) for option in options]
    if unit["type"] == "sysfs":
        paths = [(re.sub("/+", "/", option).rstrip("/"), option) for option in options]
        return [(("sysfs", path), option) for path, option in paths if path.startswith("/sys/")]
    if unit["type"] == "cpu":
        return [(target, option) for option, target in _CPU_TARGETS.items() if option in options]
    if unit["type"] != "vm":
        return []
    at_boot = "transparent_hugepage=" in (host.text("/proc/cmdline") or "")
    return [(target, option) for option, target in _VM_TARGETS.items()
            if option in options and not (at_boot and target[1] == _THP + "enabled")]


def _first_offered(host, text):
    """Of governors with | between, the first that the kernel offers: that is the one which tuned sets."""
    offered = (host.text(_CPU + "cpufreq/policy0/scaling_available_governors") or "").split()
    words = (text or "").split("|")
    return next((word for word in words if word in offered), words[0]) if text else text


def rules(named, target):
    """Whether setting what tuned names changes `target`: the same, a glob that includes it, or its twin."""
    if named == target or named[0] == target[0] == "sysctl":
        return named == target or _TWINS.get(target[1]) == named[1]
    parts, patterns = target[1].split("/"), named[1].split("/")
    return named[0] == target[0] == "sysfs" and len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, pattern) for part, pattern in zip(parts, patterns))


def differs(target, text, named, one):
    """Whether what tuned sets for `named` leaves `target` at something else than `text`."""
    if one["value"] is None or (target[0] == "sysctl" and target != named):
        return True
    mine, theirs = text.split(), one["value"].split()
    if one["modifier"] and len(mine) == len(theirs) == 1 and mine[0].isdigit() and theirs[0].isdigit():
        gap = int(theirs[0]) - int(mine[0])
        return gap > 0 if one["modifier"] == ">" else gap < 0
    return mine != theirs


def _value(unit, option, text, variables):
    text = tuned_profile.expand(text, variables)
    if text is None:
        return {"value": None, "modifier": ""}
    if unit["type"] == "sysctl":
        text = re.sub('^"(.*)"$', r"\1", text)
    modifier = text[:1] if text[:1] in ("<", ">") and len(text) > 1 and unit["type"] != "sysfs" else ""
    return {"value": text[len(modifier):].strip(), "modifier": modifier}


def _ratio(target, one):
    """The target itself, but that "40%" for a number of bytes means its ratio twin."""
    if target[0] == "sysctl" and target[1].endswith("bytes") and (one["value"] or "").endswith("%"):
        one["value"] = one["value"][:-1].strip()
        return ("sysctl", _TWINS.get(target[1], target[1]))
    return target


def _reapplies(settings, key):
    """Whether tuned applies the sysctl.d files again after its own values, for this key."""
    excluded = re.split(r"[\s,;]+", settings.get("reapply_sysctl_exclude", ""))
    return (settings.get("reapply_sysctl", "1").lower() in ("1", "true", "yes", "on")
            and not any(pattern and fnmatch.fnmatchcase(key, pattern) for pattern in excluded))
