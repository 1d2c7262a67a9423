# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on who else sets the class: by hand (R27), scripts, DCBX agents; and of what only OFED has."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import roce_owner as rules

from tests.sysroots import plain_node, roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import messages, step, view

HAND = [step("dcb/prio-pfc", "rail0", "3", status="refused", unverified="x"),
        step("dcb/trust", "rail0", "pcp", "dscp", unverified="x")]
SCRIPT = "/etc/systemd/system/roce.service"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return roce_node.build(tmp_path)


def test_r27_what_is_right_by_hand_is_lost_at_boot(root):
    (severity, message), = messages(rules.r27_by_hand(view(root, HAND)), "R27")
    assert severity == "W" and "sets it again: dcb/prio-pfc of rail0. rdma_roce_apply: true" in message


def test_r27_a_forced_traffic_class_is_by_hand(root):
    put(root, "/sys/class/infiniband/mlx5_3/tc/1/traffic_class", "Global tclass=106")
    (_severity, message), = messages(rules.r27_by_hand(view(root)), "R27")
    assert "tc/1/traffic_class of mlx5_3" in message


@pytest.mark.parametrize("how", ["applied", "script", "differs"])
def test_r27_what_somebody_puts_back_is_not(root, how):
    if how == "script":
        put(root, SCRIPT, "[Service]\nExecStart=/usr/bin/mlnx_qos -i rail0 --pfc 0,0,0,1,0,0,0,0")
    steps = HAND[1:] if how == "differs" else HAND
    assert rules.r27_by_hand(view(root, steps, rdma_roce_apply=how == "applied")) == []


def test_a_script_of_the_sites_is_named(root):
    put(root, SCRIPT, "[Service]\nExecStart=/usr/bin/mlnx_qos -i rail0 --pfc 0,0,0,1,0,0,0,0")
    (severity, message), = messages(rules.other_scripts(view(root, HAND)), "roce-owner")
    assert severity == "W" and message.startswith(SCRIPT + " (mlnx_qos): it sets the traffic class too")
    assert rules.other_scripts(view(root)) == []


def test_lldpad_takes_it_back(root):
    assert rules.dcbx_owner(view(root, HAND)) == []
    plain_node.process(root, 44, "lldpad")
    (severity, message), = messages(rules.dcbx_owner(view(root, HAND)), "dcbx-owner")
    assert severity == "W" and message.startswith("lldpad (process 44) speaks DCBX here")
    assert rules.dcbx_owner(view(root)) == []


def test_firmware_that_decides_is_named(root):
    steps = [step("dcb/dcbx", "rail2", "fw", "os")]
    (_severity, message), = messages(rules.dcbx_owner(view(root, steps)), "dcbx-owner")
    assert message.startswith("the firmware of rail2 decides over PFC and ETS")


def test_what_only_ofed_has_is_said_once(root):
    (severity, message), = messages(rules.ofed_only(view(root)), "ofed-only")
    assert severity == "I" and message.startswith("rail0, rail1") and "and 5 more: Linux's own driver" in message
    for name in roce_node.RAILS + roce_node.STORAGE:
        put(root, "/sys/class/net/%s/ecn/roce_np/cnp_dscp" % name, "48")
    assert rules.ofed_only(view(root)) == []


def test_r6_what_no_tool_shows_is_not_passed_over_in_silence(tmp_path):
    root = roce_node.build(tmp_path, tools=())
    (severity, message), = messages(rules.unseen(view(root)), "R6")
    assert severity == "W" and message.startswith("rail0, rail1") and "install dcb (package iproute2" in message
    assert rules.unseen(view(root, rdma_roce_interfaces=[])) == []


def test_r6_where_a_tool_answers_all_is_seen(root):
    assert rules.unseen(view(root)) == []
