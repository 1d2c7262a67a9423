# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter that derives NCCL's environment from the topology of a node and the fabric that the inventory declares."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env as environment_of

SECTIONS = ("gpus", "nics", "rdma_devices", "gpu_nics")


def nccl_env(topology, fabric=None, workload="inference", multi_node=None, min_version=None, traffic_class=None,
             compute_nics=None, storage_nics=None, socket_interfaces=None, address_family="IPv4", address_range=None,
             topology_file=None, inter_rail_path=True, cluster_gpus=None):
    """See nccl_env.yml."""
    topology = thaw(topology)
    missing = [name for name in SECTIONS if not isinstance(topology, dict) or name not in topology]
    if missing:
        raise AnsibleFilterError("gpuwright.node.nccl_env needs the fact of gpuwright.node.topology_facts with its "
                                 "sections %s, and %s not there: run that module first in the play" % (
                                     ", ".join(SECTIONS), "%s is" % missing[0] if len(missing) == 1 else
                                     "%s are" % ", ".join(missing)))
    try:
        return environment_of.derive(
            topology, fabric=fabric, workload=workload, multi_node=multi_node, min_version=min_version,
            traffic_class=traffic_class, compute_nics=compute_nics, storage_nics=storage_nics,
            socket_interfaces=socket_interfaces, address_family=address_family, address_range=address_range,
            topology_file=topology_file, inter_rail_path=inter_rail_path, cluster_gpus=cluster_gpus)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.nccl_env: %s" % error) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"nccl_env": nccl_env}
