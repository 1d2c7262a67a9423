# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The versions that the nodes of one job should have in common: driver, kernel, NIC firmware, and what else is known.

PRIVATE to the collection. Pure. Rule R34. CUDA and NCCL live in environments and images and not in the topology:
whoever knows them, from the output of a run, adds them.
"""

from __future__ import annotations


def of(topology, more=None):
    """{what: version} of a node; the boards of one kind with several firmwares have all of them, in order."""
    found = {}
    for gpu in topology.get("gpus") or ():
        if gpu.get("driver_version"):
            found.setdefault("the %s driver" % (gpu.get("driver") or "GPU"), set()).add(gpu["driver_version"])
    for device in topology.get("rdma_devices") or ():
        # Versions of different boards have nothing to do with one another.
        if device.get("firmware") and device.get("board_id"):
            found.setdefault("the firmware of %s" % device["board_id"], set()).add(device["firmware"])
    kernel = (topology.get("system") or {}).get("kernel")
    found.update({"the kernel": {kernel}} if kernel else {})
    found.update({name: {version} for name, version in (more or {}).items() if version})
    return {name: " and ".join(sorted(found[name])) for name in sorted(found)}


def compare_versions(nodes):
    """Rule R34: [(host, sentence)] of the hosts with a version other than that of most hosts of their model.

    `nodes` is {host: {"model": any text, "versions": as from `of`}}. What is not known of a host is no difference.
    """
    found = {}
    for model in sorted({node["model"] for node in nodes.values()}):
        hosts = sorted(host for host in nodes if nodes[host]["model"] == model)
        for name in sorted({name for host in hosts for name in nodes[host]["versions"]}):
            here = {host: nodes[host]["versions"][name] for host in hosts if name in nodes[host]["versions"]}
            versions = list(here.values())
            usual = max(versions, key=versions.count)
            for host, version in here.items():
                if version != usual:
                    found.setdefault(host, []).append("%s is %s, and %s on %d of %d nodes of its model" % (
                        name, version, usual, versions.count(usual), len(here)))
    return [(host, "R34: %s" % "; ".join(found[host])) for host in sorted(found)]
