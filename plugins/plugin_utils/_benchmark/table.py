# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines that a person reads after a benchmark: verdicts, what is to blame, comparisons, where the files are.

PRIVATE to the collection. Pure. A line is (text, kind); the kind is "error", "warning" or None.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import size_text
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

_KINDS = {"fail": "error", "not_measured": "warning", "pass": None}
_WORDS = {"pass": "pass", "fail": "FAIL", "not_measured": "not measured"}
_MOST_HOSTS = 4
_MOST_ROWS = 40
# What is shown of a comparison: small messages tell of latency, large ones of bandwidth.
_SHOWN = (1 << 10, 64 << 10, 1 << 20, 8 << 20, 64 << 20, 256 << 20, 1 << 30, 8 << 30)


def of_plan(rounds, searching, width):
    """What will be run."""
    runs = [run for one in rounds for run in one]
    if not runs:
        return []
    head = "Search for what is at fault: " if searching else "Benchmark: "
    going = [run for run in runs if not run["excuse"]]
    text = head + ("%s in %s; %s each" % (
        _count(len(going), "run"), _count(len(rounds), "round"),
        _count(len(going[0]["work"]), "measurement")) if going else "nothing can be run")
    excused = {}
    for run in runs:
        if run["excuse"]:
            excused.setdefault(run["excuse"], []).extend(run["hosts"])
    return [(line, None) for line in paragraph(text, width, 2)] + [
        (line, "warning") for excuse, names in excused.items()
        for line in paragraph("  %s: not measured: %s" % (hosts(list(dict.fromkeys(names))), excuse), width, 4)]


def of_document(document, width):
    """Everything that was found."""
    lines = _verdicts([one for one in document["runs"] if not one["variant"]], width)
    for one in document["lost"]:
        lines += [(line, "warning")
                  for line in paragraph("  %s: not measured: %s" % (one["host"], one["why"]), width, 4)]
    if document["check_mode"]:
        lines += [("  %s: %s" % (hosts(one["hosts"]), " ".join(words)), None)
                  for one in document["runs"] for words in one["commands"]]
    lines += _warnings(document, width)
    if document["blame"]:
        for sentence in document["blame"]["words"]:
            lines += [(line, "error") for line in paragraph("By the pairs: %s" % sentence, width, 2)]
    for one in document["comparisons"]:
        lines += _comparison(one, width)
    summary = document["summary"]
    lines.append(("%d passed, %d failed, %d not measured" % tuple(summary[word] for word in _WORDS), None))
    return lines + [(line, None) for text in document["files"] for line in paragraph(text, width, 2)]


def _verdicts(runs, width):
    """The table; of many runs those that passed are only counted."""
    shown = runs if len(runs) <= _MOST_ROWS else [one for one in runs if one["verdict"] != "pass"][:_MOST_ROWS]
    rows = [([_who(one), one["operation"], _WORDS[one["verdict"]], number(one["measured"]), number(one["expected"]),
              _share(one)], _KINDS[one["verdict"]]) for one in shown]
    lines = table(["hosts", "operation", "verdict", "GB/s", "expected", "share"], rows, width) if rows else []
    left = len(runs) - len(shown)
    return lines + ([("  and %s" % _count(left, "more run"), None)] if left else []) + _reasons(shown, width)


def _reasons(runs, width):
    """Why runs did not pass: below the table, which has no room for a sentence; the same words once."""
    said, every = {}, dict.fromkeys(one["operation"] for one in runs)
    for one in runs:
        if one["verdict"] != "pass":
            said.setdefault((one["verdict"], "; ".join(one["reasons"])), []).append(one)
    lines = []
    for (verdict, words), these in said.items():
        operations = dict.fromkeys(one["operation"] for one in these)
        whose = hosts(list(dict.fromkeys(map(_who, these)))) + (
            "" if len(operations) == len(every) else ": %s" % ", ".join(operations))
        lines += [(line, _KINDS[verdict])
                  for line in paragraph("  %s: %s: %s" % (whose, _WORDS[verdict], words), width, 4)]
    return lines


def _who(one):
    return ("search: " if one["search"] else "") + hosts(one["hosts"])


def hosts(names):
    """Some names, the rest counted."""
    more = " and %d more" % (len(names) - _MOST_HOSTS) if len(names) > _MOST_HOSTS else ""
    return ", ".join(names[:_MOST_HOSTS]) + more


def number(value):
    """A number to three or four digits."""
    return "-" if value is None else "%.1f" % value if abs(value) >= 10 else "%.2f" % value


def _share(one):
    return "%d%%" % round(100 * one["measured"] / one["expected"]) if one["measured"] and one["expected"] else "-"


def _warnings(document, width):
    """What is worth a look although it is no failure, each sentence once."""
    said = {}
    for one in document["runs"]:
        for sentence in one["warnings"]:
            said.setdefault(sentence, []).append(hosts(one["hosts"]))
    for host, look in document["hosts"].items():
        for sentence in _of_host(look):
            said.setdefault(sentence, []).append(host)
    return [(line, "warning") for sentence, places in said.items()
            for line in paragraph("  %s: %s" % (hosts(list(dict.fromkeys(places))), sentence), width, 4)]


def _of_host(look):
    """What a look found that may explain a measurement."""
    yield from ("health before the benchmark: %s" % sentence for sentence in look["health"])
    if look["complete"] is False:
        yield "the processes of other users could not be looked into: nobody knows whether the GPUs were in use"
    if look["jobs"]:
        yield "%s held a GPU or an RDMA device while it was measured" % hosts([job["comm"] for job in look["jobs"]])
    if look["left"]:
        yield "another benchmark was going on here: %s" % hosts(look["left"])


def _comparison(one, width):
    """Bus bandwidth and time of each variant beside what the node does by itself."""
    names = sorted(one["variants"])
    sizes = [entry for entry in one["sizes"] if entry["size"] in _SHOWN] or one["sizes"]
    rows = []
    for entry in sizes:
        cells = [size_text(entry["size"]), number(entry["busbw"].get("")), number(entry["time"].get(""))]
        for name in names:
            cells += [number(entry["busbw"].get(name)), number(entry["time"].get(name)) + _faster(entry, name)]
        rows.append((cells, None))
    lines = [("", None), ("%s, %s, as it is and compared; GB/s and us" % (hosts(one["hosts"]), one["operation"]), None)]
    lines += table(["size", "as it is", "us"] + [word for name in names for word in (name, "us")], rows, width)
    return lines + [("  %s: %s" % (name, error), "warning") for name, error in sorted(one["variants"].items()) if error]


def _faster(entry, name):
    """How much less time than without, in percent."""
    plain, other = entry["time"].get(""), entry["time"].get(name)
    return " (%+d%%)" % round(100 * (other - plain) / plain) if plain and other else ""


def _count(number_of, one):
    return "%d %s%s" % (number_of, one, "" if number_of == 1 else "s")
