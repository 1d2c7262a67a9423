# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role gpudirect as a whole: its rows go round on the eight-GPU node, and have no place where they make no sense."""

from __future__ import annotations

import functools

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._settings import gpudirect

from tests.sysroots import boot_tree, engine, pci_node, plain_node, sysfs
from tests.sysroots.engine import statuses, steps
from tests.sysroots.pci_node import Pci

# Where DMA-BUF does not serve, so that every row has its place.
FAULT = "closed_module"
VALUES = {"nvidia_peermem": "loaded", "nvidia-persistenced.service": "enabled",
          "nvidia-fabricmanager.service": "enabled", "iommu": "pt", "pci/MaxReadReq": 4096,
          "pci/ACSCtl": "redirect-off", "nvidia/NVreg_EnablePCIERelaxedOrderingMode": 1,
          "nvidia/NVreg_GrdmaPciTopoCheckOverride": 0, "nvidia/NVreg_CoherentGPUMemoryMode": "driver"}
SETTLED = {"ok", "pending_reboot"}

plan = functools.partial(engine.plan, role="gpudirect", kernel=Pci)
apply = functools.partial(engine.apply, role="gpudirect", kernel=Pci)
roll_back = functools.partial(engine.roll_back, kernel=Pci)


def build(folder):
    root = pci_node.build(folder, FAULT)
    (root / "proc/cmdline").write_text("BOOT_IMAGE=/boot/vmlinuz root=/dev/md0 ro quiet\n")
    for port in ("0000:9a:10.0", "0000:9a:11.0"):
        pci_node.put_config(root, port, sysfs.config_space(0x1D, 6))
    return root


def test_every_row_is_asked_for():
    assert set(VALUES) == {row.name for row in gpudirect.ROWS}


def test_every_row_goes_round(tmp_path):
    """Check, apply, audit, apply again, roll back: the steps agree and every byte comes back."""
    root = build(tmp_path)
    before = plain_node.snapshot(root)
    checked = _result.result(plan(root, values=VALUES))
    assert plain_node.snapshot(root) == before
    applied = apply(root, values=VALUES)
    assert _result.failures(applied) == []
    told = _result.result(applied)
    kept = [{key: value for key, value in step.items() if key not in ("changed", "after", "error")}
            for step in told["settings"]]
    assert kept == checked["settings"] and told["diff"] == checked["diff"]
    assert {step["status"] for step in applied.steps} <= {"drift"} | SETTLED
    assert set(statuses(plan(root, values=VALUES)).values()) <= SETTLED
    settled = plain_node.snapshot(root)
    again = apply(root, values=VALUES)
    assert not again.due and plain_node.snapshot(root) == settled
    assert roll_back(root).errors == []
    # What waits for the next load of the driver is noted where the boot clears it.
    (root / "run/gpuwright-pending.json").unlink(missing_ok=True)
    assert plain_node.snapshot(root) == before


def test_the_argument_waits_for_the_boot(tmp_path):
    root = build(tmp_path)
    assert apply(root, values={"iommu": "pt"}).steps[0]["status"] == "drift"
    assert statuses(plan(root, values={"iommu": "pt"})) == {"iommu": "pending_reboot"}
    boot_tree.boot(root)
    assert statuses(plan(root, values={"iommu": "pt"})) == {"iommu": "ok"}


def test_a_node_without_gpus_is_left_alone_without_a_word(tmp_path):
    root = plain_node.build(tmp_path)
    made = engine.apply(root, "gpudirect", VALUES)
    assert {step["status"] for step in made.steps} == {"not_applicable"}
    assert not made.due and made.findings == [] and _result.failures(made) == []
    said = {name: step["reason"] for name, step in steps(made).items()}
    assert said["nvidia-persistenced.service"] == "no NVIDIA GPU is here"
    assert said["iommu"] == said["pci/MaxReadReq"] == said["pci/ACSCtl"] == (
        "no RDMA NIC that serves GPUs is here")


@pytest.mark.parametrize("name", ["gpudirect_compute_nics", "gpudirect_storage_nics"])
def test_the_operators_word_on_nics_holds(tmp_path, name):
    root = pci_node.build(tmp_path)
    made = plan(root, values={"pci/MaxReadReq": 4096}, options={name: ["mlx5_0"]})
    assert ("mlx5_0/pci/MaxReadReq" in statuses(made)) is (name == "gpudirect_compute_nics")
    assert len(made.steps) == (1 if name == "gpudirect_compute_nics" else 7)


@pytest.mark.parametrize("values", [{}, {"pci/MaxReadReq": 4096}])
def test_a_nic_that_is_not_here_is_said_before_anything_is_written(tmp_path, values):
    root = pci_node.build(tmp_path)
    with pytest.raises(BadInput, match="no RDMA device 'mlx5_00' on this host, did you mean 'mlx5_0'"):
        apply(root, values=values, options={"gpudirect_compute_nics": ["mlx5_00"]})


def test_a_nic_that_a_boot_has_not_found_keeps_nothing_from_the_others(tmp_path):
    root = pci_node.build(tmp_path)
    made = plan(root, values={"pci/MaxReadReq": 4096}, absent_ok=True, options={
        "gpudirect_compute_nics": ["mlx5_0", "mlx5_77", "rail1", "0000:1a:00.0"], "gpudirect_storage_nics": None})
    assert set(statuses(made)) == {"mlx5_0/pci/MaxReadReq", "mlx5_1/pci/MaxReadReq"}
