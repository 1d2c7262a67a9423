# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PCIe links against the most that can be, and AER counters."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import pcie
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import pci
from ansible_collections.gpuwright.node.tests.sysroots import eight_gpu, sysfs

GPU = "0000:53:00.0"


def _read(root):
    host = Host(str(root))
    return pcie.read(host, {"_pci": pci.read(host)})


def _link(speed, width, max_speed, max_width):
    return {"current_link_speed": speed, "current_link_width": width, "max_link_speed": max_speed,
            "max_link_width": max_width}


def _build(root, slot=None, kind="0x030200", vendor="0x10de", **files):
    port = sysfs.device(str(root), sysfs.host_bridge(str(root), "pci0000:50"), "0000:50:01.0",
                        dict({"class": "0x060400"}, **(slot or {})))
    sysfs.device(str(root), port, GPU, dict({"class": kind, "vendor": vendor}, **files))
    return _read(root)


def test_the_links_of_a_node(tmp_path):
    found = _read(eight_gpu.build(tmp_path, "link_x8"))
    assert {link["kind"] for link in found["links"]} == {"gpu", "nic"}
    narrow = [link for link in found["links"] if link["width"] < link["expected_width"]]
    assert [(link["pci_address"], link["width"]) for link in narrow] == [(eight_gpu.GPU_ADDRESSES[3], 8)]
    assert found["aer"] == []


def test_a_slot_that_is_less_than_the_device(tmp_path):
    found = _build(tmp_path, _link("16.0 GT/s PCIe", 8, "16.0 GT/s PCIe", 8),
                   **_link("16.0 GT/s PCIe", 8, "32.0 GT/s PCIe", 16))
    link, = found["links"]
    assert (link["expected_width"], link["expected_speed"]) == (8, "16.0 GT/s PCIe")


def test_without_a_word_of_the_slot_the_device_is_all(tmp_path):
    link, = _build(tmp_path, **_link("2.5 GT/s PCIe", 4, "32.0 GT/s PCIe", 16))["links"]
    assert (link["expected_width"], link["expected_speed"], link["speed"]) == (16, "32.0 GT/s PCIe", "2.5 GT/s PCIe")


@pytest.mark.parametrize(("kind", "vendor", "expected"), [
    ("0x010802", "0x144d", "nvme"), ("0x020700", "0x15b3", "nic"), ("0x120000", "0x1002", "gpu"),
    ("0x030000", "0x1a03", None), ("0x010601", "0x8086", None)])
def test_whose_links_count(tmp_path, kind, vendor, expected):
    links = _build(tmp_path, kind=kind, vendor=vendor, **_link("8.0 GT/s PCIe", 4, "8.0 GT/s PCIe", 4))["links"]
    assert [link["kind"] for link in links] == ([expected] if expected else [])


def test_a_device_without_a_link_is_left_out(tmp_path):
    assert _build(tmp_path, **_link("Unknown", 0, "Unknown", 255))["links"] == []


def test_counters(tmp_path):
    found = _build(tmp_path, aer_dev_correctable="RxErr 2\nBadTLP 0\nTOTAL_ERR_COR 2",
                   aer_dev_nonfatal="CmpltTO 1\nTOTAL_ERR_NONFATAL 1", aer_dev_fatal="Undefined 0\nTOTAL_ERR_FATAL 0")
    assert found["aer"] == [{"pci_address": GPU, "correctable": 2, "nonfatal": 1, "fatal": 0,
                             "errors": {"RxErr": 2, "CmpltTO": 1}}]


@pytest.mark.parametrize("text", ["", "junk", "RxErr x", "\0\0"])
def test_broken_counters(tmp_path, text):
    assert _build(tmp_path, aer_dev_correctable=text)["aer"] == []


@pytest.mark.parametrize(("speed", "number"), [
    ("32.0 GT/s PCIe", 32.0), ("2.5 GT/s", 2.5), ("Unknown", None), (None, None)])
def test_speeds(speed, number):
    assert pcie.gigatransfers(speed) == number
