# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether the hosts of a report have the same versions (rule R34): what one of them cannot tell alone.

PRIVATE to the collection. Hosts with the same GPUs are compared, for these are what one job gets.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive import siblings
from ansible_collections.gpuwright.node.plugins.module_utils._derive import versions as versions_of
from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph

# What the screen has room for; the topologies are in audit.json.
_MOST_LINES = 10
_MOST_KEPT = 20000


def none():
    """What `add` adds to."""
    return {"nodes": {}, "shared": {}}


def add(found, name, host):
    """Add one host of audit.json, if its topology is there and names its GPUs."""
    topology = host.get("topology") or {}
    model = siblings.model(topology)
    if model is None or len(found["nodes"]) >= _MOST_KEPT:
        return
    versions = versions_of.of(topology)
    # A thousand equal nodes share one dictionary.
    found["nodes"][name] = {"model": model, "versions": found["shared"].setdefault(repr(versions), versions)}


def lines(found, width):
    """The hosts that do not fit the others, as (text, what it is); none of it is wrong by itself."""
    told = versions_of.compare_versions(found["nodes"])
    if not told:
        return []
    shown = [("", None), ("Versions that are not those of most nodes", None)]
    for host, words in told[:_MOST_LINES]:
        shown += [(text, None) for text in paragraph("  %s: %s" % (host, words), width, 4)]
    if len(told) > _MOST_LINES:
        shown.append(("  and %d more" % (len(told) - _MOST_LINES), None))
    return shown
