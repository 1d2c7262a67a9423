# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Explains one setting: what it is for, which values are legal, what this node has, and why.

PRIVATE to the collection. The words on the setting are its row's; nothing is written.
"""

from __future__ import annotations

import contextlib
import datetime
import json
import re

from .._host import CommandNotRun, Host
from .._input import KINDS
from .._result import public, shorten
from .._settings.catalogue import ROLES
from .._values import nearest
from . import desired
from .cannot_do import CannotDo
from .plans import plans
from .text_table import columns

_OF_ROW = ("variable", "doc", "legal", "kind", "effect", "disruption", "raise_only", "twin", "source")
_ABSENT = "this kernel has no such setting"
_DISRUPTIONS = {"none": "nothing is disturbed", "process": "processes must be started anew to see it",
                "link": "may drop or stall traffic", "reboot": "needs a reboot"}


def arguments(parser):
    """Its own words."""
    parser.add_argument("setting", metavar="SETTING", help="its name (vm.swappiness), its variable (vm_swappiness), or "
                                                           "a place of it (eth0/ring/rx)")
    parser.add_argument("--json", action="store_true", help="print it as JSON")


def run(args, say):
    """Say what is known; returns 0 for a setting as asked for or not managed, 1 if it is not, 2 if there is none."""
    host = Host(args.sysroot)
    options = [_option(host, role, option) for role, catalogue in ROLES.items() for option in catalogue.OPTIONS
               if option["name"] == args.setting]
    if options:
        say(json.dumps({"options": options}, indent=1, sort_keys=True) if args.json else _words(options[0]))
        return 0
    made, problems = plans(host)
    rows = find(args.setting) or _by_target(args.setting, made)
    if not rows:
        raise CannotDo("there is no setting %s; %s" % (args.setting, _nearest(args.setting)))
    told = [_tell(host, role, row, made.get(role), problems.get(role)) for role, row in rows]
    if args.json:
        say(json.dumps({"settings": told, "notes": host.notes}, indent=1, sort_keys=True))
    else:
        for line in [line for number, one in enumerate(told) for line in [""] * bool(number) + _lines(one)]:
            say(line)
        for note in host.notes:
            say("note: %s" % note)
    fine = all(place["status"] in ("ok", "not_applicable", None) for one in told for place in one["here"])
    return 0 if fine else 1


def _option(host, role, option):
    """What a variable that is no setting does, and what this node's role was given for it."""
    try:
        given = desired.read(host, role)["options"].get(option["name"])
    except (OSError, desired.DamagedDesired):
        given = None
    return {"name": option["name"], "role": role, "doc": _plain(option["doc"]), "type": option["type"],
            "choices": option.get("choices"), "given": given}


def _words(option):
    legal = "one of %s" % ", ".join(option["choices"]) if option["choices"] else option["type"]
    rows = [("variable", "%s, of role %s; no setting of the node's, but of what the role does" % (
        option["name"], option["role"])), ("legal", legal if legal != "raw" else "see above"),
        ("given", json.dumps(option["given"]) if option["given"] is not None else "nothing on this node")]
    return "\n".join([option["name"], "  " + option["doc"]] + columns(rows))


def _plain(doc):
    """Words without the markup of Ansible's documentation: C(this) is this."""
    return re.sub(r"\b[CVOBIU]\(([^()]*)\)", r"\1", doc)


def find(word):
    """[(role, row)] of the settings with this name or variable."""
    return [(role, row) for role, catalogue in ROLES.items() for row in catalogue.ROWS
            if word in (row.name, row.variable)]


def _by_target(word, made):
    """The same of a place on this node, such as eth0/ring/rx."""
    return [(role, step["_row"]) for role, plan in made.items() for step in plan.steps
            if step["target"] == word and step["_row"]][:1]


def _nearest(word):
    known = [name for catalogue in ROLES.values() for row in catalogue.ROWS for name in (row.name, row.variable)]
    known += [option["name"] for catalogue in ROLES.values() for option in catalogue.OPTIONS]
    said = nearest(word, known)
    parts = [name for name in known if word.lower() in name.lower()]
    if said.startswith("did you mean"):
        return said
    return "do you mean one of these: %s" % ", ".join(sorted(parts)) if parts else "gpuwright topology, health and " \
        "audit show what there is; the names are in the READMEs of the roles"


