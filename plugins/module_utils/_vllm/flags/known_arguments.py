# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments of vLLM 0.33.0, for a node where no engine is installed yet and for what its help does not tell.

PRIVATE to the collection. Pure. The data is in known_flags.py, known_flags_more.py, known_keys.py and known_words.py,
which tests/setup/vllm_arguments.py writes from the engine itself. Of a mapping's key that data has letters, one for
each sort of value that vLLM takes there: t text, w text that is a boolean, v "0" or "1", q text that is another whole
number, r that is a number with a point, e 1, i a number above 1, o 0, n below 0, f one with a point, b a boolean, l a
list, d a mapping, z null; after a slash, the only words that are legal. * is anything.
"""

from __future__ import annotations

from . import known_flags, known_flags_more, known_keys, known_words
from .help_text import blank

VERSION = known_flags.VERSION
_TYPES = {"size": {"type": "int", "sizes": True}, "size-auto": {"type": "int", "sizes": True, "auto": True},
          "dict": {"type": "json", "json_of": "dict"}, "list": {"type": "json", "json_of": "list"},
          "dict-or-text": {"type": "json", "json_of": "either"}}
_FROM_HERE = ("type", "json_of", "sizes", "auto", "bounds")
_OF_THE_RELEASE = ("keys", "inner", "words", "closed", "key_words")
_SWAPPED = {"enable-": "disable-", "disable-": "enable-"}


def same_release(version):
    """Whether a version, with or without what a build adds after a plus sign, is the one that is known here."""
    return str(version or "").partition("+")[0] == VERSION


def schema():
    """What parse_help would give for this release, and more: types, bounds and keys."""
    flags = {}
    for word in known_flags.BOOLEANS.split():
        _add(flags, word, {"takes": "none", "type": "bool", "negative": True, "inverse": "no-" + word.split(",")[0]})
    for word in known_flags.PAIRS.split():
        start = word.partition("-")[0] + "-"
        inverse = _SWAPPED[start] + word.split(",")[0][len(start):]
        _add(flags, word, {"takes": "none", "type": "bool", "negative": True, "inverse": inverse})
    for word in known_flags.SWITCHES.split():
        _add(flags, word, {"takes": "none", "type": "bool"})
    for line in _lines(known_flags.VALUES) + _lines(known_flags_more.VALUES):
        _add_value(flags, *(line.split(" | ") + [""] * 4)[:5])
    for line in _lines(known_keys.KEYS):
        name, _colon, keys = line.partition(":")
        flag, _point, inner = name.partition(".")
        keys = dict(key.split("=", 1) for key in keys.split())
        if inner:
            flags[flag]["inner"][inner] = keys
        else:
            flags[flag]["keys"] = keys
    for line in _lines(known_words.WORDS):
        _add_words(flags, *line.split(": ", 1))
    return {"flags": flags}


def _add_words(flags, names, words):
    for name in names.split():
        flag, _point, key = name.partition(".")
        if key:
            flags[flag]["key_words"][key] = words.split()
        else:
            flags[flag].update(words=words.split(), closed=True)


def _lines(text):
    """The lines of a table, those that begin with a blank joined to the one before."""
    return text.strip("\n").replace("\n  ", " ").splitlines()


def _add(flags, names, known):
    name, *others = names.split(",")
    flags[name] = dict(blank(["--" + name] + others), **known)


def _add_value(flags, names, takes, bounds, choices, default):
    what, _blank, count = takes.strip().partition(" ")
    known = dict({"type": what}, **_TYPES.get(what, {}))
    known.update(takes=count or "one", bounds=bounds.strip(), default=default.strip() or None)
    known["choices"] = choices.replace(" ", "").split(",") if choices.strip() else None
    _add(flags, names, known)


def complete(told, version):
    """A help's flags with what is known here of those of the same name: types and bounds; keys of the same release.

    What the help tells against it stands: a flag that takes something else there is another flag. Of another release
    a mapping's keys are those that its help shows, and ours, for a default need not show all of them; its words are
    those of its help, which are all there are where it says so, or ours, which it may have or not.
    """
    known = schema()["flags"]
    flags = {}
    for name, entry in told["flags"].items():
        mine = known.get(name)
        if mine and mine["takes"] == entry["takes"]:
            entry = dict(entry, **{key: mine[key] for key in _FROM_HERE})
            if same_release(version):
                entry.update({key: mine[key] for key in _OF_THE_RELEASE}, choices=entry["choices"] or mine["choices"])
            else:
                entry["words"] = entry["words"] or mine["words"]
                if entry["keys"] and mine["keys"]:
                    entry["keys"] = dict.fromkeys(list(entry["keys"]) + list(mine["keys"]), "*")
        flags[name] = entry
    return {"flags": flags}
