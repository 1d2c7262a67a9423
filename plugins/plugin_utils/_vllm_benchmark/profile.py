# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carries out a profile: restart under nsys, requests while it records, restart as it was, and the report fetched.

PRIVATE to the collection. Whatever goes wrong in between, the engine is restarted as it was; where this process is
killed, the guard on the node does that.
"""

from __future__ import annotations

import base64
import os
import time

from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm_benchmark import execute

_STEP_SECONDS = 3
_LEAD_SECONDS = 20  # The program that sends the requests needs as long to start.
_REPORT_SECONDS = 900  # nsys makes its report of what it recorded after the window.
_BACK_SECONDS = 1800
_OVER = ("failed", "inactive")


class Broken(Exception):
    """The profile cannot go on; the text says why."""


def carry_out(name, meant, means, verify, clock=time.monotonic):
    """{"error", "warnings", "command", "output", "size", "down_seconds", "delay", ..}.

    `verify()` says once whether the engine serves as it was: True, False or None, and words.
    """
    found = {"error": None, "warnings": [], "command": None, "output": None, "size": None, "down_seconds": 0,
             "restored": None, "checked_only": False}
    said = means.ask({"do": "profile", "name": name, "profile": meant["profile"], "allow": meant["allow"],
                      "lease": execute.LEASE_SECONDS})
    if said.get("failed"):
        return dict(found, error=said["failed"])
    found.update(command=said["command"], output=said["output"], delay=said["delay"])
    if said["left"]:
        found["warnings"].append("earlier profiles left files on the node, which nothing removes: %s" % ", ".join(
            "%s (%d bytes)" % pair for pair in sorted(said["left"].items())))
    if said["id"] is None:
        return dict(found, checked_only=True)
    begun = clock()
    try:
        _record(name, meant, means, dict(said, begun=begun), found, clock)
    except Broken as error:
        found["error"] = str(error)
    finally:
        _restore(name, said, means, verify, found, clock)
    return found


def _record(name, meant, means, said, found, clock):
    """From the start under nsys until its report is there."""
    opens = said["begun"] + said["delay"]
    closes = opens + meant["profile"]["duration"]
    means.say("%s: restarted under nsys, which records from second %d on, for %d s" % (
        name, said["delay"], meant["profile"]["duration"]))
    look = _looker(name, said, means)
    while not look()["serves"]:
        if clock() > closes:
            raise Broken("the engine did not serve within %d s under nsys, so nothing but its start was recorded: say "
                         "a longer vllm_benchmark_profile_delay" % (clock() - said["begun"]))
        means.pause(_STEP_SECONDS)
    took = int(clock() - said["begun"])
    found["down_seconds"] += took
    if took > said["delay"]:
        found["warnings"].append("the engine served after %d s, and the recording began after %d s: it begins with the "
                                 "engine's start; say a longer vllm_benchmark_profile_delay" % (took, said["delay"]))
    while clock() < opens - _LEAD_SECONDS:
        look()
        means.pause(_STEP_SECONDS)
    found["requests"] = _load(name, meant, means, said["id"], lambda: clock() > closes)
    found["size"] = _report(look, means, found, clock)


def _looker(name, said, means):
    def look():
        if not means.wanted():
            raise Broken("ansible-playbook was ended")
        told = means.ask({"do": "see", "name": name, "id": said["id"], "output": said["output"]})
        if told.get("failed"):
            raise Broken(told["failed"])
        if told["state"] in _OVER and told["size"] is None:
            raise Broken("the engine ended under nsys without a report (%s): `journalctl -u %s` on the node says why"
                         % (told["state"], said["unit"]))
        return told
    return look


def _load(name, meant, means, guard, closed):
    """Requests until the window closes, as often as it takes; how many were completed in runs that came to an end."""
    done, number = 0, 0
    asked = dict(meant, allow=sorted(set(meant["allow"]) | {"busy"}))
    while not closed():
        record = execute.one(name, number, asked, means, guard, closed)
        if record["error"] and not closed():
            raise Broken("the requests for the profile: %s" % record["error"])
        done += record["result"]["completed"] if record["result"] else 0
        number += 1
    return done


def _report(look, means, found, clock):
    """The size of the report once it does not grow any more."""
    until, last = clock() + _REPORT_SECONDS, None
    while clock() < until:
        size = look()["size"]
        if size and size == last:
            return size
        last = size
        means.pause(_STEP_SECONDS)
    raise Broken("nsys wrote no whole report within %d s: %s.nsys-rep" % (_REPORT_SECONDS, found["output"]))


def _restore(name, said, means, verify, found, clock):
    """The engine as it was, and verified."""
    begun = clock()
    told = means.ask({"do": "restore", "id": said["id"], "unit": said["unit"]})
    if told.get("failed"):  # Nothing asks after the guard any more, and it will act.
        _add(found, "the engine was not restarted as it was: %s; the guard on the node does that within %d s"
             % (told["failed"], said["lease"]))
        return
    good, words = None, "it still starts"
    while good is None and clock() - begun < _BACK_SECONDS:
        means.pause(_STEP_SECONDS)
        good, words = verify()
    found["restored"] = good is True
    found["down_seconds"] += int(clock() - begun)
    if good is not True:
        _add(found, "%s was restarted without nsys and does not serve as it did: %s" % (name, words))
    else:
        means.say("%s: restarted without nsys and verified; it did not serve for %d s in all" % (
            name, found["down_seconds"]))


def _add(found, words):
    found["error"] = "; ".join(part for part in (found["error"], words) if part)


def bring(name, host, meant, means, found, place):
    """Fetch the report and what nsys says of it; what was fetched is removed from the node."""
    path = found["output"] + ".nsys-rep"
    if found["size"] > meant["profile_size"]:
        found["warnings"].append("the report has %d bytes, more than vllm_benchmark_profile_size: it stays at %s on %s"
                                 % (found["size"], path, host))
        return
    target = os.path.join(place, "vllm_benchmark", "%s.%s.nsys-rep" % (host, name))
    os.makedirs(os.path.dirname(target), exist_ok=True)
    got = _fetch(name, means, found, target)
    if got != found["size"]:
        _add(found, "%d of %d bytes of %s were fetched" % (got, found["size"], path))
        return
    found["report"] = target
    told = means.ask({"do": "stats", "name": name, "output": found["output"],
                      "profile": dict(meant["profile"], nsys=found["command"][0])})
    if told.get("failed") or told["text"] is None:
        found["warnings"].append(told.get("failed") or told["why"])
    else:
        found["stats"] = target.replace(".nsys-rep", ".txt")
        with open(found["stats"], "w", encoding="utf-8") as file:
            file.write(told["text"])
    means.ask({"do": "forget", "name": name, "output": found["output"]})


def _fetch(name, means, found, target):
    """The bytes that came; the file has its name once it is whole."""
    offset = 0
    with open(target + ".part", "wb") as file:
        while offset < found["size"]:
            said = means.ask({"do": "fetch", "name": name, "output": found["output"], "offset": offset})
            data = b"" if said.get("failed") else base64.b64decode(said["data"])
            if not data:
                return offset
            file.write(data)
            offset += len(data)
    os.replace(target + ".part", target)
    return offset
