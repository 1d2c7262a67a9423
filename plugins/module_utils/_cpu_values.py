# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of settings that are sets of CPUs, latencies, or documents: see _values.py for what every class has.

PRIVATE to the collection. Pure. Whether the CPUs exist is for the rules of a role, which know the machine.
"""

from __future__ import annotations

import json

from . import _cpulist
from ._values import Int, nearest

_LEGAL = "a list of CPUs such as 0-3,8"


def _canonical(raw):
    """A cpulist with its numbers in order, as the kernel prints it. Raises ValueError for anything else."""
    if isinstance(raw, bool) or not isinstance(raw, (str, int)):
        raise ValueError("%r is not %s" % (raw, _LEGAL))
    try:
        cpus = _cpulist.parse(str(raw).replace(" ", "")) if str(raw).strip() else []
    except ValueError as error:
        raise ValueError("%r is not %s" % (raw, _LEGAL)) from error
    if not cpus:
        raise ValueError("%r names no CPU; legal is %s, or null for a setting that is not managed" % (raw, _LEGAL))
    return _cpulist.format(cpus)


def _as_printed(text):
    """What a kernel file or somebody's drop-in says, canonical where it is a list."""
    try:
        return _canonical(text)
    except ValueError:
        return text.strip()


class CpuList:
    """A set of CPUs, as the kernel writes lists of them; "" is what is printed where none is set."""

    argument = {"type": "str"}

    def describe(self):
        """The legal form."""
        return _LEGAL

    def parse(self, raw):
        """Accept a list; reject an empty one, since it never means what it says."""
        return _canonical(raw)

    def read(self, text):
        """The list, canonical."""
        return _as_printed(text)

    def offers(self, text):
        """The kernel does not list what it accepts."""
        return None


class CpuMask(CpuList):
    """A set of CPUs in a kernel file that takes and prints a mask in hexadecimal."""

    def parse(self, raw):
        """Accept a list of CPUs; the value is the mask."""
        return mask(_cpulist.parse(_canonical(raw)))

    def read(self, text):
        """The mask, without the leading zeros that depend on how many CPUs a kernel is built for."""
        try:
            return _grouped(int(text.replace(",", ""), 16))
        except ValueError:
            return text.strip()


def mask(cpus):
    """The mask of a set of CPUs, in groups of 32 bits."""
    return _grouped(sum(1 << cpu for cpu in cpus))


def _grouped(number):
    digits = "%x" % number
    groups = []
    while digits:
        groups.insert(0, digits[-8:])
        digits = digits[:-8]
    return ",".join(groups)


class IsolCpus(CpuList):
    """The argument isolcpus: flags, then the CPUs."""

    flags = ("domain", "managed_irq", "nohz")

    def describe(self):
        """The legal form."""
        return "%s, after any of the flags %s, with commas between" % (_LEGAL, ", ".join(self.flags))

    def parse(self, raw):
        """Accept flags and a list: domain,managed_irq,2-23."""
        words = str(raw).replace(" ", "").split(",")
        given = [word for word in words if word[:1].isalpha()]
        for word in given:
            if word not in self.flags:
                raise ValueError("%r: %s is no flag of isolcpus; %s" % (raw, word, nearest(word, self.flags)))
        if words[:len(given)] != given or isinstance(raw, bool):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return ",".join(list(dict.fromkeys(given)) + [_canonical(",".join(words[len(given):]))])

    def read(self, text):
        """What the command line says, canonical where it is legal."""
        try:
            return self.parse(text)
        except ValueError:
            return text.strip()


class NodeCpus(CpuList):
    """For every NUMA node the CPUs of its devices' interrupts: {node: list}."""

    argument = {"type": "dict"}
    nothing = ""

    def describe(self):
        """The legal shape."""
        return "a dict of NUMA node to " + _LEGAL

    def parse(self, raw):
        """The dict with its keys as text and its lists canonical."""
        if not isinstance(raw, dict) or not raw:
            raise ValueError("%r is not %s" % (raw, self.describe()))
        for node in raw:
            if not str(node).isdigit():
                raise ValueError("%r is no NUMA node; legal is %s" % (node, self.describe()))
        return {str(node): _canonical(cpus) for node, cpus in raw.items()}

    @staticmethod
    def pick(value, fields):
        """The CPUs for a device of one node; a device of no known node may use all of them."""
        everywhere = set().union(*(_cpulist.parse(cpus) for cpus in value.values()))
        return value.get(fields["node"]) or _cpulist.format(everywhere)

    @staticmethod
    def check(value, places):
        """Any machine may lack devices on a node."""


class Latency(Int):
    """Microseconds that a CPU may take to wake up, in a file where 0 is no limit and n/a is none at all."""

    none_at_all = "n/a"

    def __init__(self):
        super().__init__(1, (1 << 31) - 1)

    def describe(self):
        """The legal range in words."""
        return "%s, or %s for no idle state that takes time to leave" % (super().describe(), self.none_at_all)

    def parse(self, raw):
        """Accept microseconds or n/a. 0 is refused: here it is no limit, and who writes it means the reverse."""
        if str(raw).strip() == self.none_at_all:
            return self.none_at_all
        if not isinstance(raw, bool) and str(raw).strip() == "0":
            raise ValueError("0 is no limit to the kernel: leave it null for none, or say %s" % self.describe())
        return super().parse(raw)

    def read(self, text):
        """The number, n/a, or "name=number ..." where CPUs differ."""
        return text.strip()


class Json:
    """A document: any dict or list; its value is canonical JSON."""

    argument = {"type": "dict"}

    def describe(self):
        """The legal shape."""
        return "a dict"

    def parse(self, raw):
        """Accept a dict, and nothing that JSON cannot say."""
        if not isinstance(raw, dict):
            raise ValueError("%r is not %s" % (raw, self.describe()))
        try:
            return json.dumps(raw, sort_keys=True, indent=1)
        except (TypeError, ValueError) as error:
            raise ValueError("it cannot be written as JSON: %s" % error) from error

    def read(self, text):
        """The text, canonical where it is JSON."""
        try:
            return json.dumps(json.loads(text), sort_keys=True, indent=1)
        except ValueError:
            return text.strip()

    def offers(self, text):
        """There is no list of documents."""
        return None


class Text:
    """A document for people: any text of several lines."""

    argument = {"type": "str"}

    def describe(self):
        """The legal shape."""
        return "a text"

    def parse(self, raw):
        """Accept text with something in it; how its lines end is no matter."""
        if not isinstance(raw, str) or not raw.strip():
            raise ValueError("%r is not %s" % (raw, self.describe()))
        return self.read(raw)

    def read(self, text):
        """The text without white space at the ends of its lines and below."""
        return "\n".join(line.rstrip() for line in text.strip("\n").splitlines()).rstrip()

    def offers(self, text):
        """There is no list of texts."""
        return None
