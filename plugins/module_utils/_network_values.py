# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of network settings: triples of bytes as TCP has them, and the route of a rail.

PRIVATE to the collection. Types as in _values.py. Those that a raise-only row has may have `raised(one, other)`, the
higher of two in every part, where that is not the higher number. Pure.
"""

from __future__ import annotations

import ipaddress
import re

from ._values import Int

_INT = (1 << 31) - 1


class Triple:
    """Three sizes in bytes, least, first and most; the kernel separates them with tabs."""

    argument = {"type": "raw"}
    each = Int(4096, _INT)

    def describe(self):
        """The legal shape."""
        return "three sizes in bytes of 4096 or more, none smaller than the one before it, such as 4096 131072 67108864"

    def parse(self, raw):
        """Accept the three in one text or in a list."""
        words = list(raw) if isinstance(raw, (list, tuple)) else str(raw).split()
        if len(words) != 3:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        numbers = [int(self.each.parse(word)) for word in words]
        if numbers != sorted(numbers):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return " ".join(str(number) for number in numbers)

    def read(self, text):
        """The three with one space between them. Raises ValueError for what is none."""
        words = text.split()
        if len(words) != 3:
            raise ValueError("%r is no triple" % text)
        return " ".join(self.each.read(word) for word in words)

    def offers(self, text):
        """The kernel does not list what it accepts."""
        return None

    @staticmethod
    def raised(one, other):
        """The higher of two in each of the three."""
        pairs = zip(one.split(), other.split())
        return " ".join(str(max(int(first), int(second))) for first, second in pairs)


class RailRoute:
    """The routing table of a rail, and the gateways that it reaches other subnets by: table 52001 via 10.0.0.254."""

    argument = {"type": "raw"}
    table = Int(1000, (1 << 32) - 1)

    def describe(self):
        """The legal shape."""
        return "the number of a routing table of 1000 or more, and perhaps gateways, as in: table 52001 via 10.0.0.254"

    def parse(self, raw):
        """Accept a number, or the text; gateways come in order, IPv4 first."""
        found = re.match(r"^(?:table )?([0-9]+)((?: via [^ ]+)*)$", " ".join(str(raw).split()))
        if isinstance(raw, bool) or not found:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        table = self.table.parse(found.group(1))
        try:
            gateways = [ipaddress.ip_address(word) for word in found.group(2).split()[1::2]]
        except ValueError as error:
            raise ValueError("%r is not %s: %s" % (raw, self.describe(), error))
        order = sorted(set(gateways), key=lambda one: (one.version, int(one)))
        return " ".join(["table " + table] + ["via %s" % one for one in order])

    def read(self, text):
        """What is in force, in words."""
        return text.strip()

    def offers(self, text):
        """Any number is free to use until somebody uses it."""
        return None
