# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Value types: what is legal for a setting, how the kernel prints it, when two values are equal.

PRIVATE to the collection. A type has `parse(raw)` (what a person wrote -> canonical text, or ValueError in words),
`read(text)` (what the kernel prints -> canonical text), `offers(text)` (the words this kernel accepts, or None),
`describe()` (what is legal, in words) and `argument` (its part of an Ansible argument spec). All pure.
"""

from __future__ import annotations

import difflib
import re


def nearest(word, known):
    """' (did you mean X?)' for a word close to a known one, else the list of what is known."""
    known = sorted(str(item) for item in known)
    close = difflib.get_close_matches(str(word), known, n=1, cutoff=0.6)
    return "did you mean %s?" % close[0] if close else "known: %s" % (", ".join(known) or "none")


def name_list(raw):
    """A list of names; one that arrives as text, as from -e, has commas between them. Raises ValueError."""
    if isinstance(raw, str):
        return [name.strip() for name in raw.split(",") if name.strip()]
    if isinstance(raw, (list, tuple)) and all(isinstance(one, str) for one in raw):
        return list(raw)
    raise ValueError("%r is not a list of names" % (raw,))


def null_hint(raw):
    """How to say null, for who wrote it as a word, as -e name=null does."""
    if str(raw).strip().lower() not in ("null", "none", "~"):
        return ""
    return "; null as such is said in YAML or JSON, as in -e '{\"name\": null}'"


class Int:
    """A decimal integer from `low` to `high`, both included; None leaves that side open."""

    argument = {"type": "int"}

    def __init__(self, low=None, high=None):
        self.low = low
        self.high = high

    def describe(self):
        """The legal range in words."""
        if self.low is None and self.high is None:
            return "any integer"
        if self.high is None:
            return "an integer of %d or more" % self.low
        return "an integer from %s to %d" % ("..." if self.low is None else self.low, self.high)

    def parse(self, raw):
        """Accept an int or its decimal text (as it arrives from -e); reject a bool, a float and units."""
        if isinstance(raw, bool) or not re.match(r"^\s*[-+]?(0|[1-9][0-9]*)\s*$", str(raw)):
            raise ValueError("%r is not %s%s" % (raw, self.describe(), null_hint(raw)))
        number = int(str(raw))
        if (self.low is not None and number < self.low) or (self.high is not None and number > self.high):
            raise ValueError("%d is not %s" % (number, self.describe()))
        return str(number)

    def read(self, text):
        """The first number of what the kernel prints, or of what a file gives it: 010 is octal to the kernel."""
        word = (text.split() or [""])[0]
        return "" if not word else str(int(word, 8) if re.match("^-?0[0-7]+$", word) else int(word, 0))

    def offers(self, text):
        """The kernel does not list the numbers that it accepts."""
        return None


class Word:
    """One of `words`, in a kernel file that lists its words and brackets the one in force: always [madvise] never.

    `never` maps a word that the kernel knows, but that is never written, to the reason.
    """

    argument = {"type": "str"}

    def __init__(self, *words, never=None):
        self.words = words
        self.never = never or {}

    def describe(self):
        """The legal words."""
        return "one of %s" % ", ".join(self.words)

    def parse(self, raw):
        """Accept one of the words; a bool is what YAML makes of an unquoted on, off, yes or no."""
        if isinstance(raw, bool):
            raise ValueError("%r is not %s (YAML reads an unquoted on, off, yes and no as a bool)"
                             % (raw, self.describe()))
        word = str(raw).strip()
        if word in self.never:
            raise ValueError("%r is never written: %s; legal is %s" % (word, self.never[word], self.describe()))
        if word not in self.words:
            near = nearest(word, self.words)
            near = "; " + near if near.startswith("did you") else ""  # The rest was just listed.
            raise ValueError("%r is not %s%s%s" % (raw, self.describe(), near, null_hint(raw)))
        return word

    def read(self, text):
        """The bracketed word, or the only one."""
        found = re.search(r"\[([^\]]+)\]", text)
        return found.group(1) if found else text.strip()

    def offers(self, text):
        """The words this kernel lists, or None if it lists none."""
        return re.sub(r"[\[\]]", " ", text).split() if "[" in text else None


class Pages:
    """Static huge pages: page size in kB -> pages on every NUMA node, or -> {node: pages}. What is not named gets 0."""

    argument = {"type": "dict"}
    count = Int(0)
    nothing = "0"

    def describe(self):
        """The legal shape."""
        return "a dict of page size in kB to pages on each NUMA node, or to a dict of node to pages"

    def parse(self, raw):
        """The dict with its keys as text and its counts canonical: {"2048": "512"} or {"2048": {"0": "512"}}."""
        if not isinstance(raw, dict):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        parsed = {}
        for size, pages in raw.items():
            if isinstance(size, bool) or not re.match(r"^[0-9]+$", str(size)):
                raise ValueError("page size %r is not a number of kB (2048 is 2 MB, 1048576 is 1 GB)" % (size,))
            if isinstance(pages, dict):
                parsed[str(size)] = {str(node): self.count.parse(count) for node, count in pages.items()}
            else:
                parsed[str(size)] = self.count.parse(pages)
        return parsed

    def read(self, text):
        """The count."""
        return self.count.read(text)

    def offers(self, text):
        """The kernel does not list the counts that it accepts."""
        return None

    @staticmethod
    def pick(value, fields):
        """The count for one page size on one node."""
        pages = value.get(fields["size"], "0")
        return pages.get(fields.get("node", "0"), "0") if isinstance(pages, dict) else pages

    @staticmethod
    def check(value, places):
        """Raise ValueError if a page size or a node is named that this machine does not have."""
        if not places and any(count != "0" for count in value.values()):
            raise ValueError("this kernel offers none of it")
        sizes = {fields["size"] for fields in places}
        nodes = {fields.get("node", "0") for fields in places}
        for size, pages in value.items() if places else ():
            if size not in sizes:
                raise ValueError("this kernel has no pages of %s kB; %s" % (size, nearest(size, sizes)))
            for node in pages if isinstance(pages, dict) else ():
                if node not in nodes:
                    raise ValueError("there is no NUMA node %s; known: %s" % (node, ", ".join(sorted(nodes))))
