# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node answered to its plan, as the later stages and the report need it.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import json
import os

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

_PART = "vllm_service"
_FILE = "vllm_service.json"
# Of each of these one entry an instance.
_BY_INSTANCE = ("commands", "versions", "summaries", "preflight", "shown")


def of_answer(found, answer, untouched="nothing was changed"):
    """{"instances", "due", "open", "running", "diff", "wrong", "commands", ...} of a node's answer."""
    return {"instances": found, "wrong": _wrong(answer, untouched), "due": list(answer.get("due") or ()),
            "open": list(answer.get("open") or ()), "diff": answer.get("diff") or [],
            "running": {_instance(step): step.get("running") for step in answer.get("settings") or ()},
            **{name: dict(answer.get(name) or {}) for name in _BY_INSTANCE}}


def _instance(step):
    """The instance of which a step is: vllm@NAME.service."""
    return str(step.get("name")).partition("@")[2].rpartition(".")[0]


def _wrong(answer, untouched):
    """Why the node's instances cannot be as they are wanted, or None."""
    if answer.get("failed"):
        return str(answer["failed"])
    problems = answer.get("problems") or ()
    if isinstance(problems, dict):
        problems = ["%s: %s" % (name, word) for name, some in problems.items()
                    for word in ([some] if isinstance(some, str) else some)]
    return "%s: %s" % (untouched, "; ".join(problems)) if problems else None


def diff_of(told, names):
    """The part of a plan's diff that is of some instances; what names no instance is of all."""
    diff = told["diff"] if isinstance(told["diff"], list) else [told["diff"]]
    others = [name for name in list(told["instances"]) + told["due"] if name not in names]
    return [one for one in diff if not any(_of(one, name) for name in others)]


def _of(one, name):
    head = "%s %s" % (one.get("before_header") or "", one.get("after_header") or "")
    return any(word in head for word in ("/%s." % name, "@%s." % name))


def keep_report(place, host, states, wrong):
    """Say in the report's part of a host what became of the instances of a round."""
    part = parts.of_host(host, place).get(_PART) or {}
    phases = [state.get("phase") for state in states.values() if state]
    for step in part.get("settings") or ():
        name = _instance(step)
        phase = (states.get(name) or {}).get("phase")
        if phase == "kept" or (not name and "kept" in phases):  # A template is written before its instances start.
            step["changed"] = True
        elif phase is not None:
            step["error"] = "; ".join(states[name].get("words") or ()) or phase
    part["changed"] = any(step.get("changed") for step in part.get("settings") or ())
    if wrong:
        part["failed"] = "; ".join(wrong)
    parts.keep(host, _PART, part, place)


def forget(place):
    """What an earlier run wrote says nothing of this one, which may be stopped before it has anything to say."""
    with contextlib.suppress(OSError):
        os.unlink(os.path.join(place, _FILE))


def write(place, made, states, stopped):
    """vllm_service.json: what became of each instance; returns its path."""
    told = {"schema": 1, "stopped": stopped, "batches": [batch["hosts"] for batch in made["batches"]], "nodes": {}}
    for host, turn in made["turns"].items():
        for unit in turn["units"]:
            state = states.get((host, unit["name"])) or {}
            told["nodes"].setdefault(host, {})[unit["name"]] = {
                "result": state.get("phase", "not_reached"), "words": state.get("words") or [],
                "down_seconds": state.get("down_seconds"), "batch": turn["batch"] + 1}
    path = os.path.join(place, _FILE)
    temporary = "%s.new-%d" % (path, os.getpid())
    with open(temporary, "w", encoding="utf-8") as file:
        json.dump(told, file, indent=1)
        file.write("\n")
    os.replace(temporary, path)
    return path
