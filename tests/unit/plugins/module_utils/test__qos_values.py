# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of values of quality of service."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._qos_values import DscpMap, Eight, Priorities
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Word

SHARES = Eight(Int(0, 100), total=100)


@pytest.mark.parametrize("raw, text", [
    (3, "3"), ("3", "3"), ([4, "3", 3], "3 4"), ("3,4", "3 4"), ("4 3", "3 4"), ("", ""), ([], ""), (0, "0")])
def test_priorities_are_a_set(raw, text):
    assert Priorities().parse(raw) == text == Priorities().read(text)


@pytest.mark.parametrize("raw, words", [
    (8, "8 is not an integer from 0 to 7"), (True, "True is not"), ("3-4", "'3-4' is not"), ([3, None], "None"),
    ("0,0,0,1,0,0,0,9", "9 is not an integer from 0 to 7"), ("0,0,0,1,0,0,0,0", r"name the .* on: \[3\]"),
    ([0, 0, 0, 1, 1, 0, 0, 0], r"name the .* on: \[3, 4\]")])
def test_what_is_no_priority_is_told(raw, words):
    with pytest.raises(ValueError, match=words):
        Priorities().parse(raw)


@pytest.mark.parametrize("raw, text", [
    ({26: 3}, "26:3"), ({"48": "6", 26: 3}, "26:3 48:6"), ("48:6 26:3", "26:3 48:6"), ("8:1, 9:1", "8:1 9:1"),
    ({}, ""), ("", "")])
def test_a_map_is_in_the_order_of_its_dscps(raw, text):
    assert DscpMap().parse(raw) == text == DscpMap().read(" ".join(reversed(text.split())))


@pytest.mark.parametrize("raw, words", [
    ({64: 3}, "64 is not an integer from 0 to 63"), ({26: 8}, "8 is not an integer from 0 to 7"), ({26: True}, "True"),
    ("AF31:3", "'AF31' is not"), ("26", "'' is not"), ([26], "a dict of DSCP"), (26, "a dict of DSCP")])
def test_what_is_no_map_is_told(raw, words):
    with pytest.raises(ValueError, match=words):
        DscpMap().parse(raw)


@pytest.mark.parametrize("raw, text", [
    ([0, 0, 0, 100, 0, 0, 0, 0], "0,0,0,100,0,0,0,0"), ("10,10,10,10,10,10,20,20", "10,10,10,10,10,10,20,20"),
    ([0] * 8, "0,0,0,0,0,0,0,0")])
def test_eight_shares_add_up_or_are_none(raw, text):
    assert SHARES.parse(raw) == text == SHARES.read(text + "\n")


@pytest.mark.parametrize("raw, words", [
    ([50, 50], "2 values are not a list of 8"), ([50, 0, 0, 40, 0, 0, 0, 0], "add up to 90"),
    ([101, 0, 0, 0, 0, 0, 0, 0], "101 is not"), (100, "1 values are not"), ([True] * 8, "True is not")])
def test_what_are_no_eight_shares_is_told(raw, words):
    with pytest.raises(ValueError, match=words):
        SHARES.parse(raw)


def test_each_of_eight_is_of_its_own_type():
    kinds = Eight(Word("strict", "ets"))
    assert kinds.parse(["ets"] * 7 + ["strict"]) == "ets,ets,ets,ets,ets,ets,ets,strict"
    with pytest.raises(ValueError, match="did you mean strict"):
        kinds.parse(["ets"] * 7 + ["strikt"])


@pytest.mark.parametrize("kind", [Priorities(), DscpMap(), SHARES])
def test_each_says_what_is_legal_and_all_of_it_is_offered(kind):
    assert kind.describe() and kind.offers("") is None and kind.nothing == "" and kind.argument["type"] == "raw"
