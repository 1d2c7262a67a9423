# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ECC, remapped rows and retired pages in every layout that drivers have had."""

from __future__ import annotations

import xml.etree.ElementTree

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import nvidia_memory


def _gpu(text):
    return xml.etree.ElementTree.fromstring("<gpu>%s</gpu>" % text)


def _ecc(volatile, aggregate="", more=""):
    return nvidia_memory.ecc(_gpu(
        "<ecc_mode><current_ecc>Enabled</current_ecc><pending_ecc>Disabled</pending_ecc></ecc_mode><ecc_errors>"
        "<volatile>%s</volatile><aggregate>%s</aggregate>%s</ecc_errors>" % (volatile, aggregate, more)))


@pytest.mark.parametrize(("volatile", "corrected", "uncorrected", "sram", "dram"), [
    ("<sram_correctable>1</sram_correctable><sram_uncorrectable>2</sram_uncorrectable>"
     "<dram_correctable>4</dram_correctable><dram_uncorrectable>8</dram_uncorrectable>", 5, 10, 2, 8),
    ("<sram_correctable>1</sram_correctable><sram_uncorrectable_parity>2</sram_uncorrectable_parity>"
     "<sram_uncorrectable_secded>4</sram_uncorrectable_secded><dram_correctable>0</dram_correctable>"
     "<dram_uncorrectable>0</dram_uncorrectable>", 1, 6, 6, 0),
    ("<single_bit><device_memory>3</device_memory><total>3</total></single_bit>"
     "<double_bit><device_memory>1</device_memory><l2_cache>1</l2_cache><total>2</total></double_bit>",
     3, 2, None, None),
    ("<single_bit><device_memory>3</device_memory><cbu>N/A</cbu></single_bit>"
     "<double_bit><device_memory>1</device_memory><l2_cache>1</l2_cache><total>N/A</total></double_bit>",
     3, 2, None, None),
    ("<sram_correctable>N/A</sram_correctable><dram_uncorrectable>[Not Supported]</dram_uncorrectable>",
     None, None, None, None),
    ("", None, None, None, None),
])
def test_errors(volatile, corrected, uncorrected, sram, dram):
    assert _ecc(volatile)["volatile"] == {"corrected": corrected, "uncorrected": uncorrected,
                                          "sram_uncorrected": sram, "dram_uncorrected": dram}


def test_modes_and_repairs():
    found = _ecc("", "<sram_threshold_exceeded>Yes</sram_threshold_exceeded>",
                 "<channel_repair_pending>Yes</channel_repair_pending><tpc_repair_pending>No</tpc_repair_pending>")
    assert (found["enabled"], found["pending"], found["sram_threshold_exceeded"]) == (True, False, True)
    assert (found["channel_repair_pending"], found["tpc_repair_pending"], found["unrepairable_memory"]) == (
        True, False, None)


@pytest.mark.parametrize("mode", ["", "<ecc_mode><current_ecc>N/A</current_ecc></ecc_mode>",
                                  "<ecc_mode>N/A</ecc_mode>"])
def test_without_ecc(mode):
    assert nvidia_memory.ecc(_gpu(mode)) is None


def test_remapped_rows():
    rows = ("<remapped_rows><remapped_row_corr>1</remapped_row_corr><remapped_row_unc>2</remapped_row_unc>"
            "<remapped_row_pending>Yes</remapped_row_pending><remapped_row_failure>No</remapped_row_failure>"
            "<row_remapper_histogram><row_remapper_histogram_none>3 bank(s)</row_remapper_histogram_none>"
            "</row_remapper_histogram></remapped_rows>")
    assert nvidia_memory.remapped_rows(_gpu(rows)) == {
        "corrected": 1, "uncorrected": 2, "pending": True, "failure": False, "banks_without_spare": 3}


@pytest.mark.parametrize("rows", ["", "<remapped_rows>N/A</remapped_rows>", "<remapped_rows/>"])
def test_without_a_row_remapper(rows):
    assert nvidia_memory.remapped_rows(_gpu(rows)) is None


@pytest.mark.parametrize(("name", "pending"), [("pending_retirement", True), ("pending_blacklist", True)])
def test_retired_pages(name, pending):
    pages = ("<retired_pages><multiple_single_bit_retirement><retired_count>2</retired_count>"
             "</multiple_single_bit_retirement><double_bit_retirement><retired_count>1</retired_count>"
             "</double_bit_retirement><%s>Yes</%s></retired_pages>" % (name, name))
    assert nvidia_memory.retired_pages(_gpu(pages)) == {"single_bit": 2, "double_bit": 1, "pending": pending}


def test_pages_of_which_nothing_is_said():
    pages = "<retired_pages><pending_retirement>N/A</pending_retirement></retired_pages>"
    assert nvidia_memory.retired_pages(_gpu(pages)) is None
    assert nvidia_memory.retired_pages(_gpu("")) is None
