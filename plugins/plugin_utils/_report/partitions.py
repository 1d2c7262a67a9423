# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which CPUs are for what, in the report: one table for all hosts that have the same partition.

PRIVATE to the collection. The partition comes with the task of the role, as the option cpu_isolation_partition.
"""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.module_utils._derive import partition_table
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

_OPTION = "cpu_isolation_partition"
# What the tables may take of the screen, and the hosts of one of the line above it; audit.json has the rest.
_MOST_TABLES = 4
_MOST_NAMES = 8
_MOST_KEPT = 5000


def of_task(arguments):
    """{"partition"} for the part of a host, if its task was given one."""
    options = arguments.get("options")
    partition = options.get(_OPTION) if isinstance(options, dict) else None
    return {"partition": partition} if isinstance(partition, dict) else {}


def none():
    """What `add` adds to."""
    return {"kinds": {}, "lost": 0}


def add(found, name, host):
    """Add one host of audit.json, if a role of it answered and had a partition."""
    for told in host["roles"].values():
        if told.get("partition") and not told.get("failed"):
            key = json.dumps(told["partition"], sort_keys=True, default=str)
            if key not in found["kinds"] and len(found["kinds"]) >= _MOST_KEPT:
                found["lost"] += 1
                continue
            names = found["kinds"].setdefault(key, {"hosts": 0, "names": []})
            names["hosts"] += 1
            names["names"] += [name] if len(names["names"]) < _MOST_NAMES else []


def lines(found, width):
    """A table for each partition, those of most hosts first, as (text, what it is)."""
    told = []
    ordered = sorted(found["kinds"].items(), key=lambda item: -item[1]["hosts"])
    for key, shared in ordered[:_MOST_TABLES]:
        partition = json.loads(key)
        told += [("", None)]
        told += [(text, None) for text in paragraph("CPUs of %s" % _names(shared), width, 2)]
        told += _table(partition, width)
        if partition.get("refused"):
            told += [(text, "refused") for text in paragraph("  refused: %s" % partition["refused"], width, 4)]
    more = len(ordered) - _MOST_TABLES + found["lost"]
    if more > 0:
        words = "%d more ways to part the CPUs of a node are only in audit.json, each below its host's role" % more
        told += [("", None)] + [(text, None) for text in paragraph(words, width, 2)]
    return told


def _table(partition, width):
    """The rows of one partition; an operator's own that cannot be read is shown as it was written."""
    try:
        rows = [(cells, None) for cells in partition_table.rows(partition)]
    except (AttributeError, TypeError, ValueError) as error:
        return [(text, "error") for text in paragraph("  not a partition: %s" % error, width, 4)]
    return table(partition_table.HEADS, rows, width)


def _names(shared):
    more = shared["hosts"] - len(shared["names"])
    return ", ".join(shared["names"]) + (" and %d more" % more if more else "")
