# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node must be before it may go down, and after it came back. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._health.fingerprint import differences, fingerprint
from ansible_collections.gpuwright.node.plugins.module_utils._health.verdict import busy, verdict, worse

_MOST = 5
_WORDS = {"E": "error", "W": "warning"}


def snapshot(topology, health, answer):
    """What is kept of a node, to compare it with later."""
    return {"fingerprint": fingerprint(topology, health), "health": health, "verdict": _worst(health),
            "boot_id": answer["boot_id"], "pending": answer["pending"]}


def forbids(health, answer, allow):
    """Why a drained node may not go down yet, or None: somebody computes on it."""
    if "busy" in allow:
        return None
    jobs = ["%s (process %s, %s)" % (job["comm"], job["pid"], job["holds"]) for job in answer["jobs"]]
    jobs += ["%s (process %s, %s)" % (one["name"], one["pid"], ", ".join(one["gpus"])) for one in busy(health)
             if one["pid"] not in {job["pid"] for job in answer["jobs"]}]
    if not jobs:
        return None
    more = " and %d more" % (len(jobs) - _MOST) if len(jobs) > _MOST else ""
    return "busy: %s%s; reboot nevertheless with gpuwright_reboot_allow: [busy]" % (", ".join(jobs[:_MOST]), more)


def wrong(before, after, settings, part):
    """Sentences on what is not as it has to be before the node goes back into service; empty if all is well."""
    said = []
    if part != "along" and before["boot_id"] == after["boot_id"]:
        said.append("it was not rebooted: the boot is still %s" % after["boot_id"])
    said += ["%s still waits for a reboot: running %s, to be %s" % (step["name"], step["running"], step["desired"])
             for step in after["pending"]]
    waiting = {(step["role"], step["target"]) for step in before["pending"]}
    said += ["%s is %s after the boot: %s" % (step["target"], step["status"], step["reason"]) for step in settings
             if (step["role"], step["target"]) in waiting and step["status"] not in ("ok", "pending_reboot")]
    said += ["health: %s" % change for change in worse(before["health"], after["health"])]
    said += [str(change) for change in differences(before["fingerprint"], after["fingerprint"])]
    return said


def _worst(health):
    """The worst that a health tells of, in a word."""
    found = verdict(health)  # The worst comes first.
    return _WORDS.get(found[0]["severity"], "ok") if found else "ok"
