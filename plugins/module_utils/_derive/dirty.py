# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much may be dirty before it is written: percentages on small hosts, bytes where a percent is gigabytes.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

GIB = 1 << 30
LARGE = 256 * 10 ** 9

RATIO = {"ratio": 10, "background_ratio": 3}
BYTES = {
    "training": {"bytes": 32 * GIB, "background_bytes": 4 * GIB},
    "inference": {"bytes": 16 * GIB, "background_bytes": 2 * GIB},
    "cpu": {"bytes": 16 * GIB, "background_bytes": 2 * GIB},
}
LIMITS = tuple(RATIO) + tuple(BYTES["training"])


def dirty_limit(topology, limit, workload):
    """The value of vm.dirty_<limit> for a node, or None where its twin rules.

    The memory is the sum over the NUMA nodes that are no GPU's; where it is unknown, percentages. Raises ValueError for
    a limit or a workload that is none.
    """
    if limit not in LIMITS:
        raise ValueError("%r is no limit; known: %s" % (limit, ", ".join(LIMITS)))
    if workload not in BYTES:
        raise ValueError("%r is no workload; known: %s" % (workload, ", ".join(sorted(BYTES))))
    memory = sum(node["memory"] or 0 for node in topology["numa_nodes"] if node["kind"] != "gpu")
    return (BYTES[workload] if memory >= LARGE else RATIO).get(limit)
