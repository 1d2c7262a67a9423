# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares this node with what was asked for when roles were applied to it; writes nothing here.

PRIVATE to the collection. Every role in /etc/gpuwright/desired is planned again, all of its settings and rules. A role
that was never applied here is not judged.
"""

from __future__ import annotations

import json
import re

from .._host import Host
from .._result import public
from . import install, metrics, switch
from .cannot_do import CannotDo
from .plans import plans
from .text_table import columns, count

SCHEMA = 1
_FINE = ("ok", "not_applicable")


def arguments(parser):
    """Its own words."""
    parser.add_argument("--json", action="store_true", help="print all settings and findings as JSON")
    parser.add_argument("--all", action="store_true", help="list what is as it shall be, too, and what does not apply")
    parser.add_argument("--prometheus", metavar="FILE",
                        help="also write metrics to FILE, for node_exporter's textfile collector; where the runner is "
                             "off they say only that")


def run(args, say):
    """Judge, say it; returns 0 if all is as asked for, 1 for drift or findings, 2 for what could not be judged."""
    if args.prometheus and not args.prometheus.startswith("/"):
        raise CannotDo("--prometheus %s: must be an absolute path" % args.prometheus)
    host = Host(args.sysroot)
    off = switch.off(host)
    if args.prometheus and off:
        say("nothing is judged: %s" % off)
        _write(args.prometheus, metrics.off(host.now()))
        return 0
    begun = host.now()
    told = audit(host)
    told["seconds"] = host.now() - begun
    if args.json:
        say(json.dumps(told, indent=1, sort_keys=True))
    else:
        for line in _lines(told, args.all) + (["note: the runner is off: %s" % off] if off else []):
            say(line)
    if args.prometheus:
        _write(args.prometheus, metrics.text(told, begun))
    return verdict(told)


def audit(host):
    """{schema, roles: {role: {settings, rules, files}}, problems: {role: why it is not judged}, notes}."""
    made, problems = plans(host)
    roles = {role: {"settings": [public(step) for step in plan.steps], "rules": plan.findings,
                    "files": _other_files(plan)} for role, plan in made.items()}
    return {"schema": SCHEMA, "hostname": host.text("/proc/sys/kernel/hostname"), "roles": roles,
            "problems": problems, "notes": list(host.notes)}


def _other_files(plan):
    """Files of ours that belong to no setting alone and are not as they shall be: those of the runner."""
    return sorted(path for path, _content, _mode in plan.runner if path != install.ZIPAPP or not plan.host.exists(path))


def verdict(told):
    """The exit status: what was found counts before what could not be judged."""
    steps = _steps(told)
    findings = [found for role in told["roles"].values() for found in role["rules"] if found["severity"] in "EW"]
    wrong = [step for step in steps if step["status"] not in _FINE + ("unreadable",)]
    if wrong or findings or any(role["files"] for role in told["roles"].values()):
        return 1
    return 2 if told["problems"] or len(steps) > len([step for step in steps if step["status"] in _FINE]) else 0


def _steps(told):
    return [step for role in told["roles"].values() for step in role["settings"]]


def _lines(told, everything):
    """The audit as text."""
    lines = []
    for role, one in told["roles"].items():
        shown = [step for step in one["settings"] if everything or step["status"] not in _FINE]
        lines.append("%s: %s" % (role, _counted(one["settings"])))
        lines += columns([("setting", "running", "desired", "status", "why")] + [_row(step) for step in shown]
                         if shown else [])
        lines += ["  %(severity)s %(rule)s: %(message)s" % found for found in one["rules"]]
        lines += ["  %s is not as the node runner wrote it: apply the role again" % path for path in one["files"]]
    lines += ["%s: not judged: %s" % item for item in told["problems"].items()]
    lines += ["note: %s" % note for note in told["notes"]]
    if not told["roles"] and not told["problems"]:
        return lines + ["nothing to judge: no role was applied to this node"]
    return lines + [_summary(told)]


def _row(step):
    why = re.sub(r"\s+", " ", step["reason"])
    return step["target"], step["running"], step["desired"], step["status"], why or step["why"]


def _counted(steps):
    """`12 settings: 11 ok, 1 drift`."""
    statuses = [step["status"] for step in steps]
    words = ["%d %s" % (statuses.count(status), status) for status in dict.fromkeys(sorted(
        statuses, key=lambda status: (status != "ok", status)))]
    return "%s: %s" % (count(len(steps), "setting"), ", ".join(words)) if steps else "nothing is managed here"


def _summary(told):
    findings = [found for role in told["roles"].values() for found in role["rules"]]
    said = "all roles (%d): %s; %s of rules" % (len(told["roles"]), _counted(_steps(told)), count(
        len(findings), "finding"))
    return said + ("; %s not judged" % count(len(told["problems"]), "role") if told["problems"] else "")


def _write(path, text):
    """Write the metrics at once, so that the collector never sees half of them; on this machine, whatever the sysroot.

    Raises CannotDo.
    """
    try:
        Host(read_only=False).write_file(path, text.encode())
    except OSError as error:
        raise CannotDo("%s: %s" % (path, error.strerror))
