# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filters that derive RoCE's traffic class, and who it is for, from the topology of a node."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive import fabric_report as fabric_of
from ansible_collections.gpuwright.node.plugins.module_utils._derive import rdma_rails
from ansible_collections.gpuwright.node.plugins.module_utils._derive import traffic_class as class_of


def traffic_class(topology, priority=3, dscp=26, cnp_priority=6, cnp_dscp=48, infiniband_sl=None):
    """See traffic_class.yml."""
    topology = thaw(topology)
    return _in_words("traffic_class", class_of.traffic_class, topology, priority, dscp, cnp_priority, cnp_dscp,
                     infiniband_sl)


def roce_devices(topology, compute_nics=None, storage_nics=None):
    """See roce_devices.yml."""
    topology = thaw(topology)
    return _in_words("roce_devices", rdma_rails.roce_devices, topology, compute_nics, storage_nics)


def roce_interfaces(topology, compute_nics=None, storage_nics=None):
    """See roce_interfaces.yml."""
    topology = thaw(topology)
    return _in_words("roce_interfaces", rdma_rails.roce_interfaces, topology, compute_nics, storage_nics)


def fabric_report(topology, declared, compute_nics=None, storage_nics=None):
    """See fabric_report.yml."""
    topology = thaw(topology)
    return _in_words("fabric_report", fabric_of.of_node, topology, thaw(declared), compute_nics, storage_nics)


def _in_words(name, function, fact, *arguments):
    """What the function derives; what it says of bad input, or the lack of the fact, is the filter's error."""
    if not isinstance(fact, dict) or "rdma_devices" not in fact:
        raise AnsibleFilterError("gpuwright.node.%s needs the fact of gpuwright.node.topology_facts with its section "
                                 "rdma_devices: run that module first in the play" % name)
    try:
        return function(fact, *arguments)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.%s: %s" % (name, error)) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"fabric_report": fabric_report, "roce_devices": roce_devices, "roce_interfaces": roce_interfaces,
                "traffic_class": traffic_class}
