# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checks what a person says to vLLM against what the installed engine takes, before anything is restarted.

PRIVATE to the collection. Pure. `arguments` are an instance's, {flag without dashes: value}; None leaves a flag to
vLLM.
"""

from __future__ import annotations

import re

from ..._values import nearest
from ..instance.presets import PRESETS
from . import argument_names as names
from . import registry_words
from .argument_values import wrong
from .help_text import blank, parse_help

__all__ = ["check", "doubts", "find", "parse_help", "said"]


def find(given, schema):
    """(flag, entry, whether the name says false) for any name that the engine gives a flag; None for no such name.

    Where the engine could not be asked, a name that is not known is taken as it is, for any value.
    """
    name = str(given).replace("_", "-")
    flags = schema["flags"]
    if name in flags:
        return name, flags[name], False
    for flag, entry in flags.items():
        if "--" + name in entry["names"]:
            return flag, entry, False
        if name == entry["inverse"] or (entry["negative"] and name == "no-" + flag):
            return flag, entry, True
    if schema.get("unchecked") and name not in names.GONE and re.match(r"[a-z0-9][a-z0-9-]*\Z", name):
        false = name.startswith("no-")
        return name, dict(blank(["--" + name]), takes="any", negative=not false, inverse="no-" + name), False
    return None


def said(arguments, schema):
    """[(flag, value, entry)] of all that is said, sorted by the engine's own names. For arguments that check passes."""
    found = []
    for given, value in arguments.items():
        if value is not None:
            flag, entry, _false = find(given, schema)
            found.append((flag, value, entry))
    return sorted(found, key=lambda one: one[0])


def check(arguments, schema, where, own=()):
    """What is wrong with some arguments: a list of words that begin with `where`, empty where nothing is.

    `own` are flags that the role itself put among them, which a person may not.
    """
    problems, seen = [], {}
    for given, value in arguments.items():
        name = str(given).replace("_", "-")
        problem = _name(given, name, value, schema, own)
        if problem is None:
            flag, entry, _false = find(name, schema)
            if flag in seen:
                problem = "%s: it is there twice, as %s too: which one counts?" % (given, seen[flag])
            else:
                seen[flag] = given
                problem = None if value is None else (
                    wrong(flag, value, entry) or registry_words.problem(flag, value, entry, arguments, schema))
        if problem:
            problems.append("%s: %s" % (where, problem))
    return problems + ["%s: %s" % (where, words) for words in _together(arguments, schema)]


def doubts(arguments, schema):
    """Words on what nobody here knows and the engine may: of arguments that check passes."""
    found = {given: find(given, schema) for given in arguments}
    return registry_words.doubts(arguments, {given: one[:2] for given, one in found.items() if one}, schema)


def _name(given, name, value, schema, own):
    """What is wrong with a name, or None."""
    if not isinstance(given, str) or not given or given.startswith("-"):
        return "%r: a flag is written without its leading dashes, as in max-model-len: 8192" % (given,)
    if value is not None and name in names.SECRETS:
        return "%s: %s" % (given, names.SECRETS[name])
    found = find(name, schema)
    roles = names.OF_THE_ROLE.get(name) or (names.OF_THE_ROLE.get(found[0]) if found else None)
    if roles and value is not None and name not in own:
        return "%s: %s" % (given, roles)
    if found is None:
        return _unknown(given, name, value, schema["flags"])
    if found[2]:
        return "%s: that is the negative form; write %s: %s" % (given, found[0], "true" if value is False else "false")
    return None


def _unknown(given, name, value, flags):
    """The words on a name that the engine does not have."""
    start = "%s: this vLLM has no such argument" % given
    if name in names.GONE:
        return "%s; use %s" % (start, names.GONE[name])
    if "." in name:
        return "%s; a part of a mapping is written as one, as in %s: {%s: ...}" % (
            start, name.partition(".")[0], str(given).partition(".")[2])
    short = [flag for flag, entry in flags.items() if "-" + str(given) in entry["names"]]
    if short or given in ("O", "o"):
        return "%s; the long name is %s" % (start, short[0] if short else "optimization-level")
    if any(settings.get(name) == value for settings in PRESETS.values()):
        return "%s, which the preset says: write %s: null to leave it out, or take a newer vLLM" % (start, name)
    american = re.sub("isation|ise(?=-|$)", lambda found: found.group().replace("s", "z"), name)
    longer = [flag for flag in flags if flag.startswith(name)]
    if american in flags or len(longer) == 1:
        return "%s; did you mean %s? Names are not shortened here" % (start, (american if american in flags
                                                                              else longer[0]))
    close = nearest(name, flags)
    if longer and not close.startswith("did you"):
        close = "that is the beginning of %s" % ", ".join(sorted(longer)[:5])
    return "%s; %s" % (start, close if not close.startswith("known:") else "`vllm serve --help=all` lists them all")


def _together(arguments, schema):
    """What is wrong between flags."""
    here = {str(given).replace("_", "-"): value for given, value in arguments.items() if value not in (None, False)}
    for flag, other in names.NEEDS:
        if flag in here and flag in schema["flags"] and other not in here:
            yield "%s needs %s" % (flag, other)
    for flag, other in names.NEVER_WITH:
        if flag in here and other in here:
            yield "%s and %s exclude one another" % (flag, other)
    for flag, mapping, key in names.SAME_AS_KEY:
        if flag in here and registry_words.mapping(here.get(mapping)).get(key) is not None:
            yield "%s and %s: {%s: ...} say the same thing, and vLLM takes one of them" % (flag, mapping, key)
