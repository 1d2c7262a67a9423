# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What one instance has and another one is to get in the same run: the role switches them one after the other.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ..._rules.finding import finding
from . import gpu_choice

_FIRST = ("each instance of a node is switched by itself, so %s has to leave first: let one run change only that, or "
          "stop it (state: stopped)")


def findings(made, node):
    """(name, finding) for every instance that needs what another one still has and is to leave in this run."""
    started = {name: one["deployment"] for name, one in sorted(made.items())
               if one["deployment"] and one["instance"]["state"] == "started"}
    for name, mine in started.items():
        for other, theirs in started.items():
            for what in _handed(mine, theirs, other, node) if other != name else ():
                yield name, finding("order", "E", mine["unit"], "%s: %s is instance %s's until that is switched, and %s"
                                    % (name, what, other, _FIRST % other))


def _handed(mine, theirs, other, node):
    """What `theirs` has now, does not keep, and `mine` is to get."""
    kept = {gpu_choice.key(gpu) for gpu in theirs["placed"]["gpus"]}
    on_it = {gpu for holder in node.get("holders") or () if holder["ours"] == other for gpu in holder["gpus"]}
    had = set((node["taken"].get(other) or {}).get("gpus") or ()) if not node.get("holders_complete") else set()
    left = [gpu for gpu in mine["placed"]["gpus"] if gpu_choice.key(gpu) not in kept
            and (gpu.get("pci_address") in on_it or gpu_choice.key(gpu) in had)]
    found = ["GPU %s" % ", ".join(str(gpu["index"]) for gpu in left)] if left else []
    place, to_be = ((one["instance"]["listen"], one["instance"]["port"]) for one in (mine, theirs))
    there = (node.get("listeners") or {}).get(place) or {}
    if there.get("ours") == other and to_be != place:
        found.append("port %d" % place[1])
    return found
