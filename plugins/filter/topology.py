# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that derive values from the topology of a node."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.module_utils._derive import dirty


def thaw(value):
    """A fact as plain Python: walking a lazy one costs milliseconds a kilobyte at each use."""
    plain = getattr(value, "_non_lazy_copy", None)
    return plain() if plain else value


def dirty_limit(topology, limit, workload="inference"):
    """See dirty_limit.yml."""
    topology = thaw(topology)
    if not isinstance(topology, dict) or "numa_nodes" not in topology:
        raise AnsibleFilterError("gpuwright.node.dirty_limit needs the fact of gpuwright.node.topology_facts, and got "
                                 "no topology: run that module first in the play")
    try:
        return dirty.dirty_limit(topology, limit, workload)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.dirty_limit: %s" % error) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"dirty_limit": dirty_limit}
