# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on limits of an interface's hardware, and on who sets the times."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._settings import network_links

from tests.sysroots import engine, link_node
from tests.sysroots.link_node import Links


def findings(root, values):
    made = engine.plan(root, "network", values, kernel=Links, catalogue=network_links,
                       options={"network_interfaces": ["eth1", "eth2"]})
    return [(one["rule"], one["severity"], one["setting"], one["message"]) for one in made.findings]


def test_a_clamp_is_named(tmp_path):
    root = link_node.build(tmp_path)
    assert findings(root, {"channels/combined": {"eth1": 64, "eth2": 63}}) == [
        ("clamp", "I", "channels/combined",
         "eth1/channels/combined: 64 is asked for, and its hardware has 63: it gets that")]


def test_times_that_the_driver_chooses(tmp_path):
    root = link_node.build(tmp_path)
    assert findings(root, {"coalesce/rx-usecs": 8, "coalesce/adaptive-rx": {"eth1": 1, "eth2": 0},
                           "coalesce/adaptive-tx": 1}) == [
        ("coalesce", "W", "coalesce/rx-usecs", "eth1/coalesce/rx-usecs: the driver chooses it itself while "
                                               "coalesce/adaptive-rx is 1: set one of the two to null")]
