# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the keys of a mapping are those of a flag of vllm serve, and their values of the sort that each takes.

PRIVATE to the collection. Pure. The letters for sorts of values are those of known_arguments.py.
"""

from __future__ import annotations

import re

from ..._values import nearest
from . import argument_names as names

_SORTS = (("t", "text"), ("i", "a number above 0"), ("o", "0"), ("n", "a number below 0"),
          ("f", "a number with a point"), ("b", "true or false"), ("l", "a list"), ("d", "a mapping"), ("z", "null"))
_TEXTS = (("w", re.compile(r"(true|false|yes|no|on|off|[tfyn])\Z", re.IGNORECASE)), ("v", re.compile(r"[01]\Z")),
          ("q", re.compile(r"\s*[-+]?\d[\d_]*(\.0*)?\s*\Z")),
          ("r", re.compile(r"\s*[-+]?\d*\.?\d+(e[-+]?\d+)?\s*\Z", re.IGNORECASE)))


def wrong(flag, value, entry):
    """What is wrong with a mapping, or with one under its keys."""
    key = _no_text(value)
    if key is not None:
        return "%s: YAML reads a key as %s, where text is meant; put it into quotes" % (flag, key)
    inner = [(key, value[key]) for key in sorted(entry["inner"]) if isinstance(value.get(key), dict)]
    return _keys(flag, value, entry["keys"] or {}) or next(
        filter(None, (_keys("%s: %s" % (flag, key), item, entry["inner"][key]) for key, item in inner)), None)


def _no_text(value):
    """A key that is a boolean or null, as `on` and `no` are in YAML, at any depth; or None."""
    for key in value if isinstance(value, dict) else ():
        if key is None or isinstance(key, bool):
            return {None: "null", True: "true", False: "false"}[key]
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, (list, tuple)) else ()
    return next(filter(None, map(_no_text, inside)), None)


def _keys(flag, value, known):
    """What is wrong with the keys of a mapping and their values, as far as they are known."""
    for key, item in value.items():
        if known and key not in known:
            return "%s: it has no key %s; %s" % (flag, key, nearest(key, known))
        letters, _slash, words = known.get(key, "*").partition("/")
        sort = _sort(item)
        if letters != "*" and sort not in letters and not (sort in "wvqr" and "t" in letters):
            # A boolean may be said as 0, and a number as true: neither is the way to say it.
            unsaid = "b" if "i" in letters else "o" if "b" in letters else ""
            return "%s: %s: %r is of the wrong kind; legal is %s" % (flag, key, item, " or ".join(
                words for letter, words in _SORTS if letter in letters and letter != unsaid))
        if words and isinstance(item, str) and item not in words.split(","):
            return "%s: %s: %r is not one of its words; %s" % (flag, key, item, nearest(item, words.split(",")))
        of_all = names.MAPPINGS_OF.get(flag)
        if of_all and not re.match(of_all[0], _sort(item)):
            return "%s: %s: %r is of the wrong kind; legal is %s" % (flag, key, item, of_all[1])
        if flag == "model-class-overrides" and item.count(":") != 1:
            return "%s: %s: %r; legal is MODULE:CLASS" % (flag, key, item)
    return None


def _sort(value):
    """The letter that known_arguments.py has for a sort of value."""
    if isinstance(value, bool):
        return "b"
    if isinstance(value, str):
        return next((letter for letter, form in _TEXTS if form.match(value)), "t")
    if isinstance(value, float) and value != int(value):
        return "f"
    if isinstance(value, (int, float)):
        return "e" if value == 1 else "i" if value > 0 else "o" if value == 0 else "n"
    return {list: "l", tuple: "l", dict: "d"}.get(type(value), "z")
