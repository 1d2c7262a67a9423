# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of nccl-tests proves whatever its bandwidth: wrong data, the wrong network, missing ranks (rule R33).

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

from .nccl_expectation import bus_factor

_SHOWN = 3
# These choose what NCCL tells, or where the ranks first meet: they make no run faster or slower.
_HARMLESS = {"NCCL_DEBUG", "NCCL_DEBUG_SUBSYS", "NCCL_DEBUG_FILE", "NCCL_SOCKET_IFNAME", "NCCL_TOPO_DUMP_FILE",
             "NCCL_GRAPH_DUMP_FILE"}
# Providers of libfabric that are TCP or UDP of the kernel.
_SLOW_PROVIDERS = ("tcp", "sockets", "udp")


def judge(result, rdma_expected, gdr_expected, ranks_expected, intended):
    """(sentences that fail the run, sentences of warning)."""
    failures, warnings = _data(result)
    more = [_network(result, rdma_expected, gdr_expected), _ranks(result, ranks_expected)]
    for bad, doubtful in more:
        failures += bad
        warnings += doubtful
    warnings += _environment(result.get("environment") or {}, intended or {})
    if result.get("complete", True) and result.get("errors"):
        warnings.append("the run came to its end, but its output reports: %s" % first(result["errors"]))
    return failures, warnings


def first(errors):
    """The first few reported errors in one sentence; of those that differ in numbers alone, one."""
    kinds = {}
    for error in errors or ():
        kinds.setdefault(re.sub(r"\d+", "", str(error)), str(error))
    shown = list(kinds.values())[:_SHOWN]
    more = len(errors or ()) - len(shown)
    return "; ".join(shown) + (" and %d more" % more if more else "")


def _data(result):
    """Corrupt data: the count that each row has, and that of the footer."""
    failures, warnings = [], []
    wrong = {(row.get("size"), name): row[name]["wrong"] for row in result.get("rows") or ()
             for name in ("out_of_place", "in_place") if _is_count((row.get(name) or {}).get("wrong"))}
    if wrong:
        size, name = min(wrong)
        failures.append("R33: %d wrong values in %d results, first at %s bytes %s: data was corrupted on its way" % (
            sum(wrong.values()), len(wrong), size, name.replace("_", "-")))
    elif result.get("out_of_bounds") or result.get("out_of_bounds_verdict") == "FAILED":
        failures.append("R33: nccl-tests counts %s values out of bounds: data was corrupted on its way" % (
            result.get("out_of_bounds") or "some"))
    if result.get("avg_bus_bandwidth_verdict") == "FAILED":
        failures.append("nccl-tests itself says FAILED: its average of %s GB/s is below NCCL_TESTS_MIN_BW" % (
            result.get("avg_bus_bandwidth")))
    if result.get("validated") is False:
        warnings.append("R33: the data was not checked (-c 0): a run with -c 1 tells whether it arrives whole")
    return failures, warnings


def _is_count(value):
    """Old releases have the largest deviation there, a fraction, which is no count."""
    return isinstance(value, int) and value > 0


def _network(result, rdma_expected, gdr_expected):
    """Which network carried it; within one host there is none."""
    transport = result.get("transport") or {}
    hosts = {rank.get("host") for key in ("ranks", "unnamed_ranks") for rank in result.get(key) or ()}
    if not rdma_expected or len(hosts) == 1:
        return [], []
    if transport.get("net") == "Socket" or "NET/Socket" in (transport.get("kinds") or ()):
        return ["R33: NCCL fell back to TCP sockets (NET/Socket) where RDMA is expected%s" % _line(
            transport, "Socket", "No device found")], []
    slow = [name for name in transport.get("libfabric_providers") or () if name in _SLOW_PROVIDERS]
    if slow:
        return ["R33: libfabric fell back to its provider %s where RDMA is expected%s" % (
            slow[0], _line(transport, "rovider is " + slow[0]))], []
    if not transport.get("net"):
        return [], ["the log does not say which network carried the data; NCCL_DEBUG=INFO does"]
    if transport.get("gdrdma") is False:
        words = "the network does not reach GPU memory by itself: no GDRDMA on %s%s" % (
            transport["net"], _line(transport, "via NET/"))
        return ([words], []) if gdr_expected else ([], [words])
    return [], ["the log does not say whether GPUDirect RDMA is in use; NCCL_DEBUG=INFO does"] if (
        gdr_expected and transport.get("gdrdma") is None) else []


def _line(transport, *words):
    """The line of the log that shows it."""
    for line in transport.get("evidence") or ():
        if any(word in line for word in words) and "GDRDMA" not in line:
            return ": %s" % line.strip()
    return ""


def _ranks(result, wanted):
    """Whether all ranks were in one communicator: without MPI each process runs alone, at the speed of its memory."""
    listed = [rank["rank"] for key in ("ranks", "unnamed_ranks") for rank in result.get(key) or ()]
    count = result.get("rank_count") or (max(listed) + 1 if listed else None)
    if len(set(listed)) < len(listed):
        return ["R33: rank %d is there %d times: each process ran alone; use nccl-tests built with MPI=1" % (
            listed[0], listed.count(listed[0]))], []
    if wanted and count and count != wanted:
        return ["R33: %d ranks took part, not %d%s" % (count, wanted, ": without MPI each process runs alone" if (
            count < wanted) else "")], []
    if wanted and not count:
        return _by_factor(result, wanted)
    return [], []


def _by_factor(result, wanted):
    """The ranks that bus over algorithm bandwidth speaks of, where the output lists none."""
    wide = [row["out_of_place"] for row in result.get("rows") or () if (row.get("out_of_place") or {}).get("algbw")
            and row["out_of_place"].get("busbw") is not None and row["out_of_place"]["algbw"] >= 1]
    factor = bus_factor(result.get("operation"), wanted)
    if not wide or factor in (None, 1.0):
        return [], ["R33: the output does not list its ranks: nobody knows whether all %d took part" % wanted]
    seen = wide[-1]["busbw"] / wide[-1]["algbw"]
    # Two decimals of algbw, which is 1 GB/s at least, are one percent.
    if abs(seen - factor) > 0.012 * factor:
        return ["R33: bus over algorithm bandwidth is %.3f, and that of %d ranks would be %.3f: others took part" % (
            seen, wanted, factor)], []
    return [], []


def _environment(environment, intended):
    """Variables that this run had and the node is not meant to have."""
    strange = ["%s=%s" % (name, value) for name, value in sorted(environment.items())
               if name not in _HARMLESS and str(intended.get(name)) != str(value)]
    return ["R33: the run had an environment of its own, so that it tells of that and not of the node: %s" % (
        ", ".join(strange))] if strange else []
