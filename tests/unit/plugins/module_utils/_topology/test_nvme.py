# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NVMe controllers and namespaces, with and without multipath, on PCIe and on a fabric."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import nvme, pci
from ansible_collections.gpuwright.node.tests.sysroots import sysfs


def _read(root):
    host = Host(str(root))
    found = {"sources": {}, "notes": host.notes, "numa_nodes": [{"id": 0, "cpus": "0-3"}, {"id": 1, "cpus": "4-7"}],
             "cpu": {"online": "0-7"}}
    found["_pci"] = pci.read(host, found)
    return nvme.read(host, found)


def _device(root, bus=0x16, **files):
    return sysfs.device(root, sysfs.host_bridge(root, "pci0000:15"), "0000:%02x:00.0" % bus, dict(
        {"class": "0x010802", "numa_node": 1, "local_cpulist": "4-7"}, **files), "nvme")


def test_a_drive(tmp_path):
    sysfs.drive(tmp_path, _device(tmp_path), "nvme0", "SAMSUNG MZWLO3T8HCLS-00A07", size=1000)
    assert _read(tmp_path) == [{
        "name": "nvme0", "pci_address": "0000:16:00.0", "model": "SAMSUNG MZWLO3T8HCLS-00A07", "numa_node": 1,
        "cpus": "4-7", "namespaces": [{"name": "nvme0n1", "size": 512000, "queue": {
            "scheduler": "none", "max_sectors_kb": 128, "max_hw_sectors_kb": 128, "read_ahead_kb": 128,
            "nr_requests": 1023, "rotational": 0}}]}]


def test_a_namespace_with_several_ways_to_it_is_named_by_its_head(tmp_path):
    folder = _device(tmp_path) + "/nvme/nvme3"
    sysfs.write_all(tmp_path, folder, {"model": "M", "nvme1c3n1/size": 0, "nvme1c3n2/size": 0, "nvme1c3n2/hidden": 1,
                                       "nvme1c3n1/hidden": 1})
    sysfs.link(tmp_path, folder + "/device", "sys/devices/pci0000:15/0000:16:00.0")
    sysfs.link(tmp_path, "sys/class/nvme/nvme3", folder)
    for number in (1, 2):
        head = "sys/devices/virtual/nvme-subsystem/nvme-subsys1/nvme1n%d" % number
        sysfs.write_all(tmp_path, head, {"size": 8 * number, "queue/scheduler": "none", "nvme1n1p1/size": 1})
        sysfs.link(tmp_path, head + "/device", "sys/devices/virtual/nvme-subsystem/nvme-subsys1")
        sysfs.link(tmp_path, "sys/class/block/nvme1n%d" % number, head)
    (drive,) = _read(tmp_path)
    assert [(one["name"], one["size"], one["queue"]["scheduler"]) for one in drive["namespaces"]] == [
        ("nvme1n1", 4096, "none"), ("nvme1n2", 8192, "none")]


def test_a_controller_on_a_fabric_has_no_pci_address(tmp_path):
    folder = "sys/devices/virtual/nvme-fabrics/ctl/nvme0"
    sysfs.write_all(tmp_path, folder, {"model": "Linux", "transport": "rdma", "numa_node": 1,
                                       "address": "traddr=10.0.0.1,trsvcid=4420"})
    sysfs.link(tmp_path, folder + "/device", "sys/devices/virtual/nvme-fabrics/ctl")
    sysfs.link(tmp_path, "sys/class/nvme/nvme0", folder)
    (drive,) = _read(tmp_path)
    assert (drive["pci_address"], drive["numa_node"], drive["namespaces"]) == (None, 1, [])


def test_an_old_kernel_shows_only_the_disk(tmp_path):
    folder = _device(tmp_path) + "/block/nvme0n1"
    sysfs.write_all(tmp_path, folder, {"size": 8, "queue/scheduler": "noop [deadline] cfq", "nvme0n1p1/size": 1})
    sysfs.link(tmp_path, folder + "/device", "sys/devices/pci0000:15/0000:16:00.0")
    sysfs.link(tmp_path, "sys/class/block/nvme0n1", folder)
    sysfs.link(tmp_path, "sys/class/block/nvme0n1p1", folder + "/nvme0n1p1")
    (drive,) = _read(tmp_path)
    assert (drive["name"], drive["pci_address"], drive["cpus"]) == ("nvme0", "0000:16:00.0", "4-7")
    assert [(one["name"], one["queue"]["scheduler"]) for one in drive["namespaces"]] == [("nvme0n1", "deadline")]


def test_without_the_class_folder_the_disk_leads_to_the_model(tmp_path):
    folder = _device(tmp_path) + "/nvme/nvme0"
    sysfs.write_all(tmp_path, folder, {"model": "KINGSTON", "nvme0n1/size": 8})
    sysfs.link(tmp_path, folder + "/nvme0n1/device", folder)
    sysfs.link(tmp_path, "sys/block/nvme0n1", folder + "/nvme0n1")
    (drive,) = _read(tmp_path)
    assert (drive["name"], drive["pci_address"], drive["model"]) == ("nvme0", "0000:16:00.0", "KINGSTON")


def test_drives_are_in_pci_order(tmp_path):
    for number, bus in ((0, 0x20), (1, 0x18), (10, 0x19)):
        sysfs.drive(tmp_path, _device(tmp_path, bus), "nvme%d" % number, "M")
    assert [drive["name"] for drive in _read(tmp_path)] == ["nvme1", "nvme10", "nvme0"]
