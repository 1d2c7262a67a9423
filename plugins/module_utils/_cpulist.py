# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sets of CPUs and nodes in the two forms that the kernel writes: lists ("0-3,8") and masks ("00000000,00ffffff").

PRIVATE to the collection. Sets are sorted lists of integers here.
"""

from __future__ import annotations

# No kernel numbers CPUs beyond this; a wider range is junk, and expanding it would fill the memory.
HIGHEST = 1 << 16


def parse(text):
    """The numbers of a cpulist. Reads ranges, strides ("0-31:2") and grouped ones ("0-31:1/4": one of every four)."""
    numbers = set()
    for part in text.strip("\0 \t\r\n").split(","):
        part = part.strip()
        if part.isdecimal() and part.isascii() and len(part) < 5:
            numbers.add(int(part))
        elif part:
            numbers.update(_range(part, text))
    return sorted(numbers)


def _range(part, text):
    """The numbers of one part of a list; `text` is the whole list, for the error."""
    span, colon, stride = part.partition(":")
    first, dash, last = span.partition("-")
    used, slash, group = stride.partition("/")
    if not slash:
        used, group = "1", stride or "1"
    given = [first, last if dash else first, used, group]
    if not all(number.isdecimal() and number.isascii() for number in given) or (colon and not stride):
        raise ValueError("%r is not a list of CPUs: %r is neither a number nor a range" % (text, part))
    low, high, used, group = (int(number) for number in given)
    if high >= HIGHEST:
        raise ValueError("%r is not a list of CPUs: %d is beyond the highest number, %d" % (text, high, HIGHEST - 1))
    if high < low or not 0 < used <= group:
        raise ValueError("%r is not a list of CPUs: %r is an empty or backward range" % (text, part))
    return [number for number in range(low, high + 1) if (number - low) % group < used]


def format(numbers):  # pylint: disable=redefined-builtin
    """The shortest list of ranges for some numbers, lowest first, never a stride; "" for none."""
    parts = []
    numbers = sorted(set(numbers))
    start = 0
    for index, number in enumerate(numbers):
        if index + 1 == len(numbers) or numbers[index + 1] != number + 1:
            parts.append(str(number) if start == index else "%d-%d" % (numbers[start], number))
            start = index + 1
    return ",".join(parts)


def from_mask(text):
    """The numbers of a bit mask: hexadecimal words of one width, highest first, with or without commas and 0x."""
    words = text.strip("\0 \t\r\n").lower().split(",")
    words = [word[2:] if word.startswith("0x") else word for word in words]
    if words == [""]:
        return []
    # Every word but the first has the full width, since the kernel pads them with zeros.
    if not all(words) or len({len(word) for word in words[1:]}) > 1 or len(words[0]) > len(words[-1]):
        raise ValueError("%r is not a mask of CPUs: its words differ in width" % text)
    digits = "".join(words)
    if not set(digits) <= set("0123456789abcdef"):
        raise ValueError("%r is not a mask of CPUs: it is not hexadecimal" % text)
    return [index for index, bit in enumerate(reversed(bin(int(digits, 16))[2:])) if bit == "1"]
