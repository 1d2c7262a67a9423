# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sysroots built from the NCCL and RCCL topology files of real machines, read whole.

What NCCL says of a machine, its GPUs, NICs, NUMA nodes and which NICs share the most switches with which GPU, must come
out of sysfs again. A file dropped into tests/captures/nccl-topo-xml becomes a test.
"""

from __future__ import annotations

import json
import pathlib
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node, pci
from ansible_collections.gpuwright.node.tests.sysroots import nccl_tree

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "captures" / "nccl-topo-xml"
CASES = sorted(path.parent for path in FOLDER.glob("*/topo.xml"))
# Where the fact must differ from NCCL's file: {case: {what: why}}. A case that starts to agree must leave it.
EXPLAINED = {
    "rccl-topo_8p1h_1": {"nearest of 0000:ae:00.0": "a NIC in that file has the address of the switch above this GPU"},
}


@pytest.fixture(scope="module", params=CASES, ids=lambda path: path.name)
def case(request, tmp_path_factory):
    """(name, what NCCL says, our fact) of a machine."""
    folder = str(tmp_path_factory.mktemp("nccl"))
    nccl_tree.build(folder, (request.param / "topo.xml").read_text())
    facts = json.loads((request.param / "expected.json").read_text())["facts"]
    fact = node.read_topology(Host(folder))
    shutil.rmtree(folder)
    return request.param.name, facts, fact


def _above(device):
    """The switches above a device, from below: NCCL begins the list of one that it knows more of with the device."""
    return [step for step in device["pci_path_up"] if step != device["busid"]]


def _kind(gpu, nic):
    """How close NCCL's nesting says that two devices are, in NVIDIA's words."""
    up, down = _above(gpu), _above(nic)
    shared = len(set(up) & set(down))
    if shared:
        return "PIX" if len(up) == len(down) == shared else "PXB"
    return "PHB" if gpu["numaid"] == nic["numaid"] else "SYS"


def _differences(facts, fact):
    """{what: (NCCL's, ours)} of all that differs."""
    nodes = {int(one["numaid"]): one["affinity_cpus"] for one in facts["cpus"]}
    nets = [one for one in facts["nets"] if one["busid"]]
    devices = {one["pci_address"]: one for one in fact["nics"] + fact["rdma_devices"]}
    gpus = {one["pci_address"]: one for one in fact["gpus"]}
    names = {one["name"]: one["pci_address"] for one in fact["rdma_devices"]}
    kinds = {(gpu["busid"], nic["busid"]): _kind(gpu, nic) for gpu in facts["gpus"] for nic in nets
             if nic["busid"] in names.values()}
    order = [one["pci_address"] for one in fact["gpus"]]
    pairs = {
        "nodes": (nodes, {one["id"]: one["cpus"] for one in fact["numa_nodes"]}),
        "gpus": (sorted((one["busid"] for one in facts["gpus"]), key=pci.order), order),
        "gpu_places": ({one["busid"]: (int(one["numaid"]), nodes[int(one["numaid"])]) for one in facts["gpus"]},
                       {address: (one["numa_node"], one["cpus"]) for address, one in gpus.items()}),
        "nics": ({one["busid"]: int(one["numaid"]) for one in nets},
                 {address: one["numa_node"] for address, one in devices.items()}),
        "nic_names": ({(one["busid"], one["name"]) for one in nets if one["name"]},
                      {(one["pci_address"], one["name"]) for one in fact["nics"] + fact["rdma_devices"]
                       if one["pci_address"] in {net["busid"] for net in nets if net["name"]}}),
        "kinds": (kinds, {(order[one["gpu"]], names[one["device"]]): one["kind"] for one in fact["pci_paths"]}),
    }
    for gpu, nearest in facts["gpu_nearest_net"].items():
        said = {names[name] for name in fact["gpu_nics"][str(order.index(gpu))]}
        nearby = {names.get(nic, nic) for nic in nearest["nets_sharing_most_pci_switches"]}
        switched = nearby.intersection(names.values()) if nearest["shared_switch_levels"] else set()
        if switched:
            pairs["nearest of " + gpu] = (switched, said)
    return {what: pair for what, pair in pairs.items() if pair[0] != pair[1]}


def test_sysfs_gives_what_nccl_says(case):
    name, facts, fact = case
    different = _differences(facts, fact)
    assert set(different) == set(EXPLAINED.get(name, ())), different


def test_nothing_failed_and_every_gpu_has_an_entry(case):
    _name, facts, fact = case
    assert not [note for note in fact["notes"] if "could not be read" in note]
    assert sorted(fact["gpu_nics"], key=int) == [str(number) for number in range(len(facts["gpus"]))]
    assert len(json.dumps(fact)) < 60000
    assert fact["cpu"]["online"] == _cpulist.format(
        cpu for one in facts["cpus"] for cpu in _cpulist.parse(one["affinity_cpus"]))


def test_all_machines_are_there_and_no_excuse_is_for_none():
    assert len(CASES) >= 49
    assert set(EXPLAINED) <= {path.name for path in CASES}
