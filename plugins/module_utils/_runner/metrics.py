# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit as metrics, in the text format of Prometheus that node_exporter's textfile collector reads.

PRIVATE to the collection. Pure. How many settings of a role have which status is one series each, whatever their
number is on a node; only those that are not as they shall be have a series of their own.
"""

from __future__ import annotations

from .version import VERSION

STATUSES = ("ok", "drift", "pending_reboot", "not_applicable", "unreadable", "conflict", "refused")


def text(told, begun):
    """The metrics of one audit that began at `begun`, in seconds since the epoch."""
    families = [_info(), _disabled(0), _when(begun),
                ("audit_duration_seconds", "How long the last audit took.", [({}, told["seconds"])])]
    roles, problems = told["roles"], told["problems"]
    families.append(("role_judged", "Whether an applied role could be judged.", [
        ({"role": role}, int(role in roles)) for role in sorted([*roles, *problems])]))
    families.append(("settings", "Settings of a role by their status.", [
        ({"role": role, "status": status}, [step["status"] for step in roles[role]["settings"]].count(status))
        for role in sorted(roles) for status in STATUSES]))
    families.append(("setting_off", "Settings that are not as asked for, 1 each.", _settings_off(roles)))
    families.append(("rule_findings", "Findings of the rules between settings.", _findings(roles)))
    families.append(("runner_files_wrong", "Files of the node runner that are not as it wrote them.", [
        ({}, len({path for role in roles.values() for path in role["files"]}))]))
    families.append(("reboot_required", "Whether something waits for the next boot.", [({}, int(any(
        step["status"] == "pending_reboot" for role in roles.values() for step in role["settings"])))]))
    return _format(families)


def off(now):
    """The metrics of a node whose runner is switched off: that, and nothing that may be old by now."""
    return _format([_info(), _disabled(1), _when(now)])


def none():
    """The metrics before the first audit."""
    return _format([_info()])


def _info():
    return "info", "The version of the node runner.", [({"version": VERSION}, 1)]


def _disabled(value):
    return "disabled", "Whether the node runner is switched off here.", [({}, value)]


def _when(seconds):
    return "audit_timestamp_seconds", "When the last audit began.", [({}, seconds)]


def _settings_off(roles):
    """A series for each setting and place; of two with one name in one place, the first."""
    found = {}
    for role in sorted(roles):
        for step in roles[role]["settings"]:
            if step["status"] not in ("ok", "not_applicable"):
                found.setdefault((role, step["name"], step["target"]), step["status"])
    return [({"role": role, "setting": name, "target": target, "status": status}, 1)
            for (role, name, target), status in found.items()]


def _findings(roles):
    found = {}
    for role in sorted(roles):
        for one in roles[role]["rules"]:
            key = role, one["rule"], one["severity"]
            found[key] = found.get(key, 0) + 1
    return [({"role": role, "rule": rule, "severity": severity}, number)
            for (role, rule, severity), number in sorted(found.items())]


def _format(families):
    """HELP, TYPE and samples of each family that has any."""
    lines = ["# Written by gpuwright.node, the node runner."]
    for name, words, samples in families:
        if samples:
            lines += ["# HELP gpuwright_%s %s" % (name, words), "# TYPE gpuwright_%s gauge" % name]
            lines += ["gpuwright_%s%s %s" % (name, _labels(labels), value) for labels, value in samples]
    return "\n".join(lines) + "\n"


def _labels(labels):
    if not labels:
        return ""
    return "{%s}" % ",".join('%s="%s"' % (name, _escaped(value)) for name, value in labels.items())


def _escaped(value):
    return str(value).replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
