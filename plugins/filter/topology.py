# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that derive values from the topology of a node."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.module_utils._derive import affinity, dirty
from ansible_collections.gpuwright.node.plugins.module_utils._derive import cpu_partition as partition_of


def thaw(value):
    """A fact as plain Python: walking a lazy one costs milliseconds a kilobyte at each use."""
    plain = getattr(value, "_non_lazy_copy", None)
    return plain() if plain else value


def dirty_limit(topology, limit, workload="inference"):
    """See dirty_limit.yml."""
    topology = thaw(topology)
    _need(topology, "dirty_limit")
    return _in_words("dirty_limit", dirty.dirty_limit, topology, limit, workload)


def cpu_partition(topology, housekeeping_cores_per_node=2):
    """See cpu_partition.yml."""
    topology = thaw(topology)
    _need(topology, "cpu_partition")
    return _in_words("cpu_partition", partition_of.cpu_partition, topology, housekeeping_cores_per_node)


def cpu_affinity(topology, partition):
    """See cpu_affinity.yml."""
    topology = thaw(topology)
    _need(topology, "cpu_affinity")
    # Not thawed: it is small, and an operator's own may hold templates, which only walking it resolves.
    return _in_words("cpu_affinity", affinity.affinity, topology, partition)


def _need(fact, name):
    """Fail unless this is the topology."""
    if not isinstance(fact, dict) or "numa_nodes" not in fact:
        raise AnsibleFilterError("gpuwright.node.%s needs the fact of gpuwright.node.topology_facts, and got "
                                 "no topology: run that module first in the play" % name)


def _in_words(name, function, *arguments):
    """What the function derives; what it says of bad input is the filter's error."""
    try:
        return function(*arguments)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.%s: %s" % (name, error)) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"cpu_affinity": cpu_affinity, "cpu_partition": cpu_partition, "dirty_limit": dirty_limit}
