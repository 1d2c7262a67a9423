# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the playbook place: their names, and what they say of each host.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import os

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import DEFAULTS
from ansible_collections.gpuwright.node.plugins.module_utils._values import nearest

_PREFIX = "place_"
OF_A_HOST = ("place_address", "place_busy")
NAMES = tuple(_PREFIX + name for name in ("tensor_parallel_size", "from", *DEFAULTS)) + OF_A_HOST


def check_names(task_vars):
    """Raise ValueError on a variable with the playbook's prefix that is none of its own."""
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    # Names that begin alike are all close to one another, so that is left off.
    known = [name[len(_PREFIX):] for name in NAMES]
    wrong = ["%s: after %s, %s" % (name, _PREFIX, nearest(name[len(_PREFIX):], known)) for name in sorted(task_vars)
             if name.startswith(_PREFIX) and name not in NAMES and name not in meant]
    if wrong:
        raise ValueError("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                         % "; ".join(wrong))


def recorded(path):
    """({host: topology or None}, when it was written or None) of a report. Raises ValueError."""
    place = os.path.abspath(os.path.expanduser(str(path)))
    try:
        with open(place, encoding="utf-8") as file:
            report = json.load(file)
        return {str(host): entry.get("topology") for host, entry in report["hosts"].items()}, report.get("when")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        why = error.strerror if isinstance(error, OSError) else "it is no audit.json: %s" % error
        raise ValueError("place_from: %s: %s" % (place, why)) from error


def hosts_of(names, hostvars, topologies=None):
    """({host: what a placement takes of it}, [hosts of which no topology is known]).

    `topologies` are recorded ones; without them those that this run gathered hold.
    """
    found, without = {}, []
    for name in names:
        told = hostvars[name] if name in hostvars else {}
        facts = told.get("ansible_facts") or {}
        topology = thaw(facts.get("topology")) if topologies is None else topologies.get(name)
        if not topology:
            without.append(name)
            continue
        found[name] = {
            "topology": topology, "health": thaw(facts.get("health")) if topologies is None else None,
            "rack": told.get("rack"), "nvlink_domain": told.get("nvlink_domain"),
            "busy": _listed(thaw(told.get("place_busy"))),
            "address": told.get("place_address") or told.get("ansible_host") or name}
        check_names({key: None for key in told if key.startswith(_PREFIX) and key not in NAMES} | {
            "gpuwright_ignore_variables": told.get("gpuwright_ignore_variables")})
    return found, without


def _listed(value):
    """GPUs as -e and host_vars write them: 0,1 is a list too; a bare number is a count."""
    if isinstance(value, str) and "," in value:
        return [word.strip() for word in value.split(",") if word.strip()]
    return value
