# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the kernel's log since boot and counts what it says of broken hardware: Xids, AER, resets, machine checks.

PRIVATE to the collection. The journal has the log since boot; where there is none, or it may not be read, the ring
buffer (dmesg) has its end. Of a capture it is read from a recording of either.
"""

from __future__ import annotations

import datetime
import re

from .. import _host
from . import kernel_event

RECORDED = ("/gpuwright/kernel.log", "/var/log/dmesg")
# A link that reports an error a millisecond would fill the memory of whoever asks for all of it.
_LINES = 200000
_COMMANDS = (["journalctl", "-k", "-b", "-q", "--no-pager", "-o", "short-unix", "--lines=%d" % _LINES], ["dmesg"])
_SECONDS = 20
_WHEN = (
    re.compile(r"(?P<epoch>\d{9,11}\.\d+) "),
    re.compile(r"\d+,\d+,(?P<microseconds>\d+),[^;]*;"),
    re.compile(r"(?:<\d+>)?(?:\w+ *:\w+ *: *)?\[ *(?P<uptime>\d+\.\d+)(?:\]|,)"),
    re.compile(r"(?:\w+ *:\w+ *: *)?\[(?P<words>\w{3} \w{3} +\d+ [\d:]{8} \d{4})\]"),
    re.compile(r"(?:\w+ *:\w+ *: *)?(?P<words>\d{4}-\d\d-\d\dT[\d:.,]+(?:Z|[+-]\d\d:?\d\d)?) "),
    re.compile(r"(?P<words>\w{3} +\d+ [\d:]{8}) \S+ kernel: "),
)


def read(host, _found):
    """The section `kernel_log`: {source, xids, sxids, aer, events}; all but the source null where there is no log."""
    source, text = _live(host) if host.live else _recorded(host)
    if text is None:
        return dict({"source": None}, **dict.fromkeys(kernel_event.KINDS))
    booted = re.search(r"^btime (\d+)", host.text("/proc/stat") or "", re.MULTILINE)
    return dict({"source": source}, **parse(text, int(booted.group(1)) if booted else None))


def parse(text, booted=None):
    """{xids, sxids, aer, events} of a log in any form of journalctl or dmesg; `booted` is since when it counts."""
    seen = {}
    for line in text.split("\n"):
        event = kernel_event.recognise(line)
        if event is None:
            continue
        kind, key, told = event
        last = _when(line, booted)
        record = seen.setdefault((kind, key), dict(told, count=0, last=last))
        severity = kernel_event.worse_of(record, told)
        record.update(told, severity=severity, count=record["count"] + 1, last=last or record["last"])
    found = {kind: [] for kind in kernel_event.KINDS}
    for (kind, _key), record in sorted(seen.items(), key=lambda item: tuple(str(part) for part in item[0][1])):
        found[kind].append(record)
    return found


def _recorded(host):
    for path in RECORDED:
        text = host.text(path)
        if text is not None:
            return path, text
    return None, None


def _live(host):
    """(command, what it says) of the first command that has a log, or (None, None) and a note why none has."""
    failures = []
    for argv in _COMMANDS:
        try:
            status, text, errors = host.run(argv, seconds=_SECONDS, changes=False)
        except _host.CommandNotRun as error:
            failures.append(str(error))
            continue
        if status == 0 and text.strip():
            if text.count("\n") >= _LINES:
                host.note("%s: only the last %d lines were read" % (argv[0], _LINES))
            return " ".join(argv[:3]) if argv[0] == "journalctl" else argv[0], text
        failures.append(_words(argv[0], status, errors))
    host.note("; ".join(failures))
    return None, None


def _words(name, status, errors):
    said = " ".join(errors.split())[:200]
    if not said:
        return "%s: no kernel messages" % name if status == 0 else "%s: exit status %d" % (name, status)
    return said if said.startswith(name) else "%s: %s" % (name, said)


def _when(line, booted):
    """When a line was written, in UTC if the log tells; else as the log spells it, None if not at all."""
    for form in _WHEN:
        match = form.match(line)
        if match:
            told = match.groupdict()
            break
    else:
        return None
    if "words" in told:
        return told["words"]
    if "epoch" in told:
        return _utc(float(told["epoch"]))
    uptime = float(told["uptime"]) if "uptime" in told else int(told["microseconds"]) / 1e6
    return "%.0f s after boot" % uptime if booted is None else _utc(booted + uptime)


def _utc(seconds):
    """Seconds since the epoch as a date; a time that no calendar has is kept as the number."""
    try:
        return datetime.datetime.fromtimestamp(int(seconds), datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    except (ValueError, OverflowError, OSError):
        return "%.0f" % seconds
