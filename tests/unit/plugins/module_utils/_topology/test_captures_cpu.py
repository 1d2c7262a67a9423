# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every captured machine in tests/captures/fsroot, against what other tools say of it: lstopo, lscpu, cAdvisor.

A capture dropped there becomes a test. Where the other tool means something else, the reason stands in EXPLAINED; a
case that starts to agree must leave it.
"""

from __future__ import annotations

import json
import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "captures" / "fsroot"
CASES = sorted(path for path in FOLDER.glob("*/*") if path.is_dir())
EXPECTED = {path: json.loads((path / "expected.json").read_text()) for path in CASES
            if (path / "expected.json").exists()}
CPUSET = "lstopo shows the CPUs that its own cpuset or cgroup allows; these are not offline, so we count them"
NO_NODES = "lstopo makes up one node where the kernel has none; we list what the kernel can be asked about"
MEMORY_NODE = "lstopo gives a node without CPUs those of its nearest initiator; the kernel says that it has none"
EXPLAINED = {
    "16em64t-4s2ca2c-cpusetreorder": dict.fromkeys(("online_cpus", "numa_nodes", "packages", "core_siblings"), CPUSET),
    "32amd64-4s2n4c-cgroup2": dict.fromkeys(("online_cpus", "numa_nodes", "packages", "core_siblings"), CPUSET),
    "2arm-2c": {"numa_nodes": NO_NODES},
    "2i386-2c-nohugepage": {"numa_nodes": NO_NODES},
    "2ps3-2t": {"numa_nodes": NO_NODES},
    "fakeheteromemtiers": {"numa_nodes": MEMORY_NODE},
}


def _facts(fact):
    """What we say, in the words of the expectations."""
    cpu, nodes = fact["cpu"], fact["numa_nodes"]
    by_node = {}
    for core in cpu["cores"]:
        number = "" if core["numa_node"] is None else str(core["numa_node"])
        by_node.setdefault(number, []).extend(_cpulist.parse(core["cpus"]))
    return {
        "online_cpus": cpu["online"],
        "online": cpu["online"],
        "offline": cpu["offline"],
        "logical_cpus": len(_cpulist.parse(cpu["online"] or "")),
        "cpus": str(len(_cpulist.parse(cpu["present"] or ""))),
        "numa_nodes": {str(one["id"]): one["cpus"] for one in nodes},
        "numa_memory": {str(one["id"]): one["memory"] for one in nodes},
        "numa_node_count": str(len(nodes)),
        "node_by_cpu": {number: _cpulist.format(cpus) for number, cpus in by_node.items()},
        "packages": sorted((one["id"], one["cpus"]) for one in cpu["packages"] if one["id"] is not None),
        "sockets": len(cpu["packages"]),
        "cores": len(cpu["cores"]),
        "core_siblings": sorted(core["cpus"] for core in cpu["cores"]),
        "max_threads_per_core": cpu["threads_per_core"],
        "threads_per_core": str(cpu["threads_per_core"]),
        "vendor": cpu["vendor"],
        "model_name": cpu["model"] or "-",
    }


def _wanted(facts):
    """The expectation's facts on CPUs and nodes, in the form of _facts."""
    wanted = dict(facts)
    nodes = facts.get("numa_nodes", {})
    if any(isinstance(one, dict) for one in nodes.values()):
        wanted["numa_memory"] = {number: one["memory_bytes"] for number, one in nodes.items()}
        wanted["numa_nodes"] = {number: one["cpus"] for number, one in nodes.items()}
    for name in ("online", "offline"):
        if name in facts:
            wanted[name] = _cpulist.format(_cpulist.parse(facts[name]))
    if "packages" in facts:
        wanted["packages"] = sorted((one["os_index"], one["cpus"]) for one in facts["packages"])
    if "core_siblings" in facts:
        wanted["core_siblings"] = sorted(facts["core_siblings"])
    if "sockets" in facts:
        wanted["sockets"] = int(facts["sockets"])
        if "cores_per_socket" in facts:
            wanted["cores"] = int(facts["sockets"]) * int(facts["cores_per_socket"])
    return wanted


def _read(root, gather=("system", "cpu", "numa_nodes")):
    return node.read_topology(Host(root), gather)


@pytest.mark.parametrize("folder", EXPECTED, ids=lambda path: path.name)
def test_a_machine_is_read_as_other_tools_read_it(folder, capture):
    said = _facts(_read(capture(folder)))
    wanted = _wanted(EXPECTED[folder]["facts"])
    differing = {name: (wanted[name], said[name]) for name in said if name in wanted and wanted[name] != said[name]}
    assert sorted(differing) == sorted(EXPLAINED.get(folder.name, {})), differing


def test_every_expectation_is_compared(capture):
    known = set(_facts(_read(capture(CASES[0]))))
    compared = sum(len(known.intersection(_wanted(one["facts"]))) for one in EXPECTED.values())
    assert compared > 200


@pytest.mark.parametrize("folder", [path for path in EXPECTED if path.name in EXPLAINED], ids=lambda path: path.name)
def test_where_lstopo_differs_we_say_what_the_kernel_says(folder, capture):
    said = _facts(_read(capture(folder)))
    online = set(_cpulist.parse(said["online_cpus"]))
    kernel = {one["node"]: one["raw_sysfs_cpus"] for one in EXPECTED[folder]["numa_disagreement_with_raw_sysfs"]}
    for number, listed in kernel.items():
        assert said["numa_nodes"][number] == _cpulist.format(online.intersection(_cpulist.parse(listed)))
    shown = set(_cpulist.parse(EXPECTED[folder]["facts"]["online_cpus"]))
    cores = [_cpulist.format(shown.intersection(_cpulist.parse(cpus))) for cpus in said["core_siblings"]]
    assert sorted(filter(None, cores)) == sorted(EXPECTED[folder]["facts"]["core_siblings"])


def test_no_excuse_without_a_case():
    assert set(EXPLAINED) <= {path.name for path in EXPECTED}


@pytest.mark.parametrize("folder", CASES, ids=lambda path: path.name)
def test_no_capture_makes_a_section_fail(folder, capture):
    fact = _read(capture(folder), gather=None)
    assert not [note for note in fact["notes"] if "could not be read: " in note]
    assert set(node.SECTIONS) < set(fact)
    assert json.loads(json.dumps(fact)) == fact


def test_the_captures_of_the_repository_are_found():
    assert len(CASES) >= 37
    assert len(EXPECTED) >= 31
