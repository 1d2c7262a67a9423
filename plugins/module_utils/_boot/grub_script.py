# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The language of grub.cfg, as far as kernel command lines need it: words, quoting, and the entries of kernels.

PRIVATE to the collection. Pure. What grub-mkconfig is given in GRUB_CMDLINE_LINUX it copies into grub.cfg as it is, so
that GRUB's own quoting rules apply to it: there the words are split, and each becomes one argument of the kernel.
"""

from __future__ import annotations

import collections
import re

# line: where it stands; version: of the kernel; normal: of this system, and not for recovery; options: as the kernel
# will see them, without the image.
Entry = collections.namedtuple("Entry", "line version normal options")

_SAFE = re.compile(r"[A-Za-z0-9_.,:=@%+/^~!?*-]+$")
_MENUENTRY = re.compile(r"\s*menuentry\s")
_LINUX = re.compile(r"\s*linux(?:16|efi)?\s")


def words(text):
    """[(where it starts, word)] up to the end of the command, without GRUB's quotes."""
    return _command(text)[0]


def end(text):
    """Where the command ends: at a semicolon, or where the text does."""
    return _command(text)[1]


def _command(text):
    found, place = [], 0
    while place < len(text) and text[place] != ";":
        if text[place].isspace():
            place += 1
            continue
        start, word = place, ""
        while place < len(text) and not text[place].isspace() and text[place] != ";":
            piece, place = _piece(text, place)
            word += piece
        found.append((start, word))
    return found, place


def _piece(text, place):
    """The next literal or quoted piece of a word, and the place after it."""
    char = text[place]
    if char == "'":
        end = (text + "'").find("'", place + 1)
        return text[place + 1:end], end + 1
    if char == '"':
        match = re.compile(r'"((?:[^"\\]|\\.)*)"?', re.S).match(text, place)
        return re.sub(r'\\([$"\\])', r"\1", match.group(1)), match.end()
    if char == "\\":
        return text[place + 1:place + 2], place + 2
    return char, place + 1


def quoted(word):
    """A word as it has to stand in grub.cfg to stay one. Raises ValueError where that cannot be."""
    if _SAFE.match(word):
        return word
    if "'" in word or "\n" in word:
        raise ValueError("%s: cannot be quoted for GRUB" % word)
    return "'%s'" % word


def kernel_line(found):
    """The command line that GRUB makes of words: one with white space in it stands in double quotes."""
    return " ".join('"%s"' % word if re.search(r"\s", word) else word for word in found)


def entries(text):
    """The command lines of a grub.cfg, with the menu entries that they belong to."""
    found, normal = [], False
    for number, line in enumerate(text.splitlines(), 1):
        if _MENUENTRY.match(line):
            normal = _is_normal([word for _start, word in words(line)])
        elif _LINUX.match(line):
            image, *options = [word for _start, word in words(line)][1:] or [""]
            version = re.sub(r"^.*/(?:vmlinu[xz]|kernel|Image)-", "", image)
            found.append(Entry(number, version, normal, kernel_line(options)))
    return found


def _is_normal(found):
    """Whether an entry is one that grub-mkconfig makes for this system's kernels, and not for recovery or rescue."""
    marks = [place for place, word in enumerate(found) if word in ("$menuentry_id_option", "--id")]
    name = found[marks[0] + 1] if marks and marks[0] + 1 < len(found) else ""
    return (name.startswith("gnulinux-") and not re.search(r"-recovery-|-0-rescue-", name)
            and "(recovery mode)" not in found[1])
