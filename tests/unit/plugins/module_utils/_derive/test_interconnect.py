# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what links carry: per direction, of the kernel's words, of a product's NVLinks, and what is not known."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import interconnect
from ansible_collections.gpuwright.node.plugins.module_utils._derive.interconnect_table import GPU_LINKS, INTERCONNECTS

H100, A100, B200, V100 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "NVIDIA B200", "Tesla V100-SXM2-32GB"


def gpus(name, words, count=8):
    """GPUs that all have the same words for each peer."""
    return [{"index": number, "name": name, "links": {str(peer): words for peer in range(count) if peer != number}}
            for number in range(count)]


@pytest.mark.parametrize("speed, width, expected", [
    ("2.5 GT/s PCIe", 1, 0.25), ("5.0 GT/s PCIe", 8, 4.0), ("8.0 GT/s PCIe", 16, 15.75), ("16.0 GT/s PCIe", 16, 31.51),
    ("32.0 GT/s PCIe", 16, 63.02), ("32 GT/s", 16, 63.02), ("32.0 GT/s PCIe", "8", 31.51), ("64.0 GT/s PCIe", 16, 121),
    ("Unknown", 16, None), (None, 16, None), ("16.0 GT/s PCIe", None, None), ("16.0 GT/s PCIe", 0, None),
    ("16.0 GT/s PCIe", 255, None), ("17.0 GT/s PCIe", 16, None), ("", "", None)])
def test_a_pcie_link_by_the_kernels_words(speed, width, expected):
    assert interconnect.pcie_bandwidth(speed, width) == (expected and pytest.approx(expected, abs=0.005))


def test_a_port_of_400_gb_does_not_fit_a_gen4_slot():
    assert interconnect.port_bandwidth(400) == 50
    assert interconnect.port_bandwidth(400) > interconnect.pcie_bandwidth("16.0 GT/s PCIe", 16)
    assert interconnect.port_bandwidth(0) is None and interconnect.port_bandwidth(None) is None


@pytest.mark.parametrize("name, words, count, expected", [
    (H100, "NV18", 8, 450), (H100, "NV6", 4, 450), (H100, "NV6", 2, 150), (A100, "NV12", 8, 300), (A100, "NV4", 4, 300),
    (B200, "NV18", 8, 900), ("NVIDIA GB200", "NV18", 4, 900), ("NVIDIA B300 SXM6 AC", "NV18", 8, 900),
    ("NVIDIA H200", "NV18", 8, 450), ("NVIDIA H200 NVL", "NV6", 4, 450), ("NVIDIA H100 PCIe", "NV12", 2, 300),
    ("NVIDIA H100 NVL", "NV12", 2, 300), ("NVIDIA A40", "NV4", 2, 56.25), ("NVIDIA RTX A6000", "NV4", 2, 56.25),
    ("NVIDIA A30", "NV4", 2, 100), ("Tesla P100-SXM2-16GB", "NV1", 4, 60), ("Tesla V100-SXM3-32GB", "NV6", 16, 150),
    ("NVIDIA A800-SXM4-80GB", "NV8", 8, 200), ("NVIDIA H800", "NV8", 8, 200), ("NVIDIA H20", "NV18", 8, 450),
    ("AMD Instinct MI300X OAM", "XGMI", 8, 448), ("AMD Instinct MI350X", "XGMI", 8, 537.6)])
def test_all_links_of_a_product(name, words, count, expected):
    assert interconnect.nvlink_bandwidth(gpus(name, words, count)[0]) == pytest.approx(expected)


def test_a_mesh_adds_up_its_links():
    gpu = {"index": 0, "name": V100, "links": {"1": "NV1", "2": "NV1", "3": "NV2", "4": "NV2", "5": "SYS"}}
    assert interconnect.nvlink_bandwidth(gpu) == 150
    assert interconnect.pair_bandwidth(gpu, 3) == 50 and interconnect.pair_bandwidth(gpu, "1") == 25
    assert interconnect.pair_bandwidth(gpu, 5) == 0 and interconnect.pair_bandwidth({}, 5) is None
    assert not interconnect.through_switch(gpu)
    few, _other = interconnect.among([gpu, dict(gpu, index=3)])
    assert interconnect.nvlink_bandwidth(few) == 50


