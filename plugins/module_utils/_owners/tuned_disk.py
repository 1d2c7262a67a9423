# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the disk and sysfs units of an active tuned profile make of the queues of this node, after udev's rules.

PRIVATE to the collection. tuned's disk plugin looks at hardware only: drives with a device behind them that cannot be
taken out, no md and no dm.
"""

from __future__ import annotations

import fnmatch
import re

from .._topology import block
from . import tuned, tuned_profile

_FILES = {"elevator": "queue/scheduler", "readahead": "queue/read_ahead_kb"}
_PATH = re.compile(r"/sys/(?:class/)?block/([^/]+)/(queue/\w+)$")
_WORDS = "tuned profile %s sets %s of %s to %s (%s): change it there, or set ours to null"


def assignments(host):
    """As udev_rules.assignments; "at_least" says that tuned leaves what is higher alone."""
    state = tuned.active(host)
    if not state:
        return []
    try:
        units, variables = tuned_profile.load(host, state["profile"].split())
        units = [unit for unit in units if tuned_profile.applies(host, unit, variables)]
    except tuned_profile.BrokenProfile as error:
        host.note("tuned: %s" % error)
        return []
    return [_assignment(state["profile"], drive, name, option, (tuned_profile.expand(text, variables), path))
            for unit in units for option, (text, path) in unit["options"].items()
            for drive, name in _files(host, unit, option)]


def _files(host, unit, option):
    """(device, file) of what an option sets."""
    if unit["type"] == "disk" and option in _FILES:
        return [(drive, _FILES[option]) for drive in _drives(host, unit["devices"])]
    path = _PATH.match(option) if unit["type"] == "sysfs" else None
    return [(name, path.group(2)) for name in block.disks(host) if fnmatch.fnmatchcase(name, path.group(1))
            ] if path else []


def _drives(host, pattern):
    """The drives that a unit's devices= names; a ! before a name leaves it out."""
    words = [word for word in re.split(r"[,;\s]+", pattern or "*") if word]
    wanted = [word for word in words if not word.startswith("!")] or ["*"]
    return [name for name in block.disks(host)
            if host.exists("%s/%s/device" % (block.CLASS, name))
            and any(fnmatch.fnmatchcase(name, word) for word in wanted)
            and not any(fnmatch.fnmatchcase(name, word[1:]) for word in words if word.startswith("!"))]


def _assignment(profile, drive, name, option, given):
    text, path = given
    value = (text or "").lstrip("<>").strip() or None
    sectors = re.match(r"(\d+)\s*s", value or "") if option == "readahead" else None
    value = str(int(sectors.group(1)) // 2) if sectors else value
    return {"key": "%s/%s" % (drive, name), "value": value, "file": path, "line": 0, "name": "tuned", "last": True,
            "at_least": (text or "").startswith(">"),
            "words": _WORDS % (profile, option, drive, text or "a value of its own", path)}
