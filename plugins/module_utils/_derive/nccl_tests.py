# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what nccl-tests or rccl-tests printed: the rows, the ranks, the verdicts, the transport and the errors.

PRIVATE to the collection. Pure; no text makes it raise. The shape of the result is documented in the filter
gpuwright.node.nccl_tests.
"""

from __future__ import annotations

import re

from . import nccl_errors, nccl_log, nccl_tests_json
from . import nccl_tests_table as table

OPERATIONS = ("all_reduce", "all_gather", "reduce_scatter", "alltoallv", "alltoall", "sendrecv", "broadcast",
              "hypercube", "reduce", "gather", "scatter")
_NAMES = "|".join(OPERATIONS)
_BINARY = re.compile(r"(?<![A-Za-z0-9_])(%s)_perf(?:_mpi)?(?![A-Za-z0-9])" % _NAMES)
_OPTION = re.compile(r"nccl.*\s-t[ =](%s)\b" % _NAMES)
_COLOUR = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_TAG = re.compile(r"^\s*(?:\[[^\[\]\s]*\d\]<std(?:out|err|diag)>:? ?)+")
_BANNER = re.compile(r"# ?nccl-tests version|Collective test starting|\bnThreads?:? \d")
_RANK = re.compile(r"\bRank\s+(\d+)\s+(?:Group\s+\d+\s+)?(?:Pid\s+\d+\s+)?on\s+(\S+)\s+device\s+(\d+)\s+\[([^\]]*)\]"
                   r"[ \t]*(.*?)\s*(?=#\s*Rank\s|$)")
_GLUED = re.compile(r":\d+:\d+ \[|CCL version|<std|\\n")
_BOUNDS = re.compile(r"Out of bounds values\s*:\s*(\d+)\s*(OK|FAILED)?")
_AVERAGE = re.compile(r"Avg bus bandwidth\s*:\s*([^\s:#]+)\s*(OK|FAILED)?")
# No line of a table is as long; a text without line ends must not take minutes.
_LONGEST = 4000
_VALIDATION = re.compile(r"\bvalidation:\s*(\d+)")


def parse(text):
    """The first test of a text, as a dict; its `tests` are all tests of the text, in order."""
    data, lines = nccl_tests_json.load(text), _lines(text)
    if data is None and not any(map(table.header, lines)):
        data = nccl_tests_json.load_behind(text)
    if data is not None:
        tests = [_finish(nccl_tests_json.read(data), [])]
    else:
        tests = [_finish(_read(part), part) for part in _split(lines)]
    return dict(tests[0], tests=tests)


def _lines(text):
    """The lines without colours and without the tags of mpirun."""
    text = _COLOUR.sub("", text.replace("\x00", ""))
    return [_TAG.sub("", line[:_LONGEST].replace("\t", " ")) for line in text.splitlines()]


def _split(lines):
    """The lines of each test: one ends where, behind its table or its footer, another begins."""
    parts, table_seen, footer_seen = [[]], False, False
    for line in lines:
        header = table.header(line)
        begins = header or ("Collective" in line or "nccl-tests" in line or "nThread" in line) and _BANNER.search(line)
        if (table_seen and begins and (footer_seen or not header)) or (footer_seen and _names_another(line)):
            parts.append([])
            table_seen = footer_seen = False
        parts[-1].append(line)
        table_seen = table_seen or bool(header)
        footer_seen = footer_seen or _footer(line)
    return parts


def _footer(line):
    return " values" in line and bool(_BOUNDS.search(line)) or "Avg bus" in line and bool(_AVERAGE.search(line))


def _names_another(line):
    """Whether a line behind a footer is the command of the next test."""
    return "concluded" not in line and bool(_operation(line)) and not nccl_errors.errors([line])


def _operation(line):
    found = "_perf" in line and _BINARY.search(line) or " -t" in line and _OPTION.search(line)
    return found.group(1) if found else None


def _read(lines):
    """The parts of a test's dict that its lines tell."""
    told = table.rows(lines)
    bounds = next(filter(None, map(_BOUNDS.search, lines)), None)
    average = next(filter(None, map(_AVERAGE.search, lines)), None)
    listed = _ranks([found for line in lines if "Rank" in line for found in _RANK.findall(line)])
    checked = next(filter(None, map(_VALIDATION.search, lines)), None)
    errors = nccl_errors.errors(lines)
    errors += _own_errors(told, listed, errors)
    return {"program": next((line for line in lines if "Collective test " in line and _operation(line)),
                            next(filter(_operation, lines), "")),
            "columns": told["columns"], "rows": told["rows"],
            "avg_bus_bandwidth": table.number(average.group(1)) if average else None,
            "avg_bus_bandwidth_verdict": average.group(2) if average else None,
            "out_of_bounds": int(bounds.group(1)) if bounds else None,
            "out_of_bounds_verdict": bounds.group(2) if bounds else None, "ranks": listed,
            "rank_count": max((rank["rank"] + 1 for rank in listed), default=nccl_log.ranks(lines)),
            "validated": int(checked.group(1)) > 0 if checked else None, "complete": bool(bounds or average),
            "environment": nccl_log.environment(lines), "library": None, "errors": errors}


