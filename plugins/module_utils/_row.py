# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a row of the catalogue is: one tunable, its place, its legal values, and why anyone cares.

PRIVATE to the collection. A row never says what the value should be on a node: that is the role's default, a
derivation or the operator. Contradictory rows fail at import, not on a node. Pure.
"""

from __future__ import annotations

DISRUPTIONS = ("none", "process", "link", "reboot")
EFFECTS = ("now", "next process", "reboot")


class Row:
    """One tunable. Made by the constructors below, which are named after the kind of place it lives in."""

    def __init__(self, kind, name, value, **words):
        self.kind = kind
        self.name = name
        self.value = value
        self.variable = words.pop("variable")
        self.paths = words.pop("paths")
        self.doc = words.pop("doc")
        self.source = words.pop("source")
        self.target = words.pop("target", name)
        self.effect = words.pop("effect", "now")
        self.disruption = words.pop("disruption", "none")
        self.raise_only = words.pop("raise_only", False)
        self.twin = words.pop("twin", None)
        self.needs = words.pop("needs", None)
        self.reserved = words.pop("reserved", None)
        if words:
            raise ValueError("%s: unknown %s" % (name, ", ".join(sorted(words))))
        if self.effect not in EFFECTS or self.disruption not in DISRUPTIONS:
            raise ValueError("%s: effect %s, disruption %s" % (name, self.effect, self.disruption))
        if not self.doc.endswith(".") or not self.source.startswith("https://"):
            raise ValueError("%s: doc is a sentence, source an address" % name)


def sysctl(name, value, **words):
    """A key of sysctl(8). `twin` is the key that the kernel zeroes when this one is written; `needs` names a row that
    must not have failed before this one is written.
    """
    return Row("sysctl", name, value, paths=("/proc/sys/" + name.replace(".", "/"),), **words)


def sysfs(name, value, path, **words):
    """A file below /sys. In `path`, or the first of several that is there, {field} stands for a number or a name, and
    each match is a place of its own; all matches of a * are one place, with one value.

    `reserved` names what others may reserve at boot by another name (_conflicts.py), and what is then not taken away.
    """
    return Row("sysfs", name, value, paths=(path,) if isinstance(path, str) else tuple(path), **words)


def slice_property(name, value, **words):
    """A property of systemd.resource-control(5), named UNIT/PROPERTY."""
    return Row("resource_control", name, value, paths=(), **words)


def cpuset(name, value, **words):
    """A file of cgroup v2's cpuset controller that systemd does not manage, named SLICE/FILE."""
    return Row("cpuset", name, value, paths=(), **words)


def irq(name, value, **words):
    """Where the interrupts of a device go: a place for each PCI device."""
    return Row("irq", name, value, paths=(), **words)


def unit_environment(name, value, **words):
    """A variable in the environment of a service, named UNIT/VARIABLE."""
    return Row("unit_environment", name, value, paths=(), **words)


def kernel_argument(name, value, **words):
    """An argument of the kernel command line, named by its key."""
    return Row("kernel_argument", name, value, paths=(), effect="reboot", disruption="reboot", **words)


def document(name, value, **words):
    """A file that is published for others below /etc/gpuwright."""
    return Row("document", name, value, paths=(), **words)
