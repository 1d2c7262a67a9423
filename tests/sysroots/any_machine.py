# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Topologies of machines that Hypothesis makes up, for what must hold of any."""

from __future__ import annotations

from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist


@st.composite
def machines(draw):
    """Nodes with sparse numbers, some without CPUs; cores of unequal threads, numbered at random, partly offline."""
    ids = draw(st.lists(st.integers(0, 9), min_size=1, max_size=5, unique=True))
    threads = [draw(st.lists(st.integers(1, 4), max_size=7)) for _node in ids]
    total = sum(map(sum, threads))
    numbers = iter(draw(st.permutations(range(total + 3))))
    offline = draw(st.sets(st.integers(0, total + 3), max_size=3))
    found, nodes = [], []
    for number, here in zip(ids, threads):
        listed = [sorted({next(numbers) for _thread in range(size)} - offline) for size in here]
        found += [{"cpus": _cpulist.format(cpus), "package": 0, "numa_node": number} for cpus in listed if cpus]
        nodes.append({"id": number, "cpus": _cpulist.format(cpu for cpus in listed for cpu in cpus), "kind": "cpu",
                      "memory": 1, "distances": {str(other): draw(st.integers(10, 12)) for other in ids}})
    if draw(st.integers(0, 5)) == 0:
        nodes = []
        for core in found:
            core["numa_node"] = None
    online = [cpu for core in found for cpu in _cpulist.parse(core["cpus"])]
    some = st.none() | st.sets(st.sampled_from(online or [0]), max_size=9).map(_cpulist.format)
    caches = [{"level": 3, "size": 1, "cpus": _cpulist.format(online[at::3])} for at in range(3) if online[at::3]]
    return {
        "cpu": {"online": _cpulist.format(online) or None, "cores": draw(st.permutations(found)),
                "caches": draw(st.sampled_from([[], caches]))},
        "numa_nodes": sorted(nodes, key=lambda node: node["id"]),
        "gpus": [{"index": index, "numa_node": draw(st.none() | st.sampled_from(ids)), "cpus": draw(some)}
                 for index in range(draw(st.integers(0, 5)))],
        "nics": [{"pci_address": "n%d" % index, "cpus": draw(some)} for index in range(draw(st.integers(0, 3)))],
        "rdma_devices": [],
    }
