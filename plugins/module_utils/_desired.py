# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node is to be, kept on the node: for what nothing native persists, for what waits for a boot, for audits.

PRIVATE to the collection. /etc/gpuwright/desired/ROLE.json holds what was asked of a role, as it was asked; the node
runner plans it again at boot and for its audits, and the playbook reboot asks it whether everything that waited has
taken effect.
"""

from __future__ import annotations

from ._input import KINDS
from ._runner import desired, install

_LIVE = ("ok", "drift", "pending_reboot")
_KEPT = ("refused", "conflict")


def path(role):
    """The file of a role."""
    return desired.path(role)


def _counts(step, held):
    """Whether this node is to have it: now, or as it was asked for before, where a change of it is not let through."""
    return step["status"] in _LIVE or (step["status"] in _KEPT and held.get(step["name"]) is not None)


def _volatile(step, held):
    return KINDS[step["kind"]].VOLATILE and "_restore" not in step and _counts(step, held)


def mark(plan, values, let_through):
    """Say of each volatile setting whether our file holds it as it is asked for now.

    One that was tried on no real thing is not kept by it unless it is let through for good: the runner would refuse it.
    """
    held = _held(plan)
    let_through = let_through and _held(plan, "options").get(plan.role + "_apply")
    for step in plan.steps:
        kind = KINDS[step["kind"]]
        if kind.VOLATILE and step["status"] is None:
            step["file"] = path(plan.role)
            if not let_through and hasattr(kind, "unverified") and kind.unverified(plan.host):
                continue
            if step["name"] in held and held[step["name"]] == _plainly(values[step["name"]]):
                step["configured"] = step["_line"]


def _held(plan, part="values"):
    """The values in our file as it is; none where there is none, or where it is damaged and will be written anew."""
    try:
        return desired.parse(plan.files[path(plan.role)] or "{}").get(part, {})
    except desired.DamagedDesired:
        return {}


def _plainly(value):
    """A value as our file would give it back."""
    return desired.parse(desired.text("", {"values": {"value": value}, "options": {}, "take_over": []}))[
        "values"]["value"]


def text(plan, catalogue, values, request):
    """What our file shall hold; None where the role manages nothing here. What is said of one run only stays out.

    A value that was refused stays out too, where there is one from before: at the next boot it would be refused again,
    with what is in force until then.
    """
    held = _held(plan)
    if not any(_counts(step, held) for step in plan.steps if "_restore" not in step):
        return None
    of_one_run = {option["name"] for option in catalogue.OPTIONS if option.get("of_one_run")}
    options = {name: value for name, value in request["options"].items() if name not in of_one_run}
    kept = {step["name"]: held[step["name"]] for step in plan.steps
            if step["status"] in _KEPT and "_restore" not in step and held.get(step["name"]) is not None}
    return desired.text(plan.role, {"values": dict(values, **kept), "options": options,
                                    "take_over": request["take_over"]})


def needs_runner(plan):
    """Whether something of the role is nowhere persisted but in our file."""
    held = _held(plan)
    return any(_volatile(step, held) for step in plan.steps)


def runner_files(plan):
    """[(path, content, mode)] of the runner's files that are not as they shall be, if this plan needs the runner."""
    if not needs_runner(plan):
        return []
    due = set(install.due(plan.host))
    return [(name, content, mode) for name, (content, mode) in sorted(install.files(plan.host).items())
            if name in due]
