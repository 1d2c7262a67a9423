# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tables: nothing is cut, nothing is wider than the screen, and what fits is on one line."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report.table import paragraph, table

HEADS = ("setting", "running", "desired", "status", "why")
LONG = [(("vm.swappiness", "60", "10", "conflict",
          "default; /etc/sysctl.d/99-local.conf:3 sets 60 after ours, take it over: gpuwright_take_over"), "conflict"),
        (("khugepaged/scan_sleep_millisecs", "10000", "1048576" * 9, "ok", ""), "ok")]


def words(text):
    return "".join(text.split())


@pytest.mark.parametrize("width", [80, 100, 160])
def test_no_line_is_wider_than_the_screen_and_no_letter_is_lost(width):
    lines = table(HEADS, LONG, width)
    assert max(len(text) for text, _colour in lines) <= width
    for cells, colour in LONG:
        shown = sorted(words("".join(text for text, found in lines if found == colour)))
        assert shown == sorted(words("".join(cells)))


def test_what_fits_is_one_line_a_row_with_its_colour():
    lines = table(("a", "bb"), [(("1", "2"), "ok"), (("333", "4"), None)], 80)
    assert lines == [("  a    bb", None), ("  1    2", "ok"), ("  333  4", None)]


def test_a_long_path_breaks_after_a_separator():
    lines = [text for text, _colour in table(("a",), [(("/etc/sysctl.d/" + "x" * 70 + "/file",), None)], 40)]
    assert lines[1] == "  /etc/sysctl.d/"


def test_a_paragraph_is_indented_from_its_second_line():
    lines = paragraph("node1: " + "word " * 30, 40, 2)
    assert len(lines) > 1
    assert all(line.startswith("  ") for line in lines[1:])
    assert paragraph("", 40, 2) == [""]


def test_a_path_in_a_paragraph_stays_whole():
    path = "/srv/" + "a" * 60 + "/report"
    assert paragraph("written: %s: 7 files" % path, 40, 2) == ["written:", "  " + path + ":", "  7 files"]
