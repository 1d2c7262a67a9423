# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on GID tables, and on an index that is named by hand (R21)."""

from __future__ import annotations

import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import gid as rules

from tests.sysroots import roce_node
from tests.sysroots.plain_node import put
from tests.sysroots.roce_node import bare_view, conf, messages, nccl_step, view

PORT = "/sys/class/infiniband/%s/ports/1/"
LIBRARY = "/usr/lib/x86_64-linux-gnu/libnccl.so.2.%s"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return roce_node.build(tmp_path)


def entry(root, device, index, gid, kind="RoCE v2", netdev=None):
    for name, text in (("gids", gid), ("gid_attrs/types", kind), ("gid_attrs/ndevs", netdev)):
        if text:
            put(root, PORT % device + "%s/%d" % (name, index), text)


def mapped(address):
    return "0000:0000:0000:0000:0000:ffff:" + address


def test_a_healthy_table_says_nothing(root):
    assert rules.gid_table(view(root)) == []
    conf(root, "NCCL_IB_GID_INDEX=-1")
    assert rules.r21_gid_index(view(root)) == []


def test_a_port_without_an_address_is_named(root):
    entry(root, "mlx5_3", 3, "0000:0000:0000:0000:0000:0000:0000:0000")
    entry(root, "mlx5_3", 2, "0000:0000:0000:0000:0000:0000:0000:0000")
    (severity, message), = messages(rules.gid_table(view(root)), "gid")
    assert severity == "W" and message.startswith("no RoCE v2 GID with an IPv4 address on mlx5_3 (rail3): give the")


def test_a_table_that_cannot_be_read_is_not_called_empty(root):
    shutil.rmtree(root / (PORT % "mlx5_3" + "gids")[1:])
    assert rules.gid_table(view(root)) == []


def test_a_port_that_is_down_needs_none(root):
    entry(root, "mlx5_3", 3, "0000:0000:0000:0000:0000:0000:0000:0000")
    put(root, PORT % "mlx5_3" + "state", "1: DOWN")
    assert rules.gid_table(view(root)) == []


def test_ipv6_wants_an_address_that_routes(root):
    (_severity, message), = messages(rules.gid_table(view(root, rdma_roce_address_family="IPv6")), "gid")
    assert "that of mlx5_0 (rail0) (index 1) is link-local" in message
    for device in roce_node.topology(root)["rdma_devices"]:
        entry(root, device["name"], 4, "fd00:0000:0000:0000:0000:0000:0000:0001", netdev=device["ports"][0]["netdev"])
    assert rules.gid_table(view(root, rdma_roce_address_family="IPv6")) == []


def test_the_entry_of_another_interface_is_doubtful(root):
    put(root, PORT % "mlx5_0" + "gid_attrs/ndevs/3", "rail0.100")
    (_severity, message), = messages(rules.gid_table(view(root)), "gid")
    assert "that of mlx5_0 (rail0) (index 3) is on rail0.100" in message


def test_r21_an_index_that_shifted_on_one_rail(root):
    entry(root, "mlx5_2", 3, mapped("0a00:0302"), "IB/RoCE v1", "rail2")
    entry(root, "mlx5_2", 4, mapped("0a00:0302"), "RoCE v2", "rail2")
    conf(root, "NCCL_IB_GID_INDEX=3")
    (severity, message), = messages(rules.r21_gid_index(view(root)), "R21")
    assert severity == "E" and "on mlx5_2 (rail2) it is IB/RoCE v1, 4 is right" in message
    assert message.endswith("remove it, with NCCL 2.21 or later, which finds that of each itself")


@pytest.mark.parametrize("index, words", [
    ("0", "is IB/RoCE v1, 3 is right"), ("1", "is link-local, 3 is right"), ("7", "is empty, 3 is right"),
    ("auto", "is IB/RoCE v1")])
def test_r21_a_wrong_index_everywhere(root, index, words):
    conf(root, "NCCL_IB_GID_INDEX=" + index)
    (severity, message), = messages(rules.r21_gid_index(view(root)), "R21")
    assert severity == "E" and words in message and "for an NCCL before 2.21 set 3" in message


