# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R17: no limit is lowered, neither by a file of somebody else's nor by a service that asks for too much.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._owners import sysctl_d
from .finding import finding

NOFILE, NR_OPEN, FILE_MAX = "LimitNOFILE", "fs.nr_open", "fs.file-max"
_LONG_MAX = str((1 << 63) - 1)
# What a kernel of today starts with, or systemd makes of it; of a triple the second number.
_FLOORS = {FILE_MAX: _LONG_MAX, NR_OPEN: "1048576", "net.core.somaxconn": "4096", "net.ipv4.tcp_rmem": "131072",
           "net.ipv4.tcp_wmem": "16384"}
_BY_SYSTEMD = (FILE_MAX,)


def r17_lowered_by_others(view):
    """A file from an old guide that takes away what kernel and systemd give is named, with its line."""
    assigned = sysctl_d.assignments(view.host)
    found = []
    for key, floor in _FLOORS.items():
        one = sysctl_d.last(assigned, key, ignore=[item["file"] for item in assigned if "gpuwright" in item["file"]])
        if one is None or not _is_lower(one["value"], floor) or _is_ours(view, key) or (
                key in _BY_SYSTEMD and not view.exists("/run/systemd/system")):
            continue
        words = "%s:%s sets %s = %s" % (one["file"], one["line"], key, " ".join(one["value"].split()))
        found.append(finding("R17", "W", key if view.step(key) else None,
                             "%s, which lowers what %s: remove that line" % (words, _whose(key, floor))))
    return found


def _is_lower(value, floor):
    words = (value or "").split()
    word = words[1] if len(words) == 3 else words[0] if len(words) == 1 else ""
    return word.isdigit() and int(word) < int(floor)


def _is_ours(view, key):
    """Whether our own line is read after theirs, so that theirs does no harm."""
    step = view.step(key)
    return step is not None and step["status"] in ("ok", "drift") and step["_line"] is not None


def _whose(key, floor):
    if key == FILE_MAX:
        return "systemd raises to %s at boot, and jobs of many ranks run out of files" % floor
    return "a kernel of today starts with, %s%s" % (floor, " as the second number" if "tcp_" in key else "")


def r17_services_within_the_ceiling(view):
    """No process can have more files than fs.nr_open: systemd would give a service less than its unit says."""
    step, ceiling = view.step(NOFILE), view.number(NR_OPEN)
    if step is None or step["status"] == "not_applicable" or ceiling is None:
        return []
    if step["desired"].isdigit() and int(step["desired"]) <= ceiling:
        return []
    return [finding("R17", "E", NOFILE, "%s is above fs.nr_open, %d: raise network_nr_open, or ask for less"
                    % (step["desired"], ceiling))]