def _tell(host, role, row, plan, problem):
    """All that is known of one setting."""
    told = {"name": row.name, "role": role, "managed": False, "problem": problem}
    told.update((name, row.value.describe() if name == "legal" else getattr(row, name)) for name in _OF_ROW)
    steps = [step for step in plan.steps if step["name"] == row.name] if plan else []
    told.update(doc=_plain(row.doc), managed=bool(steps))
    told["here"] = [_step(host, step, plan) for step in steps] if steps else _unmanaged(host, row)
    names = {row.name} | {step["target"] for step in steps}
    told["rules"] = [found for found in plan.findings if found["setting"] in names] if plan else []
    return told


def _step(host, step, plan):
    """A place of a managed setting, with what the journal knows of it and who else sets it."""
    kind = KINDS[step["kind"]]
    one = dict(public(step), original=None, since=None, others=[])
    if step["_row"] and step["_path"]:
        kept = plan.journal["entries"].get(kind.identity(step["_row"], step["target"], step["_path"]))
        if kept:
            one.update(original=shorten(kept["original"]), since=kept["since"])
        one["others"] = _others(host, kind, step["_row"], step["target"], step["_path"], step)
    return one


def _unmanaged(host, row):
    """Where a setting that nobody asked for is on this node, and what is in force there."""
    kind, found = KINDS[row.kind], []
    for target, path, _fields in _everywhere(host, kind, row):
        if path is None:
            continue
        one = {"target": target, "status": None, "running": None, "reason": "", "file": None,
               "others": _others(host, kind, row, target, path, {"file": None, "desired": ""})}
        try:
            one["running"] = shorten(row.value.read(kind.read(host, target, path)))
        except (OSError, ValueError, IndexError, CommandNotRun) as error:
            one["reason"] = "cannot be read: %s" % (getattr(error, "strerror", None) or error)
        found.append(one)
    return found


def _everywhere(host, kind, row):
    """The places of a row on all devices that its option may name; some kinds refuse those of another sort."""
    if not row.devices or not hasattr(kind, "devices"):
        return kind.places(host, row, {})
    names = sorted(kind.devices(host))
    try:
        return kind.places(host, row, {row.devices: names})
    except ValueError:
        found = []
        for name in names:
            with contextlib.suppress(ValueError):
                found += kind.places(host, row, {row.devices: [name]})
        return list({target: (target, path, fields) for target, path, fields in found}.values())


def _others(host, kind, row, target, path, step):
    """Where else the setting is given a value, in words; a file of ours is nobody else."""
    found = []
    for item in kind.others(host) or ():
        keys = (item.get("key"), item.get("path"))
        if (target in keys or path in keys or row.name in keys) and item.get("file") != step["file"]:
            line = item.get("line", "?")
            found.append("%s sets it to %s" % (item["file"] if line is None else "%s:%s" % (item["file"], line),
                                               item.get("value")))
    return list(dict.fromkeys(found))


def _lines(told):
    """One setting as text."""
    rows = [("variable", "%s, of role %s" % (told["variable"], told["role"])), ("legal", told["legal"]),
            ("kind", told["kind"]), ("in force", "%s; %s" % (told["effect"], _DISRUPTIONS[told["disruption"]])),
            ("source", told["source"])]
    if told["raise_only"]:
        rows.insert(2, ("only raised", "a higher value that is there already is kept"))
    if told["twin"]:
        rows.insert(2, ("twin", "the kernel zeroes %s when this is written" % told["twin"]))
    lines = [told["name"], "  " + told["doc"]] + columns(rows)
    if told["problem"]:
        lines.append("  role %s cannot be judged: %s" % (told["role"], told["problem"]))
    elif not told["managed"]:
        lines.append("  not managed on this node")
    if not told["here"]:
        lines.append("  nowhere on this node: " + getattr(KINDS[told["kind"]], "ABSENT", _ABSENT))
    for place in told["here"]:
        lines += _place(place, told["managed"])
    return lines + ["  %(severity)s %(rule)s: %(message)s" % found for found in told["rules"]]


def _place(place, managed):
    rows = [("running", place["running"])]
    if managed:
        rows += [("asked for", place["desired"]), ("why", place["why"]), ("persisted", place["configured"]),
                 ("file", place["file"]),
                 ("status", place["status"] + (": " + place["reason"] if place["reason"] else ""))]
        if place["since"]:
            rows.append(("before us", "%s, until %s" % (place["original"] or "nothing", _day(place["since"]))))
    elif place["reason"]:
        rows.append(("", place["reason"]))
    rows += [("also", other) for other in place["others"]]
    return ["  on this node: %s" % place["target"]] + columns(rows, indent="    ")


def _day(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%d %H:%M UTC")
