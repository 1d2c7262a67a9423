# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads an NCCL topology file as NCCL does, which takes less than XML is, and fails every communicator for the rest.

PRIVATE to the collection. Pure. No declaration, no tabs, the attributes of an element in one line with one space before
each, quotes around values of at most 253 letters. Source: src/graph/xml.cc of NCCL 2.30.
"""

from __future__ import annotations

import re

_LONGEST = 253
_BLANK = " \n\r"
_ENDS = " >/\n\r"
# It holds 256, and needs a place to read the last end into.
MOST_ELEMENTS = 255


class _Text:
    """What is left to read of a file."""

    def __init__(self, text):
        self.text = text
        self.place = 0

    def next(self):
        """The next letter. Raises ValueError at the end."""
        if self.place == len(self.text):
            raise ValueError("it ends too early")
        self.place += 1
        return self.text[self.place - 1]

    def line(self):
        """The number of the line that was read last."""
        return self.text.count("\n", 0, max(self.place - 1, 0)) + 1


def read(text):
    """The system element as {"name", "attributes", "children"}, or None where the file has none.

    Raises ValueError with the line and what NCCL does not take.
    """
    reader = _Text(text)
    try:
        top = {"name": None, "attributes": {}, "children": []}
        _children(reader, top)
    except ValueError as error:
        raise ValueError("line %d: %s" % (reader.line(), error)) from error
    system = next((one for one in top["children"] if one["name"] == "system"), None)
    if system is not None and _integer(system["attributes"].get("version")) not in (1, 2):
        raise ValueError('<system> has the version %s: NCCL reads "1", RCCL "2"'
                         % (system["attributes"].get("version") or "none"))
    if _count(top) - 1 > MOST_ELEMENTS:
        raise ValueError("it has %d elements, and NCCL takes %d" % (_count(top) - 1, MOST_ELEMENTS))
    return system


def devices(system):
    """[{"address", "class", "numa_node", "bridges"}] of every <pci> with none below it."""
    found = []
    for cpu in system["children"] if system else ():
        if cpu["name"] == "cpu":
            for child in cpu["children"]:
                _leaves(child, cpu["attributes"].get("numaid"), [], found)
    return found


def _leaves(element, node, bridges, found):
    if element["name"] != "pci":
        return
    address = element["attributes"].get("busid")
    below = [child for child in element["children"] if child["name"] == "pci"]
    for child in below:
        _leaves(child, node, bridges + [address], found)
    if not below:
        found.append({"address": address, "class": element["attributes"].get("class"), "numa_node": node,
                      "bridges": bridges})


def is_gpu(device):
    """Whether a device of the file is a GPU: of class display."""
    return (device["class"] or "").startswith("0x03")


def _count(element):
    return 1 + sum(_count(child) for child in element["children"])


def _integer(text):
    """The number that a text begins with, as strtol(3) finds it."""
    match = re.match(r"\s*(0[xX][0-9a-fA-F]+|[0-9]+)", text or "")
    return int(match.group(1), 16 if "x" in match.group(1).lower() else 10) if match else None


def _children(reader, parent):
    """Read elements up to the parent's end, or the file's."""
    while True:
        element = _element(reader)
        if element is None:
            if parent["name"] is not None:
                raise ValueError("<%s> has no end" % parent["name"])
            return
        if element["kind"] == "end":
            if element["name"] != parent["name"]:
                raise ValueError("</%s> ends %s" % (element["name"], "<%s>" % parent["name"] if parent["name"]
                                                    else "nothing"))
            return
        made = {"name": element["name"], "attributes": element["attributes"], "children": []}
        parent["children"].append(made)
        if element["kind"] == "start":
            _children(reader, made)


def _element(reader):
    """The next tag that is no comment, or None at the end of the file."""
    while True:
        letter = " "
        while letter in _BLANK:
            if reader.place == len(reader.text):
                return None
            letter = reader.next()
        if letter != "<":
            raise ValueError("%s where an element must begin" % ("a tab" if letter == "\t" else "%r" % letter))
        begin = reader.place
        name, last = _name(reader)
        if not name.startswith("!--"):
            return _tag(reader, name, last)
        end = reader.text.find("-->", begin + 3)
        if end < 0:
            raise ValueError("a comment has no end")
        reader.place = end + 3


def _tag(reader, name, last):
    if not name and last == "/":
        name, last = _name(reader)
        if last != ">":
            raise ValueError("%r after the name in </%s" % (last, name))
        return {"kind": "end", "name": name}
    if name.startswith("?"):
        raise ValueError("a declaration, <%s: NCCL takes none" % name)
    attributes = {}
    while last == " ":
        key, last = _name(reader, True)
        if last == "=":
            attributes[key], last = _value(reader)
    kind = "start"
    if last == "/":
        kind = "alone"
        _rest, last = _name(reader)
    if last != ">":
        raise ValueError("%s inside <%s, whose attributes must be in one line with one space before each"
                         % ({"\t": "a tab", "\n": "the end of the line"}.get(last, "%r" % last), name))
    return {"kind": kind, "name": name, "attributes": attributes}


def _name(reader, with_value=False):
    """(name, letter after it): = only where a value may follow."""
    begin = reader.place
    while True:
        letter = reader.next()
        if letter == "=" and not with_value:
            raise ValueError("= in the name %s" % reader.text[begin:reader.place])
        if letter in _ENDS or letter == "=":
            return reader.text[begin:reader.place - 1], letter
        if reader.place - begin > _LONGEST:
            raise ValueError("a name of more than %d letters" % _LONGEST)


def _value(reader):
    """(value, letter after it)."""
    quote = reader.next()
    if quote not in "\"'":
        raise ValueError("a value without quotes")
    begin = reader.place
    while reader.next() != quote:
        if reader.place - begin > _LONGEST:
            raise ValueError("a value of more than %d letters" % _LONGEST)
    return reader.text[begin:reader.place - 1], reader.next()