def test_r21_the_other_family_is_another_entry(root):
    conf(root, "NCCL_IB_GID_INDEX=4")
    for device in roce_node.topology(root)["rdma_devices"]:
        entry(root, device["name"], 4, "fd00:0000:0000:0000:0000:0000:0000:0001", netdev=device["ports"][0]["netdev"])
    (severity, message), = messages(rules.r21_gid_index(view(root)), "R21")
    assert severity == "E" and "is of the other address family, 3 is right" in message


@pytest.mark.parametrize("version, severity, words", [
    (None, "W", "Which NCCL is used here is not known"), ("21.5", "E", "with NCCL 2.21 here"),
    ("27.3", "E", "with NCCL 2.27 here"), ("20.3", None, None)])
def test_r21_a_right_index_is_for_old_nccl_only(root, version, severity, words):
    conf(root, "NCCL_IB_GID_INDEX=3")
    if version:
        put(root, LIBRARY % version, "")
    told = messages(rules.r21_gid_index(view(root)), "R21")
    assert [found[0] for found in told] == ([severity] if severity else [])
    assert all(words in found[1] for found in told)


def test_r21_means_nothing_on_infiniband(root):
    conf(root, "NCCL_IB_GID_INDEX=0")
    for device in roce_node.topology(root)["rdma_devices"]:
        put(root, PORT % device["name"] + "link_layer", "InfiniBand")
    assert rules.r21_gid_index(view(root)) == []


@pytest.mark.parametrize("declared, severity, words", [
    ("2.20", None, None), ("2.21", "E", "with NCCL 2.21 declared here"), ("latest", "W", "is not known")])
def test_r21_the_version_that_is_declared_counts(root, declared, severity, words):
    put(root, LIBRARY % "27.3", "")
    steps = [nccl_step("NCCL_IB_GID_INDEX", "3")]
    found = rules.r21_gid_index(bare_view(root, steps, {"nccl_env_min_version": declared}))
    assert [one["severity"] for one in found] == ([severity] if severity else [])
    for one in found:
        assert one["setting"] == "NCCL_IB_GID_INDEX" and words in one["message"]
        assert one["message"].startswith("nccl_env_ib_gid_index: NCCL_IB_GID_INDEX=3 ")


def test_r21_a_line_that_the_role_takes_away_is_not_blamed(root):
    conf(root, "NCCL_IB_GID_INDEX=0")
    assert rules.r21_gid_index(bare_view(root, [nccl_step("NCCL_DEBUG", "WARN")], {})) == []
    assert len(rules.r21_gid_index(bare_view(root, [nccl_step("NCCL_DEBUG", "WARN", "conflict")], {}))) == 1


def test_r21_a_port_in_two_subnets_leaves_nccl_a_choice(root):
    assert rules.r21_subnets(view(root)) == []
    device = roce_node.topology(root)["rdma_devices"][0]
    entry(root, device["name"], 4, "0000:0000:0000:0000:0000:ffff:c612:0005", netdev=device["ports"][0]["netdev"])
    (severity, message), = messages(rules.r21_subnets(view(root)), "R21")
    assert severity == "W" and "198.18.0.0/24" in message and device["name"] in message
    assert rules.r21_subnets(bare_view(root, [nccl_step("NCCL_IB_ADDR_RANGE", "198.18.0.0/16")], {})) == []


def test_r21_the_family_of_either_role_counts(root):
    device = roce_node.topology(root)["rdma_devices"][0]
    for index, last in ((4, 1), (5, 2)):
        entry(root, device["name"], index, "fd00:0000:0000:000%d:0000:0000:0000:0001" % last,
              netdev=device["ports"][0]["netdev"])
    assert rules.r21_subnets(bare_view(root, (), {"nccl_env_address_family": "IPv4"})) == []
    (severity, message), = messages(rules.r21_subnets(bare_view(root, (), {"nccl_env_address_family": "IPv6"})), "R21")
    assert severity == "W" and "fd00:0:0:1::/64, fd00:0:0:2::/64" in message
