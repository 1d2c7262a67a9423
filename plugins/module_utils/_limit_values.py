# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of resource limits: a number or infinity, alone or as a soft and a hard one.

PRIVATE to the collection. Pure. A pair is written SOFT:HARD, as in systemd.exec(5); a number alone stands for both.
"""

from __future__ import annotations

import re

INFINITY = "infinity"
TOO_MUCH = "unlimited"  # How a limit reads where infinity is a fault: less than any number.
_ENDLESS = ("infinity", "unlimited", "-1")
_UNITS = {"": 1, "K": 1 << 10, "M": 1 << 20, "G": 1 << 30, "T": 1 << 40}


def number(text):
    """A limit as an int, infinity as a float. Raises ValueError for what is none."""
    word = text.strip()
    if word in _ENDLESS:
        return float("inf")
    found = re.match(r"(0|[1-9][0-9]*)([KMGT]?)\Z", word)
    if not found:
        raise ValueError("%r is no limit" % text)
    return int(found.group(1)) * _UNITS[found.group(2)]


def pair(text):
    """(soft, hard). Raises ValueError."""
    soft, colon, hard = text.partition(":")
    return number(soft), number(hard if colon else soft)


def word(limit):
    """A limit as it is written."""
    return INFINITY if limit == float("inf") else str(limit)


def words(limits):
    """A pair as it is written, always both."""
    return "%s:%s" % (word(limits[0]), word(limits[1]))


def enough(running, desired):
    """Whether what is in force allows as much as is asked for. An original, which is a pair, is met by itself alone."""
    if ":" in desired or not desired:
        return running == desired or not desired
    if running.startswith(TOO_MUCH):
        return False
    try:
        return min(pair(running)) >= number(desired)
    except ValueError:
        return False


class Limit:
    """A number, or infinity unless that is a fault (`endless` says why); bytes may be given as 8M."""

    argument = {"type": "str"}

    def __init__(self, endless=None):
        self.endless = endless

    def describe(self):
        """What is legal."""
        return "a number such as 1048576 or 8M" + ("" if self.endless else ", or infinity")

    def parse(self, raw):
        """Accept an int, its text with a unit of 1024, or infinity, which others write unlimited or -1."""
        text = str(raw).strip()
        if text in _ENDLESS and self.endless:
            raise ValueError("infinity is refused: %s; legal is %s" % (self.endless, self.describe()))
        try:
            if isinstance(raw, bool) or number(text) == 0:
                raise ValueError
            return word(number(text))
        except ValueError as error:
            raise ValueError("%r is not %s" % (raw, self.describe())) from error

    def read(self, text):
        """What is in force or what a file says: one number where soft and hard are one."""
        try:
            soft, hard = pair(text)
        except ValueError:
            return text.strip()
        if self.endless and soft == float("inf"):
            return TOO_MUCH
        return word(soft) if soft == hard else words((soft, hard))

    def offers(self, text):
        """The kernel does not list what it accepts."""
        return None
