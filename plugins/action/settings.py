# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs module settings on the node, and does what only the controller can.

It says where each value was set, names a misspelt variable of the role, and keeps the host's steps for the report.
"""

from __future__ import annotations

import difflib
import os

from ansible.plugins.action import ActionBase

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import (
    FOR_EVERY_ROLE,
    ROLES,
    variables,
)
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask, partitions, parts

try:  # Internal to ansible-core, and so guarded: without it the report names the variable but not the line.
    from ansible._internal._datatag._tags import Origin
except ImportError:
    Origin = None

_CLOSE = 0.8


class ActionModule(ActionBase):
    """See the docstring of this file."""

    def run(self, tmp=None, task_vars=None):
        """Check the variables, run the module, keep its steps."""
        task_vars = task_vars or {}
        args = dict(self._task.args)
        role = args.get("role")
        wrong = _misspelt(role, task_vars) if role in ROLES else None
        if wrong:
            result = {"failed": True, "msg": wrong}
        else:
            args["origins"] = _origins(role, args.get("values") or {}, task_vars) if role in ROLES else {}
            result = ask.ask(self, "gpuwright.node.settings", args, task_vars)
        kept = dict(ask.answer(result, self._task.check_mode), **partitions.of_task(args))
        parts.keep(task_vars["inventory_hostname"], role or "settings", kept, parts.folder(task_vars, self._templar))
        return result


def _misspelt(role, task_vars):
    """Words on variables that are close to one of the role's but are none; others are somebody else's."""
    known = variables(role)
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    wrong = []
    for name in task_vars:
        if name in known or name in FOR_EVERY_ROLE or name in meant:
            continue
        if name.startswith("gpuwright_"):  # Nobody else's prefix.
            wrong.append("%s%s: %s" % (name, _place(task_vars[name]), nearest(name, FOR_EVERY_ROLE)))
        elif name.startswith(role + "_"):
            close = difflib.get_close_matches(name, known, n=1, cutoff=_CLOSE)
            if close:
                wrong.append("%s%s: did you mean %s?" % (name, _place(task_vars[name]), close[0]))
    return wrong and (
        "role %s: nothing was changed: no such variable: %s (a variable of yours that only looks like one of the "
        "role's goes into the list gpuwright_ignore_variables)" % (role, "; ".join(sorted(wrong))))


def _origins(role, values, task_vars):
    """Where each setting's value comes from: default, or the variable and its place."""
    names = {row.name: row.variable for row in ROLES[role].ROWS}
    return {name: _origin(role, names[name], values[name], task_vars) for name in values if name in names}


def _origin(role, variable, value, task_vars):
    if variable not in task_vars:
        return "set by the task%s" % _place(value)
    place = _place(task_vars[variable])
    if "/roles/%s/defaults/" % role in place or not place:
        return "default" if place or Origin is None else variable
    return variable + place


def _place(value):
    """', FILE:LINE' of a value as it was written, or nothing where ansible-core does not tell."""
    origin = Origin.get_tag(value) if Origin is not None else None
    if origin is None:
        return ""
    if not origin.path:
        return ", %s" % origin.description if origin.description else ""
    place = os.path.relpath(origin.path) if origin.path.startswith(os.getcwd() + "/") else origin.path
    return ", %s:%s" % (place, origin.line_num) if origin.line_num else ", %s" % place
