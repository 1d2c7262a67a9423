# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ports and GPUs that two instances of one node both want."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import clashes


def instance(port=8000, rank=None, gpus=None, state="started", master_port=29501):
    several = None if rank is None else {"node_rank": rank, "master_port": master_port}
    return {"port": port, "several": several, "gpus": gpus, "state": state}


def test_workers_without_an_api_want_no_port():
    clashes.check("n2", {"a": instance(), "b": instance(rank=1), "c": instance(rank=1)})


@pytest.mark.parametrize("second, words", [
    (instance(), "n1: instances a and b both want port 8000: set port of one of them"),
    (instance(port=8001, gpus=["1"]), "both want GPU 1"),
    (instance(port=8001, rank=0, master_port=8000), "both want port 8000: set master_port of one of them")])
def test_what_both_want_is_named(second, words):
    with pytest.raises(BadInstance, match=words):
        clashes.check("n1", {"a": instance(gpus=["0", "1"]), "b": second})
    clashes.check("n1", {"a": instance(gpus=["0", "1"]), "b": dict(second, state="absent")})
