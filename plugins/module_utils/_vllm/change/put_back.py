# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Putting back what served before: the new engine stops, the old files come back to the byte, the old one starts.

PRIVATE to the collection. All of it is in the state file, so that it needs no plan, and goes on after a kill.
"""

from __future__ import annotations

import contextlib

from ... import _apply, _journal
from ..._kinds import vllm_instance
from . import leaving, places, state
from .switch import told


def put_back(host, names, owner):
    """Returns {name: {"ok", "changed", "down_seconds", "words", "also"}}. Raises Locked and ForeignJournal.

    `also` is what is to be said of it even once it serves again; `words` have it too.
    """
    said = {}
    with _apply.locked(host, owner):
        journal = _journal.load(host)
        back = []
        for name in names:
            kept = state.read(host, name)
            if kept["previous"]:
                back.append({"name": name, "kept": kept, "previous": kept["previous"], "also": []})
            else:
                why = "what it runs was verified" if kept["phase"] else "no run has changed it"
                said[name] = {"ok": True, "changed": False, "down_seconds": 0, "also": [],
                              "words": "there is nothing to put back: %s" % why}
        if back:
            _carry_out(host, journal, back)
        for one in back:
            said[one["name"]] = _words(one)
    return said


def _carry_out(host, journal, back):
    _remember(host, journal, back)
    for action in (_stop, _write):
        for one in back:
            _try(host, journal, one, action)
    _write_templates(host, back)
    try:
        vllm_instance.systemctl(host, "daemon-reload")
    except OSError as error:
        for one in back:
            one.setdefault("error", told(error))
    for one in back:
        _try(host, journal, one, _start)
    errors = []
    leaving.forget_unused(host, journal, errors)
    try:
        _journal.save(host, journal)
    except OSError as error:
        errors.append(told(error))
    for one in back:
        if errors and "served" in one:
            one["also"] += errors
        elif errors:
            one.setdefault("error", "; ".join(errors))


def _remember(host, journal, back):
    """The originals of what comes back. On a full disk a journal that has them already is enough: it must serve."""
    known = set(journal["files"])
    for one in back:
        for path in [path for path, file in one["previous"]["files"].items() if file and one["previous"]["ours"]]:
            _apply.remember_file(host, journal, path, places.ROLE)
    try:
        _journal.save(host, journal)
    except OSError:
        if set(journal["files"]) != known:
            raise


def _try(host, journal, one, action):
    if "error" not in one:
        try:
            action(host, journal, one)
        except OSError as error:
            one["error"] = told(error)


def _stop(host, _journal_of_node, one):
    with contextlib.suppress(OSError):  # The phase before says as well that a run did not come to its end.
        one["kept"] = state.save(host, one["name"], one["kept"], phase=state.PUTTING_BACK, since=host.now())
    for unit in reversed(list(one["previous"]["units"])):
        vllm_instance.stop(host, unit)


def _write(host, journal, one):
    """The files of the instance itself; where there was nothing of ours before, `leaving` sees to them."""
    for path, file in one["previous"]["files"].items() if one["previous"]["ours"] else ():
        if places.is_shared(path) or places.same(places.found(host, path), file):
            continue
        if file is None:
            _journal.give_back_file(host, journal, path)
        else:
            places.put(host, path, file)


def _write_templates(host, back):
    """A template goes back with its instances, unless another one has been started from the new one."""
    others = [name for name in state.names(host) if name not in [one["name"] for one in back]]
    for one in back:
        for path, file in one["previous"]["files"].items():
            now = places.found(host, path) if places.is_shared(path) else None
            if file is None or now is None or places.same(now, file) or "error" in one:
                continue
            new = places.digests({path: now}).get(path)
            needing = [name for name in others if state.read(host, name)["runs"].get(path) == new]
            if needing:
                one["also"].append("%s stays as it is: %s was started from it" % (path, ", ".join(needing)))
            else:
                places.put(host, path, file)


def _start(host, journal, one):
    """The old state of each unit; of what was not ours before, all that was there."""
    previous, name = one["previous"], one["name"]
    served = [unit for unit, was in previous["units"].items() if was.endswith(" active")]
    if not previous["ours"]:
        leaving.leave(host, journal, name, list(previous["files"]), list(previous["units"]))
        _started(host, one, served)
        return
    for unit, was in previous["units"].items():
        vllm_instance.write(host, unit, None, was)
    _started(host, one, served)
    shown = {unit: vllm_instance.show(host, unit).get("InvocationID") for unit in previous["units"]}
    try:
        state.save(host, name, one["kept"], phase=state.KEPT, since=host.now(), previous=None, down_since=None,
                   error=None, runs=previous["runs"], invocations=shown, instance=previous.get("instance"),
                   deployment=previous.get("deployment"))
    except OSError as error:
        one["also"] += ["that could not be written down, and the next run starts it anew: %s" % told(error)]


def _started(host, one, served):
    down = one["kept"]["down_since"]
    one["down"] = max(host.now() - down, 0) if served and down else 0
    one["served"] = bool(served)


def _words(one):
    if "error" in one:
        return {"ok": False, "changed": True, "down_seconds": None, "also": one["also"],
                "words": "the old configuration of %s is not back: %s" % (one["name"], one["error"])}
    if one["served"]:
        words = ("the old configuration is back and was started again; it was down for %d s until then, and serves "
                 "when its model is loaded" % one["down"])
    elif one["previous"]["ours"]:
        words = "the old configuration is back; it did not run before"
    else:
        words = "it is removed: there was none before"
    return {"ok": True, "changed": True, "down_seconds": one["down"], "also": one["also"],
            "words": "; ".join([words] + one["also"])}
