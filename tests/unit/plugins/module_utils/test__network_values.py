# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the values of role network."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._network_values import RailRoute, Triple


@pytest.mark.parametrize("raw", ["4096 131072 67108864", " 4096\t131072  67108864\n", [4096, 131072, 67108864],
                                 ["4096", 131072, "67108864"]])
def test_a_triple_in_any_dress(raw):
    assert Triple().parse(raw) == Triple().read("4096\t131072\t67108864") == "4096 131072 67108864"


@pytest.mark.parametrize("raw, words", [
    ("4096 131072", "is not three sizes"), ("", "is not three sizes"), (4096, "is not three sizes"),
    ("4096 87380 134217728 1", "is not three sizes"), ("4095 131072 67108864", "4095 is not an integer from 4096"),
    ("4096 131072 64M", "'64M' is not an integer"), ("4096 131072 2147483648", "2147483648 is not an integer"),
    ("4096 67108864 131072", "none smaller than the one before it"), ([True, 5000, 5000], "True is not an integer")])
def test_what_is_no_triple(raw, words):
    with pytest.raises(ValueError, match=words):
        Triple().parse(raw)


@pytest.mark.parametrize("text", ["", "4096", "4096 x 5000"])
def test_what_a_kernel_would_not_print(text):
    with pytest.raises(ValueError):
        Triple().read(text)


def test_each_of_a_triple_is_raised_for_itself():
    assert Triple.raised("4096 131072 5", "8192 87380 6") == "8192 131072 6"
    assert Triple().offers("4096 1 1") is None and "4096 131072" in Triple().describe()


@pytest.mark.parametrize("raw, text", [
    (52001, "table 52001"), ("52001", "table 52001"), ("table  52001 ", "table 52001"),
    ("table 52001 via 10.0.0.254", "table 52001 via 10.0.0.254"),
    ("table 52001 via fd00:0::1 via 10.0.0.254", "table 52001 via 10.0.0.254 via fd00::1"),
    ("52001 via 10.0.0.254 via 10.0.0.254", "table 52001 via 10.0.0.254")])
def test_the_route_of_a_rail(raw, text):
    assert RailRoute().parse(raw) == text and RailRoute().read(text + "\n") == text
    assert RailRoute().parse(text) == text and RailRoute().offers(text) is None


@pytest.mark.parametrize("raw, words", [
    (True, "True is not the number"), ("main", "'main' is not the number"), (254, "254 is not an integer from 1000"),
    (1 << 32, "is not an integer from 1000 to 4294967295"), ("table 52001 via 10.0.0.256", "10.0.0.256"),
    ("table 52001 via 10.0.0.0/24", "10.0.0.0/24"), ("table 52001 dev eth0", "is not the number"), (None, "is not")])
def test_what_is_no_route_of_a_rail(raw, words):
    with pytest.raises(ValueError, match=words):
        RailRoute().parse(raw)
