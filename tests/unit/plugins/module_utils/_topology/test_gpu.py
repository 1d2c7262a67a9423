# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GPUs of a host: which devices are some, in which order, and what each source adds."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import gpu, kfd, node
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, eight_gpu_driver, sysfs

SECTIONS = ("system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices", "nvme", "pci_paths", "gpu_nics")


def _read(root):
    return node.read_topology(Host(str(root)), SECTIONS)


def _eight(root, fault=None):
    return _read(eight_gpu.build(str(root), fault))


def _device(root, bus, kind, vendor, driver=None, behind_bridge=True, **files):
    parent = sysfs.host_bridge(root, "pci0000:00")
    if behind_bridge:
        parent = sysfs.device(root, parent, "0000:00:%02x.0" % bus, {"class": "0x060400"})
    return sysfs.device(root, parent, "0000:%02x:00.0" % bus, dict(files, **{"class": kind, "vendor": vendor}), driver)


def test_eight_gpus_in_pci_order(tmp_path):
    gpus = _eight(tmp_path)["gpus"]
    assert [one["pci_address"] for one in gpus] == list(eight_gpu.GPU_ADDRESSES)
    assert [one["index"] for one in gpus] == list(range(8))
    assert [one["uuid"] for one in gpus] == [eight_gpu_driver.uuid(number) for number in range(8)]
    assert [one["numa_node"] for one in gpus] == [0] * 4 + [1] * 4
    first = dict(gpus[0])
    assert first.pop("links") == {str(peer): "NV18" for peer in range(1, 8)}
    assert first == {
        "index": 0, "pci_address": "0000:19:00.0", "vendor": "nvidia", "name": "NVIDIA H100 80GB HBM3",
        "uuid": "GPU-00000000-0000-0000-0000-000000000000", "memory": 81559 << 20, "driver": "nvidia",
        "driver_version": "580.105.08", "numa_node": 0, "cpus": "0-55,112-167",
        "link": {"speed": "32.0 GT/s PCIe", "width": 16, "max_speed": "32.0 GT/s PCIe", "max_width": 16},
        "mig": {"enabled": False, "devices": []}, "persistence": True, "addressing_mode": "HMM"}


def test_without_nvidia_smi_sysfs_and_proc_tell_the_rest(tmp_path):
    for one in _eight(tmp_path, "no_nvidia_smi")["gpus"]:
        assert one["name"] == "NVIDIA H100 80GB HBM3"
        assert one["uuid"].startswith("GPU-")
        assert [one[key] for key in ("memory", "links", "mig", "persistence", "addressing_mode")] == [None] * 5


def test_a_link_that_trained_narrow(tmp_path):
    widths = [one["link"]["width"] for one in _eight(tmp_path, "link_x8")["gpus"]]
    assert widths == [16, 16, 16, 8, 16, 16, 16, 16]


def test_a_lost_gpu_is_not_counted(tmp_path):
    gpus = _eight(tmp_path, "gpu_lost")["gpus"]
    assert [one["index"] for one in gpus] == list(range(7))
    assert gpus[6]["links"] == {str(peer): "NV18" for peer in range(6)}


def test_a_node_from_the_bridge(tmp_path):
    fact = _eight(tmp_path, "numa_node")
    assert (fact["gpus"][2]["numa_node"], fact["gpus"][2]["cpus"]) == (0, eight_gpu.NODES[0])
    assert fact["sources"]["0000:3b:00.0 numa_node"] == "numa_node of the bridge 0000:3a:10.0"


def test_a_node_from_the_matrix(tmp_path):
    fact = _eight(tmp_path, "numa_node_root")
    assert (fact["gpus"][2]["numa_node"], fact["gpus"][2]["cpus"]) == (0, eight_gpu.NODES[0])
    assert fact["sources"]["gpu 2 numa_node"] == "nvidia-smi topo -m"


def test_a_matrix_of_another_size_is_not_used(tmp_path):
    eight_gpu.build(str(tmp_path), "gpu_lost")
    place = tmp_path / "gpuwright" / "nvidia-smi-topo.txt"
    place.write_text("\tGPU0\tCPU Affinity\nGPU0\t X \t0-55\n")
    fact = _read(tmp_path)
    assert {one["links"] is None for one in fact["gpus"]} == {True}
    assert "nvidia-smi topo -m has 1 GPUs, this host 7: the matrix is not used" in fact["notes"]


@pytest.mark.parametrize(("kind", "vendor", "driver", "behind_bridge", "counted"), [
    ("0x030200", "0x10de", "nvidia", True, "nvidia"), ("0x030000", "0x10de", "nouveau", True, "nvidia"),
    ("0x030200", "0x10de", "vfio-pci", False, "nvidia"), ("0x068000", "0x10de", "nvidia-nvswitch", True, None),
    ("0x040300", "0x10de", "snd_hda_intel", True, None), ("0x120000", "0x1002", "amdgpu", True, "amd"),
    ("0x038000", "0x1002", "amdgpu", True, "amd"), ("0x030000", "0x1002", "amdgpu", True, "amd"),
    ("0x030000", "0x1002", "radeon", True, None), ("0x030000", "0x1a03", "ast", True, None),
    ("0x030000", "0x102b", "mgag200", True, None), ("0x030000", "0x1af4", "virtio-pci", True, None),
    ("0x030000", "0x8086", "i915", False, None), ("0x038000", "0x8086", "xe", True, "intel"),
    ("0x120000", "0x1b36", None, True, None),
])
def test_which_devices_are_gpus(tmp_path, kind, vendor, driver, behind_bridge, counted):
    _device(tmp_path, 3, kind, vendor, driver, behind_bridge)
    assert [one["vendor"] for one in _read(tmp_path)["gpus"]] == ([counted] if counted else [])


