# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule that keeps a node reachable."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._settings import network_links

from tests.sysroots import engine, link_node
from tests.sysroots.engine import statuses
from tests.sysroots.link_node import Links


def apply(root, names, values, **options):
    return engine.apply(root, "network", values, kernel=Links, catalogue=network_links,
                        options=dict({"network_interfaces": names}, **options))


def test_the_way_in_is_refused_in_words_and_nothing_of_the_row_is_done(tmp_path):
    made = apply(link_node.build(tmp_path), ["eth0", "eth1"], {"link/mtu": 9000, "ring/rx": {"eth1": 512}})
    assert statuses(made) == {"eth0/link/mtu": "refused", "eth1/link/mtu": "refused", "eth1/ring/rx": "drift"}
    assert [(one["rule"], one["severity"], one["setting"]) for one in made.findings] == [
        ("management", "E", "link/mtu")]
    assert _result.failures(made) == [
        "link/mtu is refused by management: eth0 is what this node is reached by (the default route goes through "
        "eth0): leave it out of network_interfaces, or set network_touch_management: true"]


def test_with_the_operators_word_it_is_changed(tmp_path):
    made = apply(link_node.build(tmp_path), ["eth0"], {"link/mtu": 9000}, network_touch_management=True)
    assert statuses(made) == {"eth0/link/mtu": "drift"} and _result.failures(made) == []


def test_what_is_right_is_not_refused(tmp_path):
    made = apply(link_node.build(tmp_path), ["eth0"], {"link/mtu": 1500})
    assert made.findings == [] and _result.failures(made) == []


def test_what_is_given_back_is_not_refused(tmp_path):
    root = link_node.build(tmp_path)
    apply(root, ["eth0"], {"link/mtu": 9000}, network_touch_management=True)
    made = apply(root, ["eth0"], {"link/mtu": None})
    assert made.findings == [] and _result.failures(made) == []
    assert (root / "sys/class/net/eth0/mtu").read_text() == "1500\n"
