# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what an interface's hardware and driver make of what is asked: limits, and who sets the times.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

_ADAPTIVE = {"coalesce/rx-usecs": "coalesce/adaptive-rx", "coalesce/tx-usecs": "coalesce/adaptive-tx"}


def limited_by_hardware(view):
    """More rings or channels than a device has: it gets all it has."""
    return [finding("clamp", "I", step["name"], "%s: %s is asked for, and its hardware has %s: it gets that" % (
        step["target"], step["_fields"]["asked"], step["desired"]))
        for step in view.steps if step["kind"] == "netdev" and "asked" in step.get("_fields", {})
        and step["status"] != "not_applicable"]


def adaptive_rules_times(view):
    """A time that is asked for together with adaptive coalescing is changed by the driver."""
    asked = {step["target"]: step["desired"] for step in view.steps
             if step["kind"] == "netdev" and "_restore" not in step and step["status"] != "not_applicable"}
    found = []
    for target in sorted(asked):
        name, _slash, row = target.partition("/")
        if row in _ADAPTIVE and asked.get("%s/%s" % (name, _ADAPTIVE[row])) == "1":
            found.append(finding("coalesce", "W", row, "%s: the driver chooses it itself while %s is 1: set one of "
                                 "the two to null" % (target, _ADAPTIVE[row])))
    return found
