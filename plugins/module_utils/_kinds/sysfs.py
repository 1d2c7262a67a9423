# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind sysfs: lives below /sys, persists as `w` lines in tmpfiles.d.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has.
"""

from __future__ import annotations

import re

from .._owners import tmpfiles_d

FOLDER = "/etc/tmpfiles.d"
KEYED_BY = "path"


def drop_in(role):
    """Our file for a role."""
    return "%s/90-gpuwright-%s.conf" % (FOLDER, role)


def taken_over(role):
    """Our file for what another file wrote and was handed to us: for one path the file that sorts first wins."""
    return "%s/00-gpuwright-%s.conf" % (FOLDER, role)


def places(host, row):
    """Where the row lives on this machine: [(target, path, fields)], by the first of its paths that matches any."""
    for pattern in row.paths:
        found = _match(host, pattern)
        if found:
            return [(_target(row, fields), path, fields) for path, fields in found]
    return []


def _target(row, fields):
    return row.target.format(**dict({"node": "0"}, **fields)) if fields else row.target


def _match(host, pattern):
    """[(path, fields)] of the files that a path with {field} parts names, in numeric order."""
    found = [("", {})]
    for part in pattern.strip("/").split("/"):
        if "{" not in part:
            found = [(path + "/" + part, fields) for path, fields in found]
            continue
        shape = re.compile("".join("(?P<%s>[^/]+)" % piece[1:-1] if piece.startswith("{") else re.escape(piece)
                                   for piece in re.split(r"(\{[a-z]+\})", part)) + "$")
        deeper = []
        for path, fields in found:
            for name in sorted(host.names(path), key=_numeric):
                match = shape.match(name)
                if match:
                    deeper.append((path + "/" + name, dict(fields, **match.groupdict())))
        found = deeper
    return [(path, fields) for path, fields in found if host.exists(path)]


def _numeric(name):
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"([0-9]+)", name)]


def line(target, path, text):
    """The line that persists a value."""
    return "w %s - - - - %s" % (path, text)


def parse(text):
    """The values in a file of ours, by path."""
    rows = (entry.split(None, 6) for entry in text.splitlines() if entry.startswith("w "))
    return {row[1]: row[6] for row in rows if len(row) == 7}


def identity(row, target, path):
    """What names the original in the journal."""
    return "sysfs:" + path


def in_force(host, row, path):
    """(path, text) to write to get today's state back."""
    return path, row.value.read(host.read(path))


def others(host):
    """The `w` lines of every tmpfiles.d file on this machine."""
    return tmpfiles_d.writes(host)


def rival(lines, row, target, path, ours, value):
    """The line of another file that wins over ours for this path at boot, or None."""
    mine = {FOLDER + "/" + start + ours.rpartition("/")[2][2:] for start in ("90", "00")} - {ours}
    return tmpfiles_d.beats([item for item in lines if item["file"] not in mine], path, ours)


def before_us(lines, target, ours):
    """No raise-only setting lives here."""
    return None