def _own_errors(told, listed, errors):
    """What is wrong with the text itself; that it has no table needs no words where others say why."""
    found = []
    if told["unread"] and not told["rows"]:
        found.append("%d lines look like rows of a table, but no header line names their columns" % told["unread"])
    elif not told["columns"] and not errors:
        found.append("no table of nccl-tests in this text")
    numbers = [rank["rank"] for rank in listed]
    if len(set(numbers)) < len(numbers):
        found.append("rank %d is listed %d times: the processes ran apart, each with a communicator of its own; "
                     "nccl-tests must be built with MPI=1" % (numbers[0], numbers.count(numbers[0])))
    return found


def _ranks(found):
    """The ranks as dicts; a log line of one of their hosts may be glued to the name of a GPU."""
    hosts = sorted({host for _rank, host, _device, _bus, _name in found}, key=len, reverse=True)
    glued = re.compile(r"\s*(?:(?:%s):\d+:\d+ \[|[NR]CCL version|\[[^\[\]\s]*\d\]<std|\\n).*" % "|".join(
        map(re.escape, hosts or ["-"])))
    return [{"rank": int(rank), "host": host, "device": int(device), "bus": bus.strip(),
             "name": (glued.sub("", name) if _GLUED.search(name) else name) or None}
            for rank, host, device, bus, name in found]


def _finish(test, lines):
    """The dict of one test in its documented form."""
    versions = nccl_log.versions(lines)
    if test["library"]:
        versions["nccl"] = nccl_log.release(test["library"])
    groups = [group for row in test["rows"] for group in (row["out_of_place"], row["in_place"]) if group]
    said = [group["wrong"] for group in groups if group["wrong"] is not None]
    # A float is what releases before 2022 printed here, the largest deviation: their footer says whether it is wrong.
    wrong = [value for value in said if isinstance(value, int)]
    listed = test["ranks"]
    # RCCL without its table of names lists devices that have none.
    ranks = [rank for rank in listed if rank["name"]]
    # Where nothing was measured nobody knows.
    validated = (bool(said) if groups else None) if test["validated"] is None else test["validated"]
    failed = any(wrong) or bool(test["out_of_bounds"]) or test["out_of_bounds_verdict"] == "FAILED"
    result = {"operation": _operation(test["program"]), "transport": nccl_log.transport(lines), "versions": versions,
              "ranks": ranks, "unnamed_ranks": [rank for rank in listed if not rank["name"]],
              "hosts": list(dict.fromkeys(rank["host"] for rank in ranks)), "validated": validated,
              "wrong_values": sum(wrong) if wrong else None,
              "failed_check": True if failed else False if test["complete"] and validated else None}
    for name in ("rows", "avg_bus_bandwidth", "avg_bus_bandwidth_verdict", "out_of_bounds", "out_of_bounds_verdict",
                 "rank_count", "complete", "columns", "environment", "errors"):
        result[name] = test[name]
    return result
