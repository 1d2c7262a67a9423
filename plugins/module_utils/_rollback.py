# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rollback: the plan that gives everything back, from the journal alone.

PRIVATE to the collection.
"""

from __future__ import annotations

from . import _journal
from ._apply import LOCK, forget_unused, write_step
from ._owners import tuned
from ._plan import restore_step
from ._result import public


class Rollback:
    """What comes back: `steps` for values, `files` and `owners`."""

    def __init__(self, host, journal, steps, files, owners):
        self.host = host
        self.journal = journal
        self.steps = steps
        self.files = files
        self.owners = owners

    @property
    def due(self):
        """Whether the journal holds anything that is to come back."""
        return bool(self.steps or self.files or self.owners)

    def result(self):
        """The result of module `rollback`, alike in check mode and afterwards."""
        return {"settings": [public(step) for step in self.steps], "rules": [], "reboot_required": False,
                "files": self.files, "owners": self.owners, "changed": self.due, "diff": self.diff()}

    def diff(self):
        """One before and after text: the values that come back, then the files that go."""
        before = ["%s = %s\n" % (step["target"], step["running"]) for step in self.steps]
        after = ["%s = %s\n" % (step["target"], step["desired"]) for step in self.steps]
        before += ["# %s: written by us\n" % path for path in self.files]
        after += ["# %s: as it was before us\n" % path for path in self.files]
        return {"before": "".join(before), "after": "".join(after), "before_header": "rollback",
                "after_header": "rollback"}


def plan_rollback(host, roles):
    """What the journal holds for these roles, or for all. Raises ForeignJournal."""
    journal = _journal.load(host)
    steps = [restore_step(host, key, entry) for key, entry in sorted(journal["entries"].items())
             if not roles or entry["role"] in roles]
    for step in steps:
        step["why"] = "rollback"
    files = sorted(path for path, kept in journal["files"].items() if not roles or kept["role"] in roles)
    owners = sorted(journal["owners"]) if not roles else []
    return Rollback(host, journal, steps, files, owners)


def carry_out(plan):
    """Give back files, then owners, then values, then folders; returns a sentence for everything that failed.

    The order: an owner re-reads the files when it comes back, and applies values of its own that ours then correct.
    The journal is written last, so that a kill at any moment leaves all of it to be done again.
    """
    host = plan.host
    with host.only_one(LOCK, {"what": "rollback"}):
        plan.journal = journal = _journal.load(host)
        errors = _files(plan) + _owners(plan)
        for step in plan.steps:
            if step["status"] == "drift":
                write_step(host, step)
            if step.get("error") or step["status"] == "unreadable":
                errors.append("%s: %s" % (step["target"], step.get("error") or step["reason"]))
            else:
                journal["entries"].pop(step["_restore"], None)
        forget_unused(host, journal)
        _journal.save(host, journal)
    return errors


def _files(plan):
    errors = []
    for path in plan.files:
        kept = plan.journal["files"].get(path)
        try:
            if kept:
                _journal.give_back_file(plan.host, plan.journal, path)
        except OSError as error:
            plan.journal["files"][path] = kept
            errors.append("%s: %s" % (path, error.strerror))
    return errors


def _owners(plan):
    errors = []
    for name in plan.owners:
        try:
            tuned.give_back(plan.host, plan.journal["owners"][name])
            del plan.journal["owners"][name]
        except (OSError, tuned.TakeOverFailed) as error:
            errors.append("giving back to %s failed: %s" % (name, error))
    return errors
