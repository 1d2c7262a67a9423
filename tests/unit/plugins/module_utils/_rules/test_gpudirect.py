# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on the way from NICs to GPUs, on the eight-GPU node and its faults."""

from __future__ import annotations

import pytest

from tests.sysroots import eight_gpu, pci_node, plain_node
from tests.sysroots.engine import plan, steps
from tests.sysroots.pci_node import build, findings

VIRTUAL = {"/sys/class/dmi/id/sys_vendor": "QEMU", "/proc/cpuinfo": "processor\t: 0\nflags\t: fpu hypervisor"}


def test_a_healthy_node_has_nothing_but_its_addressing_mode(tmp_path):
    found = findings(build(tmp_path))
    assert set(found) == {"gpu-addressing"}
    assert found["gpu-addressing"][0][0] == "I" and "HMM" in found["gpu-addressing"][0][1]


def test_a_node_without_gpus_and_nics_has_nothing_to_say(tmp_path):
    assert plan(plain_node.build(tmp_path), "gpudirect", {}).findings == []


@pytest.mark.parametrize("fault, severity, words", [
    ("closed_module", "W", "copies through the host: proprietary kernel module; nvidia_peermem is not loaded. Install "
     "the open kernel modules"), ("old_kernel", "W", "older than 5.12"), ("peermem", "I", "superfluous")])
def test_r12(tmp_path, fault, severity, words):
    assert [one[0] for one in findings(build(tmp_path, fault))["R12"]] == [severity]
    assert words in findings(build(tmp_path / "again", fault))["R12"][0][1]


def test_r12_where_it_cannot_be_told(tmp_path):
    root = build(tmp_path)
    (root / "proc/driver/nvidia/version").unlink()
    assert findings(root)["R12"][0] == ("I", "whether NICs reach the memory of GPUs cannot be told: the kernel module "
                                             "is unknown; nvidia_peermem is not loaded")


@pytest.mark.parametrize("compute, severity, words", [
    (["mlx5_4"], "W", "GPU 0, 1, 2, 3: the nearest NIC that serves GPUs is at NODE"),
    (["mlx5_4"], "E", "GPU 4, 5, 6, 7: the nearest NIC that serves GPUs is at SYS, beyond the link between sockets")])
def test_r13_far(tmp_path, compute, severity, words):
    found = findings(build(tmp_path), gpudirect_compute_nics=compute)["R13"]
    assert [one for one in found if one[0] == severity and words in one[1]]
    relaxed = findings(build(tmp_path / "2"), gpudirect_compute_nics=compute, gpudirect_expected=False)["R13"]
    assert {one[0] for one in relaxed} == {"W"}
    assert {one[1].endswith("gpudirect_expected: false makes this a warning") for one in found if one[0] == "E"} == {
        True}
    assert not any("gpudirect_expected" in one[1] for one in relaxed)


def test_r13_two_gpus_share_a_nic_while_another_is_idle(tmp_path):
    root = build(tmp_path, "no_rail")
    assert findings(root)["R13"] == [("W", "GPUs 6, 7 share mlx5_8, while no GPU uses mlx5_4, mlx5_9: see the cabling "
                                           "and the slots, or name what is for storage in gpudirect_storage_nics")]
    assert "R13" not in findings(root, gpudirect_storage_nics=list(eight_gpu.STORAGE))


def test_a_gpu_without_a_rail_is_named(tmp_path):
    (severity, message), = findings(build(tmp_path, "nic_down"))["gpu-rail"]
    assert severity == "W" and message.startswith("GPU 5 has no NIC of its own: the nearest is at PXB")


def test_a_virtual_machine_hides_its_switches(tmp_path):
    found = findings(build(tmp_path, "no_rail", **VIRTUAL))
    assert not {"R13", "gpu-rail"} & set(found)


@pytest.mark.parametrize("value, refused", [(1, True), (0, False)])
def test_the_drivers_own_check_is_not_overridden(tmp_path, value, refused):
    made = pci_node.plan(build(tmp_path), {"nvidia/NVreg_GrdmaPciTopoCheckOverride": value})
    assert (steps(made)["nvidia/NVreg_GrdmaPciTopoCheckOverride"]["status"] == "refused") is refused
    assert bool([one for one in made.findings if one["rule"] == "grdma-override"]) is refused
