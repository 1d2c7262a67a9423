# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What each of several nodes says to vLLM, on the hand-made node with eight GPUs."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.parallel_sizes import CannotPlace

from tests.sysroots.engine_nodes import instance, machine, put, several


def test_ranks_of_native_nodes():
    found = dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1", "10.0.0.2": "eno1"})
    first, second = (put(found, instance(gpus=8, several=several(rank))) for rank in (0, 1))
    assert {key: first["arguments"][key] for key in ("tensor-parallel-size", "pipeline-parallel-size", "nnodes",
                                                     "node-rank", "master-addr", "master-port")} == {
        "tensor-parallel-size": 8, "pipeline-parallel-size": 2, "nnodes": 2, "node-rank": 0,
        "master-addr": "10.0.0.1", "master-port": 29501}
    assert "headless" not in first["arguments"]
    assert (second["arguments"]["node-rank"], second["arguments"]["headless"]) == (1, True)
    assert {key: value for key, value in second["environment"].items() if key.endswith(("IP", "IFNAME"))} == {
        "VLLM_HOST_IP": "10.0.0.2", "NCCL_SOCKET_IFNAME": "=eno1", "GLOO_SOCKET_IFNAME": "eno1",
        "TP_SOCKET_IFNAME": "eno1"}
    assert second["devices"][-1] == "/dev/infiniband"


def test_what_nccl_has_from_its_file_stays():
    found = dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}, nccl_values={"NCCL_SOCKET_IFNAME": "=bond0"})
    assert "NCCL_SOCKET_IFNAME" not in put(found, instance(gpus=8, several=several(0)))["environment"]


def test_an_address_must_be_this_nodes():
    found = dict(machine("eight-gpu"), addresses={"10.9.9.9": "eno1"})
    with pytest.raises(CannotPlace, match=re.escape("the address 10.0.0.1 is none of this node's: 10.9.9.9")):
        put(found, instance(gpus=8, several=several(0)))


@pytest.mark.parametrize(("asked", "nnodes", "words"), [
    ({"tensor_parallel_size": 4, "pipeline_parallel_size": 1}, 3, "3 nodes do not divide the 4 GPUs of TP 4 x PP 1"),
    ({"gpus": 4, "tensor_parallel_size": 8, "pipeline_parallel_size": 2}, 2,
     "TP 8 x PP 2 needs 8 GPUs on this node, and gpus gives it 4"),
])
def test_a_world_that_nodes_do_not_share_evenly(asked, nnodes, words):
    with pytest.raises(CannotPlace, match=re.escape(words)):
        put(dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}),
            instance(several=several(0, nnodes), **asked))


def test_a_group_across_nodes_is_a_warning():
    where = put(dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}),
                instance(tensor_parallel_size=16, several=several(0)))
    assert [rule for rule, _severity, _words in where["warnings"]] == ["R30"]


def test_ray_takes_no_ranks_and_no_binding():
    found = dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"})
    where = put(found, instance(gpus=8, several=several(0, distributed="ray")))
    assert where["arguments"] == {"tensor-parallel-size": 8, "pipeline-parallel-size": 2,
                                  "distributed-executor-backend": "ray"}
