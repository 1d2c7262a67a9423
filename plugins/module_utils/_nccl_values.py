# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types of NCCL's variables: legal is what NCCL reads as it looks to a person.

PRIVATE to the collection. Pure. See _values.py for what every type has.
"""

from __future__ import annotations

import ipaddress
import re

from ._nccl_lists import ALGORITHMS, FUNCTIONS, PROTOCOLS, SUBSYSTEMS, check_entries, joined, signed, token_lists
from ._nccl_names import INTEGERS, SINCE, unknown
from ._nccl_text import NcclInt, NcclText, NcclWord, is_integer, plain

# The numbers of old that NCCL still takes for the distance of a GPU and a NIC.
_OLD_LEVELS = ("LOC", "PIX", "PXB", "PHB", "SYS")


class NcclPath(NcclText):
    """An absolute path without spaces; %h (host) and %p (process) are NCCL's."""

    def describe(self):
        """What is legal."""
        return "an absolute path without spaces, in which %h is the host and %p the process"

    def parse(self, raw):
        """The path."""
        text = plain(raw)
        if not text.startswith("/") or " " in text:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return text


class NcclGdrLevel(NcclWord):
    """How far a NIC may be from a GPU for GPUDirect RDMA, as a word in capitals: any other word is as good as none."""

    def __init__(self):
        NcclWord.__init__(self, "LOC", "NVL", "C2C", "PIX", "PXB", "P2C", "PHB", "SYS")

    def parse(self, raw):
        """The word; a number means a word, and 5 or more is SYS, across sockets."""
        text = str(raw).strip()
        if not isinstance(raw, bool) and is_integer(text) and not text.startswith("-"):
            word = _OLD_LEVELS[min(int(text, 0), len(_OLD_LEVELS) - 1)]
            raise ValueError("%r is a number of old, and means %s%s; legal is %s" % (
                raw, word, ", GPUDirect across sockets too" if word == "SYS" else "", self.describe()))
        return NcclWord.parse(self, raw)


class NcclAddressRange(NcclText):
    """The subnet in which NCCL looks for GIDs."""

    def describe(self):
        """What is legal."""
        return "a subnet, such as 10.1.0.0/16 or fd00:1::/64"

    def parse(self, raw):
        """The subnet, without bits beyond its prefix."""
        text = plain(raw)
        try:
            found = ipaddress.ip_network(text, strict=False)
        except ValueError:
            found = None
        if found is None or "/" not in text or not text.rpartition("/")[2].isdigit():
            raise ValueError("%r is not %s" % (raw, self.describe()))
        if str(found.network_address) != str(ipaddress.ip_address(text.partition("/")[0])):
            raise ValueError("%r is an address within %s; legal is %s" % (raw, found, self.describe()))
        return str(found)


class NcclHostPort(NcclText):
    """HOST:PORT, with an IPv6 address in brackets."""

    def describe(self):
        """What is legal."""
        return "HOST:PORT, such as localhost:28028 or [::1]:28028"

    def parse(self, raw):
        """The address as it is."""
        text = plain(raw)
        match = re.match(r"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9][A-Za-z0-9.-]*):([1-9][0-9]{0,4})\Z", text)
        if not match or int(match.group(2)) > 65535:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return text


class NcclHcaList(NcclText):
    """The RDMA devices that NCCL may use, by exact name, or those that it may not."""

    def describe(self):
        """What is legal."""
        return "=DEVICE[:PORT[:RAIL[:PLANE]]],... for these alone, or ^=DEVICE,... for all but these"

    def parse(self, raw):
        """The list; a list of names stands for these alone."""
        text = plain(joined(raw))
        sign, entries = signed(text)
        if not sign:
            raise ValueError("%r: without = every entry is the beginning of a name, as mlx5_1 is of mlx5_10; "
                             "legal is %s" % (raw, self.describe()))
        for entry in entries:
            if not re.match(r"[A-Za-z][A-Za-z0-9_.-]{0,62}(:([1-9][0-9]{0,2})?(:[0-9]{1,4}){0,2})?\Z", entry) or (
                    entry.endswith(":")):
                raise ValueError("%r in %s is not DEVICE[:PORT[:RAIL[:PLANE]]]; legal is %s"
                                 % (entry, text, self.describe()))
        check_entries(entries, 32)
        return text


