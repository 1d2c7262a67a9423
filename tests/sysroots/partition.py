# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What must hold of the CPU partition of any machine, said once for generated, captured and built ones."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist


def check(topology, given, count=2):
    """Fail on what is wrong with a partition of a topology, of `count` housekeeping cores a NUMA node."""
    assert sorted(given) == ["gpus", "housekeeping", "numa_nodes", "refused", "workload"]
    cores = [set(_cpulist.parse(core["cpus"])) for core in topology["cpu"]["cores"] or ()]
    online = set(_cpulist.parse(topology["cpu"]["online"] or "")) or set().union(*cores)
    housekeeping, work = _set(given["housekeeping"]), _set(given["workload"])
    assert not housekeeping & work
    assert housekeeping | work == online
    assert housekeeping or not online
    for name, kept in (("housekeeping", housekeeping), ("workload", work)):
        assert set().union(*(_set(node[name]) for node in given["numa_nodes"].values())) == kept
    if given["refused"] is not None:
        assert given["refused"] and (work, given["gpus"]) == (set(), {})
        return
    assert work
    assert 0 not in online or 0 in housekeeping
    assert not [core for core in cores if core & housekeeping and core & work], "a core is split"
    _check_nodes(topology, given, cores, count)
    _check_gpus(topology, given, cores, work)


def _set(listed):
    """The CPUs of a list that is in the kernel's form."""
    numbers = _cpulist.parse(listed)
    assert _cpulist.format(numbers) == listed
    return set(numbers)


def _check_nodes(topology, given, cores, count):
    nodes = {str(node["id"]): node["cpus"] for node in topology["numa_nodes"] if node["cpus"]}
    assert sorted(given["numa_nodes"]) == sorted(nodes or {"0": ""})
    for number, cpus in nodes.items():
        here = given["numa_nodes"][number]
        assert _set(here["housekeeping"]) | _set(here["workload"]) == set(_cpulist.parse(cpus))
    for here in given["numa_nodes"].values():
        both = _set(here["housekeeping"]) | _set(here["workload"])
        kept = [core for core in cores if core & _set(here["housekeeping"])]
        assert len(kept) == min(count, len([core for core in cores if core & both]))


def _check_gpus(topology, given, cores, work):
    assert sorted(given["gpus"]) == sorted(str(gpu["index"]) for gpu in topology["gpus"])
    slices = {index: _set(cpus) for index, cpus in given["gpus"].items()}
    assert all(slices.values())
    assert sum(len(cpus) for cpus in slices.values()) == len(set().union(*slices.values())), "GPUs share a CPU"
    assert set().union(*slices.values()) <= work
    assert not [core for core in cores for cpus in slices.values() if core & cpus and core - cpus], "a core is split"
    sizes = {}
    homes = {number: _set(node["workload"]) for number, node in given["numa_nodes"].items()}
    for gpu in topology["gpus"]:
        mine = slices[str(gpu["index"])]
        home = [number for number, cpus in homes.items() if mine & cpus]
        assert len(home) == 1, "a GPU has CPUs of %d NUMA nodes" % len(home)
        assert str(gpu["numa_node"]) not in homes or home == [str(gpu["numa_node"])]
        sizes.setdefault(home[0], []).append(len([core for core in cores if core & mine]))
    for number, here in sizes.items():
        assert max(here) - min(here) <= 1
        assert sum(here) == len([core for core in cores if core & homes[number]]), "some are nobody's"
