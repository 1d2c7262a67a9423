# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the interrupts of devices: which there are, which may be moved, and what was refused."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import interrupts

from tests.sysroots import irq_node, plain_node
from tests.sysroots.irq_node import DEVICES, FAR, NEAR, NIC, PCI


def test_a_place_for_each_device_with_all_its_names(tmp_path):
    found = interrupts.devices(Host(str(irq_node.build(tmp_path))))
    assert [(device["address"], device["names"], device["node"]) for device in found] == [
        (NIC, ["ens1", "mlx5_0"], 0), (NEAR, ["nvme0"], 0), (FAR, ["nvme1"], 1)]


def test_a_device_of_no_known_node_says_so(tmp_path):
    root = irq_node.build(tmp_path)
    plain_node.put(root, DEVICES + NIC + "/numa_node", "-1")
    assert interrupts.devices(Host(str(root)))[0]["node"] is None


def test_an_interrupt_that_no_driver_asked_for_is_none(tmp_path):
    host = Host(str(irq_node.build(tmp_path)))
    assert interrupts.numbers(host, PCI + NIC) == ["33", "34"]


def test_a_device_without_msi_has_its_line_unless_it_is_shared(tmp_path):
    root = plain_node.build(tmp_path)
    plain_node.put(root, PCI + NIC + "/irq", "16")
    plain_node.put(root, "/proc/irq/16/smp_affinity_list", "0")
    (root / "proc/irq/16/ens1").mkdir()
    host = Host(str(root))
    assert interrupts.numbers(host, PCI + NIC) == ["16"]
    (root / "proc/irq/16/ahci").mkdir()
    assert interrupts.numbers(host, PCI + NIC) == []


@pytest.mark.parametrize("names, managed", [
    (["nvme0q1"], True), (["nvme12q128"], True), (["nvme0q0"], False), (["nvme0q0", "nvme0q1"], False),
    (["virtio1-req.0"], True), (["virtio1-request"], True), (["virtio1-config"], False), (["virtio1-input.0"], False),
    (["mlx5_comp0@pci:0000:41:00.0"], False), ([], False)])
def test_the_queues_of_disks_are_the_kernels(names, managed):
    assert interrupts.is_disk_queue(names) is managed


def test_a_file_that_nobody_may_write_is_managed(tmp_path):
    root = irq_node.build(tmp_path)
    host = Host(str(root))
    assert interrupts.divided(host, PCI + NIC) == (["33", "34"], [])
    (root / "proc/irq/34/smp_affinity_list").chmod(0o444)
    assert interrupts.divided(host, PCI + NIC) == (["33"], ["34"])
    assert interrupts.divided(host, PCI + NEAR) == (["36"], ["37", "38"])


def test_what_was_refused_is_remembered_for_that_interrupt_alone(tmp_path):
    root = irq_node.build(tmp_path)
    host = Host(str(root), read_only=False)
    interrupts.remember(host, ["34"])
    interrupts.remember(host, ["36"])
    assert interrupts.divided(host, PCI + NIC) == (["33"], ["34"])
    (root / "proc/irq/34/mlx5_comp0@pci:0000:41:00.0").rename(root / "proc/irq/34/other")
    assert interrupts.divided(host, PCI + NIC) == (["33", "34"], [])  # The number is another interrupt's by now.
    interrupts.forget(host, PCI + NIC)
    assert interrupts.record(host) == {"36": ["nvme0q0"]}
    interrupts.forget(host, PCI + NEAR)
    assert not host.exists(interrupts.RECORD)


@pytest.mark.parametrize("text", ["", "[1, 2]", "{broken", "7"])
def test_a_damaged_record_holds_nothing(tmp_path, text):
    root = irq_node.build(tmp_path, **{interrupts.RECORD: text})
    assert interrupts.record(Host(str(root))) == {}


def test_where_an_interrupt_goes(tmp_path):
    root = irq_node.build(tmp_path)
    host = Host(str(root))
    assert (interrupts.allowed(host, "38"), interrupts.effective(host, "38")) == ({2, 3}, {2})
    plain_node.put(root, "/proc/irq/38/effective_affinity_list", "")
    assert interrupts.effective(host, "38") is None and interrupts.allowed(host, "99") is None
