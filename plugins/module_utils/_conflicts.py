# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else sets a knob: names the file or tool that wins over us, and hands the knob over where the operator says so.

PRIVATE to the collection. Owners that can be named in gpuwright_take_over: tuned, sysctl.d, tmpfiles.d, udev,
nccl.conf, or the path of one file.
"""

from __future__ import annotations

import contextlib

from ._input import KINDS
from ._owners import hugepages, tuned
from ._values import nearest

OWNERS = ("tuned", "sysctl.d", "tmpfiles.d", "udev", "nccl.conf")
_RESERVED = {"hugepages": hugepages.reserved}


class UnknownOwner(Exception):
    """gpuwright_take_over names something that nothing can be taken over from; the text says what can."""


def check_owners(host, names):
    """Raise UnknownOwner unless every name is an owner that we know how to take over from, or a file's path."""
    for name in names:
        if name not in OWNERS and not str(name).startswith("/"):
            raise UnknownOwner("gpuwright_take_over: %r is neither the path of a file nor an owner; %s"
                               % (name, nearest(name, OWNERS)))
        if str(name).startswith("/") and not host.exists(name):
            host.note("gpuwright_take_over: there is no %s here" % name)


def mark(plan, take_over):
    """Set status, reason and file of the steps that somebody else rules, and note what is to be taken over."""
    open_steps = [step for step in plan.steps if step["status"] is None]
    settled = {name: KINDS[name].others(plan.host) for name in {step["kind"] for step in open_steps}}
    for step in open_steps:
        _respect_higher(plan, step, settled[step["kind"]])
        _other_file(plan, step, settled[step["kind"]], take_over)
        _other_name(plan, step)
    _tuned(plan, [step for step in open_steps if step["status"] is None], "tuned" in take_over)


def _respect_higher(plan, step, settled):
    """A raise-only setting is met by any higher value, and our line never undercuts one that another file gives.

    Nor what was in force before us: the kernel may have worked it out from the memory there is, and would at each boot.
    """
    row, desired = step["_row"], step["desired"]
    if not row.raise_only:
        return
    step["_force"] = _higher(row, desired, step["running"])
    given = KINDS[step["kind"]].before_us(settled, step["target"], step["file"])
    if given is not None and _is_enough(row, given, desired):
        step["_line"] = None
        step["reason"] = "another file gives %s, which is kept" % given
        return
    step["_line"] = _higher(row, desired, _before_us(plan, step))
    if hasattr(row.value, "raised") and given is not None:
        with contextlib.suppress(ValueError):
            step["_line"] = _higher(row, step["_line"], row.value.read(given))
    if step["_force"] != step["desired"]:
        step["reason"] = "%s is higher and is kept" % step["running"]


def _before_us(plan, step):
    """The value in force that was found before the first apply: the original, or what runs now."""
    entry = plan.journal["entries"].get(KINDS[step["kind"]].identity(step["_row"], step["target"], step["_path"]))
    try:
        return step["_row"].value.read(entry["original"]) if entry else step["running"]
    except (ValueError, IndexError):
        return step["running"]


def _higher(row, one, other):
    """The higher of two values of a raise-only setting; of several numbers, the higher of each."""
    return row.value.raised(one, other) if hasattr(row.value, "raised") else str(max(int(one), int(other)))


def _is_enough(row, given, desired):
    """Whether what somebody else gives a raise-only setting is what is asked for, or more."""
    try:
        theirs = row.value.read(given or "")
        return theirs != "" and _higher(row, desired, theirs) == theirs
    except (ValueError, IndexError):
        return False


def _other_file(plan, step, settled, take_over):
    """Another drop-in that wins over ours at boot with another value is a conflict, unless we may sort past it."""
    kind, row = KINDS[step["kind"]], step["_row"]
    place = (row, step["target"], step["_path"])

    def wins(others, ours):
        found = kind.rival(others, *place, ours, step["desired"])
        return None if found is None or _same(row, step, found) else found
    first = wins(settled, step["file"])
    kept = [item for item in settled if kind.OWNER not in take_over and not _is_handed_over(item, take_over)]
    ours = kind.OWNER and kind.file(plan.role, step["target"], taken=True)
    if first is None:
        # A file that ours replaces gives nothing any more.
        _given(step, kept if ours == step["file"] else settled)
        return
    stays = wins(kept, step["file"])
    if ours is None:
        step.update(status="conflict", reason=_words(first))
    elif stays is not None:
        step.update(status="conflict", reason=_words(stays))
    elif ours != step["file"] and wins(settled, ours) is not None:
        step.update(status="conflict", reason=_words(first) + ", and over %s too: rename it" % ours)
    else:
        step.update(file=ours, configured=None, reason="taken over from %s" % first["file"])


