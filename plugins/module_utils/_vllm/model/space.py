# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Room on the volumes of a node: what is needed against what is free, in words with the numbers.

PRIVATE to the collection.
"""

from __future__ import annotations


def words(count):
    """Bytes as people say them."""
    for unit, size in (("TB", 10 ** 12), ("GB", 10 ** 9), ("MB", 10 ** 6), ("kB", 1000)):
        if count >= size:
            return "%.1f %s" % (count / size, unit)
    return "%d bytes" % count


def lacking(host, needs, reserve):
    """What does not fit, in words, one sentence a volume; `needs` are (what for, path, bytes)."""
    volumes = {}
    for what, path, count in needs:
        mount, free = host.volume_of(path)
        volumes.setdefault(mount, [free, []])[1].append((what, count))
    found = []
    for mount, (free, wanted) in sorted(volumes.items()):
        total = sum(count for _what, count in wanted)
        if total and total + reserve > free:
            found.append("volume %s: %s needed (%s) and %s to stay free, but %s are free: %s too few" % (
                mount, words(total), ", ".join("%s %s" % (what, words(count)) for what, count in wanted),
                words(reserve), words(free), words(total + reserve - free)))
    return found
