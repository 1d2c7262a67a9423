# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of a block device's queue: schedulers, sizes that the hardware limits, read-ahead in whole pages.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

from ._device_values import PerDevice
from ._values import Int, Word, nearest


class Scheduler(Word):
    """A word of queue/scheduler. A device that can have no scheduler prints a plain "none", and takes any word."""

    def offers(self, text):
        """The words in the file, bracketed or not."""
        return re.sub(r"[\[\]]", " ", text).split()


class UpTo(Int):
    """A size in kB, or `max` for what the hardware allows; running is "512 of at most 1024"."""

    argument = {"type": "str"}

    def describe(self):
        """The legal range in words."""
        return super().describe() + ", or max"

    def parse(self, raw):
        """An int, or max."""
        return "max" if str(raw).strip() == "max" else super().parse(raw)

    def read(self, text):
        """What is in force, and the hardware's limit where it is known; a file of rules may say max too."""
        words = text.split()
        if not words or not words[0].isdigit():
            return text.strip()
        return "%s of at most %s" % tuple(words[:2]) if len(words) > 1 else words[0]


class PerDrive(PerDevice):
    """One value for all drives, those too that come later, or {drive: value}, which leaves the others alone."""

    @staticmethod
    def pick(value, fields):
        """The value for one drive; fields["alone"] says that it is meant for that one only."""
        fields["alone"] = isinstance(value, dict)
        return PerDevice.pick(value, fields)


class PerVolume(PerDevice):
    """Read-ahead in kB for all volumes, or {mount point or device: kB}; in whole pages, as the kernel keeps it."""

    def __init__(self):
        super().__init__(Int(0, (1 << 32) - 1))

    def describe(self):
        """The legal shape."""
        return "%s, or a dict of mount point to that" % self.each.describe()

    @staticmethod
    def pick(value, fields):
        """The value for one device, the largest of those for its filesystems, in whole pages."""
        asked = [value[name] for name in fields["names"] if name in value] if isinstance(value, dict) else [value]
        page = fields["page_kb"]
        return str(max(int(text) for text in asked) // page * page) if asked else None

    @staticmethod
    def check(value, places):
        """Raise ValueError if a dict names what is none of the volumes here."""
        known = sorted({name for fields in places for name in fields["names"]})
        for name in value if isinstance(value, dict) else ():
            if name not in known:
                raise ValueError("%s is none of its volumes here; %s" % (name, nearest(name, known)))
