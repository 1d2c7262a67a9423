# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on backlogs and on GRO."""

from __future__ import annotations

import pytest

from tests.sysroots import network_node
from tests.sysroots.engine import plan

BACKLOG, DEFER, FLUSH = "net.core.netdev_max_backlog", "net/napi_defer_hard_irqs", "net/gro_flush_timeout"


def found(root, values, rule, **options):
    made = plan(root, "network", values, kernel=network_node.Network, options=dict(network_node.OPTIONS, **options))
    return [(one["severity"], one["setting"], one["message"]) for one in made.findings if one["rule"] == rule]


def test_drops_are_the_evidence_for_a_longer_backlog(tmp_path):
    root = network_node.build(tmp_path, **{"/proc/net/softnet_stat": "00001f40 0000000a 00000000\n00001f40 00000100 0"})
    (severity, setting, words), = found(root, {}, "softnet-drops")
    assert (severity, setting) == ("W", None)
    assert "counts 266 packets dropped" in words and "netdev_max_backlog 1000" in words
    assert "network_netdev_max_backlog: 10000" in words
    assert found(root, {BACKLOG: 10000}, "softnet-drops") == []


def test_without_drops_it_is_said_that_there_is_nothing_to_gain(tmp_path):
    root = network_node.build(tmp_path)
    assert found(root, {}, "softnet-drops") == []
    assert found(root, {BACKLOG: 250000}, "softnet-drops")[0][:2] == ("I", BACKLOG)


@pytest.mark.parametrize("text", ["", "junk here", "00001f40"])
def test_counters_that_cannot_be_read_are_no_evidence(tmp_path, text):
    root = network_node.build(tmp_path, **{"/proc/net/softnet_stat": text})
    assert found(root, {}, "softnet-drops") == []


def test_a_backlog_beyond_what_a_server_asks_for(tmp_path):
    root = network_node.build(tmp_path)
    assert found(root, {"net.core.somaxconn": 4096}, "listen-backlog") == found(root, {}, "listen-backlog") == []
    (severity, _setting, words), = found(root, {"net.core.somaxconn": 65535}, "listen-backlog")
    assert severity == "I" and "uvicorn, and with it vLLM, asks for 2048" in words


@pytest.mark.parametrize("values, one", [({DEFER: 2}, DEFER), ({FLUSH: 200000}, FLUSH), ({DEFER: 2, FLUSH: 0}, DEFER)])
def test_one_without_the_other_does_nothing(tmp_path, values, one):
    pair = [item for item in found(network_node.build(tmp_path), values, "gro-pair") if item[0] == "W"]
    assert len(pair) == 1 and pair[0][1] == one and pair[0][2].startswith("rail0: " + one)


@pytest.mark.parametrize("values", [{DEFER: 2, FLUSH: 200000}, {DEFER: 0, FLUSH: 0}, {}])
def test_a_pair_is_a_pair(tmp_path, values):
    assert [item for item in found(network_node.build(tmp_path), values, "gro-pair") if item[0] == "W"] == []


def test_what_is_in_force_already_counts_and_each_interface_for_itself(tmp_path):
    root = network_node.build(tmp_path, **{"/sys/class/net/rail0/gro_flush_timeout": "20000"})
    both = {"network_interfaces": ["rail0", "rail1"]}
    pair = [item for item in found(root, {DEFER: {"rail0": 2, "rail1": 2}}, "gro-pair", **both) if item[0] == "W"]
    assert len(pair) == 1 and pair[0][2].startswith("rail1: ")


def test_it_is_said_that_rdma_passes_by(tmp_path):
    assert found(network_node.build(tmp_path), {DEFER: 2, FLUSH: 200000}, "gro-pair") == [
        ("I", DEFER, "for TCP and UDP alone: RDMA passes by GRO")]
