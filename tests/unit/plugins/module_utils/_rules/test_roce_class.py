# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of R6 to R9 and R36 on the training node: each way in which the class does not hold from end to end."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import roce_class as rules

from tests.sysroots import roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import conf, messages, step, view

RIGHT = [step("dcb/trust", "rail0", "dscp"), step("dcb/prio-pfc", "rail0", "3")]


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return roce_node.build(tmp_path)


@pytest.mark.parametrize("value, sent", [("160", "DSCP 40, which is priority 5"), ("0", "DSCP 0, which is priority 0"),
                                         ("auto", "DSCP 0, which is priority 0"), ("0xc0", "DSCP 48")])
def test_r6_traffic_in_a_priority_that_nobody_protects(root, value, sent):
    conf(root, "NCCL_DEBUG=WARN", "NCCL_IB_TC=" + value)
    (severity, message), = messages(rules.r6_sent_and_protected(view(root, RIGHT)), "R6")
    assert severity == "E" and sent in message
    assert message.startswith("/etc/nccl.conf:2: NCCL_IB_TC=%s" % value) and message.endswith("Set NCCL_IB_TC=106")


@pytest.mark.parametrize("value", ["106", "104", "96", "0x6a"])
def test_r6_any_byte_of_the_priority_is_protected(root, value):
    conf(root, "NCCL_IB_TC=" + value)
    assert rules.r6_sent_and_protected(view(root, RIGHT)) == []


def test_r6_a_map_of_the_site_counts(root):
    conf(root, "NCCL_IB_TC=106")
    mapped = dict(roce_node.CLASS, priority=5, pfc=[5], dscp_prio={"26": 5})
    assert rules.r6_sent_and_protected(view(root, rdma_roce_class=mapped)) == []
    assert rules.r6_sent_and_protected(view(root, rdma_roce_class=dict(mapped, dscp_prio=None))) != []


def test_r6_each_place_is_told_once(root):
    conf(root, "NCCL_IB_TC=160")
    roce_node.job(root, 70)
    roce_node.job(root, 71, NCCL_IB_TC="192")
    assert [message.split(": ")[0] for _severity, message in messages(
        rules.r6_sent_and_protected(view(root, RIGHT)), "R6")] == ["/etc/nccl.conf:1", "process 71 (python3)"]


def test_r6_wrong_trust_and_pfc_are_named_by_interface(root):
    steps = [step("dcb/trust", "rail3", "pcp", "dscp"), step("dcb/trust", "rail4", "pcp", "dscp", "drift"),
             step("dcb/prio-pfc", "rail1", "5", "3"), step("dcb/prio-pfc", "rail2", "5", "3"),
             step("dcb/prio-pfc", "rail5", "", "3"), step("dcb/prio-pfc", "rail6", "3 4", "3")] + RIGHT
    assert messages(rules.r6_in_force(view(root, steps)), "R6") == [
        ("W", "rail5: PFC is on for no priority, not for priority 3. rdma_roce_apply: true lets this role set it"),
        ("W", "rail6: PFC is on for priority 3, 4, not for priority 3. rdma_roce_apply: true lets this role set it"),
        ("W", "rail1, rail2: PFC is on for priority 5, not for priority 3. rdma_roce_apply: true lets this role "
              "set it"),
        ("W", "rail3: trust is pcp, not dscp: the DSCP of packets picks no priority. rdma_roce_apply: true lets this "
              "role set it")]
    assert rules.r6_in_force(view(root, RIGHT)) == []


def test_r7_nobody_sets_the_class(root):
    assert messages(rules.r7_unset(view(root, RIGHT)), "R7") == [
        ("W", "any job: NCCL_IB_TC is not set, so NCCL sends in priority 0, which PFC does not protect. Set "
              "NCCL_IB_TC=106")]
    assert rules.r7_unset(view(root, [step("dcb/prio-pfc", "rail0", "")])) == []


def test_r7_who_sets_up_rdma_without_it_is_wrong(root):
    conf(root, "NCCL_IB_HCA==mlx5_0")
    roce_node.job(root, 70, NCCL_DEBUG="INFO")
    roce_node.job(root, 71, comm="mmfsd")
    (conf_severity, conf_words), (job_severity, job_words) = messages(rules.r7_unset(view(root, RIGHT)), "R7")
    assert conf_severity == "E" and conf_words.startswith("any job (/etc/nccl.conf:1): NCCL_IB_TC is not set")
    assert job_severity == "W" and job_words.startswith("process 70 (python3)")
    conf(root, "NCCL_IB_HCA==mlx5_0", "NCCL_IB_TC=106")
    assert rules.r7_unset(view(root, RIGHT)) == []