class NcclInterfaces(NcclText):
    """The interfaces that NCCL may use for its sockets, by exact name or by the beginning of one."""

    def describe(self):
        """What is legal."""
        return "=INTERFACE,... for these alone, PREFIX,... for what begins so, or with ^ before it for all others"

    def parse(self, raw):
        """The list; a list of names stands for these alone."""
        text = plain(joined(raw))
        if len(text) < 2:
            raise ValueError("%r: NCCL takes no notice of a single letter; legal is %s" % (raw, self.describe()))
        _sign, entries = signed(text)
        for entry in entries:
            if not re.match(r"[A-Za-z0-9_][A-Za-z0-9_.@-]{0,14}\Z", entry) or entry.lower() == "auto":
                raise ValueError("%r in %s is no interface's name; null lets NCCL choose, legal is %s"
                                 % (entry, text, self.describe()))
        check_entries(entries, 16)
        return text


class NcclTokens(NcclText):
    """Words with commas between them, or ^ before them for all others; `scoped`: a list for each function may follow.

    `never` maps a word that is not asked for, only ruled out, to the reason.
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
        lists = token_lists(plain(raw), self.tokens, self.scoped)
        for _function, out, words in lists:
            for word in set(words) & set(() if out else self.never):
                raise ValueError("%s is never forced: %s; ^%s rules it out" % (word, self.never[word], word))
        return ";".join("%s%s%s" % (function + ":" if function else "", "^" if out else "", ",".join(words))
                        for function, out, words in lists)


class NcclAlgo(NcclTokens):
    """Which algorithms each collective may use."""

    def __init__(self):
        NcclTokens.__init__(self, ALGORITHMS, scoped=True)


class NcclProto(NcclTokens):
    """Which protocols each collective may use; LL128 is NCCL's to choose."""

    def __init__(self):
        NcclTokens.__init__(self, PROTOCOLS, scoped=True, never={
            "LL128": "where a platform does not support it, data are corrupted"})


class NcclSubsystems(NcclTokens):
    """Which parts of NCCL write into the log."""

    def __init__(self):
        NcclTokens.__init__(self, SUBSYSTEMS)


class NcclDevicesPolicy(NcclText):
    """How many NICs a GPU may use: AUTO, ALL or MAX:NUMBER."""

    def describe(self):
        """What is legal."""
        return "AUTO, ALL or MAX:NUMBER"

    def parse(self, raw):
        """In capitals; NCCL does not mind the case, and takes anything else for AUTO."""
        text = plain(raw).upper()
        if not re.match(r"(AUTO|ALL|MAX:[1-9][0-9]{0,2})\Z", text):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return text


class NcclExtra(NcclText):
    """Further variables as {NAME: value}; `own` maps what has a variable of the role's own to that."""

    argument = {"type": "dict"}
    nothing = ""

    def __init__(self, own=None):
        self.own = own or {}

    def describe(self):
        """The legal shape."""
        return "a dict of variables that NCCL or a plugin of it knows, each with its value"

    def parse(self, raw):
        """{name: text}; null leaves a variable alone."""
        if not isinstance(raw, dict):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        parsed = {}
        for name, value in raw.items():
            if value is not None:
                parsed[str(name)] = self._one(str(name), value)
        return parsed

    def _one(self, name, value):
        if not name.startswith("NCCL_"):
            meant = next((one for one in (name.upper(), "NCCL_" + name.upper()) if one in SINCE), None)
            raise ValueError("%s is no variable of NCCL: their names begin with NCCL_%s" % (
                name, "; did you mean %s?" % meant if meant else ""))
        if name in self.own:
            raise ValueError("%s has a variable of its own: %s" % (name, self.own[name]))
        wrong = unknown(name)
        if wrong:
            raise ValueError(wrong)
        try:
            return NcclInt().parse(value) if name in INTEGERS else plain(value, none=True)
        except ValueError as error:
            raise ValueError("%s: %s" % (name, error))

    @staticmethod
    def pick(value, fields):
        """The value of one variable."""
        return value.get(fields["variable"])

    @staticmethod
    def check(value, places):
        """Every name was checked as it was parsed."""
