# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""IOMMU, ACS, DMA-BUF, peermem, HMM and ATS, on the hand-made node and alone."""

from __future__ import annotations

import gzip

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import gpudirect, node
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs


def _kernel(root, fault=None):
    return node.read_topology(Host(eight_gpu.build(str(root), fault)))


@pytest.mark.parametrize(("fault", "state"), [
    (None, "passthrough"), ("iommu_translated", "translated"), ("iommu_off", "off")])
def test_iommu(tmp_path, fault, state):
    assert _kernel(tmp_path, fault)["kernel"]["iommu"] == state


@pytest.mark.parametrize(("files", "state"), [
    ({}, None),
    ({"/sys/kernel/iommu_groups/0/type": "identity", "/sys/kernel/iommu_groups/1/type": "identity"}, "passthrough"),
    ({"/sys/kernel/iommu_groups/0/type": "identity", "/sys/kernel/iommu_groups/1/type": "DMA"}, "translated"),
    ({"/sys/kernel/iommu_groups/0/devices/x": "", "/proc/cmdline": "ro iommu=pt"}, "passthrough"),
    ({"/sys/kernel/iommu_groups/0/devices/x": "", "/proc/cmdline": "ro intel_iommu=on"}, "translated"),
])
def test_iommu_without_gpus(machine, files, state):
    found = {"sources": {}, "notes": []}
    assert gpudirect._iommu(machine(files), found) == state
    assert bool(found["sources"]) == ("/proc/cmdline" in files)


def test_acs_of_the_bridges_between_gpus_and_their_nics(tmp_path):
    acs = _kernel(tmp_path, "acs_redirect")["kernel"]["acs"]
    on = sorted(bridge for bridge, bits in acs.items() if bits)
    assert {tuple(acs[bridge]) for bridge in on} == {("RR", "CR")}
    assert on == ["0000:99:00.0", "0000:99:01.0", "0000:9a:10.0", "0000:9a:11.0", "0000:9f:10.0", "0000:9f:11.0"]
    assert "0000:16:00.0" in acs
    assert "0000:51:01.0" not in acs, "a storage NIC is behind no GPU's switch"


def test_acs_that_cannot_be_read_is_unknown(tmp_path):
    fact = _kernel(tmp_path, "acs_unreadable")
    assert set(map(str, fact["kernel"]["acs"].values())) == {"None"}
    assert "acs: the extended config space of bridges cannot be read: it takes root" in fact["notes"]


@pytest.mark.parametrize(("control", "bits"), [(0, []), (4, ["RR"]), (8, ["CR"]), (0x1D, ["RR", "CR"]), (0x11, [])])
def test_redirect_bits(tmp_path, control, bits):
    place = "sys/bus/pci/devices/0000:17:00.0/config"
    sysfs.write(tmp_path, place, sysfs.config_space(control))
    assert gpudirect._redirects(Host(str(tmp_path)), {}, "0000:17:00.0") == bits


@pytest.mark.parametrize(("fault", "dmabuf", "peermem", "words"), [
    (None, True, False, "open kernel module, NIC driver mlx5_core; nvidia_peermem is not loaded (not needed"),
    ("peermem", True, True, "nvidia_peermem is loaded"),
    ("closed_module", False, False, "proprietary kernel module; nvidia_peermem is not loaded"),
    ("old_kernel", False, False, "older than 5.12"),
])
def test_gpudirect(tmp_path, fault, dmabuf, peermem, words):
    said = _kernel(tmp_path, fault)["kernel"]["gpudirect"]
    assert (said["dmabuf"], said["peermem"]) == (dmabuf, peermem)
    assert words in said["why"]


def test_gpudirect_without_gpus(machine):
    assert gpudirect._gpudirect(machine({}), {})["dmabuf"] is None


def _amd(machine, config, **files):
    host = machine(dict({"/proc/sys/kernel/osrelease": "6.8.0", "/sys/module/ib_core/refcnt": "1"}, **files))
    if config is not None:
        with open(host.root + "/proc/config.gz", "wb") as place:
            place.write(gzip.compress(config.encode()))
    found = {"gpus": [{"vendor": "amd"}], "rdma_devices": [{"pci_address": "a"}],
             "_pci": {"a": {"driver": "mlx5_core"}}}
    return gpudirect._gpudirect(host, found)


@pytest.mark.parametrize(("config", "dmabuf", "words"), [
    ("CONFIG_PCI_P2PDMA=y\nCONFIG_DMABUF_MOVE_NOTIFY=y\n", True, "kernel built for it"),
    ("CONFIG_PCI_P2PDMA=y\n# CONFIG_DMABUF_MOVE_NOTIFY is not set\n", False, "without CONFIG_DMABUF_MOVE_NOTIFY"),
    (None, None, "configuration cannot be read"),
])
def test_amd_needs_two_kernel_options(machine, config, dmabuf, words):
    said = _amd(machine, config)
    assert (said["dmabuf"], said["peermem"]) == (dmabuf, False)
    assert words in said["why"]


@pytest.mark.parametrize(("drivers", "kernel", "able"), [
    (["mlx5_core"], (5, 15), True), (["mlx4_core"], (6, 8), None), (["bnxt_en"], (6, 8), False), ([None], (6, 8), None),
    (["bnxt_en", "mlx5_core"], (6, 8), True), ([], (6, 8), None)])
def test_which_nic_drivers_can(drivers, kernel, able):
    found = {"rdma_devices": [{"pci_address": str(number)} for number, _driver in enumerate(drivers)],
             "_pci": {str(number): {"driver": driver} for number, driver in enumerate(drivers)}}
    assert gpudirect._dmabuf_nics(found, kernel)[0] is able


@pytest.mark.parametrize(("modes", "files", "hmm", "ats"), [
    (["HMM", "HMM"], {}, True, False), (["ATS"], {}, False, True), (["None"], {}, False, False),
    ([None], {}, None, None),
    ([None], {"/sys/module/nvidia_uvm/parameters/uvm_disable_hmm": "Y",
              "/sys/module/nvidia_uvm/parameters/uvm_ats_mode": "0"}, False, False),
    ([None], {"/sys/module/nvidia_uvm/parameters/uvm_disable_hmm": "N",
              "/sys/module/nvidia_uvm/parameters/uvm_ats_mode": "1"}, None, None),
])
def test_hmm_and_ats(machine, modes, files, hmm, ats):
    host = machine(files)
    found = {"gpus": [{"vendor": "nvidia", "addressing_mode": mode} for mode in modes], "sources": {}}
    assert (gpudirect._hmm(host, found), gpudirect._ats(host, found)) == (hmm, ats)
