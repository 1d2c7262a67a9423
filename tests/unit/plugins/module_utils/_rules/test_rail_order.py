# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on the order of rails within a node (R11)."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import rail_order as rules

from tests.sysroots import eight_gpu, plain_node, roce_node
from tests.sysroots.roce_node import bare_view, messages


@pytest.fixture(name="root", scope="module")
def fixture_root(tmp_path_factory):
    return roce_node.build(tmp_path_factory.mktemp("rails"))


def told(root, fabric="rail", order=None):
    given = {"nccl_env_fabric": fabric, "nccl_env_compute_nics": order, "nccl_env_storage_nics": None}
    return messages(rules.r11_rail_order(bare_view(root, given=given)), "R11")


def test_pci_order_that_is_the_order_of_the_rails_says_nothing(root):
    assert told(root, order=list(eight_gpu.RAILS)) == []


def test_pci_order_that_is_another_one_is_named_with_both(root):
    crossed = list(reversed(eight_gpu.RAILS))
    (severity, message), = told(root, order=crossed)
    by_pci, by_rail = (", ".join(name + ":1" for name in names) for names in (eight_gpu.RAILS, crossed))
    assert severity == "W" and "by their PCI addresses (%s)" % by_pci in message
    assert "by the order of compute_nics, are in another order (%s)" % by_rail in message


@pytest.mark.parametrize("fabric", [None, "single_switch", "ethernet"])
def test_where_there_are_no_rails_nothing_is_compared(root, fabric):
    assert told(root, fabric, list(reversed(eight_gpu.RAILS))) == []


def test_a_node_without_rdma_has_no_rails(tmp_path):
    assert told(plain_node.build(tmp_path)) == []
