# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who else reserves static huge pages at boot, by another name than a node's own file.

PRIVATE to the collection. The kernel argument hugepages= counts for the size that hugepagesz= names before it, or for
the default size; the key vm.nr_hugepages and the file below /sys/kernel/mm count for a size on all nodes together.
"""

from __future__ import annotations

import re

from . import sysctl_d, tmpfiles_d, tuned

_KEY = "vm.nr_hugepages"
_GLOBAL = "/sys/kernel/mm/hugepages/hugepages-%skB/nr_hugepages"
_UNITS = {"": 1, "K": 1, "M": 1024, "G": 1 << 20}


def reserved(host, fields):
    """Words that say who reserves pages of the size `fields["size"]` (kB) at boot, or None."""
    size = fields["size"]
    words = (host.text("/proc/cmdline") or "").split()
    default = _default_size(host, words)
    count = _on_command_line(words, default).get(size)
    if count:
        return "the kernel command line reserves %s pages of %s kB" % (count, size)
    line = tmpfiles_d.winner(tmpfiles_d.writes(host), _GLOBAL % size)
    if line and line["value"] != "0":
        return "%s:%s writes %s to %s" % (line["file"], line["line"], line["value"], line["path"])
    return _by_key(host) if size == default else None


def _by_key(host):
    item = sysctl_d.last(sysctl_d.assignments(host), _KEY)
    if item and item["value"] not in (None, "0"):
        return "%s sets %s = %s" % (item["file"], _KEY, item["value"])
    state = tuned.active(host)
    one = tuned.values(host, state["profile"]).get(("sysctl", _KEY)) if state else None
    if one and one["value"] != "0":
        return "tuned profile %s sets %s = %s (%s)" % (state["profile"], _KEY, one["value"], one["file"])
    return None


def _on_command_line(words, default):
    """Page size in kB to the number of pages that the kernel arguments ask for, as text."""
    found = {}
    size = default
    for word in words:
        name, _equals, value = word.partition("=")
        if name == "hugepagesz":
            size = _kilobytes(value)
        elif name == "hugepages" and re.search("[1-9]", value):
            found[size] = value
    return found


def _default_size(host, words):
    named = [_kilobytes(word.partition("=")[2]) for word in words if word.startswith("default_hugepagesz=")]
    said = re.search(r"^Hugepagesize:\s+([0-9]+) kB", host.text("/proc/meminfo") or "", re.M)
    return named[-1] if named and named[-1] else said.group(1) if said else "2048"


def _kilobytes(text):
    """A size as the kernel reads it, in kB as text; None for junk."""
    match = re.match("([0-9]+)([KMG]?)$", text.upper())
    if not match:
        return None
    number = int(match.group(1)) * _UNITS[match.group(2)]
    return str(number if match.group(2) else number // 1024)
