# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the JSON that nccl-tests writes with -J, whole or cut off, into the form that its table is read into.

PRIVATE to the collection. Pure. The program writes its JSON bit by bit while it runs, and leaves it open when it is
killed: what is there of such a file is read. Booleans are strings in it, `root` is a padded string, and `inf` is bare.
"""

from __future__ import annotations

import json
import re

from . import nccl_tests_table as table

_KEY = re.compile(r"[\s,]*(\"(?:[^\"\\]|\\.)*\")\s*:\s*")
_COMMA = re.compile(r"[\s,]*")
_NO_NUMBER = re.compile(r"(:\s*)[-+]?(?:inf|nan)\b", re.IGNORECASE)
_OURS = ("version", "start_time", "args", "nccl_version", "config", "results")
_BEGINS = re.compile(r"\{\s*\"version\"\s*:\s*\d+\s*,\s*\"start_time\"")
_PER_ITERATION = {"min_us": "i_min", "max_us": "i_max", "p99_us": "i_p99", "cv_pct": "i_cv%"}


def load(text):
    """What a text begins with of an object written with -J, or None where it is something else."""
    text = _NO_NUMBER.sub(r"\1null", text.strip())
    if not text.startswith("{"):
        return None
    found = _members(text)
    return found if any(name in found for name in _OURS) else None


def load_behind(text):
    """The same of the first such object that is anywhere in a text, as where a log shows the file."""
    begun = _BEGINS.search(text)
    return load(text[begun.start():]) if begun else None


def _members(text):
    """The members of an object as far as they are there; of a list that was cut, its whole items."""
    decoder, found, place = json.JSONDecoder(), {}, 1
    while True:
        key = _KEY.match(text, place)
        if not key:
            return found
        try:
            name = json.loads(key.group(1))
            found[name], place = decoder.raw_decode(text, key.end())
        except (ValueError, RecursionError):
            if text[key.end():key.end() + 1] == "[":
                found[name] = _items(decoder, text, key.end() + 1)
            return found


def _items(decoder, text, place):
    items = []
    while True:
        try:
            item, place = decoder.raw_decode(text, _COMMA.match(text, place).end())
        except (ValueError, RecursionError):
            return items
        items.append(item)


def read(data):
    """The parts of a test's dict that the JSON tells."""
    config, bounds, average = (_dict(data, name) for name in ("config", "out_of_bounds", "average_bus_bandwidth"))
    devices = [item for item in _list(config, "devices") if isinstance(item, dict)]
    each = (_whole(config, "nthreads") or 1) * (_whole(config, "ngpus") or 1)
    validation = _whole(config, "validation")
    return {"program": next((text for text in _list(data, "args") if isinstance(text, str)), ""),
            "columns": None, "rows": [_row(item) for item in _list(data, "results") if isinstance(item, dict)],
            "avg_bus_bandwidth": table.number(average.get("bandwidth")),
            "avg_bus_bandwidth_verdict": _verdict(average), "out_of_bounds": _whole(bounds, "count"),
            "out_of_bounds_verdict": _verdict(bounds), "ranks": [_rank(item) for item in devices],
            "rank_count": len(devices) * each or None, "validated": None if validation is None else validation > 0,
            "complete": bool(bounds), "environment": _environment(data), "library": _whole(data, "nccl_version"),
            "errors": [text for text in _list(data, "errors") if isinstance(text, str) and text]}


def _dict(data, name):
    return data[name] if isinstance(data.get(name), dict) else {}


def _list(data, name):
    return data[name] if isinstance(data.get(name), list) else []


def _whole(data, name):
    return table.count(data.get(name))


def _word(data, name):
    return data[name].strip() if isinstance(data.get(name), str) else None


def _verdict(data):
    return {"true": "OK", "false": "FAILED"}.get(str(data.get("okay")).lower())


def _rank(item):
    return {"rank": _whole(item, "rank"), "host": _word(item, "hostname"), "device": _whole(item, "device"),
            "bus": _word(item, "device_hex"), "name": _word(item, "device_info")}


def _row(item):
    row = {name: _whole(item, name) for name in ("size", "count")}
    row.update(type=_word(item, "type"), redop=_word(item, "redop"), root=_whole(item, "root"))
    for name in ("out_of_place", "in_place"):
        row[name] = _group(_dict(item, name), _dict(item, name + "_per_iter"))
    return row


def _group(values, iterations):
    if not values:
        return None
    group = {"time": table.number(values.get("time", values.get("cpu_time"))),
             "algbw": table.number(values.get("alg_bw")), "busbw": table.number(values.get("bus_bw")),
             "wrong": table.count(values.get("nwrong"))}
    group.update((ours, table.number(iterations.get(theirs))) for theirs, ours in _PER_ITERATION.items()
                 if theirs in iterations)
    return group


def _environment(data):
    """NCCL's variables alone: the rest of an environment is nobody's business, and may hold secrets."""
    pairs = (text.split("=", 1) for text in _list(data, "env") if isinstance(text, str) and "=" in text)
    return {name: value for name, value in pairs if name.startswith("NCCL_")}
