# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the lines for the fabric team: the class in every vendor's words, and InfiniBand told apart."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import fabric_report
from ansible_collections.gpuwright.node.plugins.module_utils._derive.traffic_class import traffic_class

from tests.sysroots import eight_gpu, roce_node

PORT = {"device": "mlx5_0", "netdev": "rail0", "rate": 400, "mtu": 9000, "layer": "Ethernet"}
IB = {"device": "mlx5_1", "netdev": None, "rate": None, "mtu": None, "layer": "InfiniBand"}


def of(*asked, ports=(PORT,)):
    return fabric_report.report(traffic_class({}, *asked), list(ports))


def test_the_default_class_is_nvidias_profile():
    text = of()
    assert "  nv set qos roce mode lossless\n  nv config apply" in text
    assert "  mlx5_0 rail0: 400 Gb/s, MTU 9000" in text
    assert "priority-flow-control priority 3 no-drop" in text
    assert '"pfc_enable": "3"' in text and '"DSCP_TO_TC_MAP": {"ROCE": {"26": "3", "48": "6"}}' in text
    assert "InfiniBand\n" not in text


def test_another_class_is_carried_into_every_line():
    text = of(4, 34, 7, 56)
    for line in ("DSCP 34 (traffic class byte 138) is priority 4", "DSCP 56 (congestion notifications) is priority 7",
                 "nv set qos pfc default-global switch-priority 4",
                 "nv set qos egress-queue-mapping default-global switch-priority 4 traffic-class 3",
                 "nv set qos egress-queue-mapping default-global switch-priority 7 traffic-class 6",
                 "nv set qos mapping default-global dscp 34 switch-priority 4", "qos map dscp 34 to traffic-class 4",
                 "priority-flow-control priority 4 no-drop", '"pfc_enable": "4"', '"PORT|4": {"wred_profile": "ROCE"}'):
        assert line in text, line
    assert "is priority 3" not in text and "priority 3 no-drop" not in text


def test_infiniband_is_left_to_the_subnet_manager():
    text = of(3, 26, 6, 48, 1, ports=(IB,))
    assert "ar_sl_mask" in text and "service level 1;" in text
    assert "Arista" not in text and "PFC" not in text
    assert "service level 0, the default;" in of(ports=(IB,))


def test_lines_are_short_enough_to_mail_and_have_no_loose_ends():
    for line in of(4, 34, 7, 56, ports=(PORT, IB)).split("\n"):
        assert len(line) <= 120 and line == line.rstrip()


def test_the_ports_of_a_node_are_named(tmp_path):
    fact = roce_node.topology(eight_gpu.build(tmp_path))
    text = fabric_report.of_node(fact, traffic_class(fact))
    assert "  mlx5_4 storage0: 400 Gb/s, MTU 9000" in text and text.count("Gb/s, MTU") == 10
    assert "storage0" not in fabric_report.of_node(fact, traffic_class(fact), ["mlx5_0"], [])


def test_what_is_no_class_is_refused():
    with pytest.raises(ValueError, match="filter gpuwright.node.traffic_class"):
        fabric_report.of_node({"rdma_devices": []}, {"priority": 3})
