# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on PCIe links, payloads, read requests and BAR1."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules.pcie_link import gigabits

from tests.sysroots import pci_node, sysfs
from tests.sysroots.eight_gpu import GPU_ADDRESSES, NIC_ADDRESSES
from tests.sysroots.pci_node import DEVICES, build, findings


@pytest.mark.parametrize("speed, gigabytes", [
    ("8.0 GT/s PCIe", 15.75), ("16.0 GT/s PCIe", 31.5), ("32.0 GT/s PCIe", 63.0), ("64.0 GT/s PCIe", 121.0)])
def test_what_sixteen_lanes_carry_in_one_direction(speed, gigabytes):
    assert gigabits(speed, 16) / 8 == pytest.approx(gigabytes, rel=0.01)
    assert gigabits("Unknown", 16) is None and gigabits(speed, None) is None


def put(root, address, **files):
    for name, text in files.items():
        (root / DEVICES / address / name).write_text("%s\n" % text)


@pytest.mark.parametrize("options, severity", [({}, "E"), ({"gpudirect_expected": False}, "W")])
def test_r14_a_nic_at_half_width(tmp_path, options, severity):
    assert findings(build(tmp_path, "nic_x8"), **options)["R14"] == [(
        severity, "mlx5_2 (0000:3c:00.0): its link, 32.0 GT/s PCIe x8, carries 31.5 GB/s in each direction, its port "
        "50: it could run at 32.0 GT/s PCIe x16: reseat the card, see the riser and the slot's settings in firmware")]


def test_r14_a_gpu_at_half_width(tmp_path):
    (severity, message), = findings(build(tmp_path, "link_x8"))["R14"]
    assert severity == "E" and "GPU 3 (0000:40:00.0): its link trained at 8 lanes of 16" in message


def test_r14_a_slot_of_an_older_generation(tmp_path):
    root = build(tmp_path)
    put(root, NIC_ADDRESSES[0], current_link_speed="16.0 GT/s PCIe", max_link_speed="16.0 GT/s PCIe")
    (severity, message), = findings(root)["R14"]
    assert severity == "E" and message.endswith("use a slot of a later generation or with more lanes")


def test_r14_a_slot_with_fewer_lanes_is_no_bad_training(tmp_path):
    root = build(tmp_path)
    put(root, GPU_ADDRESSES[0], current_link_width=8)
    place = (root / DEVICES / GPU_ADDRESSES[0]).resolve().parent
    (place / "max_link_width").write_text("8\n")
    (place / "max_link_speed").write_text("32.0 GT/s PCIe\n")
    assert "R14" not in findings(root)


@pytest.mark.parametrize("address, severity, words", [
    (GPU_ADDRESSES[0], "I", "look again under load"), (NIC_ADDRESSES[0], "W", "reseat the card")])
def test_r14_a_lower_speed(tmp_path, address, severity, words):
    root = build(tmp_path)
    put(root, address, current_link_speed="8.0 GT/s PCIe")
    (root / "sys/class/infiniband/mlx5_0/ports/1/rate").write_text("100 Gb/sec (4X EDR)\n")
    assert [(one[0], words in one[1]) for one in findings(root)["R14"]] == [(severity, True)]


def test_a_payload_that_differs_on_the_way(tmp_path):
    root = build(tmp_path)
    assert "max-payload" not in findings(root)
    pci_node.put_config(root, NIC_ADDRESSES[0], sysfs.config_space(None, 0, 128))
    (severity, message), = findings(root)["max-payload"]
    assert severity == "W" and "mlx5_0 (128 bytes at 0000:1a:00.0, 256 elsewhere)" in message
    assert "pci=pcie_bus_safe" in message


def test_r27_a_read_request_by_hand(tmp_path):
    root = build(tmp_path)
    pci_node.put_config(root, NIC_ADDRESSES[0], sysfs.config_space(None, 0, 256, 4096))
    (severity, message), = findings(root)["R27"]
    assert severity == "W" and message.startswith("MaxReadReq of mlx5_0 is 4096, not the 512 of a reset")
    assert "R27" not in findings(root, {"pci/MaxReadReq": 4096})
    unit = root / "etc/systemd/system/nic-tuning.service"
    unit.write_text("[Service]\nExecStart=/usr/bin/setpci -s 1a:00.0 CAP_EXP+8.w=5000:7000\n")
    assert "R27" not in findings(root)
    unit.unlink()
    for address in NIC_ADDRESSES:
        pci_node.put_config(root, address, sysfs.config_space(None, 0, 256, 4096))
    assert [one[0] for one in findings(root)["R27"]] == ["I"]


@pytest.mark.parametrize("largest, severity, words", [
    (1 << 17, "W", "Resizable BAR in the firmware"), (None, "I", "GPU 0 (256 MB of 81559)")])
def test_a_small_bar1(tmp_path, largest, severity, words):
    root = build(tmp_path)
    put(root, GPU_ADDRESSES[0], resource=sysfs.window(1 << 24, 1 << 28))
    pci_node.put_config(root, GPU_ADDRESSES[0], sysfs.config_space(None, 0, largest_bar=largest))
    (found, message), = findings(root)["bar1"]
    assert found == severity and words in message
