# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan: desired x actual -> steps, each with a status and its reason. Nothing here writes.

PRIVATE to the collection. Check mode, diff, audit and apply all use the one plan that `build` returns, so what a check
reports is what an apply does. Keys of a step that begin with "_" are for _apply.py and leave the node in no result.
"""

from __future__ import annotations

from . import _conflicts, _desired, _guard, _journal
from ._drop_ins import notice_edits, our_files, wanted_files
from ._input import KINDS, check, check_options, without_lost_nics

_ABSENT = "this kernel has no such setting"
_NEXT = "the boot loader's entries say %s"


class Plan:
    """What is asked for and what is so: the steps, the findings of the rules, the drop-ins as they are and shall be."""

    def __init__(self, host, role, journal):
        self.host = host
        self.role = role
        self.journal = journal
        self.steps = []
        self.findings = []
        self.files = {}
        self.wanted_files = {}
        self.runner = []
        self.take_over = None
        self.options = {}
        self.errors = []

    @property
    def changing(self):
        """The steps that an apply would carry out."""
        return [step for step in self.steps if step["status"] == "drift"]

    @property
    def due(self):
        """Whether an apply would do anything: a step, or a file of ours that is not as it should be."""
        return bool(self.changing) or self.wanted_files != self.files or bool(self.runner)


def build(host, role, catalogue, values, request):
    """The plan of one role. Raises BadInput, ForeignJournal or _conflicts.UnknownOwner before anything is written.

    `catalogue` has ROWS, OPTIONS and RULES, and perhaps `withhold`. `request` is {origins: {row name: where set},
    take_over: [owner], allow: [disruption], options: {option of the role: value}} and perhaps absent_ok (_input.check).
    """
    options = check_options(catalogue.OPTIONS, request["options"])
    if request.get("absent_ok"):
        options = without_lost_nics(host, options)
    wanted = check(host, catalogue.ROWS, values, request, options)
    _conflicts.check_owners(host, request["take_over"])
    plan = Plan(host, role, _journal.load(host))
    plan.files, plan.options = our_files(host, role), options
    withheld = _withheld(plan, catalogue, options, {place[0].name: place[-1] for place in wanted})
    for place in wanted:
        plan.steps.append(_step(plan, place, request["origins"].get(place[0].name, "set by the task"), withheld))
    _desired.mark(plan, values, bool(_allowed(role, options)))
    _conflicts.mark(plan, request["take_over"])
    for step in plan.steps:
        if step["status"] is None:
            _judge(step)
    _conflicts.mark_overridden(plan)
    plan.steps.extend(_let_go(plan))
    own = role + "_apply"
    _guard.hold_back(plan, request["allow"] + _allowed(role, options),
                     own if any(option["name"] == own for option in catalogue.OPTIONS) else None)
    plan.findings = _guard.consult(plan, catalogue.RULES, options)
    _guard.protect_jobs(plan, request["allow"])
    _write_again(plan)
    plan.wanted_files = wanted_files(plan)
    plan.files = dict(dict.fromkeys(plan.wanted_files), **plan.files)
    plan.wanted_files[_desired.path(role)] = _desired.text(plan, catalogue, values, request)
    plan.runner = _desired.runner_files(plan)
    notice_edits(plan)
    return plan


def _allowed(role, options):
    """A role whose ways are not verified yet has an option that lets them through for good: ROLE_apply."""
    return ["unverified"] if options.get(role + "_apply") else []


def _withheld(plan, catalogue, options, desired):
    """{row name: why it is not managed on this node now}, from the role itself, of {row name: what is asked for}."""
    withhold = getattr(catalogue, "withhold", None)
    return withhold(_guard.View(plan, options), options, desired) if withhold else {}


def _step(plan, place, why, withheld):
    """A step with all but its status, or with the one that settles it: no such place, withheld, or not readable."""
    row, target, path, fields, desired = place
    kind = KINDS[row.kind]
    step = {"name": row.name, "kind": row.kind, "target": target, "desired": desired, "running": None,
            "configured": None, "status": None, "disruption": row.disruption, "why": why, "reason": "",
            "file": kind.file(plan.role, target), "_row": row, "_path": path, "_fields": fields, "_line": desired,
            "_force": desired, "_undo": None}
    remark = kind.remark(plan.options, target, desired) if hasattr(kind, "remark") else None
    step["why"] = "%s: %s" % (why, remark) if remark else why
    if path is None or row.name in withheld:
        reason = withheld.get(row.name) or getattr(kind, "ABSENT", _ABSENT)
        return dict(step, status="not_applicable", reason=reason, file=None, _path=None)
    step.update(_persisted(plan.host, row, plan.role, plan.files, step))
    try:
        text = kind.read(plan.host, target, path)
        step["running"] = row.value.read(text)
        step["_undo"] = kind.in_force(plan.host, row, target, path)
        if hasattr(kind, "generated"):
            step["generated"] = row.value.read(kind.generated(plan.host, target, path))
    except (OSError, ValueError, IndexError) as error:
        return dict(step, status="unreadable", reason="%s: %s" % (path, getattr(error, "strerror", None) or error))
    offered = row.value.offers(text)
    if offered is not None and desired not in offered:
        return dict(step, status="not_applicable", file=None, reason="this kernel offers %s" % ", ".join(offered))
    return step


def _persisted(host, row, role, files, step):
    """Our file that persists a setting, and the value there; of two, the one for what was taken over counts.

    A kind that persists elsewhere on this machine says so itself.
    """
    kind, target = KINDS[step["kind"]], step["target"]
    elsewhere = kind.persisted(host, row, target) if hasattr(kind, "persisted") else None
    if elsewhere is not None:
        return elsewhere
    for taken in (True, False):
        ours = kind.file(role, target, taken)
        key = kind.key(step) if hasattr(kind, "key") else target if kind.KEYED_BY == "target" else step["_path"]
        held = kind.parse(files.get(ours) or "").get(key) if ours else None
        if held is not None:
            return {"configured": held, "file": ours}
    return {"configured": None, "file": kind.file(role, target)}


def met(step, value):
    """Whether a value is as good as the one that is asked for."""
    satisfied = getattr(KINDS[step["kind"]], "satisfied", None)
    return satisfied(value, step["_force"]) if satisfied and value is not None else value == step["_force"]


def _judge(step):
    """Give a step that nothing else has settled its status, in words that say what is wrong."""
    missing = []
    if step["configured"] != step["_line"]:
        missing.append("not persisted" if step["configured"] is None else "persisted as %s" % step["configured"])
    if "generated" in step and not met(step, step["generated"]):
        missing.append(getattr(KINDS[step["kind"]], "NEXT", _NEXT) % (step["generated"] or "nothing"))
    if step.get("_taken"):
        missing.append("tuned sets it too")
    wrong = [] if met(step, step["running"]) else ["running %s" % step["running"] if step["running"] else "not set"]
    if not wrong and not missing:
        step["status"] = "ok"
    elif step["_row"].effect == "reboot" and not missing:
        step.update(status="pending_reboot", reason="takes effect at the next boot; " + ", ".join(wrong))
    else:
        step["status"] = "drift"
        step["reason"] = ", ".join(part for part in [step["reason"]] + wrong + missing if part)


def _write_again(plan):
    """What a change of another kind would undo is due with it."""
    changing = {step["kind"] for step in plan.changing}
    for step in plan.steps:
        undone_by = getattr(KINDS[step["kind"]], "UNDONE_BY", None)
        if step["status"] == "ok" and undone_by in changing:
            step.update(status="drift", reason="what it depends on changes", _again=True)


def _let_go(plan):
    """A step for every original of this role that nothing asks for any more: it comes back, its line goes."""
    held = {KINDS[step["kind"]].identity(step["_row"], step["target"], step["_path"])
            for step in plan.steps if step["_path"]}
    steps = []
    for key, entry in in_order(plan.journal["entries"]):
        if entry["role"] == plan.role and key not in held:
            steps.append(restore_step(plan.host, key, entry, plan.files))
    return steps


def in_order(entries):
    """The entries of a journal in the order in which they come back: kind after kind, as they are carried out."""
    kinds = list(KINDS)

    def turn(item):
        key, entry = item
        kind = KINDS[entry["kind"]]
        own = kind.turn(entry["target"], entry["path"]) if hasattr(kind, "turn") else ()
        return getattr(kind, "LAST_BACK", False), kinds.index(entry["kind"]), own, key
    return sorted(entries.items(), key=turn)


def restore_step(host, key, entry, files):
    """The step that gives back the original of a journal entry; `files` are ours as they are, by path."""
    step = {"name": entry["name"], "kind": entry["kind"], "target": entry["target"], "desired": entry["original"],
            "running": None, "configured": None, "status": "drift", "disruption": entry["disruption"],
            "why": "no longer managed", "reason": "back to what was found before us",
            "_path": entry["path"], "_force": entry["original"], "_line": None, "_restore": key, "_row": None}
    kind = KINDS[entry["kind"]]
    step.update(_persisted(host, None, entry["role"], files, step))
    try:
        step["running"] = plain(kind, kind.read(host, entry["target"], entry["path"]))
    except FileNotFoundError:
        step.update(status="not_applicable", reason="%s is gone: its original cannot come back" % entry["path"])
    except (OSError, ValueError, IndexError) as error:
        words = getattr(error, "strerror", None) or error
        step.update(status="unreadable", reason="%s: %s" % (entry["path"], words))
    return step


def plain(kind, text):
    """A value as it is written, where the kernel prints more."""
    return kind.plain(text) if hasattr(kind, "plain") else text.strip()
