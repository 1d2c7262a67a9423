# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings of role gpudirect have no place on a node, and what is said of them."""

from __future__ import annotations

import pytest

from tests.sysroots.engine import steps
from tests.sysroots.pci_node import build, plan

VALUES = {"nvidia_peermem": "loaded", "nvidia-fabricmanager.service": "enabled", "iommu": "pt"}
PEER = "/lib/modules/6.8.0-60-generic/modules.symbols"
VIRTUAL = {"/sys/class/dmi/id/sys_vendor": "QEMU", "/proc/cpuinfo": "processor\t: 0\nflags\t: fpu hypervisor"}


def said(root, name, **options):
    step = steps(plan(root, VALUES, options=options))[name]
    return step["reason"] if step["status"] == "not_applicable" else None


@pytest.mark.parametrize("fault, files, reason", [
    (None, {}, "DMA-BUF serves: kernel 6.8.0-60-generic, open kernel module"), ("closed_module", {}, None),
    ("closed_module", {PEER: "alias symbol:other ib_core"}, "no interface for it: it comes with DOCA-OFED")])
def test_peermem_is_the_second_choice(tmp_path, fault, files, reason):
    found = said(build(tmp_path, fault, **files), "nvidia_peermem")
    assert found is None if reason is None else reason in found


def test_peermem_where_it_cannot_be_told(tmp_path):
    root = build(tmp_path)
    for name in ("mlx5_%d" % number for number in range(10)):
        device = (root / "sys/class/infiniband" / name / "device").resolve()
        (device / "driver").unlink()
        (device / "driver").symlink_to("/sys/bus/pci/drivers/another")
    assert said(root, "nvidia_peermem").startswith("whether DMA-BUF serves is unknown")


def test_a_fabric_manager_is_for_nvswitches(tmp_path):
    root = build(tmp_path)
    assert said(root, "nvidia-fabricmanager.service") is None
    for number in range(4, 8):
        (root / ("sys/bus/pci/devices/0000:%02x:00.0" % number)).unlink()
    assert said(root, "nvidia-fabricmanager.service") == "no NVSwitch of this node's own is here"


@pytest.mark.parametrize("files, reason", [
    ({}, None), (VIRTUAL, "virtual machine or a container (qemu): the host below translates"),
    ({"/proc/sys/kernel/arch": "aarch64"}, "this is aarch64, where the kernel argument is iommu.passthrough")])
def test_passthrough_is_for_x86_on_bare_metal(tmp_path, files, reason):
    found = said(build(tmp_path, **files), "iommu")
    assert found is None if reason is None else reason in found


def test_without_nics_that_serve_gpus_there_is_no_gpudirect(tmp_path):
    root = build(tmp_path, "closed_module")
    assert {said(root, name, gpudirect_compute_nics=[]) for name in ("nvidia_peermem", "iommu")} == {
        "no RDMA NIC that serves GPUs is here"}
