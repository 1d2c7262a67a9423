# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role numa: who may move memory between NUMA nodes.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._row import sysctl
from .._rules import node
from .._values import Int

ROWS = (
    sysctl("kernel.numa_balancing", Int(0, 3), variable="numa_balancing",
           source="https://docs.kernel.org/admin-guide/sysctl/kernel.html",
           doc="Automatic NUMA balancing: 0 off, 1 on, 2 memory tiering, 3 both. Its page faults cost time in "
               "processes that are bound to their nodes, and disturb the memory of GPUs that are NUMA nodes."),
    sysctl("vm.zone_reclaim_mode", Int(0, 7), variable="numa_zone_reclaim_mode",
           source="https://docs.kernel.org/admin-guide/sysctl/vm.html",
           doc="Whether a full node reclaims its own pages before it takes memory from another: a mask of 1 (on), 2 "
               "(write dirty pages) and 4 (swap). It has nothing to do with NUMA balancing."),
)

OPTIONS = ()

RULES = (node.r22_gpu_memory_nodes, node.tiering_in_use, node.shape)
