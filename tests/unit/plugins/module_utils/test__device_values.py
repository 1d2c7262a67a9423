# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of values that may differ from device to device."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._device_values import PerDevice
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Word

MTU = PerDevice(Int(68, 65535))
PLACES = [{"device": "eth0"}, {"device": "eth1"}]


def test_one_value_is_for_every_device():
    value = MTU.parse("9000")
    MTU.check(value, PLACES)
    assert [MTU.pick(value, fields) for fields in PLACES] == ["9000", "9000"]


def test_a_dict_is_for_the_devices_that_it_names_and_null_leaves_one_alone():
    value = MTU.parse({"eth0": 9000, "eth1": None})
    MTU.check(value, PLACES)
    assert [MTU.pick(value, fields) for fields in PLACES] == ["9000", None]


def test_a_bad_value_is_named_with_its_device():
    with pytest.raises(ValueError, match="eth1: 12 is not an integer from 68 to 65535"):
        MTU.parse({"eth0": 9000, "eth1": 12})


def test_a_device_that_the_row_has_not_is_refused_with_the_nearest_name():
    with pytest.raises(ValueError, match="eht0 is none of its devices here; did you mean eth"):
        MTU.check({"eht0": "9000"}, PLACES)


def test_what_the_kernel_prints_is_read_as_each_value_reads_it():
    assert MTU.read("1500\n") == "1500" and MTU.offers("1500") is None
    assert PerDevice(Word("none")).offers("[none] kyber") == ["none", "kyber"]
    assert MTU.describe() == "an integer from 68 to 65535, or a dict of device to that"
