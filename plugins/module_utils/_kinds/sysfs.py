# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind sysfs: lives below /sys, persists as `w` lines in tmpfiles.d.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has.
"""

from __future__ import annotations

import errno
import fnmatch
import re

from .._owners import tmpfiles_d

FOLDER = "/etc/tmpfiles.d"
KEYED_BY = "path"
VOLATILE = False
OWNER = "tmpfiles.d"
# What the file of a device that is off answers: the frequency policy of a CPU that is offline, before Linux 6.0 EINVAL.
_OFF = (errno.EBUSY, errno.EINVAL, errno.ENODEV)


def files(role):
    """Our files for a role; the second, for what was handed to us: for one path the file that sorts first wins."""
    return ["%s/90-gpuwright-%s.conf" % (FOLDER, role), "%s/00-gpuwright-%s.conf" % (FOLDER, role)]


def file(role, target, taken=False):
    """Our file for a target."""
    return files(role)[taken]


def places(host, row, options):
    """Where the row lives on this machine: [(target, path, fields)], by the first of its paths that matches any."""
    for pattern in row.paths:
        if "*" in pattern:
            found = [(pattern, {})] if _each(host, pattern) else []
        else:
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


def read(host, target, path):
    """What is in force; of many files their one value, or "name=value ..." where they differ."""
    if "*" not in path:
        return host.read(path)
    values = {name: plain(text) for name, _one, text in _texts(host, path)}
    if len(set(values.values())) == 1:
        return next(iter(values.values()))
    return " ".join("%s=%s" % pair for pair in values.items())


def write(host, target, path, text):
    """Put a value in force, or what `read` gave for many files that differ."""
    if "*" not in path:
        host.write_value(path, text)
        return
    each = dict(word.split("=", 1) for word in text.split() if "=" in word)
    for name, one, now in _texts(host, path):
        value = each.get(name, None if each else text)
        if value is not None and plain(now) != value:
            host.write_value(one, value)


def _texts(host, path):
    """[(name, path, text)] of the files that a path with one * matches, but for devices that are off, if not all are.

    Raises FileNotFoundError where nothing matches any more, as a plain path does.
    """
    found, off = [], FileNotFoundError(errno.ENOENT, "No such file or directory", path)
    for name, one in _each(host, path):
        try:
            found.append((name, one, host.read(one)))
        except OSError as error:
            if error.errno not in _OFF:
                raise
            off = error
    if not found:
        raise off
    return found


def satisfied(value, wanted):
    """Whether a value is the wanted one; of many files that differed, those that are still there count."""
    if "=" not in wanted:
        return value == wanted
    each = dict(word.split("=", 1) for word in wanted.split())
    if "=" not in value:
        return value in each.values()
    return all(each.get(name, now) == now for name, now in (word.split("=", 1) for word in value.split()))


def _each(host, path):
    """[(name, path)] of the files that a path with one * matches."""
    folder, _slash, rest = path.partition("*")[0].rpartition("/")
    part, _slash, end = path[len(folder) + 1:].partition("/")
    names = fnmatch.filter(host.names(folder), part)
    found = [(name, "/".join([folder, name] + ([end] if end else []))) for name in sorted(names, key=_numeric)]
    return [(name, one) for name, one in found if host.exists(one)]


def plain(text):
    """A value as it is written: the bracketed word, or the whole text."""
    return text[text.index("[") + 1:text.index("]")] if "[" in text and "]" in text else text.strip()


def compose(head, entries):
    """The text of a file of ours."""
    return head + "".join(sorted("w %s - - - - %s\n" % (path, value) for _target, path, value in entries))


def parse(text):
    """The values in a file of ours, by path."""
    rows = (entry.split(None, 6) for entry in text.splitlines() if entry.startswith("w "))
    return {row[1]: row[6] for row in rows if len(row) == 7}


def identity(row, target, path):
    """What names the original in the journal."""
    return "sysfs:" + path


def in_force(host, row, target, path):
    """(path, text) to write to get today's state back."""
    text = read(host, target, path)
    return path, text if "*" in path else row.value.read(text)


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
