# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: originals first, then files, then values, each read back.

PRIVATE to the collection. The order makes a kill at any moment harmless: whatever was done, the journal already holds
what was there before, and the next run finds the rest still to do.
"""

from __future__ import annotations

from . import _journal
from ._input import KINDS
from ._owners import tuned

LOCK = "/run/gpuwright.lock"


def apply(plan, owner):
    """Carry out the steps that are due; adds `changed`, `after` and `error` to them. Raises Locked."""
    due = plan.changing
    if not due:
        return
    host, journal = plan.host, plan.journal
    with host.only_one(LOCK, owner):
        plan.journal = journal = _journal.load(host)
        _remember(plan, due)
        _journal.save(host, journal)
        for folder in journal["folders"]:
            host.make_folder(folder)
        if plan.take_over:
            _take_over(plan, due)
        for path, text in plan.wanted_files.items():
            if text != plan.files[path]:
                _write_file(plan, path, text)
        for step in due:
            write_step(host, step)
        for step in due:
            if step.get("_restore") and "error" not in step:
                journal["entries"].pop(step["_restore"], None)
        _release(plan)
        forget_unused(host, journal)
        _journal.save(host, journal)


def _remember(plan, due):
    """Put into the journal what this apply is about to change."""
    for step in due:
        if not step.get("_restore"):
            path, original = step["_undo"]
            key = KINDS[step["kind"]].identity(step["_row"], step["target"], step["_path"])
            _journal.remember_value(plan.journal, key, {
                "role": plan.role, "kind": step["kind"], "name": step["name"], "target": step["target"], "path": path,
                "original": original, "disruption": step["disruption"], "since": plan.host.now()})
    for path, text in plan.wanted_files.items():
        if text != plan.files[path]:
            _journal.remember_file(plan.host, plan.journal, path, plan.role)
            for folder in _journal.missing_folders(plan.host, path):
                if folder not in plan.journal["folders"]:
                    plan.journal["folders"].append(folder)
    if plan.take_over:
        plan.journal["owners"]["tuned"] = plan.take_over  # It still names the profile from before the first one.


def _take_over(plan, due):
    try:
        tuned.apply_take_over(plan.host, plan.take_over)
    except (OSError, tuned.TakeOverFailed) as error:
        for step in due:
            if step["reason"].startswith("taken over: tuned"):
                step["error"] = "taking over from tuned failed: %s" % error


def _release(plan):
    """Give back what was taken over from tuned once none of it is managed any more."""
    entry = plan.journal["owners"].get("tuned")
    held = {(one["kind"], one["target"] if one["kind"] == "sysctl" else one["path"])
            for one in plan.journal["entries"].values()}
    if entry and not any(tuple(key) in held for key in entry["keys"]):
        tuned.give_back(plan.host, entry)
        del plan.journal["owners"]["tuned"]


def _write_file(plan, path, text):
    """Put one of our files into its wanted state; an empty one goes, and what was there before us comes back."""
    try:
        if text is None:
            _journal.give_back_file(plan.host, plan.journal, path)
        else:
            plan.host.write_file(path, text.encode())
    except OSError as error:
        for step in plan.changing:
            if step["file"] == path:
                step["error"] = "%s: %s" % (path, error.strerror)


def write_step(host, step):
    """Give the kernel the value, read it back, and say what came of it."""
    path, wanted = step["_path"], step["_force"]
    step["changed"] = False
    if path is None:
        step["changed"] = True
        return
    read = step["_row"].value.read if step["_row"] else _plain
    try:
        if step["running"] != wanted or step.get("_restore"):
            host.write_value(path, wanted)
        step["after"] = read(host.read(path))
    except OSError as error:
        step["error"] = "%s: %s" % (path, error.strerror)
        return
    if step["after"] != wanted:
        step["error"] = "%s: wrote %s, the kernel keeps %s" % (path, wanted, step["after"])
    step["changed"] = "error" not in step or step["after"] != step["running"]


def _plain(text):
    return text[text.index("[") + 1:text.index("]")] if "[" in text and "]" in text else text.strip()


def forget_unused(host, journal):
    """Drop from the journal files that are as before us, and folders of ours that nothing needs any more."""
    for path in list(journal["files"]):
        role = journal["files"][path]["role"]
        if not host.exists(path) and not any(entry["role"] == role for entry in journal["entries"].values()):
            del journal["files"][path]
    if not journal["files"]:
        for folder in reversed(journal["folders"]):
            host.remove_folder(folder)
        journal["folders"] = [folder for folder in journal["folders"] if host.is_folder(folder)]
