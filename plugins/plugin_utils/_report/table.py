# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plain text tables: columns as wide as they need to be, long cells wrapped, nothing ever cut.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import textwrap

_GAP = "  "
# No column is squeezed below this, so that a value stays readable.
_NARROW = 9
# The last column has the sentences: it gives way first, down to this.
_SENTENCE = 24


def table(heads, rows, width):
    """The lines of a table, one list a row; a row is (cells, colour) and every line is (text, colour)."""
    rows = [([str(cell) for cell in cells], colour) for cells, colour in rows]
    widths = _widths([heads] + [cells for cells, _colour in rows], width - len(_GAP))
    lines = [(text, None) for text in _wrapped(heads, widths)]
    for cells, colour in rows:
        lines.extend((text, colour) for text in _wrapped(cells, widths))
    return lines


def paragraph(text, width, indent):
    """The lines of a sentence, later ones indented; a path that is too long for a line stays whole, to be copied."""
    return textwrap.wrap(text, width, subsequent_indent=" " * indent, break_on_hyphens=False,
                         break_long_words=False) or [""]


def _widths(rows, room):
    """The width of each column: what it needs, and where that is too much the widest give way."""
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    room -= len(_GAP) * (len(widths) - 1)
    widths[-1] = max(min(widths[-1], _SENTENCE), room - sum(widths[:-1]))
    while sum(widths) > room and max(widths) > _NARROW:
        widest = widths.index(max(widths))
        widths[widest] -= 1
    return widths


def _wrapped(cells, widths):
    """The lines that one row takes."""
    columns = [_cell(cell, width) for cell, width in zip(cells, widths)]
    for number in range(max(len(column) for column in columns)):
        parts = [(column[number] if number < len(column) else "").ljust(width)
                 for column, width in zip(columns, widths)]
        yield (_GAP + _GAP.join(parts)).rstrip()


def _cell(text, width):
    """One cell in lines of at most `width`: broken at spaces, else after a separator, and only then in a word."""
    lines = []
    for word in text.split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= width:
            lines[-1] += " " + word
            continue
        while len(word) > width:
            cut = max(word.rfind(mark, 0, width) for mark in "/.,:_-") + 1
            cut = cut if cut > width // 3 else width
            lines.append(word[:cut])
            word = word[cut:]
        lines.append(word)
    return lines or [""]
