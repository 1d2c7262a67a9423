# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPUs of a node: PCI and driver joined."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs


def _read(host):
    return gpu.read(host, {"_pci": pci.read(host)})


def _device(root, address, vendor, kind="0x030200", driver=None):
    sysfs.device(str(root), sysfs.host_bridge(str(root), "pci0000:00"), address,
                 {"class": kind, "vendor": vendor, "device": "0x1"}, driver)


def test_eight_gpus(tmp_path):
    host = Host(str(eight_gpu.build(tmp_path)))
    gpus = _read(host)
    assert [record["pci_address"] for record in gpus] == list(eight_gpu.GPU_ADDRESSES)
    assert all(record["in_driver"] and record["persistence"] and set(record) == set(gpu.EMPTY) for record in gpus)
    assert host.notes == []


def test_a_gpu_that_the_driver_lost_is_still_there(tmp_path, logs):
    _device(tmp_path, "0000:53:00.0", "0x10de", driver="nvidia")
    _device(tmp_path, "0000:ff:00.0", "0x10de", driver="nvidia")
    sysfs.write(tmp_path, "gpuwright/nvidia-smi.xml", logs["nvidia-qx-h100"])
    states = {record["pci_address"]: record["in_driver"] for record in _read(Host(str(tmp_path)))}
    assert states["0000:53:00.0"] is True and states["0000:ff:00.0"] is False
    assert len(states) == 9


def test_a_gpu_of_a_virtual_machine_is_neither_lost_nor_unreadable(tmp_path):
    _device(tmp_path, "0000:53:00.0", "0x10de", driver="vfio-pci")
    host = Host(str(tmp_path))
    record, = _read(host)
    assert (record["in_driver"], record["driver"], host.notes) == (None, "vfio-pci", [])


def test_no_answer_recorded_is_told(tmp_path):
    host = Host(str(eight_gpu.build(tmp_path, "no_nvidia_smi")))
    assert [record["in_driver"] for record in _read(host)] == [False] * 8
    assert host.notes == ["NVIDIA GPUs are here, but no answer of nvidia-smi was recorded"]


@pytest.mark.parametrize(("vendor", "kind", "driver", "count"), [
    ("0x10de", "0x030000", "nvidia", 1), ("0x10de", "0x040300", "snd_hda_intel", 0), ("0x1a03", "0x030000", "ast", 0),
    ("0x1002", "0x038000", "amdgpu", 1), ("0x1002", "0x120000", "amdgpu", 1), ("0x1002", "0x030000", "radeon", 0),
    ("junk", "0x030000", None, 0)])
def test_what_counts_as_a_gpu(tmp_path, vendor, kind, driver, count):
    _device(tmp_path, "0000:53:00.0", vendor, kind, driver)
    assert len(_read(Host(str(tmp_path)))) == count


def test_the_driver_fills_what_the_kernel_does_not_say_of_a_link(tmp_path, logs):
    _device(tmp_path, "0000:53:00.0", "0x10de", driver="nvidia")
    sysfs.write(tmp_path, "sys/bus/pci/devices/0000:53:00.0/current_link_width", 4)
    sysfs.write(tmp_path, "gpuwright/nvidia-smi.xml", logs["nvidia-qx-h100"])
    link = _read(Host(str(tmp_path)))[0]["link"]
    assert (link["width"], link["max_width"], link["speed"]) == (4, 16, "32.0 GT/s PCIe")
