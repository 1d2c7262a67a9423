# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out one run: starts each of its launches on the first of its hosts, follows the output, keeps what came.

PRIVATE to the collection. `ask(arguments)` is module nccl_run on that host, `say(text)` tells people how far it is,
`wanted()` is False once nobody waits for the answer: a worker of ansible-playbook outlives it when that is killed.
"""

from __future__ import annotations

import collections
import time

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import size_text
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_tests

_Means = collections.namedtuple("_Means", "ask say wanted pause")
LEASE_SECONDS = 60
_WAIT_SECONDS = 10
_PATIENCE = 3  # How often in a row a node may fail to answer before its run is given up: ssh has its moments.
_RETRY_SECONDS = 3


def carry_out(run, ask, say, wanted, pause=time.sleep):
    """Yield (record, output) for each work of a run; a record is what judge.py takes."""
    over = run["excuse"]
    for work in run["work"]:
        record = {"run": run["id"], "scope": run["scope"], "search": run["search"], "hosts": run["hosts"],
                  "gpus": run["launch"]["gpus"], "operation": work["operation"], "variant": work["variant"],
                  "environment": work["environment"], "commands": [], "results": [], "error": over,
                  "excused": bool(over), "checked_only": False, "seconds": 0}
        output = []
        if over is None:
            _measure(run, work, record, output, _Means(ask, say, wanted, pause))
            over = record.pop("over", None)
        yield record, "".join(output)


def _measure(run, work, record, output, means):
    """Every launch of one work, into its record."""
    begun = time.monotonic()
    name = "%s: %s%s" % (", ".join(run["hosts"][:4]) + (" and more" if len(run["hosts"]) > 4 else ""),
                         work["operation"], " (%s)" % work["variant"] if work["variant"] else "")
    for begin, end, factor in work["launches"]:
        launch = dict(run["launch"], operation=work["operation"], begin=begin, end=end, factor=factor,
                      environment=dict(run["launch"]["environment"], **work["environment"]))
        text = _launch(launch, record, _Progress(name, means.say), means)
        output.append(text)
        if text:
            record["results"].append(nccl_tests.parse(text))
        if record["error"]:
            break
    record["seconds"] = round(time.monotonic() - begun, 1)


def _launch(launch, record, progress, means):
    """The output of one start of nccl-tests; what went wrong goes into the record."""
    said = means.ask(dict(launch, do="start", lease=LEASE_SECONDS))
    if said.get("failed"):
        record.update(error=said["failed"], excused=True)
        return ""
    record["commands"].append(said["command"])
    if said["id"] is None:  # Check mode.
        record["checked_only"] = True
        return ""
    try:
        return _follow(said["id"], launch, record, progress, means)
    finally:
        means.ask({"do": "stop", "id": said["id"]})


def _follow(name, launch, record, progress, means):
    text, offset, silent = "", 0, 0
    while True:
        if not means.wanted():
            record.update(error="ansible-playbook was ended", over="ansible-playbook was ended")
            return text
        said = means.ask({"do": "poll", "id": name, "offset": offset, "wait": _WAIT_SECONDS})
        if said.get("failed"):
            silent += 1
            if silent == _PATIENCE:
                record.update(error=said["failed"], over="the run before ended with: %s" % said["failed"])
                return text
            means.pause(_RETRY_SECONDS)
            continue
        silent, offset = 0, said["offset"]
        text += said["output"]
        progress.tell(text, said["ended"])
        if said["ended"]:
            break
    if said["timed_out"]:
        record["error"] = "no end after %d s (nccl_benchmark_timeout)" % launch["seconds"]
        record["over"] = "not started: %s before it did not end in %d s" % (launch["operation"], launch["seconds"])
    elif said["status"] != 0:
        who = launch["launcher"] if launch["launcher"] != "single" else launch["operation"]
        how = "was ended by signal" if said["status"] < 0 else "ended with status"
        record["error"] = "%s %s %d%s" % (who, how, abs(said["status"]), _last(text))
    return text


def _last(text):
    """What a launch said last, for people; a row of the table says nothing on its end."""
    lines = [line.strip() for line in text.splitlines() if line.strip(" #-") and not line.strip()[0].isdigit()]
    return ": %s" % lines[-1][:300] if lines else " and printed nothing"


class _Progress:
    """Tells each new size once, and between sizes that it still goes on."""

    def __init__(self, name, say):
        self._name, self._say, self._rows, self._quiet = name, say, -1, 0

    def tell(self, text, ended):
        """Look at all that was printed so far."""
        rows = nccl_tests.parse(text)["rows"]
        if ended and (not rows or len(rows) == self._rows):
            return
        if len(rows) == self._rows:
            self._quiet += 1
            self._say("%s: still at this size after %d s" % (self._name, self._quiet * _WAIT_SECONDS))
            return
        self._rows, self._quiet = len(rows), 0
        if not rows:
            self._say("%s: started" % self._name)
            return
        last = rows[-1]
        self._say("%s: %s at %s GB/s" % (self._name, size_text(last["size"]), last["out_of_place"]["busbw"]))
