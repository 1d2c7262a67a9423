# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on access control services: both directions of R24, R27, and the override that fools people."""

from __future__ import annotations

import pytest

from tests.sysroots import pci_node, plain_node, sysfs
from tests.sysroots.eight_gpu import GPU_ADDRESSES, NIC_ADDRESSES
from tests.sysroots.engine import statuses, steps
from tests.sysroots.pci_node import DEVICES, build, findings, plan

OFF = {"pci/ACSCtl": "redirect-off"}
RECORDED = "/gpuwright/rdma_topo-check.txt"
VIRTUAL = {"/sys/class/dmi/id/sys_vendor": "QEMU", "/proc/cpuinfo": "processor\t: 0\nflags\t: fpu hypervisor"}
FAIL = "OK\tAll ConnectX DMA functions have correct PCI topology\n" \
       "FAIL\tACS for cx_switch 0000:9a:10.0 has incorrect values 0011101 != xx110x1, (0x1d != 0x19)"


@pytest.mark.parametrize("options, severity", [({}, "E"), ({"gpudirect_expected": False}, "W")])
def test_r24_the_one_port_is_named_with_both_fixes(tmp_path, options, severity):
    assert findings(build(tmp_path, "acs_one_port"), **options)["R24"] == [(
        severity, "access control services (RR CR) at 0000:9a:10.0 send what goes between GPU 4 and mlx5_5, GPU 4 and "
        "mlx5_6 through the root complex: set gpudirect_acs: redirect-off, or boot with the kernel argument "
        "pci=disable_acs_redir=0000:9a:10.0")]


def test_r24_a_newer_kernel_can_be_told_bit_by_bit(tmp_path):
    root = build(tmp_path, "acs_one_port", **{"/proc/sys/kernel/osrelease": "6.14.0-27-generic"})
    assert findings(root)["R24"][0][1].endswith("pci=config_acs=x0x00xx@0000:9a:10.0")


@pytest.mark.parametrize("fault", [None, "acs_one_port", "acs_redirect"])
def test_r24_is_silent_where_nothing_redirects_or_we_put_it_right(tmp_path, fault):
    assert "R24" not in findings(build(tmp_path, fault), OFF if fault else {})


def test_r24_a_storage_nics_port_is_not_on_the_way(tmp_path):
    root = build(tmp_path, "acs_one_port")
    assert "R24" not in findings(root, gpudirect_compute_nics=["mlx5_0"])


def test_r24_without_root(tmp_path):
    assert findings(build(tmp_path, "acs_unreadable"))["R24"][0][0] == "I"


def test_in_a_virtual_machine_the_bits_are_not_ours(tmp_path):
    root = build(tmp_path, "acs_one_port", **VIRTUAL)
    made = plan(root, OFF)
    assert "R24" not in {one["rule"] for one in made.findings}
    assert {step["status"] for step in made.steps} == {"not_applicable"}
    assert "virtual machine or a container (qemu)" in made.steps[0]["reason"]


@pytest.mark.parametrize("what", ["vfio", "sriov"])
def test_where_devices_are_given_away_isolation_stays(tmp_path, what):
    root = build(tmp_path, "acs_one_port")
    if what == "vfio":
        plain_node.put(root, "/sys/bus/pci/drivers/vfio-pci/0000:40:00.0/class", "0x030200")
    else:
        (root / DEVICES / NIC_ADDRESSES[7] / "physfn").symlink_to("../" + NIC_ADDRESSES[6])
    (severity, message), = findings(root)["R24"]
    assert severity == "W" and "what is given" not in message and "which need that" in message
    assert set(statuses(plan(root, OFF)).values()) == {"not_applicable"}


def test_r24_on_a_direct_nic_platform_rdma_topo_decides(tmp_path):
    root = build(tmp_path, "acs_one_port", **{RECORDED: FAIL})
    (severity, message), = findings(root)["R24"]
    assert severity == "E" and "0x1d != 0x19" in message and "rdma_topo write-grub-acs" in message
    made = plan(root, OFF)
    assert {step["status"] for step in made.steps} == {"refused"}
    assert "clearing these bits breaks GPUDirect" in made.steps[0]["reason"]
    plain_node.put(root, RECORDED, FAIL.splitlines()[0])
    assert "R24" not in findings(root)


def test_r24_where_rdma_topo_says_it_is_none_the_classic_rule_holds(tmp_path):
    root = build(tmp_path, "acs_one_port", **{RECORDED: "E: No supported topology detected"})
    (root / DEVICES / GPU_ADDRESSES[0] / "device").write_text("0x2901\n")
    (root / DEVICES / NIC_ADDRESSES[0] / "device").write_text("0x1023\n")
    assert "set gpudirect_acs" in findings(root)["R24"][0][1]


@pytest.mark.parametrize("files, words", [
    ({GPU_ADDRESSES[0]: "0x2901", NIC_ADDRESSES[0]: "0x1023"}, "ConnectX-8 with Blackwell GPUs"),
    ({GPU_ADDRESSES[0]: "0x2901", NIC_ADDRESSES[0]: "0xa2dc"}, "BlueField-3 with Blackwell GPUs"),
    ({NIC_ADDRESSES[0]: "0x2100"}, "a ConnectX Data Direct function is here"),
    ({"0000:15:01.0": "0x22b1"}, "NVIDIA Grace CPU")])
def test_r24_a_direct_nic_platform_without_rdma_topo(tmp_path, files, words):
    root = build(tmp_path, "acs_one_port")
    for address, device in files.items():
        (root / DEVICES / address / "device").write_text(device + "\n")
        if device == "0x22b1":
            (root / DEVICES / address / "vendor").write_text("0x10de\n")
    (severity, message), = findings(root)["R24"]
    assert severity == "I" and words in message and "install rdma_topo" in message
    assert steps(plan(root, OFF))["0000:9a:10.0/pci/ACSCtl"]["status"] == "refused"


def test_r24_gpus_on_one_module_with_their_cpus(tmp_path):
    root = build(tmp_path, "acs_one_port")
    for place in ["gpuwright/nvidia-smi.xml"] + ["proc/driver/nvidia/gpus/%s/information" % gpu
                                                 for gpu in GPU_ADDRESSES]:
        (root / place).write_text((root / place).read_text().replace("NVIDIA H100 80GB HBM3", "NVIDIA GB200"))
    assert "on one module" in findings(root)["R24"][0][1]


def test_r27_cleared_by_hand_while_the_kernel_switched_it_on_elsewhere(tmp_path):
    root = build(tmp_path)
    assert "R27" not in findings(root)
    pci_node.put_config(root, "0000:51:01.0", sysfs.config_space(0x1D, 4))
    (severity, message), = findings(root)["R27"]
    assert severity == "W" and "off at 0000:17:00.0" in message and "on elsewhere (0000:51:01.0)" in message
    assert "R27" not in findings(root, OFF)
    plain_node.put(root, "/etc/systemd/system/no-acs.service", "[Service]\nExecStart=/usr/local/bin/disable_acs.sh")
    assert "R27" not in findings(root)
    (root / "etc/systemd/system/no-acs.service").unlink()
    plain_node.put(root, "/proc/cmdline", "ro iommu=pt pci=disable_acs_redir=pci:0:0")
    assert "R27" not in findings(root)


@pytest.mark.parametrize("line, found", [
    ("ro pcie_acs_override=downstream,multifunction", ["E"]), ("ro iommu=pt", [])])
def test_acs_override_is_never_right(tmp_path, line, found):
    told = findings(build(tmp_path, **{"/proc/cmdline": line}))
    assert [one[0] for one in told.get("acs-override", [])] == found
