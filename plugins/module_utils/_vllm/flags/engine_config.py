# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the engine configuration that `vllm serve --config` reads, and the same as words of a command line.

PRIVATE to the collection. Pure, and for arguments that arguments.check passes. vLLM turns each key of that file into
words of a command line. Text is in quotes always (`no` or `0x10` would arrive as something else) and in ASCII only (the
file is read in the locale's encoding), a mapping is JSON in one line, and false is the negative form's name with true,
since a plain false is dropped where vLLM knows no --no- form of the key as it is spelt.
"""

from __future__ import annotations

import json

from .arguments import said


def text(arguments, schema):
    """The YAML, one flag a line, sorted. Without the first line that says who wrote the file.

    Where nothing is said it is an empty mapping: on a file without one vLLM ends in an AttributeError.
    """
    return "".join("%s: %s\n" % (name, _yaml(value)) for name, value in _pairs(arguments, schema)) or "{}\n"


def words(arguments, schema):
    """The words of a command line that says the same."""
    found = []
    for name, value in _pairs(arguments, schema):
        found.append("--" + name)
        if value is not True:
            found.extend(str(item) for item in (value if isinstance(value, list) else [value]))
    return found


def _pairs(arguments, schema):
    """(name, True, number, text or list of those) for each flag that is said."""
    for flag, value, entry in said(arguments, schema):
        if value is False:
            yield entry["inverse"], True
        elif entry["type"] == "json" and not isinstance(value, str) or isinstance(value, dict):
            yield flag, _json(value)
        elif isinstance(value, (list, tuple)):
            yield flag, [_json(item) if isinstance(item, dict) else item for item in value]
        else:
            yield flag, value


def _json(value):
    """JSON on one line, its keys as text before they are sorted: a number is a key in YAML too."""
    return json.dumps(json.loads(json.dumps(value, allow_nan=False)), sort_keys=True, allow_nan=False)


def _yaml(value):
    """A value on one line that PyYAML and any other reader of YAML read alike."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "[%s]" % ", ".join(_yaml(item) for item in value)
    if isinstance(value, int):
        return str(value)
    if isinstance(value, float):
        number = repr(value)
        return number if "e" not in number and "n" not in number else _quoted(number)
    return _quoted(value)


def _quoted(value):
    """Text in quotes: single ones where they suffice, since JSON is full of double ones."""
    plain = all(" " <= letter <= "~" for letter in value)
    if plain and "'" not in value:
        return "'%s'" % value
    return '"%s"' % "".join(_escaped(letter) for letter in value)


def _escaped(letter):
    if letter in '"\\':
        return "\\" + letter
    if " " <= letter <= "~":
        return letter
    return "\\n" if letter == "\n" else "\\t" if letter == "\t" else "\\U%08X" % ord(letter)
