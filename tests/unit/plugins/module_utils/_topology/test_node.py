# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The whole fact: its sections, what `gather` leaves out, and that one defect does not take the rest."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

FILES = {
    "/sys/devices/system/cpu/online": "0-1", "/sys/devices/system/node/node0/cpulist": "0-1",
    "/sys/devices/system/cpu/cpu0/topology/thread_siblings_list": "0-1", "/proc/cpuinfo": "flags : lm\n",
}
ORDER = ["schema", "system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices", "nvme", "pci_paths", "gpu_nics",
         "kernel", "owners", "sources", "notes"]


def test_every_section_in_the_order_of_the_schema(machine):
    fact = node.read_topology(machine(FILES))
    assert list(fact) == ORDER
    assert fact["schema"] == 1
    assert json.loads(json.dumps(fact)) == fact
    assert not [note for note in fact["notes"] if "could not be read: " in note]


@pytest.mark.parametrize("gather", [["cpu"], ["owners"], ["gpu_nics"], ["numa_nodes", "system"], []])
def test_only_the_sections_asked_for_and_all_they_need(machine, gather):
    fact = node.read_topology(machine(FILES), gather)
    assert set(fact) == {"schema", "sources", "notes"}.union(gather)
    assert not [note for note in fact["notes"] if "could not be read: " in note]
    if "cpu" in gather:
        assert fact["cpu"]["cores"] == [{"cpus": "0-1", "package": None, "numa_node": 0}]


def test_any_single_section_can_be_asked_for(machine):
    whole = node.read_topology(machine(FILES))
    for name in node.SECTIONS:
        assert node.read_topology(machine(FILES), [name])[name] == whole[name]


def test_what_a_section_needs_comes_before_it():
    order = list(node._NEEDS)
    for name, needs in node._NEEDS.items():
        later = [need for need in needs if order.index(need) > order.index(name)]
        assert later == (["numa_nodes"] if name == "cpu" else [])  # Nodes fill in each core's own.


@pytest.mark.parametrize(("module", "name"), [("cpu", "cpu"), ("gpu", "gpus"), ("owner", "owners")])
def test_a_defect_in_one_section_becomes_a_note(machine, monkeypatch, module, name):
    def fail(_host, _found):
        raise ZeroDivisionError("planted")
    monkeypatch.setattr(getattr(node, module), "read", fail)
    fact = node.read_topology(machine(FILES))
    assert list(fact) == ORDER
    assert not fact[name]
    assert "%s: could not be read: ZeroDivisionError: planted" % name in fact["notes"]
    assert len([note for note in fact["notes"] if "could not be read: " in note]) == 1


@pytest.mark.parametrize("nics", [{"compute_nics": ["mlx5_9"]}, {"storage_nics": ["mlx5_9"]}])
def test_a_nic_that_is_not_there_is_the_operators_to_mend(machine, nics):
    with pytest.raises(node.UnknownNic, match="mlx5_9"):
        node.read_topology(machine(FILES), **nics)