def test_r8_all_that_name_the_class_are_compared(root):
    conf(root, "NCCL_IB_TC=106", "UCX_IB_TRAFFIC_CLASS=104", "NVSHMEM_IB_TRAFFIC_CLASS=160", "NCCL_GIN_IB_TC=0")
    put(root, "/sys/class/infiniband/mlx5_3/tc/1/traffic_class", "Global tclass=96")
    steps = RIGHT + [step("rdma_cm/default_roce_tos", "mlx5_0", "0", "106"),
                     step("rdma_cm/default_roce_tos", "mlx5_1", "0", "106", "drift"),
                     step("rdma_cm/default_roce_tos", "mlx5_2", "106")]
    (severity, message), = messages(rules.r8_agree(view(root, steps)), "R8")
    assert severity == "W" and message == (
        "the class is DSCP 26 (traffic class 106), but NCCL_GIN_IB_TC=0 in /etc/nccl.conf:4, "
        "NVSHMEM_IB_TRAFFIC_CLASS=160 in /etc/nccl.conf:3, rdma_cm/default_roce_tos=0 on mlx5_0, "
        "tc/1/traffic_class=96 on mlx5_3, which overrides what applications ask for")


def test_r8_who_agrees_says_nothing(root):
    conf(root, "NCCL_IB_TC=106", "UCX_IB_TRAFFIC_CLASS=104")
    assert rules.r8_agree(view(root, [step("rdma_cm/default_roce_tos", "mlx5_0", "106")])) == []


def test_r9_under_pcp_no_traffic_class_is_looked_at(root):
    conf(root, "NCCL_IB_TC=106")
    assert messages(rules.r9_wrong_layer(view(root, [step("dcb/trust", "rail0", "pcp", "dscp")])), "R9") == [
        ("W", "/etc/nccl.conf:1: NCCL_IB_TC=106 is not looked at by rail0: trust is pcp there. It has to be dscp "
              "(rdma_roce_trust)")]
    assert rules.r9_wrong_layer(view(root, RIGHT)) == []


def test_r9_under_dscp_no_service_level_is(root):
    conf(root, "NCCL_IB_SL=5")
    (severity, message), = messages(rules.r9_wrong_layer(view(root, RIGHT)), "R9")
    assert severity == "W" and message.startswith("/etc/nccl.conf:1: NCCL_IB_SL=5 is the priority of a VLAN tag")
    assert rules.r9_wrong_layer(view(root, [step("dcb/trust", "rail0", "pcp", "dscp")])) == []


def test_r9_on_infiniband_a_traffic_class_means_nothing(root):
    for device in roce_node.topology(root)["rdma_devices"]:
        put(root, "/sys/class/infiniband/%s/ports/1/link_layer" % device["name"], "InfiniBand")
    conf(root, "NCCL_IB_TC=106", "NCCL_IB_SL=5", "NVSHMEM_IB_TRAFFIC_CLASS=106")
    words = [message for _severity, message in messages(rules.r9_wrong_layer(view(root)), "R9")]
    assert len(words) == 2 and "NCCL_IB_TC=106 means nothing on InfiniBand: unset it" in words[0]
    assert "and NVSHMEM fails with it" in words[1]


@pytest.mark.parametrize("row, value, words", [
    ("ecn/roce_np/cnp_dscp", "26", "sent with DSCP 26, in priority 3, the data's own priority"),
    ("ecn/roce_np/cnp_dscp", "40", "sent with DSCP 40, in priority 5, a priority that PFC pauses"),
    ("ecn/roce_np/cnp_802p_prio", "3", "sent with priority 3, in priority 3, the data's own priority"),
    ("ecn/roce_np/enable", "0 1", "on priority 3 the NIC notifies nobody (roce_np): ECN is off there"),
    ("ecn/roce_rp/enable", "", "on priority 3 the NIC slows down for nobody (roce_rp): ECN is off there")])
def test_r36_notifications_wait_or_are_not_sent(root, row, value, words):
    steps = [step("dcb/prio-pfc", "rail0", "3 5", "3"), step(row, "rail0", value, "x")]
    (severity, message), = messages(rules.r36_notifications(view(root, steps)), "R36")
    assert severity == "W" and message.startswith("rail0: ") and words in message


def test_r36_right_notifications_say_nothing(root):
    steps = RIGHT + [step("ecn/roce_np/cnp_dscp", "rail0", "48"), step("ecn/roce_np/cnp_802p_prio", "rail0", "6"),
                     step("ecn/roce_np/enable", "rail0", "3"), step("ecn/roce_rp/enable", "rail0", "0 3")]
    assert rules.r36_notifications(view(root, steps)) == []


def test_without_a_class_or_roce_no_rule_speaks(root):
    conf(root, "NCCL_IB_TC=160")
    for seen in (view(root, RIGHT, rdma_roce_class=None), view(root, rdma_roce_rdma_devices=[])):
        for rule in (rules.r6_sent_and_protected, rules.r6_in_force, rules.r7_unset, rules.r8_agree,
                     rules.r36_notifications):
            assert rule(seen) == []
