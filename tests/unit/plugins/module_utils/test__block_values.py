# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the values of a block device's queue."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._block_values import PerDrive, PerVolume, Scheduler, UpTo
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

SCHEDULERS = Scheduler("none", "mq-deadline", "kyber", "bfq")


@pytest.mark.parametrize("text, chosen, offered", [
    ("[none] mq-deadline", "none", ["none", "mq-deadline"]), ("none [bfq]", "bfq", ["none", "bfq"]),
    ("none", "none", ["none"])])
def test_a_scheduler_is_in_brackets_or_alone(text, chosen, offered):
    assert SCHEDULERS.read(text) == chosen
    assert SCHEDULERS.offers(text) == offered


@pytest.mark.parametrize("raw, text", [("max", "max"), (1024, "1024"), ("4", "4")])
def test_a_size_is_a_number_or_max(raw, text):
    assert UpTo(4).parse(raw) == text


@pytest.mark.parametrize("raw", [3, "most", True, 1.5, None])
def test_another_size_is_refused_in_words(raw):
    with pytest.raises(ValueError, match="an integer of 4 or more"):
        UpTo(4).parse(raw)


@pytest.mark.parametrize("text, read", [("512 1024", "512 of at most 1024"), ("512", "512"), ("max", "max"), ("", "")])
def test_a_size_is_read_with_the_hardwares(text, read):
    assert UpTo(4).read(text) == read


@pytest.mark.parametrize("value, alone, picked", [("1", False, "1"), ({"a": "2"}, True, "2"), ({"b": "2"}, True, None)])
def test_what_is_said_of_one_drive_is_for_it_alone(value, alone, picked):
    fields = {"device": "a"}
    assert PerDrive(Int()).pick(value, fields) == picked
    assert fields["alone"] is alone


@pytest.mark.parametrize("value, page, picked", [
    ("4099", 4, "4096"), ("4099", 64, "4096"), ("100", 64, "64"), ({"/a": "8", "/b": "12"}, 4, "12"),
    ({"md0": "16"}, 4, "16"), ({"/c": "8"}, 4, None)])
def test_read_ahead_is_the_largest_of_a_devices_volumes_in_whole_pages(value, page, picked):
    assert PerVolume().pick(value, {"names": ["md0", "/a", "/b"], "page_kb": page}) == picked


def test_a_volume_that_is_not_here_is_refused():
    places = [{"names": ["md0", "/models"]}]
    PerVolume.check({"/models": "1"}, places)
    PerVolume.check("1", places)
    with pytest.raises(ValueError, match="/model is none of its volumes here; did you mean /models"):
        PerVolume.check({"/model": "1"}, places)
