# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the values of resource limits: numbers, infinity, pairs of a soft and a hard one."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _limit_values as limit
from ansible_collections.gpuwright.node.plugins.module_utils._limit_values import Limit


@pytest.mark.parametrize("raw, text", [
    (1048576, "1048576"), ("1048576", "1048576"), ("8M", "8388608"), ("2G", "2147483648"), ("infinity", "infinity"),
    ("unlimited", "infinity"), (-1, "infinity"), (" 4096 ", "4096")])
def test_what_people_write_has_one_form(raw, text):
    assert Limit().parse(raw) == text


@pytest.mark.parametrize("raw", [True, 0, "0", "8 MB", "1e6", -2, "08", "1024:4096", ""])
def test_what_is_no_limit_is_refused(raw):
    with pytest.raises(ValueError, match="is not a number such as 1048576 or 8M, or infinity"):
        Limit().parse(raw)


def test_infinity_is_refused_where_it_is_a_fault():
    with pytest.raises(ValueError, match="infinity is refused: threads get 2 MB; legal is a number"):
        Limit(endless="threads get 2 MB").parse("unlimited")
    assert Limit(endless="threads get 2 MB").read("unlimited:unlimited") == "unlimited"
    assert Limit(endless="threads get 2 MB").read("8388608:unlimited") == "8388608:infinity"


@pytest.mark.parametrize("text, read", [
    ("1024:524288", "1024:524288"), ("4096:4096", "4096"), ("unlimited:unlimited", "infinity"), ("8M", "8388608"),
    ("", ""), ("many", "many")])
def test_what_is_in_force_reads_as_one_where_it_is_one(text, read):
    assert Limit().read(text) == read


@pytest.mark.parametrize("running, desired, met", [
    ("4096", "4096", True), ("infinity", "4096", True), ("4096", "infinity", False), ("1024:524288", "4096", False),
    ("8192:524288", "4096", True), ("unlimited", "4096", False), ("", "4096", False), ("many", "4096", False),
    ("1024:524288", "1024:524288", True), ("4096:524288", "1024:524288", False), ("4096", "", True)])
def test_more_is_enough_but_an_original_is_met_by_itself_alone(running, desired, met):
    assert limit.enough(running, desired) is met


def test_a_pair_is_written_as_systemd_writes_it():
    assert limit.words(limit.pair("1K:unlimited")) == "1024:infinity"
