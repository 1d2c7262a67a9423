# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook reboot: their names, what they are on a node, and which drain they choose.

PRIVATE to the collection.
"""

from __future__ import annotations

import os

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import FOR_EVERY_ROLE
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest

NAMES = (
    "gpuwright_drain", "gpuwright_drain_become", "gpuwright_drain_host", "gpuwright_drain_poll",
    "gpuwright_drain_tasks", "gpuwright_drain_timeout", "gpuwright_kubernetes_node", "gpuwright_reboot_allow",
    "gpuwright_reboot_also", "gpuwright_reboot_budget", "gpuwright_reboot_per_rack", "gpuwright_reboot_settle",
    "gpuwright_reboot_timeout", "gpuwright_slurm_node", "gpuwright_undrain_tasks")
DRAINS = ("none", "slurm", "kubernetes")
ALLOWED = ("busy",)
_TASKS = os.path.normpath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "..", "playbooks",
                                       "tasks"))


class BadVariable(Exception):
    """A variable is misspelt or has a value that is none; the text names it and says what is legal."""


def of_node(task_vars, templar):
    """{rack, nvlink_domain, drain, drain_tasks, undrain_tasks, allow, local} of one node. Raises BadVariable."""
    _check_names(task_vars)

    def value(name, default=None):
        found = templar.template(task_vars.get(name))
        return default if found is None or found == "" else found

    drain, files = value("gpuwright_drain", "none"), [value("gpuwright_drain_tasks"), value("gpuwright_undrain_tasks")]
    if any(files):
        drain, files = "tasks", _own_tasks(files)
    elif drain not in DRAINS:
        raise BadVariable("gpuwright_drain: %r is no way to drain; %s" % (drain, nearest(str(drain), DRAINS)))
    elif drain == "none":
        files = [None, None]
    else:
        files = [os.path.join(_TASKS, "%s_%s.yml" % (what, drain)) for what in ("drain", "undrain")]
    return {"rack": _text(value("rack")), "nvlink_domain": _text(value("nvlink_domain")), "drain": drain,
            "drain_tasks": files[0], "undrain_tasks": files[1],
            "allow": _listed("gpuwright_reboot_allow", value("gpuwright_reboot_allow", []), ALLOWED),
            "local": value("ansible_connection") in ("local", "ansible.builtin.local")}


def of_run(task_vars, templar):
    """{serial, budget, per_rack} of the whole run. Raises BadVariable."""
    def value(name, default):
        found = templar.template(task_vars.get(name))
        return default if found is None else found

    return {"serial": value("gpuwright_serial", [1, "5%", "25%"]),
            "budget": _number("gpuwright_reboot_budget", value("gpuwright_reboot_budget", 0), 0),
            "per_rack": _number("gpuwright_reboot_per_rack", value("gpuwright_reboot_per_rack", 1), 1)}


def _check_names(task_vars):
    known = set(NAMES) | set(FOR_EVERY_ROLE)
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    wrong = ["%s: %s" % (name, nearest(name, known)) for name in sorted(task_vars)
             if name.startswith("gpuwright_") and name not in known and name not in meant]
    if wrong:
        raise BadVariable("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                          % "; ".join(wrong))


def _own_tasks(files):
    """The operator's own two files of tasks, which begin where ansible-playbook was started."""
    if not all(files):
        raise BadVariable("gpuwright_drain_tasks and gpuwright_undrain_tasks are two halves: set both")
    found = [os.path.abspath(os.path.expanduser(str(file))) for file in files]
    missing = [file for file in found if not os.path.isfile(file)]
    if missing:
        raise BadVariable("gpuwright_drain_tasks, gpuwright_undrain_tasks: there is no file %s" % ", ".join(missing))
    return found


def _text(value):
    return None if value is None else str(value)


def _listed(name, value, legal):
    words = [str(word) for word in ([value] if isinstance(value, str) else value)]
    wrong = [word for word in words if word not in legal]
    if wrong:
        raise BadVariable("%s: %s; legal: %s" % (name, ", ".join(wrong), ", ".join(legal)))
    return words


def _number(name, value, least):
    if isinstance(value, bool) or not str(value).strip().isdigit() or int(value) < least:
        raise BadVariable("%s: %r is no number from %d" % (name, value, least))
    return int(value)
