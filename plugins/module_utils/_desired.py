# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node is to be, kept on the node: for what nothing native persists, and for what waits for a boot.

PRIVATE to the collection. /etc/gpuwright/desired/ROLE.json holds what was asked of a role, as it was asked; the node
runner plans it again at boot, and the playbook reboot asks it whether everything that waited has taken effect.
"""

from __future__ import annotations

from ._input import KINDS
from ._runner import desired, install

_LIVE = ("ok", "drift", "pending_reboot")


def path(role):
    """The file of a role."""
    return desired.path(role)


def _volatile(step):
    return KINDS[step["kind"]].VOLATILE and "_restore" not in step and step["status"] in _LIVE


def _waits(step):
    return step["_row"] is not None and step["_row"].effect == "reboot" and step["status"] in _LIVE


def mark(plan, values):
    """Say of each volatile setting whether our file holds it as it is asked for now."""
    held = _held(plan)
    for step in plan.steps:
        if KINDS[step["kind"]].VOLATILE and step["status"] is None:
            step["file"] = path(plan.role)
            if step["name"] in held and held[step["name"]] == _plainly(values[step["name"]]):
                step["configured"] = step["_line"]


def _held(plan):
    """The values in our file as it is; none where there is none, or where it is damaged and will be written anew."""
    try:
        return desired.parse(plan.files[path(plan.role)] or "{}").get("values", {})
    except desired.DamagedDesired:
        return {}


def _plainly(value):
    """A value as our file would give it back."""
    return desired.parse(desired.text("", {"values": {"value": value}, "options": {}, "take_over": []}))[
        "values"]["value"]


def text(plan, catalogue, values, request):
    """What our file shall hold; None where nothing of the role needs it. What is said of one run only stays out."""
    if not any(_volatile(step) or _waits(step) for step in plan.steps):
        return None
    of_one_run = {option["name"] for option in catalogue.OPTIONS if option.get("of_one_run")}
    options = {name: value for name, value in request["options"].items() if name not in of_one_run}
    return desired.text(plan.role, {"values": values, "options": options, "take_over": request["take_over"]})


def runner_files(plan):
    """[(path, content, mode)] of the runner's files that are not as they shall be, if this plan needs the runner."""
    if not any(_volatile(step) for step in plan.steps):
        return []
    due = set(install.due(plan.host))
    return [(name, content, mode) for name, (content, mode) in sorted(install.files(plan.host).items())
            if name in due]
