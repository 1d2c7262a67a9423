# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a module says of a plan: its steps and findings, whether anything changes, and one diff for the whole set.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import hashlib

from ._runner import desired

_LONGEST = 200


def result(plan):
    """The result of module `settings`, alike in check mode and after an apply."""
    return {
        "role": plan.role,
        "settings": [public(step) for step in plan.steps],
        "rules": plan.findings,
        "reboot_required": any(
            step["status"] == "pending_reboot" or (step["disruption"] == "reboot" and step["status"] == "drift")
            for step in plan.steps),
        "changed": plan.due,
        "diff": diff(plan),
        "notes": plan.host.notes,
    }


def public(step):
    """A step without what only _apply.py needs."""
    shown = {key: shorten(value) for key, value in step.items() if not key.startswith("_")}
    if step.get("reason") and step["status"] != "drift":  # Words, which say nothing once they are cut, and no value.
        shown["reason"] = " ".join(step["reason"].split())
    return shown


def shorten(value):
    """A value that fits a line of a report; the whole of a longer one is in the file that persists it."""
    if not isinstance(value, str) or (len(value) <= _LONGEST and "\n" not in value):
        return value
    if "\n" in value:
        return "%d lines, SHA-256 %s" % (value.count("\n") + 1, hashlib.sha256(value.encode()).hexdigest()[:8])
    return "%s... (%d characters)" % (value[:_LONGEST // 2], len(value))


def diff(plan):
    """One before and after text: the running values that change, then each file of ours that changes, whole."""
    before, after = [], []
    for step in plan.changing:
        if step["running"] != step["_force"] and step["kind"] != "document":  # Its file says it all, below.
            before.append("%s = %s\n" % (step["target"], shorten(step["running"])))
            after.append("%s = %s\n" % (step["target"], shorten(step["_force"])))
    for path, content, _mode in plan.runner:
        before.append("# %s: the node runner as it is\n" % path)
        after.append("# %s: the node runner, %d bytes\n" % (path, len(content)))
    for path, text in plan.wanted_files.items():
        if text != plan.files[path] and path == desired.path(plan.role):  # It repeats what was asked for.
            before.append("# %s: %s\n" % (path, "(absent)" if plan.files[path] is None else "as it is"))
            after.append("# %s: %s\n" % (path, "(absent)" if text is None else "%d bytes" % len(text)))
        elif text != plan.files[path]:
            before.append("# %s\n%s" % (path, plan.files[path] or "(absent)\n"))
            after.append("# %s\n%s" % (path, text or "(absent)\n"))
    return {"before": "".join(before), "after": "".join(after), "before_header": "role %s" % plan.role,
            "after_header": "role %s" % plan.role}


def failures(plan):
    """A sentence for every step that failed, could not be read, or was refused by a rule: what makes an apply fail."""
    said = list(plan.errors)
    for step in plan.steps:
        if step.get("error"):
            said.append("%s: %s" % (step["target"], step["error"]))
        elif step["status"] == "unreadable":
            said.append("%s cannot be read: %s" % (step["target"], step["reason"]))
    for found in plan.findings:
        if found["severity"] == "E" and found["setting"]:
            said.append("%s is refused by %s: %s" % (found["setting"], found["rule"], found["message"]))
        elif found["severity"] == "E":
            said.append("%s: %s" % (found["rule"], found["message"]))
    return said
