# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of rule R23 both ways: translation on bare metal, passthrough in a virtual machine."""

from __future__ import annotations

import pytest

from tests.sysroots import pci_node, sysfs
from tests.sysroots.eight_gpu import GPU_ADDRESSES
from tests.sysroots.pci_node import build, findings

VIRTUAL = {"/sys/class/dmi/id/sys_vendor": "QEMU", "/proc/cpuinfo": "processor\t: 0\nflags\t: fpu hypervisor"}


@pytest.mark.parametrize("options, severity", [({}, "E"), ({"gpudirect_expected": False}, "W")])
def test_r23_translation_on_bare_metal(tmp_path, options, severity):
    (found, message), = findings(build(tmp_path, "iommu_translated"), **options)["R23"]
    assert found == severity
    assert "translates addresses for GPU 0, mlx5_0" in message and "set gpudirect_iommu: pt" in message


def test_r23_once_the_argument_is_asked_for_it_waits_for_the_boot(tmp_path):
    assert findings(build(tmp_path, "iommu_translated"), {"iommu": "pt"})["R23"][0] == (
        "W", "the IOMMU translates addresses for GPU 0, mlx5_0, GPU 1, mlx5_1, GPU 2, mlx5_2 and 10 more until the "
             "next boot")


def test_r23_one_device_is_enough_and_on_arm_the_argument_is_another(tmp_path):
    root = build(tmp_path, **{"/proc/sys/kernel/arch": "aarch64"})
    group = root / "sys/kernel/iommu_groups/33/type"
    group.write_text("DMA-FQ\n")
    (_severity, message), = findings(root)["R23"]
    assert "for GPU 3, so that" in message
    assert ("iommu.passthrough=1" in message) == (pci_node.plan(root).host.text("/proc/sys/kernel/arch") == "aarch64")


@pytest.mark.parametrize("fault", [None, "iommu_off"])
def test_r23_is_silent_where_nothing_translates(tmp_path, fault):
    assert "R23" not in findings(build(tmp_path, fault))


def test_r23_in_a_virtual_machine(tmp_path):
    root = build(tmp_path, **VIRTUAL)
    (severity, message), = findings(root)["R23"]
    assert severity == "E" and "do not use ATS: take it out" in message
    space = bytearray(sysfs.config_space(None, 0))
    space[0x100:0x108] = (0x000F | 1 << 16).to_bytes(4, "little") + b"\0\0" + (0x8000).to_bytes(2, "little")
    pci_node.put_config(root, GPU_ADDRESSES[0], bytes(space))
    assert "R23" not in findings(root)
    off = build(tmp_path / "off", "iommu_off", **VIRTUAL)
    assert findings(off)["R23"] == [("I", "iommu=pt does nothing here: this virtual machine has no IOMMU")]
