# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on rails."""

from __future__ import annotations

import pytest

from tests.sysroots import network_node, plain_node
from tests.sysroots.engine import plan

ROUTE = {"rail/route": {"rail0": 52001}}
FILTER = "net.ipv4.conf.{device}.rp_filter"


def found(root, values, rule):
    made = plan(root, "network", values, kernel=network_node.Network, options=network_node.OPTIONS)
    return [(one["severity"], one["message"]) for one in made.findings if one["rule"] == rule]


def test_networkd_takes_rules_away_that_are_not_its_own(tmp_path):
    root = network_node.build(tmp_path, **{"/run/systemd/netif/links/2": "ADMIN_STATE=configured"})
    (severity, words), = found(root, ROUTE, "rail-rules")
    assert severity == "W" and "set ManageForeignRoutingPolicyRules=no" in words
    assert found(root, {}, "rail-rules") == []
    network_node.state(root, down=["rail0"])
    assert found(root, ROUTE, "rail-rules") == []
    assert len(found(root, {"rail/route": {"rail0": 52001, "rail1": 52002}}, "rail-rules")) == 1


@pytest.mark.parametrize("path, text, kept", [
    ("/etc/systemd/networkd.conf", "[Network]\nManageForeignRoutingPolicyRules=no", True),
    ("/etc/systemd/networkd.conf.d/10-a.conf", "[Network]\nManageForeignRoutingPolicyRules = false", True),
    ("/usr/lib/systemd/networkd.conf.d/10-a.conf", "[Network]\nManageForeignRoutingPolicyRules=no", True),
    ("/etc/systemd/networkd.conf", "[Network]\n#ManageForeignRoutingPolicyRules=no", False),
    ("/etc/systemd/networkd.conf", "[Network]\nManageForeignRoutingPolicyRules=yes", False)])
def test_unless_it_is_told_not_to(tmp_path, path, text, kept):
    root = network_node.build(tmp_path, **{"/run/systemd/netif/links/2": "ADMIN_STATE=configured", path: text})
    assert (found(root, ROUTE, "rail-rules") == []) is kept


def test_the_last_word_counts(tmp_path):
    root = network_node.build(tmp_path, **{
        "/run/systemd/netif/links/2": "x", "/etc/systemd/networkd.conf": "ManageForeignRoutingPolicyRules=no",
        "/run/systemd/networkd.conf.d/50-a.conf": "ManageForeignRoutingPolicyRules=yes"})
    assert len(found(root, ROUTE, "rail-rules")) == 1
    plain_node.put(root, "/etc/systemd/networkd.conf.d/60-b.conf", "ManageForeignRoutingPolicyRules=no")
    assert found(root, ROUTE, "rail-rules") == []


def test_without_networkd_nobody_takes_them(tmp_path):
    assert found(network_node.build(tmp_path), ROUTE, "rail-rules") == []


@pytest.mark.parametrize("everywhere, value, strict", [("0", 2, False), ("1", 2, False), ("0", 1, True), ("1", 0, True),
                                                       ("0", 0, False), ("2", 0, False), ("2", 1, False)])
def test_the_stricter_filter_counts(tmp_path, everywhere, value, strict):
    root = network_node.build(tmp_path, **{"/proc/sys/net/ipv4/conf/all/rp_filter": everywhere})
    assert [severity for severity, _words in found(root, {FILTER: value}, "rail-filter")] == ["W"] * strict
    if strict:
        assert "rail0, rail1: what another rail would answer is dropped" in found(root, {FILTER: value},
                                                                                 "rail-filter")[0][1]
