# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the table that nccl-tests and rccl-tests print, by the names in its header line.

PRIVATE to the collection. Pure. A table has 11, 12 or 13 columns, with an iteration's statistics more, in one group or
two: the header says which, and nothing is taken from a fixed place. NCCL writes its log to the same stream, so a row
may begin behind a log line, end in front of one, or be cut in two by some.
"""

from __future__ import annotations

import re

_HEADER = re.compile(r"(?<![\w-])(?:size\s+count|bytes\s+N)\s+type\b(?:\s+(?:#wrong|[\w#%]+))*")
_NUMBERS = ("time", "cputime", "algbw", "busbw", "#wrong", "error", "res", "#bitdiff", "i_min", "i_max", "i_p99",
            "i_cv%")
# The names of 2017, and of -C, for what is the same.
_SAME = {"bytes": "size", "N": "count", "op": "redop", "cputime": "time", "#wrong": "wrong", "error": "wrong",
         "res": "wrong"}
_WHOLE = ("size", "count", "root")
_VALUE = re.compile(r"\s*(N/A|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?\*?|[-+]?(?:nan|inf))", re.IGNORECASE)
_TEXT = re.compile(r"\s*(\S+)")
_LIKE_ROW, _LIKE_VALUE = re.compile(r"(?<!\S)\d+\s+\d+\s+[A-Za-z]\w*\s+\S"), re.compile(r"\d+\.\d\d")
_TIMESTAMP = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d")
# Known words first: a log line may be glued to the last of them.
_ID = {"size": r"\d+", "count": r"\d+", "root": r"-?\d+", "type": r"(?:half|float|double|u?int\d*)(?!\w)|[A-Za-z]\w*",
       "redop": r"sum|prod|max|min|avg|mulsum|none|(?!(?:nan|inf|N/A)\b)[A-Za-z]\w*"}
# What launchers and log collectors put in front of a line: `0: `, `node1: `, `[node1:0]`, a time, `stdout F`.
_PREFIX = re.compile(r"(?:\s*(?:\d{4}-\d\d-\d\d(?:T\S+| \d\d:\d\d:\d\d\S*)|\[[^\]]{0,80}\]:?|std(?:out|err)(?: [FP])?"
                     r"|\S{1,200}:)(?=\s|$))*\s*")


def header(line, banner=""):
    """The layout that a header line tells, or None where it is none; `banner` is the line that names the groups."""
    found = _HEADER.search(line) if "type" in line else None
    columns = found.group().split() if found else []
    starts = [place for place, name in enumerate(columns) if name in ("time", "cputime")]
    if not 1 <= len(starts) <= 2:
        return None
    # Behind the groups there is a timestamp at most, or a log line that is glued to the header.
    width = starts[1] - starts[0] if len(starts) == 2 else _width(columns[starts[0]:])
    end = starts[-1] + width
    columns = columns[:end + (columns[end:end + 1] == ["timestamp"])]
    groups = [columns[start:start + width] for start in starts]
    if groups[0] != groups[-1]:
        return None
    alone = "in_place" if "in-place" in banner and "out-of-place" not in banner else "out_of_place"
    ids = [_SAME.get(name, name) for name in columns[:starts[0]]]
    # Alltoall of 2020 names the column `redop` and leaves it blank.
    pattern = r"(?<![\w.+-])" + "".join((r"(?:%s(%s))?" if name == "redop" else "%s(%s)") % (
        r"\s+" if place else "", _ID.get(name, r"\S+")) for place, name in enumerate(ids))
    return {"columns": columns, "ids": ids, "group": groups[0], "row": re.compile(pattern),
            "names": ["out_of_place", "in_place"][:len(groups)] if len(groups) == 2 else [alone]}


def _width(columns):
    """How many columns the only group of a header has: up to the last that is known."""
    return max(place for place, name in enumerate(columns) if name in _NUMBERS) + 1


def rows(lines):
    """{columns, rows, unread}: the first header's names, every row, and how many rows no header line came before."""
    layout, banner, found, columns, unread, open_row = None, "", [], None, 0, None
    for line in lines:
        if "-place" in line:
            banner = line
        told = header(line, banner)
        if told:
            layout, columns = told, columns or told["columns"]
        elif layout is None:
            unread += bool(_LIKE_ROW.search(line) and _LIKE_VALUE.fullmatch(line.split()[-2]))
        else:
            open_row = _take(line, layout, found, open_row)
    _finish(open_row, layout, found)
    return {"columns": columns, "rows": found, "unread": unread}


