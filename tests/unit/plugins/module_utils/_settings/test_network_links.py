# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rows of links: every one has a variable and an option of systemd, counts are clamped by device."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import link_options
from ansible_collections.gpuwright.node.plugins.module_utils._settings import network, network_links
from ansible_collections.gpuwright.node.plugins.module_utils._settings.network_links import UpToHardware
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int


def test_a_variable_is_named_as_ethtool_names_the_property():
    assert {row.name: row.variable for row in network_links.ROWS if row.name.startswith("coalesce/")} == {
        "coalesce/adaptive-rx": "network_coalesce_adaptive_rx", "coalesce/adaptive-tx": "network_coalesce_adaptive_tx",
        "coalesce/rx-usecs": "network_coalesce_rx_usecs", "coalesce/tx-usecs": "network_coalesce_tx_usecs",
        "coalesce/rx-frames": "network_coalesce_rx_frames", "coalesce/tx-frames": "network_coalesce_tx_frames"}


def test_every_row_is_the_roles_and_has_its_option():
    assert {row.name for row in network_links.ROWS} == set(link_options.OPTIONS)
    assert {row.devices for row in network_links.ROWS} == {"network_interfaces"}
    assert set(network_links.ROWS) <= set(network.ROWS) and set(network_links.RULES) <= set(network.RULES)
    assert {option["name"] for option in network_links.OPTIONS} <= {option["name"] for option in network.OPTIONS}


@pytest.mark.parametrize("raw, fields, count, clamped", [
    (512, {"most": "8192"}, "512", False), (9000, {"most": "8192"}, "8192", True), (9000, {}, "9000", False),
    ({"eth1": 9000}, {"most": "8192"}, "8192", True), ({"eth2": 9000}, {"most": "8192"}, None, False)])
def test_a_device_gets_no_more_than_it_has(raw, fields, count, clamped):
    value, fields = UpToHardware(Int(1)), dict(fields, device="eth1")
    assert value.pick(value.parse(raw), fields) == count
    assert fields.get("asked") == ("9000" if clamped else None)


@pytest.mark.parametrize("raw", [0, True, "max", {"eth1": -1}])
def test_what_is_no_count(raw):
    with pytest.raises(ValueError, match="is not an integer of 1 or more"):
        UpToHardware(Int(1)).parse(raw)
