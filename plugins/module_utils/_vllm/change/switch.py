# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Switching instances to what the plan says: the old engine is stopped first, for both do not fit on the GPUs.

PRIVATE to the collection. Before anything is touched the journal has the originals, and the state file has what served
until now; it keeps that until `keep` says that the new configuration was verified. A kill at any moment leaves a phase
in the state file that the next plan names and puts right.
"""

from __future__ import annotations

from ... import _apply, _journal
from ..._kinds import vllm_instance
from . import leaving, places, state

_STAYS = ("venv",)


def switch(make_plan, names, owner):
    """Switch the instances among `names` that are due; returns the plan, its steps with `changed` and `error`.

    A replica on several nodes starts anew as a whole: what is named of one does, though nothing differs here. The plan
    is made again under the lock. Raises Locked.
    """
    made = make_plan()
    if _due(made, names):
        with _apply.locked(made.host, owner):
            made = make_plan()
            _switch(made, _due(made, names))
    return made


def _due(made, names):
    for step in made.steps:
        several = step["_name"] in names and made.asked[step["_name"]]["instance"].get("several")
        if several and several["nnodes"] > 1 and step["status"] in ("ok", "drift") and step["desired"] == "started":
            step["_restart"] = True
            if step["status"] == "ok":
                step.update(status="drift", reason="it starts anew with the other nodes of its replica")
    return [step for step in made.changing if step["_name"] in names]


def _switch(made, due):
    host = made.host
    staying = [step for step in due if step["desired"] != "absent"]
    going = [step for step in due if step["desired"] == "absent"]
    remember(made, staying)
    for action in (_begin, _stop, _write):
        for step in staying:
            _try(made, step, action)
    for step in going:
        _try(made, step, _leave)
    if staying:
        _reload(host, staying)
    for action in (_start, _end):
        for step in staying:
            _try(made, step, action)
    for step in due:
        step["changed"] = "error" not in step
    _tell(made, staying)
    leaving.forget_unused(host, made.journal, made.errors)
    _journal.save(host, made.journal)


def _try(made, step, action):
    """Do a part for one instance; what goes wrong with it is said and does not stop the others."""
    if "error" not in step:
        try:
            action(made, step)
        except OSError as error:
            step["error"] = told(error)


def told(error):
    """An error of a file or of systemctl, in words."""
    return "%s: %s" % (error.filename, error.strerror) if error.filename else str(error.strerror or error)


def _leave(made, step):
    leaving.leave(made.host, made.journal, step["_name"], list(step["_files"]), step["_units"])
    step["after"] = "absent"


def remember(made, staying):
    """Put into the journal the originals of all that is about to be touched."""
    host, journal = made.host, made.journal
    for step in staying:
        step["_ours"] = any(vllm_instance.identity(None, unit, None) in journal["entries"] for unit in step["_units"])
        for unit in step["_units"]:
            _journal.remember_value(journal, vllm_instance.identity(None, unit, None), {
                "role": places.ROLE, "kind": "vllm_instance", "name": unit, "target": unit, "path": step["file"],
                "original": vllm_instance.state(step["_shown"][unit]), "disruption": "process", "since": host.now(),
                "folders": vllm_instance.folders(host, unit)})
            entry = journal["entries"][vllm_instance.identity(None, unit, None)]
            entry["stays"] = sorted(set(entry.get("stays") or ()) | _stays(made.asked[step["_name"]]["instance"]))
        for path in step["_files"]:
            _apply.remember_file(host, journal, path, places.ROLE)
    if staying:
        _journal.save(host, journal)
        for folder in journal["folders"]:
            host.make_folder(folder)


def _stays(instance):
    """What stays on the disk when it goes, for it is large and may be somebody's: the engine, and the model."""
    engine = instance.get("engine") or {}
    found = [engine.get("path")] if engine.get("kind") in _STAYS else []
    return {path for path in found + ([instance.get("model_path")] if instance.get("source") else []) if path}


