# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role nccl_benchmark, checked on the controller before anything is started anywhere.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import (
    LAUNCHERS,
    OPERATIONS,
    BadRequest,
    launches,
    number,
    one_of,
    variables,
)
from ansible_collections.gpuwright.node.plugins.module_utils._values import name_list, nearest

SCOPES = ("node", "pairs", "group")
PLOTS = ("svg", "png", "none")
ALLOWED = ("busy",)
PREFIX = "nccl_benchmark_"
# What may differ from node to node; the rest is of the whole run.
OF_HOST = ("host", "path", "library_path", "command_prefix", "environment", "gpus")
NAMES = OF_HOST + ("scope", "operations", "sizes", "launcher", "launcher_options", "iterations", "warmup", "check",
                   "timeout", "allow", "compare", "minimum", "rounds", "search", "may_be_unmeasured", "plot")
# What the tasks of the role hand to one another.
_OWN = ("after", "planned", "round")
_VARIANT = re.compile(r"[A-Za-z0-9][\w.-]{0,39}$")


def check_names(task_vars):
    """Raise BadRequest for a variable that has the role's prefix and is none."""
    known = {PREFIX + name for name in NAMES + _OWN}
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    wrong = ["%s: %s" % (name, nearest(name, known)) for name in sorted(task_vars)
             if name.startswith(PREFIX) and name not in known and name not in meant]
    if wrong:
        raise BadRequest("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                         % "; ".join(wrong))


def read(given):
    """All options with what they mean, from {name without the prefix: value}. Raises BadRequest."""
    scope = one_of(PREFIX + "scope", given["scope"], SCOPES)
    launcher = given["launcher"] or ("single" if scope == "node" else "mpirun")
    one_of(PREFIX + "launcher", launcher, LAUNCHERS)
    if launcher == "single" and scope != "node":
        raise BadRequest("nccl_benchmark_launcher: single starts one process on one node; scope %s needs mpirun or srun"
                         % scope)
    return {"scope": scope, "launcher": launcher, "operations": _operations(given["operations"]),
            "launches": launches(given["sizes"]), "compare": _compare(given["compare"] or {}),
            "host": _text("host", given["host"]), "path": _text("path", given["path"]),
            "library_path": _text("library_path", given["library_path"]),
            "command_prefix": _words("command_prefix", given["command_prefix"]),
            "launcher_options": _words("launcher_options", given["launcher_options"]),
            "environment": variables(PREFIX + "environment", given["environment"] or {}, nccl=False),
            "gpus": None if given["gpus"] in (None, "") else number(PREFIX + "gpus", given["gpus"], 1, 1024),
            "iterations": number(PREFIX + "iterations", given["iterations"], 1),
            "warmup": number(PREFIX + "warmup", given["warmup"], 0),
            "timeout": number(PREFIX + "timeout", given["timeout"], 1),
            "rounds": number(PREFIX + "rounds", given["rounds"], 1),
            "minimum": _share(given["minimum"]), "plot": one_of(PREFIX + "plot", given["plot"], PLOTS),
            "allow": [one_of(PREFIX + "allow", word, ALLOWED) for word in _words("allow", given["allow"])],
            **{name: _flag(name, given[name]) for name in ("check", "search", "may_be_unmeasured")}}


def _operations(given):
    found = [one_of(PREFIX + "operations", word, OPERATIONS) for word in _words("operations", given)]
    if not found:
        raise BadRequest("nccl_benchmark_operations: none is named; known: %s" % ", ".join(OPERATIONS))
    return list(dict.fromkeys(found))


def _compare(given):
    if not isinstance(given, dict):
        raise BadRequest("nccl_benchmark_compare: %r is no dict of names, each with a dict of variables" % (given,))
    for name in given:
        if not isinstance(name, str) or not _VARIANT.match(name):
            raise BadRequest("nccl_benchmark_compare: %r is no name: letters, digits, and . _ - between them" % (name,))
    return {name: variables("%scompare.%s" % (PREFIX, name), values, nccl=True) for name, values in given.items()}


def _words(name, value):
    try:
        return name_list(value or [])
    except ValueError as error:
        raise BadRequest("%s%s: %s" % (PREFIX, name, error)) from error


def _text(name, value):
    if isinstance(value, (dict, list, bool)) or re.search(r"\s", str(value or "")):
        raise BadRequest("%s%s: %r is no text without spaces" % (PREFIX, name, value))
    return str(value or "")


def _flag(name, value):
    try:
        return boolean(value)
    except TypeError as error:
        raise BadRequest("%s%s: %r is neither true nor false" % (PREFIX, name, value)) from error


def _share(value):
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = 0
    if isinstance(value, bool) or not 0 < share <= 1:
        raise BadRequest("nccl_benchmark_minimum: %r is no share of what is expected, above 0 and up to 1" % (value,))
    return share
