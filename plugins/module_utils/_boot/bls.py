# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Entries of the Boot Loader Specification, and GRUB's environment block from which they take variables.

PRIVATE to the collection. Reads only.
"""

from __future__ import annotations

import collections
import re

# The places of the partition that the specification calls $BOOT.
BOOT = ("/boot", "/efi", "/boot/efi")
RESCUE = "-0-rescue"  # In the file name of the entry that is for rescue.
GRUBENV = "/boot/grub2/grubenv"
GRUBENV_SIZE = 1024
# options: with its variables put in; variables: the names of those.
Entry = collections.namedtuple("Entry", "file line version options variables")


def folder(host):
    """The folder of the entries, or None."""
    for boot in BOOT:
        path = boot + "/loader/entries"
        if any(name.endswith(".conf") for name in host.names(path)):
            return path
    return None


def entries(host):
    """The entries that boot this system's kernels: not the one for rescue, which nobody's arguments are for."""
    place = folder(host)
    names = [name for name in host.names(place) if name.endswith(".conf")] if place else []
    known = environment(host)
    found = [_entry(host, "%s/%s" % (place, name), known) for name in names if RESCUE not in name]
    return [one for one in found if one]


def _entry(host, path, known):
    """One entry, or None for one that boots no kernel of Linux by itself, such as a unified image."""
    fields = {}
    for number, line in enumerate((host.read(path)).splitlines(), 1):
        name, _space, value = line.strip().replace("\t", " ").partition(" ")
        if name and not name.startswith("#"):
            fields.setdefault(name, []).append((number, value.strip()))
    if "linux" not in fields:
        return None
    said = " ".join(value for _number, value in fields.get("options", []))
    variables = re.findall(r"\$\{?(\w+)\}?", said)
    options = re.sub(r"\$\{?(\w+)\}?", lambda match: known.get(match.group(1), ""), said)
    version = fields.get("version", [(0, path.rpartition("/")[2][:-5])])[0][1]
    return Entry(path, fields.get("options", [(1, "")])[0][0], version, options, variables)


def environment(host):
    """The variables of GRUB's environment block."""
    found = {}
    for line in (host.text(GRUBENV) or "").splitlines():
        name, sign, value = line.partition("=")
        if sign and not name.startswith("#"):
            found[name] = re.sub(r"\\(.)", r"\1", value)
    return found


def room(host):
    """How many more bytes fit into the environment block."""
    used = [line for line in (host.text(GRUBENV) or "").splitlines() if line and not set(line) <= {"#"}]
    return GRUBENV_SIZE - sum(len(line.encode()) + 1 for line in used)
