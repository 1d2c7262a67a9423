# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else sets a knob: names the file or tool that wins over us, and hands the knob over where the operator says so.

PRIVATE to the collection. Owners that can be named in gpuwright_take_over: tuned, sysctl.d, tmpfiles.d, or the path of
one file.
"""

from __future__ import annotations

from ._input import KINDS
from ._owners import sysctl_d, tuned
from ._values import nearest

OWNERS = ("tuned", "sysctl.d", "tmpfiles.d")


class UnknownOwner(Exception):
    """gpuwright_take_over names something that nothing can be taken over from; the text says what can."""


def check_owners(names):
    """Raise UnknownOwner unless every name is an owner that we know how to take over from, or a file's path."""
    for name in names:
        if name not in OWNERS and not str(name).startswith("/"):
            raise UnknownOwner("gpuwright_take_over: %r is neither the path of a file nor an owner; %s"
                               % (name, nearest(name, OWNERS)))


def mark(plan, take_over):
    """Set status, reason and file of the steps that somebody else rules, and note what is to be taken over."""
    open_steps = [step for step in plan.steps if step["status"] is None]
    settled = {name: kind.others(plan.host) for name, kind in KINDS.items()}
    for step in open_steps:
        _respect_higher(plan, step, settled[step["kind"]])
        _other_file(plan, step, settled[step["kind"]], take_over)
    for step in open_steps:
        if step["status"] is None:
            _other_boot_setting(plan, step, settled["sysctl"])
    _tuned(plan, [step for step in open_steps if step["status"] is None], "tuned" in take_over)


def _respect_higher(plan, step, settled):
    """A raise-only setting is met by any higher value, and our line never undercuts one that another file gives."""
    if not step["_row"].raise_only:
        return
    desired = int(step["desired"])
    step["_force"] = str(max(desired, int(step["running"])))
    given = KINDS[step["kind"]].before_us(settled, step["target"], step["file"])
    if given is not None and given.isdigit() and int(given) >= desired:
        step["_line"] = None
        step["reason"] = "another file gives %s, which is kept" % given
    elif step["_force"] != step["desired"]:
        step["reason"] = "%s is higher and is kept" % step["running"]


def _other_file(plan, step, settled, take_over):
    """Another drop-in that wins over ours at boot with another value is a conflict, unless we may sort past it."""
    kind, row = KINDS[step["kind"]], step["_row"]
    found = kind.rival(settled, row, step["target"], step["_path"], step["file"])
    if found is None or _same(row, step, found):
        return
    words = "%s:%s sets %s = %s and wins over ours" % (
        found["file"], found["line"], found.get("key", found.get("path")), found["value"] or "a value of its own")
    owner = "%s.d" % ("sysctl" if step["kind"] == "sysctl" else "tmpfiles")
    ours = kind.taken_over(plan.role)
    if owner not in take_over and found["file"] not in take_over:
        step.update(status="conflict", reason=words)
    elif kind.rival(settled, row, step["target"], step["_path"], ours) is not None:
        step.update(status="conflict", reason=words + ", and over %s too: rename it" % ours)
    else:
        step.update(file=ours, configured=None, reason="taken over from %s" % found["file"])


def _same(row, step, found):
    """Whether the other file asks for what we ask for; the twin never does."""
    value = found["value"] or ""
    if row.twin and found.get("key") == row.twin:
        return value.strip() == "0"
    try:
        theirs = row.value.read(value)
    except (ValueError, IndexError):
        return False
    return theirs == step["desired"] or (row.raise_only and int(theirs) >= int(step["desired"]))


def _other_boot_setting(plan, step, settled):
    """A setting that another name gives at boot (a kernel argument, a sysctl key) is not ours to take away."""
    for rival in step["_row"].rivals:
        place, _colon, name = rival.partition(":")
        if place == "cmdline":
            found = [word for word in (plan.host.text("/proc/cmdline") or "").split() if word.startswith(name + "=")]
            where = "the kernel command line has %s" % " ".join(found)
        else:
            item = sysctl_d.last(settled, name)
            found = item and item["value"] not in (None, "0")
            where = "%s sets %s = %s" % (item["file"], name, item["value"]) if found else ""
        if found and step["running"] != step["desired"]:
            step.update(status="conflict", reason=where)
            return


def _tuned(plan, steps, may_take):
    """An active tuned profile that gives other values to our knobs: a conflict, or to be taken over.

    That holds for a key too that tuned leaves to sysctl.d in the end (reapply_sysctl): a knob has one owner.
    """
    named = tuned.conflicting(plan.host, {_tuned_key(step): step["_force"] for step in steps}) if steps else {}
    found = [(step, named[_tuned_key(step)]) for step in steps if _tuned_key(step) in named]
    for step, item in found:
        step.update(status="conflict", reason="tuned profile %s sets %s to %s (%s)" % (
            item["profile"], item["sets"][1], item["value"] or "a value of its own", item["file"]))
    if found and may_take and plan.host.runs_commands:
        _take_over(plan, [step for step, _item in found])


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
            step.update(status=None, reason="taken over: " + step["reason"])
    if not refused:
        plan.take_over = entry


def _tuned_key(step):
    return (step["kind"], step["target"] if step["kind"] == "sysctl" else step["_path"])
