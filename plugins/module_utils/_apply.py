# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carrying out a plan: originals first, then files, then values, each read back.

PRIVATE to the collection. The order makes a kill at any moment harmless: whatever was done, the journal already holds
what was there before, and the next run finds the rest still to do.
"""

from __future__ import annotations

import contextlib
import errno

from . import _desired, _journal, _pending
from ._drop_ins import owns, wanted_files
from ._host import CommandNotRun, Locked
from ._input import KINDS
from ._owners import tuned
from ._plan import met, plain
from ._runner import desired, install

LOCK = "/run/gpuwright.lock"
RUNNERS_WORDS = "gpuwright boot"  # By what the runner's hold of the lock is known.
_RUNNER_SECONDS = 70  # A little more than systemd gives it.
RUNNER = "runner"  # The role that the runner's files have in the journal: they belong to all roles that need it.


def apply(make_plan, owner):
    """Carry out what is due; returns the plan, its steps with `changed`, `after` and `error`. Raises Locked.

    The plan is made again under the lock: what another run changed in between must not become an original.
    """
    plan = make_plan()
    if plan.due:
        with locked(plan.host, owner):
            plan = make_plan()
            _carry_out(plan)
    return plan


@contextlib.contextmanager
def locked(host, owner):
    """Hold the node's lock, to the end of what is done under it though Ansible is stopped meanwhile.

    The runner, which a new device may start at any time, is waited for; another run is not.
    """
    for tries_left in range(_RUNNER_SECONDS, -1, -1):
        try:
            with host.only_one(LOCK, owner), host.to_the_end():
                yield
            return
        except Locked as held:
            if RUNNERS_WORDS not in str(held) or not tries_left:
                raise
        host.wait(1)


def _carry_out(plan):
    host, journal, due = plan.host, plan.journal, plan.changing
    _remember(plan, due)
    _journal.save(host, journal)
    for folder in journal["folders"]:
        host.make_folder(folder)
    if plan.take_over:
        _take_over(plan, due)
    changed = [path for path, text in plan.wanted_files.items() if text != plan.files[path]]
    _write_files(plan, plan.wanted_files)
    _write_runner(plan)
    commit(host, {plan.role}, due, changed, plan.errors)
    leaving = {step["_restore"] for step in plan.steps if "_restore" in step}
    release(host, journal, set(journal["entries"]) - leaving, plan.errors)
    for step in due:
        _write_unless_needed_failed(plan, step)
    _take_back_rejected(plan, due)
    for step in plan.steps:
        if "_restore" in step and step["status"] in ("drift", "not_applicable") and "error" not in step:
            journal["entries"].pop(step["_restore"], None)
    _pending.forget(host, {step["target"] for step in due if "_restore" not in step})
    _pending.note(host, plan.role, [step for step in due if "_restore" in step])
    forget_unused(host, journal, plan.errors)
    _journal.save(host, journal)


def commit(host, roles, steps, changed, errors):
    """Have each kind do what follows when its files have changed or its settings are due; a failure marks its steps."""
    for name, kind in KINDS.items():
        mine = [step for step in steps if step["kind"] == name]
        files = [path for path in changed if any(owns(kind, role, path) for role in roles)]
        if not hasattr(kind, "commit") or not (mine or files):
            continue
        try:
            kind.commit(host, mine, files)
        except (CommandNotRun, OSError) as error:
            errors.append("%s: %s" % (name, error))
            for step in mine:
                step["error"] = str(error)


def _remember(plan, due):
    """Put into the journal what this apply is about to change."""
    remember_values(plan, plan.journal, due)
    changed = [(path, plan.role) for path, text in plan.wanted_files.items() if text != plan.files[path]]
    for path, role in changed + [(path, RUNNER) for path, _content, _mode in plan.runner]:
        remember_file(plan.host, plan.journal, path, role)
    runner = plan.journal["files"].get(install.ZIPAPP)
    if runner:
        others = set(runner.get("needed_by", desired.roles(plan.host))) - {plan.role}
        runner["needed_by"] = sorted(others | ({plan.role} if _desired.needs_runner(plan) else set()))
    if plan.take_over:
        plan.journal["owners"]["tuned"] = plan.take_over  # It still names the profile from before the first one.


def remember_values(plan, journal, due):
    """Put into the journal the originals of settings that are about to change and that it does not have yet."""
    for step in due:
        if "_restore" not in step:
            path, original = step["_undo"]
            key = KINDS[step["kind"]].identity(step["_row"], step["target"], step["_path"])
            _journal.remember_value(journal, key, {
                "role": plan.role, "kind": step["kind"], "name": step["name"], "target": step["target"], "path": path,
                "original": original, "disruption": step["disruption"], "since": plan.host.now()})


def remember_file(host, journal, path, role):
    """Put into the journal what is in the place of a file of ours, and the folders that will be made for it."""
    left = [] if path in journal["files"] or not host.exists(path) else _journal.our_folders(path)
    _journal.remember_file(host, journal, path, role)
    for folder in left + _journal.missing_folders(host, path):
        if folder not in journal["folders"]:
            journal["folders"].append(folder)


def _write_runner(plan):
    """The runner's own files, and systemd and udev told of them."""
    try:
        if plan.runner:
            install.write(plan.host, plan.runner)
    except (CommandNotRun, OSError) as error:
        plan.errors.append("the node runner: %s" % error)


