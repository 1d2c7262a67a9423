# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""AMD's KFD nodes: places, memory, XGMI."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._topology import kfd


def _node(number, extra="", simd=416, location=0x0300, links=()):
    folder = "%s/%d" % (kfd.NODES, number)
    files = {folder + "/properties": "cpu_cores_count 0\nsimd_count %d\nvendor_id 4098\nlocation_id %d\n%s" % (
        simd, location, extra), folder + "/name": "aldebaran\n"}
    for index, (kind, peer) in enumerate(links):
        files["%s/io_links/%d/properties" % (folder, index)] = "type %d\nnode_from %d\nnode_to %d\n" % (
            kind, number, peer)
    return files


@pytest.mark.parametrize(("location", "domain", "address"), [
    (0x0300, 0, "0000:03:00.0"), (0xC319, 0, "0000:c3:03.1"), (0x2600, 0x10001, "10001:26:00.0"),
    (0x10F8, 0, "0000:10:1f.0"), (0x30000300, 2, "0002:03:00.0"),
])
def test_a_location_is_a_pci_address(location, domain, address, machine):
    host = machine(_node(1, "domain %d\n" % domain, location=location))
    assert kfd.read(host)[0]["pci_address"] == address


def test_processors_are_no_gpus(machine):
    assert kfd.read(machine(_node(0, simd=0))) == []


def test_memory_is_that_of_the_gpus_own_heaps(machine):
    files = _node(1, "local_mem_size 5\n")
    for bank, (heap, size) in enumerate([(0, 1 << 40), (1, 1 << 34), (2, 1 << 30)]):
        files["%s/1/mem_banks/%d/properties" % (kfd.NODES, bank)] = "heap_type %d\nsize_in_bytes %d\n" % (heap, size)
    assert kfd.read(machine(files))[0]["memory"] == (1 << 34) + (1 << 30)


def test_without_banks_the_node_says_its_memory(machine):
    assert kfd.read(machine(_node(1, "local_mem_size 17163091968\n")))[0]["memory"] == 17163091968


def test_xgmi_links_are_told_from_pcie(machine):
    files = dict(_node(10, links=[(2, 0), (11, 2), (11, 9)]), **_node(2, "unique_id 255\n"))
    nodes = kfd.read(machine(files))
    assert [(node["node"], node["uuid"], node["xgmi"], node["name"]) for node in nodes] == [
        (2, "GPU-00000000000000ff", [], "aldebaran"), (10, None, [2, 9], "aldebaran")]


def test_no_kfd(machine):
    assert kfd.read(machine({"/proc/version": "x"})) == []
