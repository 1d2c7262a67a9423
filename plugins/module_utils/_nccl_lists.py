# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types of NCCL's lists: devices, interfaces, algorithms, protocols and what is logged.

PRIVATE to the collection. Pure. Sources: parseStringList in src/misc/utils.cc and parseList in src/graph/tuning.cc.
"""

from __future__ import annotations

import re

from ._nccl_values import NcclText, plain
from ._values import nearest

MOST_DEVICES = 32
MOST_INTERFACES = 16
ALGORITHMS = ("Ring", "Tree", "CollnetChain", "CollnetDirect", "NVLS", "NVLSTree", "PAT")
PROTOCOLS = ("LL", "LL128", "Simple")
FUNCTIONS = ("Broadcast", "Reduce", "AllGather", "ReduceScatter", "AllReduce")
SUBSYSTEMS = ("INIT", "COLL", "P2P", "SHM", "NET", "GRAPH", "TUNING", "ENV", "ALLOC", "ALLOC_HOST", "CALL", "PROXY",
              "NVLS", "BOOTSTRAP", "REG", "PROFILE", "RAS", "DESTROY", "ALL")
# Which functions an algorithm can do, as in src/graph/tuning.cc.
DOES = {"Ring": FUNCTIONS, "Tree": ("AllReduce",), "CollnetChain": ("AllReduce",), "NVLSTree": ("AllReduce",),
        "CollnetDirect": ("AllGather", "ReduceScatter", "AllReduce"), "NVLS": ("AllGather", "ReduceScatter", "AllReduce"),
        "PAT": ("AllGather", "ReduceScatter")}
CORRUPTS = "where a platform does not support it, data are corrupted"


def signed(text):
    """(what the list begins with of ^ and =, its entries)."""
    sign = re.match(r"\^?=?", text).group(0)
    return sign, text[len(sign):].split(",")


class NcclHcaList(NcclText):
    """The RDMA devices that NCCL may use, by exact name, or those that it may not."""

    def describe(self):
        """What is legal."""
        return "=DEVICE[:PORT[:RAIL[:PLANE]]],... for these alone, or ^=DEVICE,... for all but these"

    def parse(self, raw):
        """The list; a list of names stands for these alone."""
        text = plain("=" + ",".join(raw) if isinstance(raw, list) and raw and all(
            isinstance(one, str) for one in raw) else raw)
        sign, entries = signed(text)
        if not sign:
            raise ValueError("%r: without = every entry is the beginning of a name, as mlx5_1 is of mlx5_10; legal is %s"
                             % (raw, self.describe()))
        for entry in entries:
            if not re.match(r"[A-Za-z][A-Za-z0-9_.-]{0,62}(:([1-9][0-9]{0,2})?(:[0-9]{1,4}){0,2})?\Z", entry) or (
                    entry.endswith(":")):
                raise ValueError("%r in %s is not DEVICE[:PORT[:RAIL[:PLANE]]]; legal is %s"
                                 % (entry, text, self.describe()))
        _once(entries, MOST_DEVICES)
        return text


class NcclInterfaces(NcclText):
    """The interfaces that NCCL may use for its sockets, by exact name or by the beginning of one."""

    def describe(self):
        """What is legal."""
        return "=INTERFACE,... for these alone, PREFIX,... for what begins so, or with ^ before it for all others"

    def parse(self, raw):
        """The list; a list of names stands for these alone."""
        text = plain("=" + ",".join(raw) if isinstance(raw, list) and raw and all(
            isinstance(one, str) for one in raw) else raw)
        if len(text) < 2:
            raise ValueError("%r: NCCL takes no notice of a single letter; legal is %s" % (raw, self.describe()))
        _sign, entries = signed(text)
        for entry in entries:
            if not re.match(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\Z", entry) or entry.lower() == "auto":
                raise ValueError("%r in %s is no interface's name; null lets NCCL choose, legal is %s"
                                 % (entry, text, self.describe()))
        _once(entries, MOST_INTERFACES)
        return text


def _once(entries, most):
    """Raise ValueError for what is named twice, or beyond what NCCL reads."""
    twice = sorted({entry for entry in entries if entries.count(entry) > 1})
    if twice:
        raise ValueError("%s is named twice" % twice[0])
    if len(entries) > most:
        raise ValueError("%d entries, and NCCL reads %d" % (len(entries), most))


class NcclTokens(NcclText):
    """Words with commas between them, or ^ before them for all others.

    `scoped`: more such lists may follow, each with ; before and FUNCTION: in front of it. `never` maps a word that is
    not written, but where it is ruled out with ^, to the reason.
    """

    def __init__(self, tokens, scoped=False, never=None):
        self.tokens = tuple(tokens)
        self.scoped = scoped
        self.never = never or {}

    def describe(self):
        """What is legal."""
        words = "words of %s, with commas between, or ^ before them for all others" % ", ".join(self.tokens)
        return words + ("; FUNCTION:WORDS;... for one of %s" % ", ".join(FUNCTIONS) if self.scoped else "")

    def parse(self, raw):
        """The list, each word as NCCL's source writes it."""
        lists = self.lists(plain(raw))
        return ";".join("%s%s%s" % (name + ":" if name else "", "^" if out else "", ",".join(words))
                        for name, out, words in lists)

    def lists(self, text):
        """[(function or None, whether the words are ruled out, words)], or ValueError."""
        found = []
        for position, part in enumerate(text.split(";")):
            name, colon, words = part.partition(":") if self.scoped else ("", "", part)
            words = words if colon else part
            if position and not colon:
                raise ValueError("%r: only the first list may do without a function; NCCL refuses it" % text)
            out = words.startswith("^")
            function = _spelt(name, FUNCTIONS, text) if colon else None
            tokens = [_spelt(word, self.tokens, text) for word in words[out:].split(",")]
            for word in tokens:
                if word in self.never and not out:
                    raise ValueError("%s is never forced: %s; ^%s rules it out" % (word, self.never[word], word))
            found.append((function, out, tokens))
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
