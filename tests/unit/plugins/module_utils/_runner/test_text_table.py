# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of columns and numbers as a person reads them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._runner.text_table import columns, count, size


def test_columns_line_up_and_nothing_trails():
    assert columns([("a", "long one", "b"), ("abc", "", None), ("x",)]) == [
        "  a    long one  b", "  abc  -         -", "  x"]
    assert columns([]) == []


def test_plurals():
    assert (count(1, "file"), count(2, "file"), count(0, "entry", "entries")) == ("1 file", "2 files", "0 entries")


@pytest.mark.parametrize("number, words", [(0, "0 B"), (1023, "1023 B"), (1 << 10, "1 KiB"), (3 << 29, "1.5 GiB"),
                                           (1 << 40, "1 TiB")])
def test_sizes(number, words):
    assert size(number) == words
