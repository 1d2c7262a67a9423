# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that makes NCCL's topology file for a virtual machine from the topology and the declared PCI switches."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_topology as topology_of

_NEEDED = ("system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices", "pci_paths", "gpu_nics")


def nccl_topology(topology, switches=None):
    """See nccl_topology.yml."""
    topology = thaw(topology)
    missing = [name for name in _NEEDED if not isinstance(topology, dict) or name not in topology]
    if missing:
        raise AnsibleFilterError("gpuwright.node.nccl_topology needs the fact of gpuwright.node.topology_facts with "
                                 "its section%s %s: run that module first in the play"
                                 % ("" if len(missing) == 1 else "s", ", ".join(missing)))
    try:
        # Not thawed: it is small, and may hold templates, which only walking it resolves.
        return topology_of.xml(topology, switches)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.nccl_topology: %s" % error) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"nccl_topology": nccl_topology}
