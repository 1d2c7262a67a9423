# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on congestion control and queueing disciplines."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result
from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun

from tests.sysroots import network_node
from tests.sysroots.engine import plan, steps

BBR = {"tcp_bbr": "loaded", "net.ipv4.tcp_congestion_control": "bbr"}
KEY = "net.ipv4.tcp_congestion_control"


def made(root, values, kernel=network_node.Network, **options):
    return plan(root, "network", values, kernel=kernel, options=dict(network_node.OPTIONS, **options))


def found(root, values, rule, **more):
    return [(one["severity"], one["message"]) for one in made(root, values, **more).findings if one["rule"] == rule]


@pytest.mark.parametrize("options, words", [
    ({"network_internet_facing": False}, "set network_internet_facing where this node serves them itself"),
    ({"network_workload": "training"}, "never on training and storage networks"),
    ({"network_workload": "training", "network_internet_facing": False}, "never on training and storage networks")])
def test_bbr_elsewhere_is_refused_and_nothing_of_it_is_written(tmp_path, options, words):
    root = network_node.build(tmp_path)
    one = made(root, BBR, **options)
    assert steps(one)[KEY]["status"] == "refused" and words in steps(one)[KEY]["reason"]
    assert any("bbr" in line for line in _result.failures(one))


def test_bbr_on_the_internet_is_let_through_and_cubic_needs_no_word(tmp_path):
    root = network_node.build(tmp_path)
    assert [severity for severity, _words in found(root, BBR, "bbr")] == ["I"]
    assert found(root, {KEY: "reno"}, "bbr", network_internet_facing=False) == found(root, {}, "bbr") == []


def test_bbr_that_is_not_there_is_not_refused_too(tmp_path):
    root = network_node.build(tmp_path, **{network_node.MODULES + "modules.dep": "kernel/net/sched/sch_fq.ko:"})
    one = made(root, BBR, network_internet_facing=False)
    assert {step["status"] for step in one.steps} == {"not_applicable"} and _result.failures(one) == []


def test_an_algorithm_that_is_there_already_needs_no_module(tmp_path):
    assert steps(made(network_node.build(tmp_path), {KEY: "reno"}))[KEY]["status"] == "drift"


QDISCS = [
    {"kind": "noqueue", "handle": "0:", "dev": "lo", "root": True}, {"kind": "mq", "dev": "rail0", "root": True},
    {"kind": "fq_codel", "dev": "rail0", "parent": ":1"}, {"kind": "fq", "dev": "rail0", "parent": ":2"},
    {"kind": "fq", "dev": "rail1", "root": True}, {"kind": "pfifo_fast", "dev": "storage0", "root": True},
    {"kind": "fq_codel", "dev": "docker0", "root": True}, {"kind": "ingress", "dev": "rail1", "parent": "ffff:fff1"}]


def answering(text, status=0):
    class Answering(network_node.Network):
        """A host whose tc says this."""

        def run(self, argv, seconds=10, changes=True):
            if argv[0] != "tc":
                return super().run(argv, seconds, changes)
            if isinstance(text, Exception):
                raise text
            return status, text, ""
    return Answering


def test_devices_that_still_have_another_one_are_named(tmp_path):
    root = network_node.build(tmp_path)
    asked = {"net.core.default_qdisc": "fq"}
    (severity, words), = found(root, asked, "qdisc", kernel=answering(json.dumps(QDISCS)))
    assert severity == "W" and words == ("rail0 has fq_codel, storage0 has pfifo_fast until it is replaced: tc qdisc "
                                         "replace dev rail0 root fq, or the next boot")
    assert found(root, {}, "qdisc", kernel=answering(json.dumps(QDISCS))) == []


@pytest.mark.parametrize("kernel", [answering("[]"), answering("{"), answering("", 1), answering(""),
                                    answering(CommandNotRun("tc: No such file or directory"))])
def test_a_tc_that_does_not_answer_proves_nothing(tmp_path, kernel):
    assert found(network_node.build(tmp_path), {"net.core.default_qdisc": "fq"}, "qdisc", kernel=kernel) == []