def _take_over(plan, due):
    try:
        tuned.apply_take_over(plan.host, plan.take_over)
    except (OSError, tuned.TakeOverFailed) as error:
        for step in due:
            if step.get("_taken"):
                step["error"] = "taking over from tuned failed: %s" % error


def release(host, journal, remaining, errors):
    """Give back to tuned what was taken over for settings whose originals are no longer among `remaining`."""
    entry = journal["owners"].get("tuned")
    if not entry:
        return
    left = [key for key in entry["keys"] if any(_names(identity, key) for identity in remaining)]
    try:
        if not left:
            tuned.give_back(host, entry)
            del journal["owners"]["tuned"]
        elif left != entry["keys"]:
            journal["owners"]["tuned"] = tuned.keep_only(host, entry, left)
    except (OSError, tuned.TakeOverFailed) as error:
        errors.append("giving back to tuned failed: %s" % error)


def _names(identity, key):
    """Whether the identity of a journal entry, perhaps that of twins, is that of a target of tuned's."""
    kind, _colon, targets = identity.partition(":")
    return kind == key[0] and key[1] in (targets.split("+") if kind == "sysctl" else [targets])


def _write_files(plan, texts):
    """Put our files into their wanted state; an empty one goes, and what was there before us comes back."""
    for path, text in texts.items():
        if text == plan.files[path]:
            continue
        try:
            if text is None:
                _journal.give_back_file(plan.host, plan.journal, path)
            else:
                plan.host.write_file(path, text.encode())
        except OSError as error:
            words = "%s: %s" % (path, error.strerror)
            plan.errors.append(words)
            for step in plan.changing:
                if step["file"] == path:
                    step["error"] = words


def _write_unless_needed_failed(plan, step):
    needed = step["_row"] and step["_row"].needs
    failed = needed and [other for other in plan.steps if other["name"] == needed and "error" in other]
    if failed:
        step.update(changed=False, error="not written, for %s failed" % needed)
    else:
        write_step(plan.host, step)


def write_step(host, step):
    """Put the value in force, read it back, and say what came of it."""
    kind, target, path, wanted = KINDS[step["kind"]], step["target"], step["_path"], step["_force"]
    step["changed"] = False
    if "error" in step:
        return
    try:
        if "_restore" in step or "_again" in step or not met(step, step["running"]):
            kind.write(host, target, path, wanted)
        step["after"] = _after(host, kind, step)
    except (OSError, ValueError, IndexError) as error:
        step["error"] = "%s: %s" % (path, getattr(error, "strerror", None) or error)
        step["_rejected"] = getattr(error, "errno", None) == errno.EINVAL
        return
    if not met(step, step["after"]):
        # Where files rule, what others have written into theirs meanwhile is what has to be in force.
        others = "_restore" in step and hasattr(kind, "given_by_others") and kind.given_by_others(
            host, target, step["file"])
        if others:
            step["reason"] = "what was ours is gone; %s by now" % others
        else:
            step["error"] = "%s: wrote %s, the kernel keeps %s" % (path, wanted, step["after"])
    step["changed"] = "error" not in step or step["after"] != step["running"]


def _after(host, kind, step):
    """What is in force now; of what takes effect at boot, what the next boot will bring."""
    read = kind.generated if hasattr(kind, "generated") else kind.read
    text = read(host, step["target"], step["_path"])
    return step["_row"].value.read(text) if step["_row"] else plain(kind, text)


def _take_back_rejected(plan, due):
    """A value that the kernel refuses must not stay in a file, to be refused again at every boot."""
    rejected = [step for step in due if step.get("_rejected") and "_restore" not in step]
    if rejected:
        for step in rejected:
            step["_line"] = step["configured"]
        plan.files = dict(plan.wanted_files)
        _write_files(plan, wanted_files(plan))


def forget_unused(host, journal, errors):
    """Drop from the journal files that are as before us, the runner that nothing needs, and our empty folders."""
    if not (install.LAUNCHER in journal["files"] or runner_needed_by(host, journal)):
        remove_runner(host, journal, runner_paths(journal), errors)
    for path in list(journal["files"]):
        role = journal["files"][path]["role"]
        if not host.exists(path) and not any(entry["role"] == role for entry in journal["entries"].values()):
            del journal["files"][path]
    for folder in reversed(journal["folders"]):
        if not journal["files"] or not any(path.startswith(folder + "/") for path in journal["files"]):
            host.remove_folder(folder)
    journal["folders"] = [folder for folder in journal["folders"] if host.is_folder(folder)]


def runner_paths(journal):
    """The files of the runner that are ours."""
    return [path for path, kept in journal["files"].items() if kept["role"] == RUNNER]


def runner_needed_by(host, journal):
    """The roles that ask for what nothing but the runner puts back; all, where the journal is too old to say."""
    if install.ZIPAPP not in journal["files"]:
        return []
    needed_by = journal["files"][install.ZIPAPP].get("needed_by", desired.roles(host))
    return [role for role in needed_by if host.exists(desired.path(role))]


def remove_runner(host, journal, paths, errors):
    """Give back files of the runner, and have systemd and udev forget them; metrics when nobody writes them anew."""
    if not paths:
        return
    metrics = [path for path in paths if path.endswith("/" + install.METRICS)]
    try:
        for path in paths:
            if path not in metrics:
                _journal.give_back_file(host, journal, path)
        install.commit(host)
        for path in metrics:
            _journal.give_back_file(host, journal, path)
    except CommandNotRun as error:
        errors.append("the node runner: %s" % error)
    except OSError as error:
        errors.append("the node runner: %s: %s" % (error.filename, error.strerror))
