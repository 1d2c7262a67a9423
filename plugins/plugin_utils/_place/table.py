# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A placement for people: which replica has which GPUs of which nodes, and what communication takes of a step. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

_MOST = 60
_ACROSS = {"island": "one island", "node": "one node, several islands", "domain": "one NVLink domain",
           "rack": "nodes of one rack", "racks": "nodes of several racks"}
_OBJECTIVE = (("groups_across_racks", "group", "across racks"), ("groups_across_nodes", "group", "across nodes"),
              ("groups_across_islands", "group", "across islands of a node"),
              ("pipelines_across_racks", "rack boundary", "within replicas"),
              ("node_boundaries", "node boundary", "within replicas"))


def of_placement(made, without, width):
    """[(line, kind)] of a placement; `without` are the hosts that gave no topology."""
    rows = [(row, "warning" if row[-1] in (_ACROSS["racks"], _ACROSS["node"]) else None) for row in _rows(made)]
    lines = [("", None)] + table(("replica", "stage", "node", "rack", "GPUs", "group lies in"), rows[:_MOST], width)
    if len(rows) > _MOST:
        lines += [("  and %d more rows, in placement.json" % (len(rows) - _MOST), None)]
    said = [(text, None) for text in _costs(made)]
    said += [(_summary(made), None), (_method(made), None)]
    said += [(text, "warning") for text in made["notes"] + lost(without)]
    lines += [("", None)]
    return lines + [(line, kind) for text, kind in said for line in paragraph(text, width, 2)]


def _rows(made):
    for one in made["replicas"]:
        for stage in one["stages"]:
            for host, gpus in stage["gpus"].items():
                yield (one["replica"], stage["stage"], host, one["racks_of"][host], ranges(gpus),
                       _ACROSS[stage["across"]])


def ranges(numbers):
    """0-3,6 for 0, 1, 2, 3 and 6."""
    words = []
    for number in numbers:
        first, _dash, last = words[-1].partition("-") if words else ("", "", "")
        if words and int(last or first) + 1 == number:
            words[-1] = "%s-%d" % (first, number)
        else:
            words.append(str(number))
    return ",".join(words)


def _costs(made):
    """A sentence for each cost that some replicas have in common."""
    alike, load = {}, made["load"]
    for one in made["replicas"]:
        cost = one["communication"]
        key = (cost["share"], cost["all_reduce_us"], tuple(cost["through"]), tuple(cost["assumed"]), cost["step_ms"])
        alike.setdefault(key, []).append(one["replica"])
    for (share, micro, through, assumed, step), numbers in sorted(alike.items()):
        words = "Replica%s %s: communication takes %.1f %% of a step of %.1f ms (%g tokens/s for each of %s)" % (
            "" if len(numbers) == 1 else "s", ranges(numbers), share * 100, step, load["tokens_per_second"],
            _count(load["batch_size"], "sequence"))
        if through:
            words += "; an all-reduce takes %.0f us through %s" % (micro, ", ".join(through))
        words += ". A model, of %d layers of %d%s, not a measurement." % (
            load["layers"], load["hidden_size"], ", which assumes %s" % "; ".join(assumed) if assumed else "")
        yield words + (" THE TARGET CANNOT BE MET." if share >= 1 else "")


def _summary(made):
    free = sum(made["free_gpus"].values())
    crossing = [_count(made["objective"][name], word) + " " + words for name, word, words in _OBJECTIVE
                if made["objective"][name]]
    return "%s of TP %d x PP %d on %s; %s; %s left free." % (
        _count(len(made["replicas"]), "replica"), made["tensor_parallel_size"], made["pipeline_parallel_size"],
        _count(made["objective"]["nodes_used"], "node"),
        ", ".join(crossing) or "no replica leaves its node", _count(free, "GPU"))


def _method(made):
    return "Found by: %s." % made["method"]


def lost(without):
    """[a sentence] on hosts of which no topology is known."""
    if not without:
        return []
    more = " and %d more" % (len(without) - 10) if len(without) > 10 else ""
    return ["Left out, for nothing is known of them: %s%s" % (", ".join(without[:10]), more)]


def _count(number, word):
    plural = re.sub("y$", "ie", word) + "s" if number != 1 else word
    return "%d %s" % (number, plural)
