# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that vLLM's parser takes as any text and looks up later, when the engine before it is stopped already.

PRIVATE to the collection. Pure. Tool parsers, load formats, connectors and their like stand in registries. What no
registry of this very engine has is refused. Where a plugin may add to them, or the words are those of another release,
nothing is refused: what is not known is a doubt, which becomes a finding.
"""

from __future__ import annotations

import json

from ..._values import nearest
from . import argument_names as names

ANOTHER_RELEASE = "a word that only this release has would be right"


def problem(flag, value, entry, arguments, schema):
    """What is wrong with the words of a flag's value, or None."""
    if schema.get("plugins"):
        return None
    for name, word, known in _strange(flag, value, entry, arguments):
        if entry["closed"] or "." in name:
            return "%s: %r is not one of its words; %s" % (name.replace(".", ": "), word, nearest(word, known))
    return None


def doubts(arguments, entries, schema):
    """Words on what is not known and yet not refused; `entries` are {flag as it was given: (flag, entry)}."""
    found = []
    for given, value in arguments.items():
        flag, entry = entries.get(given) or (None, None)
        if value is None or entry is None:
            continue
        for name, word, known in _strange(flag, value, entry, arguments):
            if schema.get("plugins") or not (entry["closed"] or "." in name):
                found.append("%s: %r is not among the words known of it (%s); not refused: %s" % (
                    name.replace(".", ": "), word, nearest(word, known), schema.get("plugins") or ANOTHER_RELEASE))
    return found


def _strange(flag, value, entry, arguments):
    """(name, word, the known ones) of each word that is none of them, unless a plugin is named that may bring it."""
    said = [(flag, value, entry["words"])] if entry["words"] else []
    if entry["key_words"]:
        inside = mapping(value)
        said += [("%s.%s" % (flag, key), inside.get(key), known) for key, known in sorted(entry["key_words"].items())]
    for name, word, known in said:
        # A number instead of a word: of a flag it arrives as text, of a key known_keys.py says whether it may be one.
        is_word = isinstance(word, str) or ("." not in name and type(word) in (int, float))
        if word == "" and name in names.MAY_BE_EMPTY:
            continue
        if is_word and not _is_known(name, str(word), known) and not _opened(name, arguments, value):
            yield name, word, known


def mapping(value):
    """A mapping, also from JSON text; an empty one where it is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _is_known(name, word, known):
    if name in names.OR_A_CLASS and "." in word.strip("."):
        return True
    if name in names.ANY_CASE:
        return _folded(word) in [_folded(one) for one in known]
    return word in known


def _folded(word):
    return word.lower().replace("-", "_")


def _opened(name, arguments, value):
    """Whether a plugin or a module is named that may have the word."""
    opener = names.OPENED_BY.get(name, ())
    here = {str(given).replace("_", "-") for given, said in arguments.items() if said is not None}
    return any(one in here or mapping(value).get(one) for one in opener)
