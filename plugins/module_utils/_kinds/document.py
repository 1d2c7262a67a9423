# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind document: a file that is published for other programs on the node, below /etc/gpuwright.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. The file is the value: what is configured is
what is in force.
"""

from __future__ import annotations

FOLDER = "/etc/gpuwright"
KEYED_BY = "target"
VOLATILE = False
OWNER = None
_PUBLISHED = {"cpu_isolation": ("affinity.json",), "rdma_roce": ("traffic_class.json", "fabric.txt"),
              "nccl_env": ("nccl-topo.xml",)}


def files(role):
    """The documents of a role."""
    return [file(role, name) for name in _PUBLISHED.get(role, ())]


def file(role, target, taken=False):
    """The document itself."""
    return "%s/%s" % (FOLDER, target)


def places(host, row, options):
    """Any machine can have it."""
    return [(row.name, file(None, row.name), {})]


def read(host, target, path):
    """Its text, "" where it is not there."""
    try:
        return host.read(path)
    except FileNotFoundError:
        return ""


def write(host, target, path, text):
    """The file was written with all the others."""


def compose(head, entries):
    """The text of the file: a document has no comments."""
    return entries[0][2] + "\n"


def parse(text):
    """The values in our files, by target: whichever document it is, its text is the value."""
    return {name: text.rstrip("\n") for names in _PUBLISHED.values() for name in names} if text else {}


def identity(row, target, path):
    """What names the original in the journal."""
    return "document:" + target


def in_force(host, row, target, path):
    """(path, text) to get today's state back: the file comes back with all the others."""
    return path, read(host, target, path)


def others(host):
    """Nobody else writes it."""
    return []


def rival(settled, row, target, path, ours, value):
    """Nobody else writes it."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
