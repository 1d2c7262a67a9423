# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind sysctl: lives in /proc/sys, persists in sysctl.d.

PRIVATE to the collection. What every kind has: `places`, `line`, `parse` and `KEYED_BY` (what it names values by),
`drop_in`, `taken_over`, `identity`, `in_force`, `others`, `rival` and `before_us`.
"""

from __future__ import annotations

from .._owners import sysctl_d

FOLDER = "/etc/sysctl.d"
KEYED_BY = "target"


def drop_in(role):
    """Our file for a role."""
    return "%s/90-gpuwright-%s.conf" % (FOLDER, role)


def taken_over(role):
    """Our file for the keys that another file set and that were handed to us: it sorts after theirs."""
    return "%s/zz-gpuwright-%s.conf" % (FOLDER, role)


def places(host, row):
    """Where the row lives on this machine: [(target, path, fields)]; empty where this kernel has no such key."""
    path = row.paths[0]
    return [(row.name, path, {})] if host.exists(path) else []


def line(target, path, text):
    """The line that persists a value."""
    return "%s = %s" % (target, text)


def parse(text):
    """The values in a file of ours, by target."""
    pairs = (entry.partition("=") for entry in text.splitlines() if "=" in entry and not entry.startswith("#"))
    return {key.strip(): value.strip() for key, _sign, value in pairs}


def identity(row, target, path):
    """What names the original in the journal: twins share one, for they are two spellings of one knob."""
    return "sysctl:" + "+".join(sorted([target] + ([row.twin] if row.twin else [])))


def in_force(host, row, path):
    """(path, text) to write to get today's state back: of twins, the one that is not zero rules."""
    text = host.read(path)
    if row.twin and row.value.read(text) == "0":
        twin = "/proc/sys/" + row.twin.replace(".", "/")
        other = host.read(twin)
        if other != "0" or twin.endswith("ratio"):  # Of two zeroes only the ratio can be written.
            return twin, other
    return path, text


def others(host):
    """What every file on this machine sets, in the order in which systemd-sysctl applies it."""
    return sysctl_d.assignments(host)


def rival(settled, row, target, path, ours, value):
    """The assignment of another file that takes effect after `value` in our file `ours`, or None.

    A file that sets the twin counts, since the kernel then zeroes ours: even an earlier one does where an earlier file
    still gives our key the same value, because systemd-sysctl then writes it in that place.
    """
    theirs = [item for item in settled if item["file"] not in _mine(ours) and item["value"] is not None]
    found = sysctl_d.after(theirs, target, ours)
    if found and found["value"] != value:
        return found
    if not row.twin:
        return None
    mine = {"key": target, "value": value, "file": ours, "name": ours.rpartition("/")[2], "line": 0}
    order = sysctl_d.in_order_of_writing(theirs, mine)
    places = {item["key"]: place for place, item in enumerate(order)}
    return order[places[row.twin]] if places.get(row.twin, -1) > places[target] else None


def before_us(settled, target, ours):
    """The value that the other files give to a key, or None: what a raise-only line of ours must not undercut."""
    found = sysctl_d.last(settled, target, ignore=_mine(ours))
    return found["value"] if found and not found.get("procps_only") else None


def _mine(ours):
    return ours, ours.replace("/90-gpuwright-", "/zz-gpuwright-"), ours.replace("/zz-gpuwright-", "/90-gpuwright-")
