# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A CPU partition as a table for people: each NUMA node with its GPUs below it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from .. import _cpulist

HEADS = ("where", "housekeeping", "workload")


def rows(partition):
    """The cells of each row, as HEADS names them. An operator's own partition may have no nodes: it is one row then."""
    nodes = {str(node): sets for node, sets in (partition.get("numa_nodes") or {"": partition}).items()}
    gpus = {str(index): set(_cpus(cpus)) for index, cpus in (partition.get("gpus") or {}).items()}
    told = []
    for node in sorted(nodes, key=_order):
        work = set(_cpus(nodes[node].get("workload")))
        told.append(("NUMA node %s" % node if node else "node",
                     *(_set(nodes[node].get(name)) for name in HEADS[1:])))
        for index in sorted(gpus, key=_order):
            if gpus[index] & work:
                told.append(("  GPU %s" % index, "", _set(_cpulist.format(gpus[index] & work))))
    return told


def table(partition):
    """The table as text, and below it why there is no partition where it was refused."""
    cells = [HEADS] + rows(partition)
    widths = [max(len(row[column]) for row in cells) for column in range(len(HEADS))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in cells]
    if partition.get("refused"):
        lines.append("refused: %s" % partition["refused"])
    return "\n".join(lines)


def _order(name):
    """Numbers by their size, whatever else is a name after them."""
    return (0, int(name), "") if name.isdecimal() else (1, 0, name)


def _set(listed):
    """A set of CPUs and, behind it, how many they are."""
    number = len(_cpus(listed))
    return "%s (%d)" % (listed, number) if number else "-"


def _cpus(listed):
    """The CPUs of a list; YAML makes a number of one that names a single CPU."""
    return _cpulist.parse("" if listed is None else str(listed))
