# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule that says why nothing of NCCL is set."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env
from ansible_collections.gpuwright.node.plugins.module_utils._rules import nccl_nothing as rules

from tests.sysroots import plain_node
from tests.sysroots.roce_node import bare_view, messages, nccl_step

DERIVED = {"nccl_env_derived": nccl_env.derive({"gpus": []})}


def test_a_node_without_a_gpu_says_so(tmp_path):
    view = bare_view(plain_node.build(tmp_path), given=DERIVED)
    assert messages(rules.nothing_set(view), "nccl") == [("I", "nothing is set: this node has no GPU (gpus)")]


def test_where_something_is_set_it_says_nothing(tmp_path):
    root = plain_node.build(tmp_path)
    assert rules.nothing_set(bare_view(root, [nccl_step("NCCL_DEBUG", "WARN")], DERIVED)) == []
    assert rules.nothing_set(bare_view(root, given={"nccl_env_derived": {
        "NCCL_DEBUG": {"value": "WARN", "why": "x"}}})) == []
    assert rules.nothing_set(bare_view(root)) == []
