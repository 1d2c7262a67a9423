# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types of NCCL's variables: what NCCL itself would make of a value, and what is therefore not written.

PRIVATE to the collection. Pure. See _values.py for what every type has. NCCL trims nothing, takes away no quotes, and
reads an integer with strtoll and base 0, whatever follows it: src/misc/param.cc. Lists are in _nccl_lists.py.
"""

from __future__ import annotations

import ipaddress
import re

from ._nccl_names import INTEGERS, unknown
from ._values import Word, nearest

LONGEST = 1023  # Letters that NCCL keeps of a value.
INT64 = 2 ** 63
# The numbers of old that NCCL still takes for the distance of a GPU and a NIC.
_OLD_LEVELS = ("LOC", "PIX", "PXB", "PHB", "SYS")


def number(text):
    """The int that NCCL makes of a text, as strtoll with base 0 does: what is none is 0, what follows is ignored."""
    match = re.match(r"\s*([-+]?)(0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)", text)
    if not match:
        return 0
    word = match.group(2).lower()
    base = 16 if word.startswith("0x") else 8 if word.startswith("0") else 10
    return int(word, base) * (-1 if match.group(1) == "-" else 1)


def is_integer(text):
    """Whether a text is a number from end to end, decimal or hexadecimal: what a person means by it is what it is."""
    return bool(re.match(r"-?(0[xX][0-9a-fA-F]+|0|[1-9][0-9]*)\Z", text))


def plain(raw):
    """A value that reaches NCCL as it is written here, or ValueError in words."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise ValueError("%r is no text (YAML reads an unquoted on, off, yes and no as a bool)" % (raw,))
    text = str(raw)
    wrong = [words for sign, words in (("'", "quotes"), ('"', "quotes"), ("#", "a comment")) if sign in text]
    if wrong:
        raise ValueError("%r has %s: in nccl.conf that is part of the value" % (raw, wrong[0]))
    if not text or text != text.strip():
        raise ValueError("%r %s" % (raw, "has spaces at an end: in nccl.conf they are part of the value" if text else
                                    "is empty: null leaves the variable alone"))
    if not re.match(r"[ -~]+\Z", text):
        raise ValueError("%r has letters that are not plain ASCII on one line" % (raw,))
    if len(text) > LONGEST:
        raise ValueError("%s... has %d letters, and NCCL cuts off what goes beyond %d" % (text[:40], len(text), LONGEST))
    return text


class NcclText:
    """Any text on one line."""

    argument = {"type": "str"}

    def describe(self):
        """What is legal."""
        return "a text on one line, without quotes and #"

    def parse(self, raw):
        """The text, if NCCL gets it as it is."""
        return plain(raw)

    def read(self, text):
        """As it stands in the file."""
        return text

    def offers(self, text):
        """NCCL lists nothing."""
        return None


class NcclInt(NcclText):
    """An integer from `low` to `high`, both included, and a multiple of `multiple`."""

    argument = {"type": "int"}

    def __init__(self, low=None, high=None, multiple=1):
        self.low = -INT64 if low is None else low
        self.high = INT64 - 1 if high is None else high
        self.multiple = multiple

    def describe(self):
        """The legal range in words."""
        words = "an integer" if self.multiple == 1 else "a multiple of %d" % self.multiple
        if self.low > -INT64:
            words += " from %d to %d" % (self.low, self.high) if self.high < INT64 - 1 else " of %d or more" % self.low
        return words if self.low > -INT64 or self.high == INT64 - 1 else words + " up to %d" % self.high

    def parse(self, raw):
        """Decimal text; what NCCL would read otherwise than it looks is refused, with what it would read."""
        text = str(raw).strip()
        if isinstance(raw, (bool, float)) or not is_integer(text):
            made = "" if isinstance(raw, (bool, float)) else ": NCCL would take it for %d" % number(text)
            raise ValueError("%r is not %s%s" % (raw, self.describe(), made))
        found = int(text, 0)
        if not self.low <= found <= self.high or found % self.multiple:
            raise ValueError("%d is not %s" % (found, self.describe()))
        return str(found)

    def read(self, text):
        """The number that NCCL makes of it."""
        return str(number(text)) if text else ""


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


class NcclLevel(Word):
    """How far a NIC may be from a GPU for GPUDirect RDMA, as a word: case matters, and another word is as good as none."""

    def __init__(self):
        Word.__init__(self, "LOC", "NVL", "C2C", "PIX", "PXB", "P2C", "PHB", "SYS")

    def parse(self, raw):
        """The word; a number means a word, and 5 or more is SYS, across sockets."""
        text = str(raw).strip()
        if not isinstance(raw, bool) and is_integer(text) and not text.startswith("-"):
            word = _OLD_LEVELS[min(int(text, 0), len(_OLD_LEVELS) - 1)]
            raise ValueError("%r: numbers are of old and mean other distances than they seem to, this one %s%s; legal is "
                             "%s" % (raw, word, ", across sockets" if word == "SYS" else "", self.describe()))
        return Word.parse(self, raw)


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


class NcclAddress(NcclText):
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


class NcclExtra(NcclText):
    """Further variables as {NAME: value}; `own` are the names that have a variable of the role's own."""

    argument = {"type": "dict"}
    nothing = ""

    def __init__(self, own=()):
        self.own = frozenset(own)

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
            raise ValueError("%s is no variable of NCCL: their names begin with NCCL_; %s" % (
                name, nearest("NCCL_" + name.upper(), self.own)))
        if name in self.own:
            raise ValueError("%s has a variable of its own: nccl_env_%s" % (name, name[5:].lower()))
        wrong = unknown(name)
        if wrong:
            raise ValueError(wrong)
        try:
            return NcclInt().parse(value) if name in INTEGERS else plain(value)
        except ValueError as error:
            raise ValueError("%s: %s" % (name, error))

    @staticmethod
    def pick(value, fields):
        """The value of one variable."""
        return value.get(fields["variable"])

    @staticmethod
    def check(value, places):
        """Every name was checked as it was parsed."""
