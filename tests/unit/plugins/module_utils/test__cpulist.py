# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lists and masks of CPUs, in every form that a kernel has written them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist


@pytest.mark.parametrize(("text", "numbers"), [
    ("", []),
    ("\n", []),
    ("\0", []),
    ("0", [0]),
    ("0-3,8", [0, 1, 2, 3, 8]),
    ("0-3,8\n\0", [0, 1, 2, 3, 8]),
    ("8,0-2,1", [0, 1, 2, 8]),
    ("0-1, 4", [0, 1, 4]),
    ("0-7:2", [0, 2, 4, 6]),
    ("1-8:3", [1, 4, 7]),
    ("0-31:1/4", [0, 4, 8, 12, 16, 20, 24, 28]),
    ("2-12:2/5,40", [2, 3, 7, 8, 12, 40]),
    ("5-5", [5]),
])
def test_a_list_is_parsed(text, numbers):
    assert _cpulist.parse(text) == numbers


@pytest.mark.parametrize("text", [
    "all", "0-", "-3", "3-1", "0-3:", "0-3:0", "0-3:3/2", "0-3:1/0", "1 2", "0x3", "0-99999999", "\u0663", "1-\u0663",
    "(null)", "1_0",
])
def test_junk_in_a_list_is_named(text):
    with pytest.raises(ValueError, match="is not a list of CPUs"):
        _cpulist.parse(text)


@pytest.mark.parametrize(("numbers", "text"), [
    ([], ""),
    ([0], "0"),
    ([8, 3, 1, 2, 0], "0-3,8"),
    ([0, 2, 4, 6], "0,2,4,6"),
    ({4, 5}, "4-5"),
    ([1, 1, 2], "1-2"),
])
def test_a_list_is_written_without_strides(numbers, text):
    assert _cpulist.format(numbers) == text
    assert _cpulist.parse(text) == sorted(set(numbers))


@pytest.mark.parametrize(("text", "numbers"), [
    ("", []),
    ("0", []),
    ("f", [0, 1, 2, 3]),
    ("00000000,00ffffff", list(range(24))),
    ("00000001,00000000\n", [32]),
    ("1,00000000,00000003\0", [0, 1, 64]),
    ("0x80000001", [0, 31]),
    ("0x00000001,0x00000002", [1, 32]),
    ("3,00000000", [32, 33]),
    ("0000000000000001,0000000000000000", [64]),
    ("FF", list(range(8))),
])
def test_a_mask_is_parsed(text, numbers):
    assert _cpulist.from_mask(text) == numbers


@pytest.mark.parametrize("text", ["g", "0-3", "00000001,0", "1,,1", "00000001,", "(null)", "1_0", "-1"])
def test_junk_in_a_mask_is_named(text):
    with pytest.raises(ValueError, match="is not a mask of CPUs"):
        _cpulist.from_mask(text)
