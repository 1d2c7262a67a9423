# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which access control bits are right: names, masks, bridges, kernel arguments, and platforms that are not ours."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive import acs


@given(st.integers(0, 0x7F), st.integers(0, 0x7F))
def test_words_and_masks(one, other):
    assert acs.control(acs.words(one)) == one
    merged = acs.merged(one, other)
    assert merged & 0x2C == other & 0x2C and merged & ~0x2C == one & ~0x2C
    assert acs.redirecting(acs.words(merged)) == acs.redirecting(acs.words(other))
    assert acs.redirecting(acs.words(acs.merged(one, 0))) == []


def test_what_is_no_name_is_said():
    with pytest.raises(ValueError, match="'SV XY' names no bits"):
        acs.control("SV XY")
    assert (acs.words(0), acs.words(0x1D)) == ("none", "SV RR CR UF")


def test_bridges_on_the_way_to_nics_that_serve_gpus():
    paths = [{"gpu": 0, "device": "mlx5_0", "kind": "PIX", "path": ["a", "b"]},
             {"gpu": 0, "device": "mlx5_1", "kind": "PXB", "path": ["a", "c", "b"]},
             {"gpu": 1, "device": "mlx5_0", "kind": "PHB", "path": ["d", "pci0000:00", "e"]},
             {"gpu": 1, "device": "nvme0", "kind": "PIX", "path": ["f"]},
             {"gpu": 2, "device": "mlx5_0", "kind": "PIX", "path": None}]
    assert acs.bridges(paths, {"0": ["mlx5_0"], "1": []}) == {"a", "b"}
    assert acs.bridges(paths, {"0": ["mlx5_0", "mlx5_1"]}) == {"a", "b", "c"}


@pytest.mark.parametrize("release, argument", [
    ("5.15.0-100-generic", "pci=disable_acs_redir=a;b"), ("6.8.0", "pci=disable_acs_redir=a;b"), (None, "pci=dis"),
    ("6.11.0", "pci=config_acs=x0x00xx@a;x0x00xx@b"), ("7.0.1", "pci=config_acs=x0x00xx@a")])
def test_the_kernel_argument(release, argument):
    assert acs.kernel_argument(["a", "b"], release).startswith(argument)


@pytest.mark.parametrize("devices, direct", [
    ({"g": (0x10DE, 0x2330), "n": (0x15B3, 0x1021)}, False), ({"g": (0x10DE, 0x2330), "n": (0x15B3, 0x1023)}, False),
    ({"g": (0x10DE, 0x2901), "n": (0x15B3, 0x1021)}, False), ({"g": (0x10DE, 0x2901), "n": (0x15B3, 0x1023)}, True),
    ({"g": (0x1002, 0x74A1), "n": (0x15B3, 0x1023)}, False), ({"g": (None, None), "n": (None, None)}, False),
    ({"d": (0x15B3, 0x2100)}, True), ({"p": (0x10DE, 0x22B8)}, True), ({}, False)])
def test_direct_nic_platforms(devices, direct):
    assert (acs.direct_nic(devices, ["g"], ["n"]) is not None) is direct