def test_what_is_not_known_is_none_and_what_is_not_there_is_nothing():
    assert interconnect.nvlink_bandwidth({"name": H100}) is None
    assert interconnect.nvlink_bandwidth({"name": H100, "links": None}) is None
    # NV18 without a name may be NVLink 4 or 5; an MI200 has one to four links to a peer.
    assert interconnect.nvlink_bandwidth({"name": None, "links": {"1": "NV18"}}) is None
    assert interconnect.nvlink_bandwidth({"name": "AMD Instinct MI250X", "links": {"1": "XGMI"}}) is None
    assert interconnect.nvlink_bandwidth({"name": "AMD Instinct MI300A", "links": {"1": "XGMI"}}) is None
    assert interconnect.nvlink_bandwidth({"name": "NVIDIA H100 PCIe", "links": {"1": "NODE"}}) == 0
    assert interconnect.nvlink_bandwidth({"name": "NVIDIA RTX PRO 6000 Blackwell", "links": {"1": "NV4"}}) is None


def test_a_switch_shows_in_more_links_than_there_are():
    assert interconnect.through_switch(gpus(H100, "NV18")[0])
    assert not interconnect.through_switch(gpus(H100, "NV6", 4)[0])
    assert not interconnect.through_switch(gpus(H100, "NV18", 2)[0])


def test_full_means_every_pair():
    whole = gpus(H100, "NV18")
    assert interconnect.nvlink_is_full(whole) is True
    assert interconnect.nvlink_is_full(whole[:1]) is True
    lost = whole[:-1] + [dict(whole[-1], links={})]
    assert interconnect.nvlink_is_full(lost) is False
    assert interconnect.nvlink_is_full(lost[:-1]) is True
    assert interconnect.nvlink_is_full([{"index": 0, "links": None}, {"index": 1, "links": None}]) is None


def test_a_gpu_that_idles_at_gen1_has_its_slots_bandwidth():
    link = {"speed": "2.5 GT/s PCIe", "width": 16, "max_speed": "32.0 GT/s PCIe", "max_width": 16}
    assert interconnect.gpu_pcie_bandwidth({"link": link}) == pytest.approx(63.02, abs=0.01)
    assert interconnect.gpu_pcie_bandwidth({"link": dict(link, width=8)}) == pytest.approx(31.51, abs=0.01)
    assert interconnect.gpu_pcie_bandwidth({}) is None
    assert interconnect.of_pcie(5) == pytest.approx(63.02, abs=0.01)


@pytest.mark.parametrize("name, total", [
    ("PCIe 4.0", 31.51), ("PCIe 5.0", 63.02), ("NVLink 3", 300), ("NVLink 4", 450), ("NVLink 5", 900),
    ("InfiniBand QDR", 4), ("InfiniBand FDR", 6.82), ("InfiniBand HDR", 25), ("InfiniBand NDR", 50),
    ("InfiniBand XDR", 100), ("Ethernet 400", 50), ("GB200 NVL72", 64800)])
def test_the_table_is_per_direction(name, total):
    assert interconnect.BY_NAME[name]["total"] == pytest.approx(total, abs=0.005)


def test_no_guides_figure_is_taken_for_the_truth():
    fifty = [entry["name"] for entry in INTERCONNECTS if (entry["latency_us"] or 0) > 5]
    assert fifty == []
    told = {entry["name"] for entry in INTERCONNECTS if entry["guide"]}
    assert {"PCIe 4.0", "PCIe 5.0", "NVLink 4", "NVLink 5", "Ethernet 100", "InfiniBand NDR"} <= told
    assert all(entry["source"] for entry in INTERCONNECTS)
    assert all(bool(entry["latency_us"]) == bool(entry["latency_source"]) for entry in INTERCONNECTS)


def test_every_product_is_in_the_table():
    assert {name for _expression, name, _links in GPU_LINKS} <= set(interconnect.BY_NAME)
    assert all(links <= interconnect.BY_NAME[name]["count"] for _expression, name, links in GPU_LINKS)


def test_people_get_rows_of_texts():
    table = interconnect.rows(("pcie",))
    assert table[0][2] == "GB/s per unit" and len(table) == 7
    assert table[5][:6] == ("PCIe 5.0", "lane", "3.94", "16", "63.02", "1")
    assert all(isinstance(cell, str) for row in interconnect.rows() for cell in row)
    assert len(interconnect.rows()) == len(INTERCONNECTS) + 1
