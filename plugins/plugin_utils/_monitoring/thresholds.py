# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook monitoring: what an alert begins at, and where things are scraped.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest

PREFIX = "monitoring_"
# What a service may promise differs from model to model: the times are a start, and null leaves an alert out.
DEFAULTS = {
    "node_port": 9100,
    "dcgm_port": None,
    "targets_directory": "/etc/prometheus/gpuwright",
    "time_to_first_token_seconds": 2.0,
    "inter_token_seconds": 0.1,
    "queue_seconds": 1.0,
    "baseline_factor": 2.0,
    "baseline_offset": "1d",
    "kv_cache_usage": 0.9,
    "error_share": 0.01,
    "least_requests_per_second": 0.1,
    "waiting_requests": None,
    "audit_age_seconds": 7200,
}
_PORTS = ("node_port", "dcgm_port")
_SHARES = ("kv_cache_usage", "error_share")
_NEVER_NULL = ("targets_directory", "least_requests_per_second")
# Of what a host runs; they are read from its own variables.
OF_A_HOST = ("address",)


def check_names(task_vars):
    """Raise ValueError on a variable with the playbook's prefix that is none of its own."""
    known = tuple(DEFAULTS) + OF_A_HOST + ("directory",)
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    wrong = ["%s: after %s, %s" % (name, PREFIX, nearest(name[len(PREFIX):], known)) for name in sorted(task_vars)
             if name.startswith(PREFIX) and name[len(PREFIX):] not in known and name not in meant]
    if wrong:
        raise ValueError("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                         % "; ".join(wrong))


def read(given):
    """{name: value} with a value for each of DEFAULTS, from what was said. Raises ValueError in words."""
    said = dict(DEFAULTS)
    for name, value in given.items():
        if name not in DEFAULTS:
            raise ValueError("%s%s: no such variable: %s" % (PREFIX, name, nearest(name, DEFAULTS)))
        said[name] = _checked(name, None if value in ("", None) else value)
    return said


def _checked(name, value):
    where = PREFIX + name
    if value is None:
        if name in _NEVER_NULL:
            raise ValueError("%s: null; a value is needed, as %r" % (where, DEFAULTS[name]))
        return None
    if name == "targets_directory":
        if not str(value).startswith("/"):
            raise ValueError("%s: %r is no absolute path" % (where, value))
        return str(value).rstrip("/")
    if name == "baseline_offset":
        if not re.match(r"[1-9]\d*[smhdwy]\Z", str(value)):
            raise ValueError("%s: %r is no duration as Prometheus has it, such as 1d" % (where, value))
        return str(value)
    try:
        number = None if isinstance(value, bool) else float(value)
    except (TypeError, ValueError):
        number = None
    most = 1 if name in _SHARES else 65535 if name in _PORTS else 1e9
    if number is None or not 0 < number <= most or (name in _PORTS and number != int(number)):
        raise ValueError("%s: %r; legal is a number above 0, at most %d%s"
                         % (where, value, most, ", or null" if name not in _NEVER_NULL else ""))
    return int(number) if number == int(number) and name not in _SHARES else number
