# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What module vllm_service says of a plan: its steps and findings, who is due, the commands, and a diff for each file.

PRIVATE to the collection. Pure. No text of a secret is ever in it.
"""

from __future__ import annotations

from ..._result import public
from . import difference, places, state

_WRONG = ("refused", "conflict", "unreadable")


def result(made):
    """Alike in check mode, before and after a switch."""
    deployments = {name: one["deployment"] for name, one in made.asked.items() if one["deployment"]}
    return {
        "settings": [public(step) for step in made.steps],
        "rules": made.findings,
        "diff": diff(made),
        "changed": made.due,
        "reboot_required": False,
        "due": [step["_name"] for step in made.changing if step["_name"]],
        "open": [step["_name"] for step in made.changing
                 if step["_name"] and step["_state"].get("phase") in (
                     state.SWITCHING, state.SWITCHED, state.PUTTING_BACK)],
        "problems": problems(made),
        "commands": {name: one["command"] for name, one in sorted(deployments.items())},
        "shown": {name: [difference.masked(word) for word in one.get("shown") or ()]
                  for name, one in sorted(deployments.items())},
        "summaries": {name: one["summary"] for name, one in sorted(deployments.items())},
        "versions": {name: (one.get("engine") or {}).get("version") for name, one in sorted(deployments.items())},
        "preflight": {name: one["preflight"] for name, one in sorted(deployments.items()) if one.get("preflight")},
        "notes": made.host.notes,
    }


def problems(made, names=None):
    """A sentence for each cause for which an instance, or one of those named, cannot be as it is asked for."""
    found = {}
    for step in made.steps:
        if step["status"] in _WRONG and (names is None or step["_name"] in names):
            found.setdefault(step["reason"], []).append(step["target"])
    return ["%s: %s" % (", ".join(targets), reason) for reason, targets in found.items()]


def failures(made):
    """A sentence for everything that went wrong in a switch."""
    return made.errors + ["%s: %s" % (step["target"], step["error"]) for step in made.steps if step.get("error")]


def diff(made):
    """[{before, after, headers}], one for each file that changes; of what starts or stops one of its own."""
    shown = []
    for step in made.changing:
        if step["_name"] and step["running"] != step["desired"]:
            shown.append(_one(step["target"], "%s\n" % step["running"], "%s\n" % step["desired"]))
        for path, file in sorted(step["_files"].items()):
            found = step["_found"].get(path)
            if places.same(found, file) or (step["_name"] and places.is_shared(path)):
                continue
            secret = path in step["_secret"]
            shown.append(_one(path, difference.shown(path, found, secret, False),
                              difference.shown(path, file, secret, True)))
    return shown


def _one(header, before, after):
    return {"before": before, "after": after, "before_header": header, "after_header": header}
