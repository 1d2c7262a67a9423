# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the rules of rdma_roce look at: values to be, and rails that are down."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._rules import rdma_node
from ansible_collections.gpuwright.node.plugins.module_utils._settings import rdma_roce

from tests.sysroots import dcb_node, roce_node
from tests.sysroots.roce_node import step, view


def test_what_is_refused_stays_as_it_runs(tmp_path):
    root = roce_node.build(tmp_path)
    steps = [step("dcb/trust", "rail0", "pcp", "dscp"), step("dcb/trust", "rail1", "pcp", "dscp", "drift"),
             step("dcb/trust", "rail2", None, "dscp", "unreadable"),
             step("dcb/trust", "rail3", None, "dscp", "not_applicable")]
    assert rdma_node.values(view(root, steps), "dcb/trust") == {"rail0": "pcp", "rail1": "dscp"}


def test_what_is_not_managed_is_asked_of_the_tools(tmp_path):
    root = roce_node.build(tmp_path, nics={"rail0": dcb_node.fresh(pfc=[5])})
    seen = view(root, rdma_roce_interfaces=["rail0", "rail1"])
    assert rdma_node.values(seen, "dcb/prio-pfc") == {"rail0": "5", "rail1": "3"}
    assert rdma_node.values(seen, "dcb/trust") == {"rail0": "pcp", "rail1": "dscp"}


def test_a_rail_that_is_down_is_a_rail(tmp_path):
    root = roce_node.build(tmp_path, "nic_down")
    names = [device["name"] for device in rdma_node.rails(view(root))]
    assert "mlx5_6" in names and "mlx5_4" not in names
    assert "mlx5_6" not in rdma_node.compute(view(root))
    assert [device["name"] for device in rdma_node.rails(view(root, rdma_roce_compute_nics=["rail0"]))] == ["mlx5_0"]


def test_a_nic_that_is_named_and_not_here_yet_stops_no_rule(tmp_path):
    """At boot the runner plans before every driver is loaded, and must put back the rest."""
    root = roce_node.build(tmp_path, "no_rail")
    given = dict(roce_node.options(root), rdma_roce_compute_nics=["rail0", "rail6"], rdma_roce_storage_nics=["nobody"])
    seen = view(root)
    seen.options = given
    assert (rdma_node.compute(seen), rdma_node.storage(seen)) == (["mlx5_0"], [])
    for rule in rdma_roce.RULES:
        rule(seen)


def test_without_a_class_nothing_is_declared(tmp_path):
    root = roce_node.build(tmp_path)
    assert rdma_node.declared(view(root, rdma_roce_class=None)) is None
    assert rdma_node.declared(view(root))["traffic_class"] == 106