def _take(line, layout, found, open_row):
    """Reads one line of the table's part of a text: the row that is still open behind it, or None."""
    begun = layout["row"].search(line)
    if begun:
        values, rest = _values(line[begun.end():], layout, 0)
        if len(values) == _wanted(layout):
            _finish(open_row, layout, found)
            found.append(_row(layout, begun.groups(), values, rest))
            return None
        if _PREFIX.fullmatch(line[:begun.start()]):
            _finish(open_row, layout, found)
            return begun.groups(), values
    if open_row:
        values, rest = _values(line[_PREFIX.match(line).end():], layout, len(open_row[1]))
        together = open_row[1] + values
        if len(together) == _wanted(layout):
            found.append(_row(layout, open_row[0], together, rest))
            return None
        if values and len(together) % len(layout["group"]) == 0:
            return open_row[0], together
    return open_row


def _finish(open_row, layout, found):
    """A row that was never completed is kept for its first group, if that is whole."""
    if open_row and len(open_row[1]) >= len(layout["group"]):
        found.append(_row(layout, open_row[0], open_row[1], ""))


def _wanted(layout):
    return len(layout["group"]) * len(layout["names"])


def _values(text, layout, before):
    """The values that a text begins with, at most as many as a row lacks, and the text behind them.

    Text may be glued to a value only where a group ends, for there the program may have been interrupted.
    """
    values = []
    while before + len(values) < _wanted(layout):
        name = layout["group"][(before + len(values)) % len(layout["group"])]
        found = (_VALUE if name in _NUMBERS else _TEXT).match(text)
        ends = (before + len(values) + 1) % len(layout["group"]) == 0
        if not found or not re.match(r"(?![\d.])" if ends else r"\s|$", text[found.end():]):
            break
        values.append(found.group(1))
        text = text[found.end():]
    return values, text


def _row(layout, ids, values, rest):
    """One row of the table as a dict."""
    row = dict.fromkeys(("size", "count", "type", "redop", "root"))
    row.update((name, int(text) if name in _WHOLE else text) for name, text in zip(layout["ids"], ids))
    row.update(out_of_place=None, in_place=None)
    width = len(layout["group"])
    for place, name in enumerate(layout["names"]):
        part = values[place * width:place * width + width]
        if len(part) == width:
            row[name] = _group(layout, part)
    stamp = _TIMESTAMP.search(rest) if "timestamp" in layout["columns"] else None
    if stamp:
        row["timestamp"] = stamp.group()
    return row


def _group(layout, texts):
    """One group of values; until 2019 times were in milliseconds."""
    group = dict.fromkeys(("time", "algbw", "busbw", "wrong"))
    for name, text in zip(layout["group"], texts):
        value = number(text)
        if name in ("#wrong", "#bitdiff"):
            value = count(text)
        elif name not in _NUMBERS and value is None and text != "N/A":
            value = text
        elif name in ("time", "cputime") and value is not None and layout["columns"][0] == "bytes":
            value = round(value * 1000, 3)
        group[_SAME.get(name, name)] = value
    return group if any(group[name] is not None for name in ("time", "algbw", "busbw")) else None


def number(value):
    """A float, or None for what is no number: N/A, nan, inf."""
    try:
        value = float(str(value).strip().rstrip("*"))
    except ValueError:
        return None
    return value if value - value == 0 else None


def count(value):
    """A whole number, or None."""
    value = number(value)
    return None if value is None else int(value)
