# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Text for a person on the node: columns that line up, plurals.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations


def columns(rows, indent="  "):
    """A line for each row of cells, in columns as wide as they must be; nothing follows the last cell that is there."""
    texts = [["-" if cell in (None, "") else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[number]) for row in texts if number < len(row))
              for number in range(max((len(row) for row in texts), default=0))]
    return [(indent + "  ".join(cell.ljust(width) for cell, width in zip(row, widths))).rstrip() for row in texts]


def count(number, one, many=None):
    """`1 finding`, `2 findings`."""
    return "%d %s" % (number, one if number == 1 else many or one + "s")


def size(number):
    """Bytes as a person reads them."""
    for power, unit in ((40, "TiB"), (30, "GiB"), (20, "MiB"), (10, "KiB")):
        if number >= 1 << power:
            return "%.4g %s" % (number / (1 << power), unit)
    return "%d B" % number
