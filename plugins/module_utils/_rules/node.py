# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on NUMA nodes: nodes that are the memory of GPUs, memory tiering, and what shape the machine is in.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding


def _balancing(view):
    return view.number("kernel.numa_balancing") or 0


def r22_gpu_memory_nodes(view):
    """NUMA balancing migrates pages to and from nodes that are the memory of a GPU, at the price of faults there."""
    nodes = [node["id"] for node in view.topology("numa_nodes") if node["kind"] == "gpu"]
    if nodes and _balancing(view) & 1:
        return [finding("R22", "W", "kernel.numa_balancing", "the memory of GPUs is online as NUMA node %s, and NUMA "
                        "balancing is on: set numa_balancing to 0" % ", ".join(str(node) for node in nodes))]
    return []


def tiering_in_use(view):
    """Memory tiering that somebody set up for CXL or HBM nodes is not switched off by a default."""
    step = view.step("kernel.numa_balancing")
    tiers = [node["id"] for node in view.topology("numa_nodes") if node["kind"] == "memory"]
    if step and tiers and (step["running"] or "").isdigit() and int(step["running"]) & 2 and not _balancing(view) & 2:
        return [finding("memory-tiering", "E", "kernel.numa_balancing", "memory tiering is on, and node %s has memory "
                        "but no CPUs: set numa_balancing to 2, or to null to leave it alone"
                        % ", ".join(str(node) for node in tiers))]
    return []


def shape(view):
    """How firmware splits the packages into nodes (NPS on AMD, SNC on Intel), and how far apart the nodes are."""
    cpu = view.topology("cpu")
    nodes, packages = [node for node in view.topology("numa_nodes") if node["cpus"]], len(cpu["packages"])
    if not nodes or not packages:
        return []
    split = "%d NUMA node%s with CPUs on %d package%s" % (
        len(nodes), "s" * (len(nodes) > 1), packages, "s" * (packages > 1))
    if len(nodes) > packages and len(nodes) % packages == 0:
        name = {"AuthenticAMD": "NPS", "HygonGenuine": "NPS", "GenuineIntel": "SNC"}.get(cpu["vendor"], "")
        split += " (%s%d)" % (name, len(nodes) // packages) if name else ""
    seen = sorted({distance for node in nodes for distance in (node["distances"] or {}).values()})
    return [finding("numa-shape", "I", None, split + ("; distances %s" % ", ".join(str(item) for item in seen)
                                                      if seen else ""))]