def mark_overridden(plan):
    """What is right in our file, and wins over by somebody with a narrower scope, is a conflict with that one.

    Our line stays, for all others go by it.
    """
    right = [step for step in plan.steps if step["status"] == "ok" and hasattr(KINDS[step["kind"]], "overridden")]
    settled = {name: KINDS[name].others(plan.host) for name in {step["kind"] for step in right}}
    for step in right:
        words = KINDS[step["kind"]].overridden(settled[step["kind"]], step["target"], step["desired"])
        if words:
            step.update(status="conflict", reason=words)


def _given(step, settled):
    """Where a second line would be a repetition, the one that another file has already is enough."""
    kind = KINDS[step["kind"]]
    found = hasattr(kind, "given") and kind.given(settled, step["_row"], step["target"], step["file"], step["desired"])
    if found:
        step["_line"] = None
        step["reason"] = "%s:%s gives it already, which is kept" % (found["file"], found["line"])


def _words(found):
    if found.get("words"):
        return found["words"]
    return "%s:%s sets %s = %s and wins over ours" % (
        found["file"], found["line"], found.get("key", found.get("path")), found["value"] or "a value of its own")


def _is_handed_over(item, take_over):
    """Whether a file is named in take_over, by its own path or by that of the link that leads to it."""
    return any(name == item["file"] or (name.startswith("/") and name.rpartition("/")[2] == item["name"])
               for name in take_over)


def _same(row, step, found):
    """Whether the other file asks for what we ask for; the twin never does."""
    value = found["value"] or ""
    if row.twin and found.get("key") == row.twin:
        return value.strip() == "0"
    try:
        theirs = row.value.read(value)
    except (ValueError, IndexError):
        return False
    return theirs == step["desired"] or (row.raise_only and _is_enough(row, value, step["desired"]))


def _other_name(plan, step):
    """What is given at boot by another name (a kernel argument, another key) is not ours to take away."""
    row = step["_row"]
    if row.reserved is None or step["status"] is not None or step["running"] == step["desired"]:
        return
    words = _RESERVED[row.reserved](plan.host, step["_fields"])
    if words:
        step.update(status="conflict", reason="%s: ask for the same with %s, or set it to null"
                    % (words, row.variable))


def _tuned(plan, steps, may_take):
    """An active tuned profile that gives other values to our knobs: a conflict, or to be taken over.

    That holds for a key too that tuned leaves to sysctl.d in the end (reapply_sysctl): a knob has one owner.
    """
    named = tuned.conflicting(plan.host, {_tuned_key(step): step["_force"] for step in steps}) if steps else {}
    found = [(step, named[_tuned_key(step)]) for step in steps
             if _tuned_key(step) in named and not _gives_enough(step, named[_tuned_key(step)])]
    for step, item in found:
        step.update(status="conflict", reason="tuned profile %s sets %s to %s (%s)" % (
            item["profile"], item["sets"][1], item["value"] or "a value of its own", item["file"]))
    if found and may_take and plan.host.runs_commands:
        _take_over(plan, [step for step, _item in found])


def _gives_enough(step, item):
    """Whether tuned gives a raise-only setting what is asked for, or more."""
    return step["_row"].raise_only and _is_enough(step["_row"], item["value"], step["desired"])


def _take_over(plan, steps):
    try:
        entry = tuned.plan_take_over(plan.host, [_tuned_key(step) for step in steps])
        refused = entry["refused"]
    except tuned.TakeOverFailed as error:
        refused = str(error)
    for step in steps:
        if refused:
            step["reason"] += "; it cannot be taken over: %s" % refused
        else:
            step.update(status=None, reason="taken over: " + step["reason"], _taken=True)
    if not refused:
        plan.take_over = entry


def _tuned_key(step):
    return (step["kind"], step["target"] if step["kind"] == "sysctl" else step["_path"])
