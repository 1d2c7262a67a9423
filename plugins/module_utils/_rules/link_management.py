# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule that keeps a node reachable: the interfaces that people come in by are left alone unless told otherwise.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._owners import management
from .finding import finding


def stays_reachable(view):
    """A change of MTU, rings or channels can take the link down, and whoever is logged in with it."""
    due = [step for step in view.steps if step["kind"] == "netdev" and step["status"] == "drift"
           and step["running"] != step["_force"] and "_restore" not in step]
    if not due or view.options.get("network_touch_management"):
        return []
    carrying = management.interfaces(view.host)
    found = {}
    for step in due:
        name = step["target"].partition("/")[0]
        if name in carrying:
            found.setdefault(step["name"], "%s is what this node is reached by (%s): leave it out of "
                             "network_interfaces, or set network_touch_management: true" % (name, carrying[name]))
    return [finding("management", "E", setting, words) for setting, words in found.items()]
