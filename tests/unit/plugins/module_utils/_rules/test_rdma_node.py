# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what the rules of rdma_roce look at: values to be, and rails that are down."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._rules import rdma_node
from ansible_collections.gpuwright.node.plugins.module_utils._settings import rdma_roce

from tests.sysroots import dcb_node, roce_node
from tests.sysroots.roce_node import nccl_step, step, view


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


def test_variables_are_those_once_the_plan_is_applied(tmp_path):
    root = roce_node.build(tmp_path)
    roce_node.conf(root, "NCCL_IB_TC=96", "NCCL_IB_SL=3")
    roce_node.conf(root, "export NCCL_IB_TC=160", path="/etc/profile.d/nccl.sh")
    shell = ("NCCL_IB_TC", "160", "/etc/profile.d/nccl.sh:1")
    ours = ("NCCL_IB_TC", "106", "nccl_env_ib_tc")

    def told(*steps):
        return rdma_node.variables(view(root, steps), "NCCL_IB_TC", "NCCL_IB_SL")
    found = ("NCCL_IB_TC", "96", "/etc/nccl.conf:1"), ("NCCL_IB_SL", "3", "/etc/nccl.conf:2")
    assert told() == [*found, shell]
    assert told(nccl_step("NCCL_IB_TC", "106", "drift")) == [ours, shell]
    assert told(nccl_step("NCCL_IB_TC", "106", "conflict")) == [ours, *found, shell]
    assert told(nccl_step("NCCL_IB_TC", "106", "not_applicable")) == [*found, shell]
    roce_node.conf(root, "# Written by gpuwright.node, role nccl_env.", "NCCL_IB_TC=96")
    assert told(nccl_step("NCCL_IB_TC", "106", "ok")) == [ours, shell]
    assert told() == [("NCCL_IB_TC", "96", "/etc/nccl.conf:2"), shell]


def test_the_setting_that_says_it(tmp_path):
    asked = view(roce_node.build(tmp_path), [nccl_step("NCCL_IB_TC", "106")])
    assert rdma_node.setting(asked, "nccl_env_ib_tc") == "NCCL_IB_TC"
    assert rdma_node.setting(asked, "/etc/nccl.conf:1") is None


def test_an_option_is_found_in_either_role(tmp_path):
    root = roce_node.build(tmp_path)
    for role in ("rdma_roce", "nccl_env"):
        given = {role + "_compute_nics": ["mlx5_1"], role + "_traffic_class": roce_node.CLASS}
        asked = roce_node.bare_view(root, (), given)
        assert rdma_node.compute(asked) == ["mlx5_1"] and rdma_node.declared(asked) == roce_node.CLASS
