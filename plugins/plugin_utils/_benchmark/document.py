# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a benchmark came to, as the content of report/benchmark.json.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import judge
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark.table import hosts

SCHEMA = 1
VERDICTS = (judge.PASS, judge.FAIL, judge.NOT_MEASURED)
_OF_RUN = ("run", "scope", "search", "hosts", "gpus", "operation", "variant", "verdict", "measured", "expected", "why",
           "limits", "size", "reasons", "warnings", "seconds", "commands", "error")
_OF_RESULT = ("rows", "avg_bus_bandwidth", "out_of_bounds", "ranks", "transport", "environment", "versions", "errors",
              "complete")


def build(judged, looks, lost, head):
    """The document. `lost` are hosts that were never looked at, `head` is when, in which mode, with which options."""
    runs = [_run(one) for one in judged]
    verdicts = [one["verdict"] for one in runs if not one["variant"] and not one["search"]]
    missing = [{"host": host, "why": "it failed before, or could not be reached"} for host in lost]
    summary = {word: verdicts.count(word) for word in VERDICTS}
    summary[judge.NOT_MEASURED] += len(missing)
    return dict(head, schema=SCHEMA, summary=summary, runs=runs, lost=missing, blame=judge.blame(judged),
                comparisons=comparisons(judged), hosts={host: _host(look) for host, look in looks.items()})


def _run(one):
    result = one["result"] or {}
    return dict({name: one[name] for name in _OF_RUN}, log=one["record"].get("log"),
                **{name: result.get(name) for name in _OF_RESULT})


def _host(look):
    """What is kept of a host: not its topology, which is in the audit."""
    kept = {name: look.get(name) for name in ("why", "gpus", "programs", "jobs", "complete", "left", "nvlink_domain")}
    return dict(kept, health=look.get("health") or [])


def comparisons(judged):
    """[{"hosts", "operation", "sizes": [{"size", "time": {variant: us}, "busbw": {variant: GB/s}}]}]: "" is as is."""
    found = []
    for plain in judged:
        others = [one for one in judged if one["variant"] and one["run"] == plain["run"]
                  and one["operation"] == plain["operation"]]
        if plain["variant"] or plain["search"] or not others:
            continue
        sizes = {}
        for one in [plain] + others:
            for row in (one["result"] or {}).get("rows") or ():
                entry = sizes.setdefault(row["size"], {"size": row["size"], "time": {}, "busbw": {}})
                for name in ("time", "busbw"):
                    entry[name][one["variant"]] = (row["out_of_place"] or {}).get(name)
        found.append({"hosts": plain["hosts"], "operation": plain["operation"],
                      "variants": {one["variant"]: one["error"] for one in others},
                      "sizes": [sizes[size] for size in sorted(sizes)]})
    return found


def wrong(document, may_be_unmeasured):
    """Why the play must fail, or None."""
    summary, words = document["summary"], []
    if summary[judge.FAIL]:
        words.append("%d of %d measurements failed" % (summary[judge.FAIL], sum(summary.values())))
    if summary[judge.NOT_MEASURED] and not may_be_unmeasured and not document["check_mode"]:
        words.append("%d of %d were not measured, which is no pass (nccl_benchmark_may_be_unmeasured: true lets that "
                     "be)" % (summary[judge.NOT_MEASURED], sum(summary.values())))
    if not sum(summary.values()):
        words.append("nothing was measured")
    first = next((one for verdict in (judge.FAIL, judge.NOT_MEASURED) for one in document["runs"]
                  if one["verdict"] == verdict and not one["variant"]), None)
    if words and first and first["reasons"]:
        words.append("%s, %s: %s" % (hosts(first["hosts"]), first["operation"], "; ".join(first["reasons"])))
    if document["blame"]:
        words += document["blame"]["words"]
    return "; ".join(words) or None
