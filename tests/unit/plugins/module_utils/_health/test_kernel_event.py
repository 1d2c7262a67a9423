# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of kernel logs, as drivers and kernels of several years write them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import kernel_event


def _told(line):
    kind, _key, record = kernel_event.recognise(line)
    return kind, record


@pytest.mark.parametrize(("line", "address", "code", "severity"), [
    ("NVRM: Xid (PCI:0000:9b:00): 119, pid=2024380, name=nvidia-smi, Timeout after 6s", "0000:9b:00.0", 119, "fatal"),
    ("NVRM: Xid (0000:01:00): 31, Ch 0000000b, engmask 00000120", "0000:01:00.0", 31, "application"),
    ("NVRM: Xid (PCI:0000:10:1c): 63, pid=1896, Row Remapper: New row marked", "0000:10:1c.0", 63, "info"),
    ("NVRM: Xid (PCI:0000:01:00 GPU-I:05): 13, pid=9, Graphics Exception", "0000:01:00.0", 13, "application"),
    ("NVRM: Xid (PCI:0002:00:00): 79, pid='<unknown>', name=<unknown>, GPU has", "0002:00:00.0", 79, "fatal"),
    ("NVRM: Xid (PCI:00010000:3B:00): 95", "10000:3b:00.0", 95, "fatal"),
    ("NVRM: Xid (somewhere): 500, what is this", None, 500, "unknown"),
])
def test_xids(line, address, code, severity):
    kind, record = _told(line)
    assert kind == "xids"
    assert (record["pci_address"], record["code"], record["severity"]) == (address, code, severity)


@pytest.mark.parametrize(("words", "severity"), [
    ("Non-fatal, Link 32 egress non-posted PRIV error (First)", "warning"),
    ("Fatal, Link 44 ingress ECC double bit error", "fatal"), ("Severity 1 Engine instance", "unknown")])
def test_nvswitches(words, severity):
    kind, record = _told("nvidia-nvswitch3: SXid (PCI:0000:05:00.0): 12028, " + words)
    assert (kind, record["pci_address"], record["code"], record["severity"]) == (
        "sxids", "0000:05:00.0", 12028, severity)


@pytest.mark.parametrize(("line", "address", "severity"), [
    ("pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, (Receiver ID)",
     "0000:00:1c.0", "corrected"),
    ("pcieport 0000:07:00.0: PCIe Bus Error: severity=Correctable, type=Data Link Layer", "0000:07:00.0", "corrected"),
    ("igb 0000:09:00.0: AER: PCIe Bus Error: severity=Uncorrected (Non-Fatal), type=Transaction Layer",
     "0000:09:00.0", "nonfatal"),
    ("pcieport 10000:c0:01.1: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Transaction Layer",
     "10000:c0:01.1", "fatal"),
])
def test_aer(line, address, severity):
    kind, record = _told(line)
    assert (kind, record["pci_address"], record["severity"]) == ("aer", address, severity)


@pytest.mark.parametrize(("line", "kind", "device", "severity"), [
    ("NVRM: GPU 0000:09:00.0: GPU has fallen off the bus.", "gpu_off_bus", "0000:09:00.0", "fatal"),
    ("NVRM: GPU has fallen off the bus.", "gpu_off_bus", None, "fatal"),
    ("NVRM: GPU 0000:01:00.0: RmInitAdapter failed! (0x24:0xffff:1459)", "gpu_init_failed", "0000:01:00.0", "fatal"),
    ("amdgpu 0000:87:00.0: amdgpu: GPU reset begin!", "gpu_reset", "0000:87:00.0", "fatal"),
    ("amdgpu 0000:87:00.0: amdgpu: GPU reset(3) failed", "gpu_reset_failed", "0000:87:00.0", "fatal"),
    ("amdgpu 0000:c3:00.0: amdgpu: 2 uncorrectable hardware errors detected in umc block", "ras_uncorrected",
     "0000:c3:00.0", "fatal"),
    ("amdgpu 0000:c3:00.0: amdgpu: {1} socket: 0, die: 1, 1 new uncorrectable hardware errors detected in gfx block",
     "ras_uncorrected", "0000:c3:00.0", "fatal"),
    ("nvme nvme0: controller is down; will reset: CSTS=0xffffffff, PCI_STATUS=0x10", "nvme_reset", "nvme0", "warning"),
    ("nvme nvme1: I/O 12 QID 3 timeout, reset controller", "nvme_reset", "nvme1", "warning"),
    ("nvme nvme1: Disabling device after reset failure: -19", "nvme_lost", "nvme1", "fatal"),
    ("pcieport 0000:00:1b.0: DPC: containment event, status:0x1f01 source:0x0000", "pcie_containment",
     "0000:00:1b.0", "fatal"),
    ("mce: [Hardware Error]: CPU 0: Machine Check: 5 Bank 6: be", "machine_check", None, "unknown"),
    ("[Hardware Error]: Corrected error, no action required.", "machine_check", None, "corrected"),
    ("[Hardware Error]: Uncorrected, software containable error.", "machine_check", None, "uncorrected"),
    ("{1}[Hardware Error]: event severity: recoverable", "machine_check", None, "uncorrected"),
    ("EDAC MC0: 1 CE memory read error on CPU_SrcID#0", "machine_check", "MC0", "corrected"),
    ("EDAC MC1: 1 UE memory read error on CPU_SrcID#0", "machine_check", "MC1", "uncorrected"),
])
def test_other_events(line, kind, device, severity):
    section, record = _told(line)
    assert (section, record["kind"], record["device"], record["severity"]) == ("events", kind, device, severity)


@pytest.mark.parametrize("line", [
    "", "NVRM: loading NVIDIA UNIX Open Kernel Module for x86_64  580.105.08",
    "nvme nvme0: 8/0/0 default/read/poll queues",
    "amdgpu 0000:c3:00.0: amdgpu: no uncorrectable hardware errors detected in umc block",
    "amdgpu 0000:c3:00.0: amdgpu: 0 uncorrectable hardware errors detected in umc block",
    "amdgpu 0000:c3:00.0: amdgpu: 10 correctable hardware errors detected in umc block",
    "amdgpu 0000:87:00.0: amdgpu: GPU reset(1) succeeded!", "NVRM: GPU at PCI:0000:9b:00: GPU-1",
    "pcieport 0000:00:1c.0: AER: Multiple Corrected error received: 0000:00:1d.0",
    "EDAC MC0: Giving out device to module skx_edac", "NVRM: Xid (PCI:0000:9b:00", "NVRM: Xid (PCI:0000:9b:00): x",
])
def test_lines_that_tell_of_no_damage(line):
    assert kernel_event.recognise(line) is None


def test_the_worse_of_two_of_a_kind():
    assert kernel_event.worse_of({"severity": "workflow"}, {"severity": "fatal"}) == "fatal"
    assert kernel_event.worse_of({"severity": "fatal"}, {"severity": "info"}) == "fatal"
    assert kernel_event.worse_of({}, {"severity": "info"}) == "info"


def test_a_long_message_is_cut():
    assert len(_told("NVRM: Xid (PCI:0000:9b:00): 13, " + "x" * 5000)[1]["message"]) == 160