def test_a_device_without_a_vendor_is_a_gpu_if_nvidia_s_driver_lists_it(tmp_path):
    for bus in (3, 4):
        _device(tmp_path, bus, "0x030000", None)
    sysfs.write(tmp_path, "/proc/driver/nvidia/gpus/0000:04:00.0/information", "Model: \t\t Tesla V100-SXM2-16GB")
    fact = _read(tmp_path)
    assert [(one["pci_address"], one["vendor"], one["driver"], one["name"]) for one in fact["gpus"]] == [
        ("0000:04:00.0", "nvidia", "nvidia", "Tesla V100-SXM2-16GB")]
    assert fact["sources"]["0000:04:00.0 vendor"] == "/proc/driver/nvidia/gpus"


def test_a_gpu_near_several_nodes_gets_none_of_them(tmp_path):
    (tmp_path / "gpuwright").mkdir()
    (tmp_path / "gpuwright" / "nvidia-smi-topo.txt").write_text(
        "\tGPU0\tCPU Affinity\tNUMA Affinity\nGPU0\t X \t0-63\t0-1\n")
    fact = _read(tmp_path)
    assert [(one["numa_node"], one["cpus"]) for one in fact["gpus"]] == [(None, "0-63")]
    assert "nvidia-smi topo -m: GPU 0 is near several NUMA nodes (0-1), none is taken" in fact["notes"]


def test_a_display_adapter_of_a_gpu_maker_is_left_out_with_a_note(tmp_path):
    _device(tmp_path, 3, "0x030000", "0x1002", "radeon")
    assert "0000:03:00.0: a display adapter (driver radeon), not counted as a GPU" in _read(tmp_path)["notes"]


def test_a_gpu_given_to_a_virtual_machine_is_not_in_the_matrix(tmp_path):
    _device(tmp_path, 3, "0x030200", "0x10de", "vfio-pci")
    _device(tmp_path, 4, "0x030200", "0x10de", "nvidia")
    _device(tmp_path, 5, "0x030200", "0x10de", "nvidia")
    (tmp_path / "gpuwright").mkdir()
    (tmp_path / "gpuwright" / "nvidia-smi-topo.txt").write_text(
        "\tGPU0\tGPU1\tCPU Affinity\nGPU0\t X \tNV4\t0-55\nGPU1\tNV4\t X \t0-55\n")
    assert [one["links"] for one in _read(tmp_path)["gpus"]] == [None, {"2": "NV4"}, {"1": "NV4"}]


def test_virtual_functions_of_a_gpu_are_not_its_host_s_gpus(tmp_path):
    physical = _device(tmp_path, 3, "0x030200", "0x10de", "nvidia")
    virtual = _device(tmp_path, 4, "0x030200", "0x10de", "nvidia")
    sysfs.link(tmp_path, virtual + "/physfn", physical)
    assert [one["pci_address"] for one in _read(tmp_path)["gpus"]] == ["0000:03:00.0"]


def test_an_amd_gpu_from_sysfs_and_kfd(tmp_path):
    _device(tmp_path, 3, "0x038000", "0x1002", "amdgpu", mem_info_vram_total=68702699520, unique_id="93bb3629c01aea1c")
    _device(tmp_path, 0x26, "0x038000", "0x1002", "amdgpu")
    for number, bus, peer in ((1, 3, 2), (2, 0x26, 1)):
        sysfs.write_all(tmp_path, "%s/%d" % (kfd.NODES, number), {
            "properties": "simd_count 416\nvendor_id 4098\nlocation_id %d" % (bus << 8), "name": "aldebaran",
            "io_links/0/properties": "type 11\nnode_to %d" % peer,
            "mem_banks/0/properties": "heap_type 1\nsize_in_bytes 5"})
    gpus = _read(tmp_path)["gpus"]
    assert [(one["memory"], one["uuid"], one["links"], one["name"]) for one in gpus] == [
        (68702699520, "GPU-93bb3629c01aea1c", {"1": "XGMI"}, "aldebaran"), (5, None, {"0": "XGMI"}, "aldebaran")]


@pytest.mark.parametrize(("text", "version"), [
    ("NVRM version: NVIDIA UNIX Open Kernel Module for x86_64  580.105.08  Release Build  (x@y)", "580.105.08"),
    ("NVRM version: NVIDIA UNIX x86_64 Kernel Module  535.54.03  Tue Jun  6 22:20:39 UTC 2023", "535.54.03"),
    ("NVRM version: NVIDIA UNIX Open Kernel Module for aarch64  570.124.06  Release Build", "570.124.06"),
    ("NVRM version: NVIDIA UNIX aarch64 Kernel Module  470.223.02  Sat Oct  7", "470.223.02"),
    ("something else", None),
])
def test_the_version_of_the_driver(machine, text, version):
    host = machine({"/proc/driver/nvidia/version": text + "\nGCC version:  gcc version 12.3.0\n"})
    assert gpu.driver_version(host, "nvidia") == version


def test_the_version_of_a_module(machine):
    host = machine({"/sys/module/nvidia/version": "550.90.07\n"})
    assert gpu.driver_version(host, "nvidia") == "550.90.07"
    assert gpu.driver_version(host, None) is None
