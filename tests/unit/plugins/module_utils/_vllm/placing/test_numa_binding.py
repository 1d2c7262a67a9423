# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Workers at the NUMA nodes of their GPUs: by vLLM, by a memory policy, or not at all, and why."""

from __future__ import annotations

import pytest

from tests.sysroots import engine_nodes
from tests.sysroots.engine_nodes import cpus, instance, machine, put


@pytest.mark.parametrize(("cpus", "words"), [
    (cpus("4-55,60-111"), "gpuwright.slice has CPU 4-55,60-111, so vLLM cannot find them itself (R3)"),
    (cpus("4-55,60-111", partition="root"), "it is a partition of its own, so vLLM"),
    (cpus("4-55,60-111", isolated="200-223"), "the kernel isolates CPU 200-223, so vLLM"),
])
def test_nodes_are_named_where_cpus_are_restricted(cpus, words):
    where = put(machine("eight-gpu"), instance(gpus=["2", "6"]), cpus=cpus)
    assert (where["arguments"]["numa-bind"], where["arguments"]["numa-bind-nodes"]) == (True, [0, 1])
    assert words in where["why"]["numa"]
    assert where["environment"]["VLLM_WORKER_MULTIPROC_METHOD"] == "spawn"


def test_numactl_would_reach_isolated_cpus():
    where = put(machine("eight-gpu"), instance(gpus=2), cpus=cpus(isolated="10-20"))
    assert "numa-bind" not in where["arguments"]
    assert where["memory_policy"] == {"NUMAPolicy": "preferred", "NUMAMask": "0"}
    assert where["cpus"] is None
    assert "(R1)" in where["warnings"][0][2]


def test_without_numactl_one_socket_is_preferred_and_two_are_left_alone():
    where = put(machine("eight-gpu"), instance(gpus=["4", "5"]), tools=())
    assert where["memory_policy"] == {"NUMAPolicy": "preferred", "NUMAMask": "1"}
    assert where["cpus"] is None
    assert where["warnings"] == [("numa", "W", "workers are not bound to the NUMA nodes of their GPUs: vLLM does it by "
                                  "numactl, which is not installed; install the package numactl (a run that makes an "
                                  "environment does it)")]
    where = put(machine("eight-gpu"), instance(gpus=["4"], engine={"kind": "existing", "path": "/opt/x"}), tools=())
    assert where["warnings"][0][2].endswith("not installed; install the package numactl")
    where = put(machine("eight-gpu"), instance(gpus=8), tools=())
    assert (where["memory_policy"], where["cpus"]) == (None, None)


def test_the_operators_word_on_binding_counts():
    for word, words in ((False, "false"), (None, "null")):
        where = put(machine("eight-gpu"), instance(gpus=2, arguments={"numa-bind": word}))
        assert not {"numa-bind", "numa-bind-nodes"} & set(where["arguments"])
        assert where["why"]["numa"] == "its arguments say numa-bind: " + words
    where = put(machine("eight-gpu"), instance(gpus=2, arguments={"numa-bind-nodes": [1, 1]}))
    assert where["arguments"] == {"tensor-parallel-size": 2, "numa-bind": True}


def test_a_gpus_own_memory_is_no_place_for_a_worker():
    found = machine("grace")
    topology = dict(found["topology"], gpus=[dict(gpu, numa_node=2 + 8 * gpu["index"])
                                             for gpu in found["topology"]["gpus"]])
    where = put(dict(found, topology=topology), instance(gpus=4))
    assert where["arguments"]["numa-bind-nodes"] == [0, 0, 1, 1]
    one = [dict(numa, cpus="") if numa["id"] else numa for numa in topology["numa_nodes"]]
    where = put(dict(found, topology=dict(topology, numa_nodes=one)), instance(gpus=1))
    assert where["memory_policy"] == {"NUMAPolicy": "bind", "NUMAMask": "0"}


def test_an_unknown_node_is_left_to_vllm():
    found = machine("eight-gpu")
    gpus = [dict(gpu, numa_node=None, cpus="0-223") if gpu["index"] == 2 else gpu for gpu in found["topology"]["gpus"]]
    where = put(dict(found, topology=dict(found["topology"], gpus=gpus)), instance(gpus=["2", "3"]))
    assert where["arguments"]["numa-bind"] is True
    assert "numa-bind-nodes" not in where["arguments"]


def test_a_container_of_docker_is_no_child_of_its_unit_and_gets_cpus():
    docker = dict(engine_nodes.PODMAN, kind="docker")
    where = put(machine("rccl-topo_8p_rome_n4"), instance(gpus=["1", "2"], engine=docker))
    assert (where["cpus"], where["memory_policy"]) == ("32-47", {"NUMAPolicy": "preferred", "NUMAMask": "2"})
