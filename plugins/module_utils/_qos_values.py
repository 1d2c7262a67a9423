# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of an interface's quality of service: sets of priorities, DSCP maps, and lists of eight.

PRIVATE to the collection. Types as in _values.py. Pure.
"""

from __future__ import annotations

import re

from ._values import Int

PRIORITY = Int(0, 7)
DSCP = Int(0, 63)


class Priorities:
    """A set of priorities, as one number, a list, or text with spaces or commas; an empty one is legal."""

    argument = {"type": "raw"}
    nothing = ""

    def describe(self):
        """The legal shape."""
        return "priorities from 0 to 7: one, or a list of them"

    def parse(self, raw):
        """The priorities in order, with a space between."""
        items = [raw] if isinstance(raw, bool) else raw
        items = items if isinstance(items, (list, tuple)) else re.split(r"[\s,]+", str(raw).strip())
        if len(items) == 8 and {str(item) for item in items} <= {"0", "1"}:  # As mlnx_qos takes it.
            on = [str(number) for number, flag in enumerate(items) if str(flag) == "1"]
            raise ValueError("%r is eight switches; name the priorities that are on: [%s]" % (raw, ", ".join(on)))
        try:
            return " ".join(sorted({PRIORITY.parse(item) for item in items if item != ""}))
        except ValueError as error:
            raise ValueError("%s (legal are %s)" % (error, self.describe()))

    def read(self, text):
        """The same, of what a kind gives."""
        return " ".join(sorted(set(text.replace(",", " ").split())))

    def offers(self, text):
        """All eight are always there."""
        return None


class DscpMap:
    """Which priority a DSCP gets: {dscp: priority}, or the text "26:3 48:6". What is not named is left as it is."""

    argument = {"type": "raw"}
    nothing = ""

    def describe(self):
        """The legal shape."""
        return "a dict of DSCP (0 to 63) to priority (0 to 7)"

    def parse(self, raw):
        """The entries by DSCP, with a space between: "26:3 48:6"."""
        if isinstance(raw, dict):
            pairs = list(raw.items())
        elif isinstance(raw, str):
            pairs = [word.partition(":")[::2] for word in re.split(r"[\s,]+", raw.strip()) if word]
        else:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        try:
            entries = {int(DSCP.parse(dscp)): PRIORITY.parse(priority) for dscp, priority in pairs}
        except ValueError as error:
            raise ValueError("%s (legal is %s)" % (error, self.describe()))
        return " ".join("%d:%s" % pair for pair in sorted(entries.items()))

    def read(self, text):
        """The same, of what a kind gives."""
        return " ".join(sorted(text.split(), key=lambda word: int(word.partition(":")[0])))

    def offers(self, text):
        """All 64 are always there."""
        return None


class Eight:
    """A value of type `each` for each of eight traffic classes or priorities, 0 first.

    With a `total`, they add up to it, or all of them are 0.
    """

    argument = {"type": "raw"}
    nothing = ""

    def __init__(self, each, total=None):
        self.each = each
        self.total = total

    def describe(self):
        """The legal shape."""
        sum_words = "" if self.total is None else ", which add up to %d or are all 0" % self.total
        return "a list of 8 values, for 0 to 7, each %s%s" % (self.each.describe(), sum_words)

    def parse(self, raw):
        """The values with commas between."""
        items = raw if isinstance(raw, (list, tuple)) else str(raw).split(",")
        if len(items) != 8:
            raise ValueError("%d values are not %s" % (len(items), self.describe()))
        values = [self.each.parse(item) for item in items]
        if self.total is not None and sum(int(value) for value in values) not in (0, self.total):
            raise ValueError("%s add up to %d; legal is %s"
                             % (",".join(values), sum(int(value) for value in values), self.describe()))
        return ",".join(values)

    def read(self, text):
        """The same, of what a kind gives."""
        return text.strip()

    def offers(self, text):
        """What is legal is always there."""
        return None
