# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback: the plan that gives everything back, from the journal alone.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import _guard, _journal, _pending
from ._apply import commit, forget_unused, locked, release, remove_runner, runner_paths, write_step
from ._drop_ins import our_files
from ._input import KINDS
from ._plan import in_order, restore_step
from ._result import public


class Rollback:
    """What comes back: `steps` for values, `files` and `owners`; `errors` says what did not."""

    def __init__(self, host, journal):
        self.host = host
        self.journal = journal
        self.steps = []
        self.roles = set()
        self.allow = ()
        self.files = []
        self.owners = []
        self.errors = []
        self.notes = []

    @property
    def changing(self):
        """The steps that write a value."""
        return [step for step in self.steps if step["status"] == "drift"]

    @property
    def due(self):
        """Whether the journal holds anything that is to come back, or a kill left its folder behind."""
        left = not any(self.journal[part] for part in ("entries", "files", "folders", "owners"))
        return bool(self.steps or self.files or self.owners) or (left and self.host.is_folder(_journal.FOLDER))

    def result(self):
        """The result of module `rollback`, alike in check mode and afterwards."""
        return {"settings": [public(step) for step in self.steps], "rules": [],
                "reboot_required": bool(_pending.waiting(self.steps)), "files": self.files,
                "owners": self.owners, "changed": self.due, "diff": self.diff(),
                "notes": self.host.notes + self.notes}

    def diff(self):
        """One before and after text: the values that come back, then the files that go."""
        before = ["%s = %s\n" % (step["target"], step["running"]) for step in self.changing]
        after = ["%s = %s\n" % (step["target"], step["desired"]) for step in self.changing]
        before += ["# %s: written by us\n" % path for path in self.files]
        after += ["# %s: as it was before us\n" % path for path in self.files]
        return {"before": "".join(before), "after": "".join(after), "before_header": "rollback",
                "after_header": "rollback"}


def plan_rollback(host, roles=(), allow=()):
    """What the journal holds for these roles, or for all. Raises ForeignJournal.

    A role with a step that is refused, for a job is running, stays as it is as a whole.
    """
    plan = Rollback(host, _journal.load(host))
    journal = plan.journal
    files = {role: our_files(host, role) for role in {entry["role"] for entry in journal["entries"].values()}}
    for key, entry in in_order(journal["entries"]):
        if not roles or entry["role"] in roles:
            step = restore_step(host, key, entry, files[entry["role"]])
            plan.steps.append(dict(step, why="rollback", _role=entry["role"]))
    plan.allow = allow
    _guard.protect_jobs(plan, allow)
    _guard.hold_back(plan, allow)
    refused = _refuse_whole_roles(plan)
    plan.roles = {step["_role"] for step in plan.steps} | {kept["role"] for kept in journal["files"].values()}
    plan.files = sorted(path for path, kept in journal["files"].items()
                        if (not roles or kept["role"] in roles) and kept["role"] not in refused)
    plan.owners = sorted(journal["owners"]) if not roles and not refused else []
    stays = {path for step in plan.changing for path in journal["entries"][step["_restore"]].get("stays", ())}
    plan.notes = ["%s stays on the disk: remove it yourself if nothing else uses it" % path for path in sorted(stays)]
    return plan


def _refuse_whole_roles(plan):
    """A role with a step that is refused stays as it is; returns {role: why}."""
    refused = {step["_role"]: step["reason"] for step in plan.steps if step["status"] == "refused"}
    for step in plan.changing:
        if step["_role"] in refused:
            step.update(status="refused", reason=refused[step["_role"]])
    return refused


def carry_out(make_plan):
    """Leave, give back files, then owners, values, folders; returns the plan with its `errors`. Raises Locked.

    The order: a unit of ours is stopped while its files are there, or systemd knows it no more; an owner re-reads the
    files when it comes back, and applies values of its own that ours then correct. The journal is written last, so that
    a kill at any moment leaves all of it to be done again.
    """
    plan = make_plan()
    if plan.due:
        with locked(plan.host, {"what": "rollback"}):
            plan = make_plan()
            _give_back(plan)
    return plan


def _give_back(plan):
    host, journal = plan.host, plan.journal
    _leave(plan)
    runner = [path for path in runner_paths(journal) if path in plan.files]
    remove_runner(host, journal, runner, plan.errors)
    for path in plan.files:
        if path in runner:
            continue
        try:
            _journal.give_back_file(host, journal, path)
        except OSError as error:
            plan.errors.append("%s: %s" % (path, error.strerror))
    commit(host, plan.roles, plan.changing, plan.files, plan.errors)
    leaving = {step["_restore"] for step in plan.steps if step["status"] in ("drift", "not_applicable")}
    release(host, journal, set(journal["entries"]) - leaving, plan.errors)
    for step in plan.changing:
        write_step(host, step)
    for step in plan.steps:
        if step.get("error") or step["status"] in ("unreadable", "refused"):
            plan.errors.append("%s: %s" % (step["target"], step.get("error") or step["reason"]))
        else:
            journal["entries"].pop(step["_restore"], None)
    for role in plan.roles:
        _pending.note(host, role, [step for step in plan.changing if step["_role"] == role])
    forget_unused(host, journal, plan.errors)
    for name, kind in KINDS.items():
        if hasattr(kind, "forget") and not any(entry["kind"] == name for entry in journal["entries"].values()):
            kind.forget(host)
    _journal.save(host, journal)


def _leave(plan):
    """Have each kind end what runs from files of ours. A role of which something does not end stays as it is, and so
    does what would disturb that."""
    for name, kind in KINDS.items():
        mine = [step for step in plan.changing if step["kind"] == name]
        if hasattr(kind, "leave") and mine:
            kind.leave(plan.host, mine, plan.journal)
    for step in plan.changing:
        if "error" in step:
            step.update(status="refused", reason=step.pop("error"))
    if any(step["status"] == "refused" for step in plan.steps):
        _guard.protect_jobs(plan, plan.allow)
        refused = _refuse_whole_roles(plan)
        plan.files = [path for path in plan.files if plan.journal["files"][path]["role"] not in refused]
