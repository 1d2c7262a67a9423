# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges a run of nccl-tests: pass, fail or not measured, each with reasons that name the numbers.

PRIVATE to the collection. Pure. What proves a fault fails, complete or not. Short of that only a whole run with a size
of 1 GiB or more, and something to compare it with, can pass; everything else was not measured.

The bandwidth is that of the largest size. Of out-of-place and in-place it is the lower: both move the same, so that
one that is slow is no reason to believe the other. In-place alltoall and sendrecv do not exist in nccl-tests: what is
printed there is not counted.
"""

from __future__ import annotations

from . import nccl_evidence
from . import siblings as others

PASS, FAIL, NOT_MEASURED = "pass", "fail", "not_measured"
LARGE = 1 << 30
MINIMUM = 0.7
# Two nodes may reach 1.3 times what their NICs carry, by NCCL's trees; more is no bandwidth of this machine.
_TOO_GOOD = 1.5
_NOT_IN_PLACE = ("alltoall", "all_to_all", "alltoallv", "sendrecv", "hypercube")


def verdict(result, expectation, siblings=None, rdma_expected=False, ranks_expected=None, minimum=MINIMUM,
            sibling_minimum=others.MINIMUM, gdr_expected=False, intended=None):
    """{verdict, reasons, warnings, measured, expected, size, sibling_median} of one parsed run.

    `result` is what nccl_tests.parse gives, {"refused": why} or None for a run that was not; `expectation` is what
    nccl_expectation.expected gives; `siblings` are the bandwidths of sibling nodes; `intended` is the NCCL environment
    that is meant to be, {name: value}.
    """
    expectation = expectation or {}
    found = {"measured": None, "size": None, "expected": expectation.get("bus_bandwidth"),
             "sibling_median": others.median(siblings or ())}
    refused = "nothing was run" if result is None else result.get("refused")
    if refused:
        return dict(found, verdict=NOT_MEASURED, reasons=[refused], warnings=[])
    # An output without the name of its program is of the operation that was asked for.
    result = dict(result, operation=result.get("operation") or expectation.get("operation"))
    found.update(zip(("size", "measured"), _largest(result)))
    failures, warnings = nccl_evidence.judge(result, rdma_expected, gdr_expected, ranks_expected, intended)
    lacking = _lacking(result, found)
    compared = [] if lacking else _compare(found, siblings or (), minimum, sibling_minimum)
    failures += [words for below, words in compared if below]
    warnings += ([] if lacking else _too_good(found)) + list(expectation.get("warnings") or ())
    if failures:
        return dict(found, verdict=FAIL, reasons=failures, warnings=warnings + lacking)
    if lacking or not compared:
        return dict(found, verdict=NOT_MEASURED, warnings=warnings,
                    reasons=lacking or [_uncompared(found, expectation, siblings or ())])
    return dict(found, verdict=PASS, reasons=[words for _below, words in compared], warnings=warnings)


def _largest(result):
    """(size, GB/s) of the largest size from 1 GiB on that has a bus bandwidth, or (None, None)."""
    groups = ("out_of_place",) if result.get("operation") in _NOT_IN_PLACE else ("out_of_place", "in_place")
    best = (None, None)
    for row in result.get("rows") or ():
        told = [row[name]["busbw"] for name in groups if (row.get(name) or {}).get("busbw") is not None]
        if told and (row.get("size") or 0) >= max(LARGE, best[0] or 0):
            # A size that ran twice counts with its worse run.
            best = (row["size"], min(told + ([best[1]] if best[0] == row["size"] else [])))
    return best


def _lacking(result, found):
    """Why a run shows nothing by its bandwidth, each a sentence."""
    errors = nccl_evidence.first(result.get("errors"))
    rows = [row.get("size") or 0 for row in result.get("rows") or ()]
    if not rows:
        return ["no results were printed%s" % (": " + errors if errors else "")]
    if not result.get("complete", True):
        return ["the output ends at size %s, before the footer of nccl-tests%s" % (
            size_words(rows[-1]), ": " + errors if errors else "")]
    if found["measured"] is None and max(rows) >= LARGE:
        return ["no bus bandwidth was printed for any size from %s on" % size_words(LARGE)]
    if found["measured"] is None:
        return ["the largest size is %s; bandwidth is judged from %s on" % (size_words(max(rows)), size_words(LARGE))]
    return []


def _compare(found, siblings, minimum, sibling_minimum):
    """[(whether it is too low, sentence)] of each that there is to compare with."""
    told, measured = [], found["measured"]
    at = "at %s the bus bandwidth is %.1f GB/s" % (size_words(found["size"]), measured)
    if found["expected"]:
        told.append((measured < minimum * found["expected"], "%s, %.0f%% of the %.1f GB/s expected; at least %.0f%% "
                     "are wanted" % (at, 100 * measured / found["expected"], found["expected"], 100 * minimum)))
    below, words = others.compare(measured, siblings, sibling_minimum)
    if below is not None:
        told.append((below, "at %s %s; at least %.0f%% are wanted" % (
            size_words(found["size"]), words, 100 * sibling_minimum)))
    return told


def _uncompared(found, expectation, siblings):
    return "at %s the bus bandwidth is %.1f GB/s, and nothing says what it should be: %s, and %s" % (
        size_words(found["size"]), found["measured"], expectation.get("why", "there is no expectation"),
        others.compare(found["measured"], siblings)[1])


def _too_good(found):
    if found["expected"] and found["measured"] > _TOO_GOOD * found["expected"]:
        return ["%.1f GB/s are %.1f times what the topology lets expect: look whether topology and ranks are those of "
                "this run" % (found["measured"], found["measured"] / found["expected"])]
    return []


def size_words(size):
    """A size as nccl-tests takes it: 1G, 512M, 8."""
    for unit, letter in ((1 << 30, "G"), (1 << 20, "M"), (1 << 10, "K")):
        if size >= unit:
            return ("%.1f" % (size / unit)).rstrip("0").rstrip(".") + letter
    return "%d" % size
