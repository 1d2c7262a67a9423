# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds audit.json from the parts that were kept, one host at a time, and tells what each host's answer amounts to.

PRIVATE to the collection.
"""

from __future__ import annotations

import collections
import json
import os
import shutil

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

SCHEMA = 1
CLASSES = ("inference", "training", "cpu")
_NOT_ROLES = ("report", "topology", "failure")
_OF_ROLE = ("failed", "check_mode", "changed", "notes", "files", "owners", "partition")
# Worst first: how a summary is sorted, and which statuses a step may have.
STATUSES = ("error", "refused", "conflict", "unreadable", "drift", "pending_reboot", "changed", "not_applicable", "ok")


def verdict(host, kept, play):
    """How far a host came, and a sentence on why not further. `play` has the sets all, alive and batch.

    `answered` is said only of a host whose every task of the play was run without a failure.
    """
    answers = {name: data for name, data in kept.items() if name != "report"}
    failed = {name: data for name, data in answers.items() if data.get("failed")}
    if any(data.get("no_answer") for data in failed.values()):
        return "unreachable", "; ".join(data["failed"] for data in failed.values() if data.get("no_answer"))
    if failed:
        return "failed", "; ".join(
            data["failed"] if name == "failure" else "%s: %s" % (name, data["failed"])
            for name, data in sorted(failed.items()))
    if host in play["all"] and host not in play["alive"]:
        if answers:
            return "stopped", "it, or another node of its batch, failed after: %s" % ", ".join(sorted(answers))
        return "no_answer", "it failed before anything was read from it: see the messages above"
    if answers:
        return "answered", None
    if host in play["batch"]:
        return "no_answer", "nothing was asked of it, or nothing came back"
    if "report" in kept:
        return kept["report"]["status"], kept["report"]["message"]
    return "not_reached", "the run has not come to it, or was interrupted before it could tell"


def keep_failure(host, message, report_folder):
    """Keep that something failed on a host, unless a part that says what failed was kept already."""
    if not any(data.get("failed") for data in parts.of_host(host, report_folder).values()):
        parts.keep(host, "failure", {"failed": message}, report_folder)


def entry(kept, status, message, classes):
    """One host of audit.json. What nobody answered is null, never false."""
    roles = {name: data for name, data in kept.items() if name not in _NOT_ROLES}
    reboots = [data.get("reboot_required") for data in roles.values() if data.get("reboot_required") is not None]
    return {
        "status": status,
        "message": message,
        "classes": classes,
        "reboot_required": any(reboots) if reboots else None,
        "changed": any(data.get("changed") for data in roles.values()) if roles else None,
        "roles": {name: {key: data[key] for key in _OF_ROLE if key in data} for name, data in roles.items()},
        "settings": [dict(step, role=name) for name, data in roles.items() for step in data.get("settings") or []],
        "rules": [dict(finding, role=name) for name, data in roles.items() for finding in data.get("rules") or []],
        "topology": kept.get("topology", {}).get("topology"),
    }


def status_of(step):
    """The status of a step in a word, for a reader: what this run changed or failed to comes before the rest."""
    if step.get("error"):
        return "error"
    if step.get("changed"):  # What was changed now, but for the next boot, is not in force yet.
        return "pending_reboot" if step.get("disruption") == "reboot" else "changed"
    return step["status"]


def classes_of(groups, classes=CLASSES):
    """`{host: [class, ...]}` from the inventory's groups."""
    found = collections.defaultdict(list)
    for name in classes:
        for host in groups.get(name) or []:
            found[host].append(name)
    return found


def count(summary, host):
    """Add one host's entry to the summary of the run."""
    summary["hosts"][host["status"]] += 1
    for step in host["settings"]:
        summary["settings"][status_of(step)] += 1
    for finding in host["rules"]:
        summary["rules"][finding["severity"]] += 1
    summary["reboot_required"] += bool(host["reboot_required"])
    summary["changed"] += bool(host["changed"])


def empty_summary():
    """A summary of no hosts."""
    return {"hosts": collections.Counter(), "settings": collections.Counter(), "rules": collections.Counter(),
            "reboot_required": 0, "changed": 0}


def write(report_folder, head, entries):
    """Write audit.json at once from `(host, entry)` pairs, holding one in memory at a time; returns the summary."""
    target = os.path.join(report_folder, "audit.json")
    hosts, whole = ("%s.%s-%d" % (target, name, os.getpid()) for name in ("hosts", "new"))
    summary = empty_summary()
    try:
        with open(hosts, "w", encoding="utf-8") as file:
            separator = ""
            for name, host in entries:
                count(summary, host)
                file.write("%s\n%s: %s" % (separator, json.dumps(name), json.dumps(host, indent=1, default=str)))
                separator = ","
        with open(whole, "w", encoding="utf-8") as file, open(hosts, encoding="utf-8") as body:
            start = json.dumps(dict(head, schema=SCHEMA, summary=summary), indent=1, sort_keys=True)
            file.write(start[:-2] + ',\n "hosts": {')
            shutil.copyfileobj(body, file)
            file.write("\n}\n}\n")
        os.replace(whole, target)
    finally:
        for name in (hosts, whole):
            if os.path.exists(name):
                os.unlink(name)
    return summary


def hosts_of_run(report_folder, play, classes):
    """Yield `(host, entry, news)` for every host of the run; `news` is what this report is the first to know, or None.

    The verdict is kept, for a later play no longer knows which hosts of an earlier one had failed.
    """
    for host in parts.expected(report_folder):
        kept = parts.of_host(host, report_folder)
        status, message = verdict(host, kept, play)
        names = sorted(name for name in kept if name != "report")
        seen = {"status": status, "message": message, "parts": names,
                "changed": [name for name in names if kept[name].get("changed")]}
        told, news = entry(kept, status, message, classes.get(host, [])), None
        if status != "not_reached" and kept.get("report") != seen:
            news = _of_news(kept, seen, told)
            parts.keep(host, "report", seen, report_folder)
        yield host, told, news


def _of_news(kept, seen, told):
    """All of a host that was not shown yet, or ends otherwise; else the roles that have something to say since then."""
    before = kept.get("report")
    if not before or (before["status"], before["message"]) != (seen["status"], seen["message"]):
        return told
    old = {name for name in before["parts"] if (name in before["changed"]) == (name in seen["changed"])}
    roles = {name: kept[name] for name in seen["parts"] if name not in old and name not in _NOT_ROLES
             and any(kept[name].get(word) for word in ("settings", "rules", "failed", "changed"))}
    return entry(dict(roles, topology=kept.get("topology", {})), seen["status"], seen["message"],
                 told["classes"]) if roles else None
