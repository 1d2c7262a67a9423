# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the w lines of every tmpfiles.d file of a node write at boot, and which of them is the last to reach a path.

PRIVATE to the collection. The rules are those of tmpfiles.d(5) as systemd-tmpfiles was seen to follow them: of lines
with the same path text the first counts (w+ adds to it), in the order of the file names; what is left is written in
the order in which each path text first appeared, globs and plain paths alike, so of different texts for one file the
last counts.
"""

from __future__ import annotations

import base64
import binascii
import fnmatch
import re

from .sysctl_d import files, is_glob

FOLDERS = ("/etc/tmpfiles.d", "/run/tmpfiles.d", "/usr/local/lib/tmpfiles.d", "/usr/lib/tmpfiles.d", "/lib/tmpfiles.d")
_ESCAPES = {"a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v", "s": " ",
            "\\": "\\", '"': '"', "'": "'"}
_ESCAPE = re.compile(r"""\\(?:x([0-9A-Fa-f]{2})|([0-7]{3})|u([0-9A-Fa-f]{4})|U([0-9A-Fa-f]{8})|(.))""", re.S)
_FIELD = re.compile(r"""\s*((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+)(?:\s+|$)""", re.S)
_SPECIFIERS = {"%": "%", "t": "/run", "S": "/var/lib", "C": "/var/cache", "L": "/var/log", "T": "/tmp", "V": "/var/tmp",
               "h": "/root", "u": "root", "U": "0", "g": "root", "G": "0"}
_SPECIFIER_FILES = {"v": "/proc/sys/kernel/osrelease", "m": "/etc/machine-id", "b": "/proc/sys/kernel/random/boot_id",
                    "H": "/proc/sys/kernel/hostname"}


def writes(host):
    """Every w line as {"path", "value", "file", "line", "type", "name"}, in the order of reading.

    "path" may be a glob, "type" has the modifiers ("w", "w+", "w!"), "name" is what the file is sorted by. "value" is
    None where a specifier in it cannot be told here. A line that systemd would refuse is left out.
    """
    found = []
    for path in files(host, FOLDERS):
        real = host.real(path) if host.link(path) is not None else path
        for number, line in enumerate((host.text(real) or "").split("\n"), 1):
            one = _write(host, line.strip())
            if one:
                found.append(dict(one, file=real, line=number, name=path.rpartition("/")[2]))
    return found


def winner(found, path, ignore=()):
    """The line that is the last to write `path` at boot, as if the files in `ignore` were not there; or None."""
    matching = [one for one in _in_force(one for one in found if one["file"] not in ignore)
                if _matches(path, one["path"])]
    return matching[-1] if matching else None


def beats(found, path, file):
    """The line that wins over a line "w PATH" in `file` (one of tmpfiles.d, there or still to be written), or None."""
    mine = {"path": path, "type": "w", "file": file, "name": file.rpartition("/")[2]}
    others = [one for one in found if one["file"] != file]
    place = len([one for one in others if one["name"] < mine["name"]])
    best = winner(others[:place] + [mine] + others[place:], path)
    return None if best is mine else best


def _in_force(found):
    """The lines that are executed, in the order of execution."""
    table = {}
    for one in found:
        if one["path"] not in table:
            table[one["path"]] = [one]
        elif "+" in one["type"]:
            table[one["path"]].append(one)
    return [one for lines in table.values() for one in lines]


def _matches(path, pattern):
    return path == pattern or any(_matches_one(path, one) for one in _braces(pattern))


def _matches_one(path, pattern):
    """Whether glob(7) would give `path`: a star stops at a folder and at a leading dot."""
    if not is_glob(pattern):
        return path == pattern
    parts, patterns = path.split("/"), pattern.split("/")
    return len(parts) == len(patterns) and all(
        fnmatch.fnmatchcase(part, one.replace("[^", "[!")) and (part[:1] != "." or one[:1] == ".")
        for part, one in zip(parts, patterns))


def _braces(pattern):
    """A pattern with {a,b} written out, as the shell would; innermost braces first."""
    found = re.search(r"\{([^{}]*)\}", pattern)
    if not found:
        return [pattern]
    return [done for choice in found.group(1).split(",")
            for done in _braces(pattern[:found.start()] + choice + pattern[found.end():])]


def _write(host, line):
    """One line as a write, or None if it is another type, a comment, or one that systemd refuses."""
    if not line or line[0] == "#":
        return None
    fields, argument = _split(line)
    if len(fields) < 2 or not re.match(r"w[-+!=~^]*$", fields[0]) or argument in ("", "-"):
        return None
    path = _expand(host, fields[1])
    if path is None or not path.startswith("/") or ".." in path.split("/"):
        return None
    if "^" in fields[0]:
        host.note("tmpfiles.d: %s takes its value from a credential of the service, which cannot be seen" % path)
        return None
    path = re.sub("/+", "/", path).rstrip("/")
    return {"path": path, "value": _argument(host, fields[0], argument), "type": fields[0]}


def _argument(host, kind, text):
    if "~" in kind:
        try:
            return base64.b64decode(text).decode("utf-8", "replace").strip()
        except (binascii.Error, ValueError):
            return None
    value = _expand(host, _unescape(text))
    return None if value is None else value.strip()


def _split(line):
    """The six fields before the argument, unquoted, and the argument as it stands."""
    fields, place = [], 0
    while len(fields) < 6:
        found = _FIELD.match(line, place)
        if not found:
            break
        fields.append(_unquote(found.group(1)))
        place = found.end()
    return fields, line[place:] if len(fields) == 6 else ""


def _unquote(field):
    """A field without its quotes and escapes, as tmpfiles.d(5) has it; systemd 252 only drops the backslash."""
    pieces = re.findall(r""""((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|((?:\\.|[^"'\\])+)""", field, re.S)
    return "".join(_unescape("".join(piece)) for piece in pieces)


def _unescape(text):
    """C-style escapes; one that is none stays as it is."""
    def character(found):
        for group, base in ((1, 16), (2, 8), (3, 16), (4, 16)):
            if found.group(group):
                return chr(int(found.group(group), base))
        return _ESCAPES.get(found.group(5), found.group(0))
    return _ESCAPE.sub(character, text)


def _expand(host, text):
    """`text` with its specifiers replaced, or None where one cannot be told here."""
    values = dict(_SPECIFIERS)
    for letter in re.findall("%(.)", text, re.S):
        if letter not in values:
            values[letter] = host.text(_SPECIFIER_FILES[letter]) if letter in _SPECIFIER_FILES else None
        if values[letter] is None:
            return None
    return re.sub("%(.)", lambda found: values[found.group(1)], text, flags=re.S)
