# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A text on its way to NCCL, and an integer: what NCCL makes of either, and so what is legal.

PRIVATE to the collection. Pure. NCCL trims nothing, takes away no quotes, and reads an integer with strtoll and base 0,
whatever follows it: src/misc/param.cc. See _values.py for what every type of value has.
"""

from __future__ import annotations

import re

from ._values import Word, null_hint

LONGEST = 1023  # Letters that NCCL keeps of a value.
INT64 = 2 ** 63


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


def plain(raw, none=False):
    """A value that reaches NCCL as it is written here, or ValueError in words; `none`: that word means something."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise ValueError("%r is no text (YAML reads an unquoted on, off, yes and no as a bool)" % (raw,))
    text = str(raw)
    if null_hint(raw) and not (none and text == "none"):
        raise ValueError("%r is a word like any other to NCCL%s" % (raw, null_hint(raw)))
    wrong = [words for sign, words in (("'", "quotes"), ('"', "quotes"), ("#", "a comment")) if sign in text]
    if wrong:
        raise ValueError("%r has %s: in nccl.conf that is part of the value" % (raw, wrong[0]))
    if not text or text != text.strip():
        raise ValueError("%r %s" % (raw, "has spaces at an end: in nccl.conf they are part of the value" if text else
                                    "is empty: null leaves the variable alone"))
    if "\\" in text:
        raise ValueError("%r has a backslash, which systemd takes away where it reads the file for a service" % (raw,))
    if not re.match(r"[ -~]+\Z", text):
        raise ValueError("%r has letters that are not plain ASCII on one line" % (raw,))
    if len(text) > LONGEST:
        raise ValueError("%s... has %d letters, and NCCL reads %d of them" % (text[:40], len(text), LONGEST))
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


class NcclWord(Word):
    """One of some words, which NCCL takes to the letter."""

    def read(self, text):
        """As it stands in the file."""
        return text


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
            made = ": NCCL would take it for %d" % number(text) if isinstance(raw, str) and text else ""
            raise ValueError("%r is not %s%s%s" % (raw, self.describe(), made, null_hint(raw)))
        found = int(text, 0)
        if not self.low <= found <= self.high or found % self.multiple:
            raise ValueError("%d is not %s" % (found, self.describe()))
        return str(found)

    def read(self, text):
        """The number that NCCL makes of it."""
        return str(number(text)) if text else ""
