# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares a node's bandwidth with that of its siblings: nodes with as many GPUs of the same model.

PRIVATE to the collection. Pure. The median of the others is what this hardware does here, whatever a table says.
"""

from __future__ import annotations

MINIMUM = 0.9
# Of two that differ nobody knows which is wrong.
FEWEST = 2


def model(topology, gpus=None):
    """What makes nodes siblings: how many GPUs of which model take part; None for a node without a known one."""
    names = sorted({gpu.get("name") or "" for gpu in topology.get("gpus") or ()})
    if not names or "" in names:
        return None
    return "%d x %s" % (gpus or len(topology["gpus"]), ", ".join(names))


def median(values):
    """The middle of some numbers, of an even count that between the two; None of none."""
    ordered = sorted(values)
    if not ordered:
        return None
    half = len(ordered) // 2
    return ordered[half] if len(ordered) % 2 else (ordered[half - 1] + ordered[half]) / 2


def of(host, nodes):
    """The bandwidths of a host's siblings, in the order of their names; `nodes` is {host: {model, bandwidth}}."""
    own = nodes[host]["model"]
    return [nodes[name]["bandwidth"] for name in sorted(nodes)
            if own and name != host and nodes[name]["model"] == own and nodes[name]["bandwidth"] is not None]


def compare(bandwidth, siblings, minimum=MINIMUM):
    """(whether it is below what siblings reach, a sentence with the numbers); (None, why) where they tell nothing."""
    if len(siblings) < FEWEST:
        return None, "it has %s to compare with" % ("one sibling" if siblings else "no siblings")
    usual = median(siblings)
    if not usual:
        # A rank that runs alone measures 0.0, on every node.
        return None, "its %d siblings measure 0.0 GB/s" % len(siblings)
    words = "%.1f GB/s are %.0f%% of the median of %d siblings, %.1f GB/s" % (
        bandwidth, 100 * bandwidth / usual, len(siblings), usual)
    return bandwidth < minimum * usual, words


def outliers(nodes, minimum=MINIMUM):
    """[(host, sentence)] of the hosts below their siblings; `nodes` is {host: {model, bandwidth}}."""
    found = []
    for host in sorted(nodes):
        bandwidth = nodes[host]["bandwidth"]
        if bandwidth is not None:
            below, words = compare(bandwidth, of(host, nodes), minimum)
            if below:
                found.append((host, "%s (%s); at least %.0f%% are expected" % (
                    words, nodes[host]["model"], 100 * minimum)))
    return found
