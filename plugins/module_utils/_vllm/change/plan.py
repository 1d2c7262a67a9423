# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of role vllm_service: the instances that are asked for x those on the node -> steps. Nothing here writes.

PRIVATE to the collection. A step an instance, and one for each template whose text changes. Keys that begin with "_"
are for _vllm/switch.py and leave the node in no result.
"""

from __future__ import annotations

from ... import _journal
from ..._kinds import vllm_instance
from ..._plan import Plan
from . import difference, judge, owners, places, state

NEVER_ASKED = {"instance": {"state": "absent"}, "deployment": None, "problem": None}


class ServicePlan(Plan):
    """What is asked for and what is so: the steps, the findings, and in `asked` the instances."""

    def __init__(self, host, journal, take_over):
        super().__init__(host, places.ROLE, journal)
        self.take_over = list(take_over)
        self.asked = {}

    def step(self, name):
        """The step of an instance."""
        return next(step for step in self.steps if step["_name"] == name)


def plan(host, asked, take_over=()):
    """The plan. Raises ForeignJournal.

    `asked` is {name: {"instance": normal form, "deployment": what compose made of it or None, "problem": why there is
    none, or None}} of all instances of this node: what is ours and not among them goes.
    """
    made = ServicePlan(host, _journal.load(host), take_over)
    made.asked = dict(dict.fromkeys(ours(host, made.journal), NEVER_ASKED), **asked)
    for name in sorted(made.asked):
        made.steps.append(_step(made, name, made.asked[name]))
        made.findings += (made.asked[name]["deployment"] or {}).get("findings", [])
    made.steps = _templates(made) + made.steps
    for step in made.steps:
        step["reason"] = "; ".join(step["_said"]) if not step["reason"] else step["reason"]
    return made


def ours(host, journal):
    """The names of the instances that we have put onto this node."""
    paths = [path for path, kept in journal["files"].items() if kept["role"] == places.ROLE]
    paths += ["/%s." % entry["target"].rpartition(".")[0] for entry in journal["entries"].values()
              if entry["kind"] == "vllm_instance"]
    return sorted(set(state.names(host)) | set(places.names(paths)))


def _step(made, name, one):
    """The step of an instance, judged."""
    wanted = one["instance"]["state"]
    unit = "vllm@%s.service" % name
    step = {"name": unit, "kind": "vllm_instance", "target": unit, "desired": wanted, "running": None,
            "configured": None, "status": None, "disruption": "process", "reason": "", "file": None,
            "why": (one["deployment"] or {}).get("summary") or (
                "no longer asked for" if one is NEVER_ASKED else "set by vllm_service_instances"),
            "_name": name, "_said": [], "_restart": False, "_files": {}, "_found": {}, "_units": [], "_shown": {},
            "_state": {}, "_secret": set(), "_shared": []}
    wrong = [one["problem"]] if one["problem"] else list((one["deployment"] or {}).get("problems") or ())
    try:
        _look(made, step, one)
    except OSError as error:
        words = "%s: %s" % (error.filename, error.strerror) if error.filename else error.strerror
        hint = "; run with become" if isinstance(error, PermissionError) else ""
        return dict(step, status="unreadable", reason="; ".join([words + hint] + wrong))
    step["running"] = judge.seen(step)
    if wrong:
        return dict(step, status="refused", reason="; ".join(wrong))
    stopped_by = [found for found in (one["deployment"] or {}).get("findings", []) if found["severity"] == "E"]
    if stopped_by:
        return dict(step, status="refused", reason="; ".join(
            "%s: %s" % (found["rule"], found["message"]) for found in stopped_by))
    theirs = owners.of_instance(made, step)
    if theirs:
        return dict(step, status="conflict", reason="; ".join(theirs))
    judge.judge(made, step)
    return step


def _look(made, step, one):
    """Fill in what shall be and what is. Raises OSError where the node does not say."""
    host, name = made.host, step["_name"]
    files = dict(one["deployment"]["files"]) if step["desired"] != "absent" and one["deployment"] else {}
    step["_files"] = {path: _asked_file(path, file, step["desired"]) for path, file in files.items()}
    step["_secret"] = {path for path, file in files.items() if file["secret"]} | {
        "%s/%s.secret.env" % (places.CONFIGURATION, name)}
    step["_state"] = state.read(host, name)
    kept = [path for path, known in made.journal["files"].items() if known["role"] == places.ROLE]
    kept = [path for path in kept + list(step["_state"]["runs"]) if places.belongs(path, name)]
    for path in kept + owners.in_the_way(made, step):
        step["_files"].setdefault(path, None)
    step["_shared"] = [path for path in step["_files"] if places.is_shared(path)]
    step["_found"] = {path: places.found(host, path) for path in sorted(step["_files"])}
    step["_units"] = places.units(list(step["_files"]), name) or [step["target"]]
    step["_shown"] = {unit: vllm_instance.show(host, unit) for unit in step["_units"]}
    own = [path for path in step["_files"] if not places.is_shared(path) and places.is_unit(path)]
    step["file"] = own[0] if own else None


def _asked_file(path, file, wanted):
    """A file in the shape of `places.found`. A Quadlet that is to be stopped has no [Install]: it is what starts it."""
    text = file["text"]
    if path.endswith(".container") and wanted == "stopped":
        text = text.partition("[Install]\n")[0]
    return {"text": text, "mode": file["mode"], "link": None}


def _templates(made):
    """A step for each template that is not as it shall be; every instance of ours starts from it."""
    steps = []
    wanted = {path: file for step in made.steps for path, file in step["_files"].items() if path in step["_shared"]}
    for path, file in sorted(wanted.items()):
        of_it = [step for step in made.steps if path in step["_shared"]]
        found = of_it[0]["_found"].get(path)
        live = [step for step in of_it if step["status"] == "drift"]
        theirs = owners.of_template(made, path, found, [step["_name"] for step in of_it])
        if theirs:
            for step in of_it:
                step.update(status="conflict", reason=theirs)
        elif places.same(found, file) or not live:
            continue
        restarts = [step["_name"] for step in live if step["_restart"] and step["running"].startswith("started")]
        said = difference.words(path, found, file, False) if found else ["not there yet"]
        if restarts:
            said.append("every instance starts from it: restarts %s" % ", ".join(restarts))
        steps.append({"name": path.rpartition("/")[2], "kind": "vllm_instance", "target": path.rpartition("/")[2],
                      "desired": "the role's", "running": "absent" if found is None else "another text",
                      "configured": None, "status": "conflict" if theirs else "drift", "disruption": "process",
                      "why": "the template of all instances", "reason": theirs or "; ".join(said), "file": path,
                      "_name": None, "_said": [], "_files": {path: file}, "_found": {path: found}, "_secret": set()})
    return steps
