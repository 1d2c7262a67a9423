# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts back what nothing native persists, such as interrupt affinities: at boot, and after a device was added.

PRIVATE to the collection. Plans every role in /etc/gpuwright/desired again, by the engine's own plan, and writes the
drifting settings of volatile kinds alone. Files and all other kinds are left to an apply; so is the journal, but for
the originals of what came after it, such as a rail whose link was down then.
"""

from __future__ import annotations

from .. import _journal, _plan
from .._apply import LOCK, RUNNERS_WORDS, remember_values, write_step
from .._host import Host, Locked
from . import switch
from .plans import plans, volatile_steps

_LOCK_TRIES = 10
_LOCK_PAUSE = 2


def arguments(parser):
    """It has none of its own; `parser` has what every subcommand has."""


def run(args, say):
    """Put back what drifted; returns 0 if all is as it shall be, 1 if something is not, 2 if it could not be tried."""
    host = Host(args.sysroot, read_only=False)
    off = switch.off(host)
    if off:
        say("nothing is changed: %s" % off)
        return 0
    if host.live and not host.is_root():
        say("changing settings needs root")
        return 2
    try:
        return put_back(host, say)
    except OSError as error:  # The lock cannot be made.
        say("%s: %s" % (error.filename, error.strerror))
        return 2


def put_back(host, say):
    """Plan, and only if something drifted plan again under the lock and write; returns the exit status."""
    host.read_only = True  # Without the lock nothing is made, not for a moment either, as _kinds/rdma_cm.py does.
    made, problems = plans(host, volatile=True)
    host.read_only = False
    if not any(_is_due(step) for plan in made.values() for step in volatile_steps(plan)):
        return _write(made, problems, say)
    for left in reversed(range(_LOCK_TRIES)):
        try:
            with host.only_one(LOCK, {"what": RUNNERS_WORDS}):
                made, problems = plans(host, volatile=True)
                return _write(made, problems, say)
        except Locked as holder:
            if left:
                host.wait(_LOCK_PAUSE)
            else:
                say("nothing was put back, another run is still changing this node: %s" % holder)
    return 2


def _is_due(step):
    """Whether it may and must be written: what is refused or in conflict stays, a file of ours is an apply's affair."""
    return step["status"] == "drift" and not _plan.met(step, step["running"])


def _write(made, problems, say):
    """Write what drifted, a line each; returns the exit status."""
    for role, problem in problems.items():
        say("role %s: %s" % (role, problem))
    failed, checked = bool(problems), 0
    for plan in made.values():
        _remember(plan, say)
        for step in volatile_steps(plan):
            if _is_due(step):
                write_step(plan.host, step)
            if _is_due(step) or step["status"] not in ("ok", "drift", "not_applicable"):
                say("role %s: %s: %s" % (plan.role, step["target"], _outcome(step)))
            failed = failed or "error" in step or step["status"] == "unreadable"
            checked += 1
    say("%d settings that nothing else persists were checked" % checked)
    return 1 if failed else 0


def _remember(plan, say):
    """Add to the journal what is changed here for the first time; without one nobody wants anything back."""
    due = [step for step in volatile_steps(plan) if _is_due(step)]
    if due and plan.host.exists(_journal.PATH):
        journal = _journal.load(plan.host)  # Another role's plan may have added to it.
        known = len(journal["entries"])
        remember_values(plan, journal, due)
        try:
            if len(journal["entries"]) > known:
                _journal.save(plan.host, journal)
        except OSError as error:
            say("role %s: what was found before is not kept: %s: %s" % (plan.role, _journal.PATH, error.strerror))


def _outcome(step):
    """What became of a step, in words."""
    if step["status"] != "drift":
        return "%s, %s" % (step["status"], step["reason"])
    return step.get("error") or "%s, was %s" % (step["after"], step["running"])
