# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that may differ from device to device: one for all of a row's devices, or a dict of device to value.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ._values import nearest


class PerDevice:
    """One value of type `each` for every device of the row, or {device: value}, which leaves the others alone."""

    argument = {"type": "raw"}
    nothing = ""

    def __init__(self, each):
        self.each = each

    def describe(self):
        """The legal shape."""
        return "%s, or a dict of device to that" % self.each.describe()

    def parse(self, raw):
        """The canonical text, or {device: canonical text}; null for a device leaves it alone."""
        if not isinstance(raw, dict):
            return self.each.parse(raw)
        parsed = {}
        for device, value in raw.items():
            if value is not None:
                try:
                    parsed[str(device)] = self.each.parse(value)
                except ValueError as error:
                    raise ValueError("%s: %s" % (device, error))
        return parsed

    def read(self, text):
        """What is in force, as `each` reads it."""
        return self.each.read(text)

    def offers(self, text):
        """What the kernel lists, if it does."""
        return self.each.offers(text)

    @staticmethod
    def pick(value, fields):
        """The value for one device, None where a dict leaves it out."""
        return value.get(fields["device"]) if isinstance(value, dict) else value

    @staticmethod
    def check(value, places):
        """Raise ValueError if a dict names a device that is none of the row's."""
        known = sorted({fields["device"] for fields in places})
        for device in value if isinstance(value, dict) else ():
            if device not in known:
                raise ValueError("%s is none of its devices here; %s" % (device, nearest(device, known)))
