# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out the runs of `vllm bench serve` on a node, one after the other, and follows each to its end.

PRIVATE to the collection. `ask(arguments)` is module vllm_bench on the node, `say(text)` tells people how far it is,
`wanted()` is False once nobody waits for the answer: a worker of ansible-playbook outlives it when that is killed.
"""

from __future__ import annotations

import collections
import time

Means = collections.namedtuple("Means", "ask say wanted pause")
LEASE_SECONDS = 60
_WAIT_SECONDS = 10
_PATIENCE = 3  # How often in a row a node may fail to answer before its run is given up: ssh has its moments.
_RETRY_SECONDS = 3


def runs(name, meant, means):
    """Yield the records of all runs of one instance; after one that did not end well no other one begins."""
    for number in range(meant["runs"]):
        record = one(name, number, meant, means)
        means.say("%s: run %d of %d: %s" % (name, number + 1, meant["runs"], _came(record)))
        yield record
        if record["error"] or record["checked_only"]:
            return


def _came(record):
    if record["error"]:
        return record["error"]
    if record["checked_only"]:
        return "not started: check mode"
    result = record["result"]
    return "%d of %d requests in %.1f s" % (result["completed"], record["asked"], result["duration"] or 0)


def one(name, number, meant, means, guard=None, until=None):
    """One run: {"command", "result", "error", "others", "seconds", "output", "asked", "checked_only"}.

    `guard` is a profile that goes on meanwhile; once `until()` is true the run is ended early, and is no measurement.
    """
    load, begun = meant["load"], time.monotonic()
    record = {"command": None, "result": None, "error": None, "others": None, "seconds": 0, "output": "",
              "asked": load["requests"], "checked_only": False}
    # `allow` is of the whole play; what is running already under a profile is ours.
    said = means.ask({"do": "start", "name": name, "load": load, "number": number, "allow": meant["allow"],
                      "lease": LEASE_SECONDS, "guard": guard})
    if said.get("failed"):
        return dict(record, error=said["failed"])
    record["command"] = said["command"]
    if said["id"] is None:
        return dict(record, checked_only=True)
    try:
        _follow(said["id"], name, load, record, means, (guard, until or (lambda: False)))
    finally:
        means.ask({"do": "stop", "name": name, "id": said["id"]})
    record["seconds"] = round(time.monotonic() - begun, 1)
    return record


def _follow(folder, name, load, record, means, profile):
    offset, silent, (guard, until) = 0, 0, profile
    sent = load["requests"] + load["warmup"] + 1  # The program tries one first, in some releases.
    while True:
        if not means.wanted() or until():
            record["error"] = "it was ended early"
            return
        said = means.ask({"do": "poll", "name": name, "id": folder, "offset": offset, "wait": _WAIT_SECONDS,
                          "sent": sent, "guard": guard})
        if said.get("failed"):
            silent += 1
            if silent == _PATIENCE:
                record["error"] = said["failed"]
                return
            means.pause(_RETRY_SECONDS)
            continue
        silent, offset = 0, said["offset"]
        record["output"] += said["output"]
        if said["ended"]:
            break
    measured = said["measured"]
    record.update(result=measured["result"], others=measured["others"])
    if said["timed_out"]:
        record["error"] = "no end after %d s (vllm_benchmark_timeout)" % load["timeout"]
    elif said["status"] != 0:
        how = "was ended by signal" if (said["status"] or 0) < 0 else "ended with status"
        record["error"] = "`vllm bench serve` %s %d%s" % (how, abs(said["status"] or 0), _last(record["output"]))
    elif record["result"] is None:
        record["error"] = "`vllm bench serve`: %s" % measured["why"]


def _last(text):
    """What the program said last, for people; a library that reports its leaks says nothing on it."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" -=")]
    told = [line for line in lines if not line.startswith(("nanobind:", "- leaked", "- ... skipped"))
            and "refleaks" not in line]
    return ": %s" % told[-1][:300] if told else " and printed nothing"
