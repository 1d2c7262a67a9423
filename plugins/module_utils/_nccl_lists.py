# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NCCL's lists: devices and interfaces, and words with a scope of their own.

PRIVATE to the collection. Pure. Sources: parseStringList in src/misc/utils.cc, parseList in src/graph/tuning.cc.
"""

from __future__ import annotations

import re

from ._values import nearest

ALGORITHMS = ("Ring", "Tree", "CollnetChain", "CollnetDirect", "NVLS", "NVLSTree", "PAT")
PROTOCOLS = ("LL", "LL128", "Simple")
FUNCTIONS = ("Broadcast", "Reduce", "AllGather", "ReduceScatter", "AllReduce")
SUBSYSTEMS = ("INIT", "COLL", "P2P", "SHM", "NET", "GRAPH", "TUNING", "ENV", "ALLOC", "ALLOC_HOST", "CALL", "PROXY",
              "NVLS", "BOOTSTRAP", "REG", "PROFILE", "RAS", "DESTROY", "ALL")
# Which functions an algorithm can do, as in src/graph/tuning.cc.
DOES = {"Ring": FUNCTIONS, "Tree": ("AllReduce",), "CollnetChain": ("AllReduce",), "CollnetDirect": FUNCTIONS[2:],
        "NVLS": FUNCTIONS[2:], "NVLSTree": ("AllReduce",), "PAT": ("AllGather", "ReduceScatter")}


def joined(raw):
    """A list of names as NCCL takes exactly these; anything else as it is."""
    return "=" + ",".join(raw) if isinstance(raw, list) and raw and all(isinstance(one, str) for one in raw) else raw


def signed(text):
    """(what the list begins with of ^ and =, its entries)."""
    sign = re.match(r"\^?=?", text).group(0)
    return sign, text[len(sign):].split(",")


def check_entries(entries, most):
    """Raise ValueError for what is named twice, or beyond what NCCL reads."""
    twice = sorted({entry for entry in entries if entries.count(entry) > 1})
    if twice:
        raise ValueError("%s is named twice" % twice[0])
    if len(entries) > most:
        raise ValueError("%d entries, and NCCL reads %d" % (len(entries), most))


def token_lists(text, known, scoped=False):
    """[(function or None, whether the words are ruled out, words)] of WORD,... or ^WORD,... or, if `scoped`, of several
    such with ; between and FUNCTION: before each. ValueError in words for what NCCL refuses.
    """
    found = []
    for position, part in enumerate(text.split(";") if scoped else [text]):
        name, colon, words = part.partition(":") if scoped else ("", "", part)
        words = words if colon else part
        if position and not colon:
            raise ValueError("%r: only the first list may do without a function; NCCL refuses it" % text)
        out = words.startswith("^")
        function = _spelt(name, FUNCTIONS, text) if colon else None
        found.append((function, out, [_spelt(word, known, text) for word in words[out:].split(",")]))
    return found


def _spelt(word, known, text):
    """A word as NCCL's source writes it; NCCL itself does not mind the case."""
    found = next((one for one in known if one.lower() == word.lower()), None)
    if found is None:
        raise ValueError("%r in %r is not known to NCCL, which then starts no communicator; %s%s" % (
            word, text, nearest(word, known), "; null lets NCCL choose" if word.lower() == "auto" else ""))
    return found


def left_without(lists):
    """{function: the algorithms that remain}, of those functions that none of them can do, for lists of NCCL_ALGO.

    From 2.24 on NCCL does not fall back to ring: such a function fails.
    """
    enabled = {}
    for name, out, words in lists:
        chosen = [word for word in ALGORITHMS if (word in words) != out]
        enabled.update({function: chosen for function in FUNCTIONS if name in (None, function)})
    return {function: chosen for function, chosen in enabled.items()
            if not any(function in DOES[word] for word in chosen)}
