# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parallel sizes: which are tried in which order, and how they lie on nodes."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_parallel import candidates


def test_the_fewest_gpus_come_first_and_stages_only_across_nodes():
    assert candidates(4, 1, None, None) == [(1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1)]
    assert candidates(2, 2, None, None) == [(1, 1, 1), (2, 1, 1), (1, 2, 2), (2, 2, 2)]
    assert candidates(8, 3, None, None)[-1] == (8, 3, 3)


@pytest.mark.parametrize(("gpus", "nodes", "tensor", "stages", "expected"), [
    (8, 1, 4, None, [(4, 1, 1)]), (8, 2, 16, 1, [(16, 1, 2)]), (8, 1, 2, 4, [(2, 4, 1)]), (8, 1, 16, None, []),
    (4, 2, 8, None, [(8, 1, 2)]),
    (8, 2, 4, 4, [(4, 4, 2)]), (8, 2, 4, 3, []), (8, 2, 8, 2, [(8, 2, 2)]), (8, 2, 4, 2, [(4, 2, 1), (4, 2, 2)])])
def test_sizes_that_are_given(gpus, nodes, tensor, stages, expected):
    assert candidates(gpus, nodes, tensor, stages) == expected