def _begin(made, step):
    """Keep what served until now. What was never verified since is not that: then it is kept already."""
    if not step["_restart"]:
        return
    kept, now = step["_state"], made.host.now()
    own = any(file for path, file in step["_found"].items() if not places.is_shared(path))
    previous = kept["previous"] or {
        "files": step["_found"], "runs": kept["runs"], "ours": step["_ours"] and own,
        "units": {unit: vllm_instance.state(shown) for unit, shown in step["_shown"].items()},
        "instance": kept["instance"], "deployment": kept["deployment"]}
    served = any(vllm_instance.runs(shown) for shown in step["_shown"].values())
    asked = made.asked[step["_name"]]
    step["_state"] = state.save(
        made.host, step["_name"], kept, phase=state.SWITCHING, since=now, previous=previous, error=None,
        down_since=kept["down_since"] or (now if served else None), instance=asked["instance"],
        deployment=state.public(asked["deployment"]))


def _stop(made, step):
    """The last to be started is stopped first."""
    if step["_restart"]:
        for unit in reversed(step["_units"]):
            vllm_instance.stop(made.host, unit)


def _write(made, step):
    for path, file in step["_files"].items():
        if places.same(places.found(made.host, path), file):
            continue
        if file is not None:
            places.put(made.host, path, file)
        elif path in made.journal["files"] and path not in _in_the_way(step):
            _journal.give_back_file(made.host, made.journal, path)
        else:
            made.host.remove_file(path)


def _in_the_way(step):
    """A taken-over unit file of the instance's own name: it comes back with a rollback, not before."""
    return ["%s/%s" % (places.UNITS, unit) for unit in step["_units"]]


def _reload(host, staying):
    try:
        vllm_instance.systemctl(host, "daemon-reload")
    except OSError as error:
        for step in staying:
            step.setdefault("error", told(error))


def _start(made, step):
    started = step["desired"] == "started"
    by_file = any(file and places.starts_at_boot(path) for path, file in step["_files"].items())
    for unit in step["_units"] if not (started and by_file) else ():
        vllm_instance.set_at_boot(made.host, unit, started)
    for unit in step["_units"] if started and step["_restart"] else ():
        vllm_instance.start(made.host, unit)


def _end(made, step):
    """What runs now, and with which files. What was not started anew, or is not to run, needs no verification."""
    host, kept = made.host, step["_state"]
    changed = {"runs": places.digests(step["_files"]),
               "invocations": {unit: vllm_instance.show(host, unit).get("InvocationID") for unit in step["_units"]}}
    if step["_restart"]:
        changed.update(phase=state.SWITCHED, since=host.now())
    if step["desired"] == "stopped" or (not step["_restart"] and not kept["previous"]):
        changed.update(phase=state.KEPT, previous=None, down_since=None, error=None)
    step["after"] = step["desired"]
    step["_state"] = state.save(host, step["_name"], kept, **changed)


def _tell(made, staying):
    """A template was written with its instances; what went wrong is kept for whoever verifies."""
    for step in made.steps:
        if step["_name"] is None and step["status"] == "drift":
            (path, file), = step["_files"].items()
            step["changed"] = places.same(places.found(made.host, path), file)
    for step in staying:
        if step.get("error") and step["_state"]["phase"] == state.SWITCHING:
            step["_state"] = state.save(made.host, step["_name"], step["_state"], error=step["error"])


def keep(host, names, owner):
    """The new configuration was verified: what was there before is forgotten.

    Returns {name: seconds from the old engine's stop until now}, 0 where none served. Raises Locked.
    """
    said = {}
    with _apply.locked(host, owner):
        for name in names:
            kept = state.read(host, name)
            if kept["phase"] == state.SWITCHED:
                state.save(host, name, kept, phase=state.KEPT, since=host.now(), previous=None, down_since=None)
                said[name] = max(host.now() - kept["down_since"], 0) if kept["down_since"] else 0
    return said
