# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `vllm bench serve` wrote of a run: its figures, what several runs have in common, and whether a run counts.

PRIVATE to the collection. Pure. Throughputs are per second, latencies in milliseconds: ttft until the first token, tpot
for each further one, itl between two of them, e2el until the last.
"""

from __future__ import annotations

import json
import math

THROUGHPUTS = ("request_throughput", "output_throughput", "total_token_throughput")
LATENCIES = ("ttft", "tpot", "itl", "e2el")
PERCENTILES = (50, 95, 99)
PASS, FAIL, NOT_MEASURED = "pass", "fail", "not_measured"
_OF_LATENCY = ("mean", "median", "std") + tuple("p%d" % number for number in PERCENTILES)
_COUNTS = ("completed", "failed", "num_prompts", "total_input_tokens", "total_output_tokens")


class NoResult(ValueError):
    """A text is no result of `vllm bench serve`; the words say what it lacks."""


def parse(text):
    """{"completed", "failed", .., "duration", throughputs, "latency": {"ttft": {"mean", "p99", ..}}} of a result.

    A figure that the program left out, or that is no number, is None. Raises NoResult.
    """
    try:
        told = json.loads(text)
    except ValueError as error:
        raise NoResult("it is no JSON: %s" % error)
    if not isinstance(told, dict):
        raise NoResult("it holds %s and no figures" % type(told).__name__)
    counts = {name: _count(told.get(name)) for name in _COUNTS}
    if counts["completed"] is None:
        raise NoResult("it does not say how many requests were completed")
    found = dict(counts, duration=_number(told.get("duration")))
    found.update({name: _number(told.get(name)) for name in THROUGHPUTS})
    found["latency"] = {}
    for name in LATENCIES:
        figures = {part: _number(told.get("%s_%s_ms" % (part, name))) for part in _OF_LATENCY}
        if any(figure is not None for figure in figures.values()):
            found["latency"][name] = figures
    if counts["failed"] is None and counts["num_prompts"] is not None:  # Older releases do not say it.
        found["failed"] = counts["num_prompts"] - counts["completed"]
    return found


def _count(value):
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None


def _number(value):
    """A figure; JSON as Python writes it has NaN and Infinity too, which are none."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    return float(value) if math.isfinite(value) else None


def counts(result, asked):
    """(verdict, words) on one run that was asked for so many requests: figures of a part of them are of no worth."""
    done, failed = result["completed"], result["failed"] or 0
    if not done:
        return NOT_MEASURED, ["none of %d requests was completed" % asked]
    words = []
    if failed:
        words.append("%d of %d requests failed" % (failed, asked))
    if done < asked and done + failed != asked:
        words.append("%d of %d requests were completed" % (done, asked))
    if not result["duration"] or not result["request_throughput"]:
        return NOT_MEASURED, words + ["the result has no duration, or no throughput"]
    return (FAIL if words else PASS), words


def names():
    """Every figure, with whether more of it is better."""
    return [(name, True) for name in THROUGHPUTS] + [
        ("%s_%s" % (part, name), False) for name in LATENCIES for part in ("mean", "median", "p95", "p99")]


def figures(result):
    """{name: number} of one result, flat, as `names` lists them; without those that it lacks."""
    found = {name: result[name] for name in THROUGHPUTS}
    for name, parts in result["latency"].items():
        found.update({"%s_%s" % (part, name): number for part, number in parts.items()})
    return {name: found[name] for name, _more in names() if found.get(name) is not None}


def together(results):
    """{name: {"median", "least", "most", "spread"}} of several runs; the spread is a share of the median."""
    made = {}
    flat = [figures(result) for result in results]
    for name, _more in names():
        values = sorted(one[name] for one in flat if name in one)
        if not values or len(values) < len(flat):
            continue
        middle = _median(values)
        made[name] = {"median": middle, "least": values[0], "most": values[-1],
                      "spread": (values[-1] - values[0]) / middle if middle else None}
    return made


def _median(values):
    half = len(values) // 2
    return values[half] if len(values) % 2 else (values[half - 1] + values[half]) / 2


def against(now, before):
    """{name: share}: how good each median is beside an earlier one. Above 1 is better: of a latency the inverse."""
    found = {}
    for name, more in names():
        new, old = (((one or {}).get(name) or {}).get("median") for one in (now, before))
        if new and old:
            found[name] = new / old if more else old / new
    return found
