# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where an instance's processes are, against where they were placed: every kind of difference, in words."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import binding

GIB = 1 << 30
UNLIMITED = float("inf")
GPUS = [{"pci_address": "0000:19:00.0", "cpus": "0-3", "vendor": "nvidia"},
        {"pci_address": "0000:9b:00.0", "cpus": "4-7", "vendor": "nvidia"}]


def sizes(tensor=2, pipeline=1, data=1):
    return {"tensor-parallel-size": tensor, "pipeline-parallel-size": pipeline, "prefill-context-parallel-size": 1,
            "data-parallel-size": data}


def placed(**changed):
    return {"gpus": [], "visible": {}, "cpus": None, "memory_policy": None, "sizes": sizes(), **changed}


def instance(nnodes=1, rank=0, **arguments):
    several = {"nnodes": nnodes, "node_rank": rank, "distributed": "native"} if nnodes > 1 else None
    return {"name": "a", "arguments": arguments, "several": several}


def process(pid, title="VLLM::Worker_TP0", role="worker", cpus="0-7", mems="0-1", **ranks):
    return {"pid": pid, "title": title, "role": role, "cpus": cpus, "mems": mems, "ranks": ranks}


def worker(rank, **changed):
    return process(10 + rank, "VLLM::Worker_TP%d" % rank, TP=rank, **changed)


ENGINE = process(9, "VLLM::EngineCore", "engine")
MAIN = process(8, "/opt/x/bin/python3", "other")


def test_who_computes():
    both = [worker(0), worker(1)]
    assert binding.workers([MAIN, ENGINE, *both]) == both
    assert binding.workers([MAIN, ENGINE]) == [ENGINE]
    assert binding.workers([MAIN]) == []


@pytest.mark.parametrize("of_sizes, nnodes, count", [
    (sizes(2), 1, 2), (sizes(4, 2), 2, 4), (sizes(1), 1, 1), (sizes(2, 1, 2), 1, 4)])
def test_how_many_workers_a_node_has(of_sizes, nnodes, count):
    assert binding.expected(instance(nnodes), placed(sizes=of_sizes)) == count


def test_too_few_workers():
    assert binding.count(instance(), placed(), [MAIN, ENGINE, worker(0), worker(1)]) == []
    assert binding.count(instance(), placed(), [MAIN, ENGINE, worker(0)]) == [
        "workers: wanted 2, found 1 (VLLM::Worker_TP0 (process 10))"]
    assert binding.count(instance(), placed(), [MAIN]) == ["workers: wanted 2, found 0"]


def test_cpus_outside_of_what_was_placed():
    found = [MAIN, worker(0, cpus="0-1"), worker(1, cpus="2-5")]
    assert binding.cpus(instance(), placed(), found, set()) == []
    assert binding.cpus(instance(), placed(cpus="0-7"), found, set()) == []
    assert binding.cpus(instance(), placed(cpus="0-3"), found, set()) == [
        "CPUs of /opt/x/bin/python3 (process 8): wanted within 0-3, found 0-7",
        "CPUs of VLLM::Worker_TP1 (process 11): wanted within 0-3, found 2-5"]


def test_cpus_of_each_rank():
    ranks = placed(ranks=["0-1", "2-3"])
    assert binding.cpus(instance(), ranks, [worker(0, cpus="0"), worker(1, cpus="3")], set()) == []
    assert binding.cpus(instance(), ranks, [worker(0, cpus="2"), worker(1, cpus="3")], set()) == [
        "CPUs of VLLM::Worker_TP0 (process 10): wanted within 0-1, found 2"]


def test_the_second_node_counts_its_ranks_from_its_first():
    ranks = placed(ranks=["0-1", "2-3"], sizes=sizes(4))
    assert binding.cpus(instance(2, 1), ranks, [worker(2, cpus="0"), worker(3, cpus="2")], set()) == []
    assert len(binding.cpus(instance(2, 1), ranks, [worker(2, cpus="2"), worker(3, cpus="0")], set())) == 2


def test_isolated_cpus_are_r1():
    assert binding.cpus(instance(), placed(), [ENGINE, worker(0, cpus="0-1")], {2, 3}) == [
        "CPUs of VLLM::EngineCore (process 9): 2-3 are isolated: the kernel balances no threads there (R1)"]


def test_cpus_far_from_every_gpu_are_r5():
    one = placed(gpus=GPUS[:1], sizes=sizes(1))
    assert binding.cpus(instance(), one, [worker(0, cpus="3-4")], set()) == []
    assert binding.cpus(instance(), one, [worker(0, cpus="4-7")], set()) == [
        "CPUs of VLLM::Worker_TP0 (process 10): found 4-7, none of which is beside the instance's GPUs: 0-3 (R5)"]


UNIT = "[Service]\nLimitMEMLOCK=infinity\nLimitNOFILE=1048576\nLimitSTACK=8M\n"


def limits(memlock=UNLIMITED, nofile=1048576, stack=8 << 20):
    return {"memlock": (memlock, memlock), "nofile": (nofile, nofile), "stack": (stack, UNLIMITED)}


@pytest.mark.parametrize("changed, words", [
    ({}, []), ({"nofile": UNLIMITED}, []),
    ({"memlock": 65536}, ["limit memlock of VLLM::EngineCore (process 9): wanted unlimited, found 65536 (R15)"]),
    ({"nofile": 1024}, ["limit nofile of VLLM::EngineCore (process 9): wanted 1048576, found 1024"]),
    ({"stack": 1 << 20}, ["limit stack of VLLM::EngineCore (process 9): wanted 8388608, found 1048576"])])
def test_limits_below_those_of_the_unit(changed, words):
    assert binding.limits([UNIT], [MAIN, ENGINE], {8: limits(), 9: limits(**changed)}) == words


def test_without_a_unit_memory_to_lock_is_unlimited_all_the_same():
    found = binding.limits(["model: /x\n"], [ENGINE, worker(0)], {9: limits(4096, 10), 10: limits(4096, 10)})
    assert found == ["limit memlock of VLLM::EngineCore (process 9), VLLM::Worker_TP0 (process 10): wanted unlimited, "
                     "found 4096 (R15)"]
    assert binding.limits([UNIT], [ENGINE], {9: None}) == []  # Gone meanwhile.


def deployed(arguments=None, **changed):
    return {"instance": instance(), "arguments": arguments or {}, "placed": placed(**changed)}


def pages(**nodes):
    return {"nodes": {int(name[1:]): size for name, size in nodes.items()}, "policies": ["bind:0"]}


BOUND = {"numa-bind": True, "numa-bind-nodes": [0, 1]}


def test_memory_of_each_worker_on_its_node_is_r3():
    made = deployed(BOUND)
    found = [worker(0), worker(1)]
    assert binding.memory(made, found, {10: pages(n0=GIB, n1=GIB // 20), 11: pages(n1=GIB)}) == []
    assert binding.memory(made, found, {10: pages(n0=GIB), 11: pages(n0=3 * GIB, n1=GIB)}) == [
        "memory of VLLM::Worker_TP1: wanted on NUMA node 1, found 25 % there of 4096 MiB (node 0: 3072 MiB, node 1: "
        "1024 MiB); at least 90 % is wanted"]


def test_memory_that_was_not_asked_to_be_anywhere_or_is_little():
    for made in (deployed(), deployed(memory_policy={"NUMAPolicy": "interleave", "NUMAMask": "0"})):
        assert binding.memory(made, [worker(0)], {10: pages(n1=GIB)}) == []
    assert binding.memory(deployed(BOUND), [worker(0)], {10: pages(n1=1 << 20)}) == []
    assert binding.memory(deployed(BOUND), [worker(0)], {10: None}) == []


def test_memory_by_the_policy_of_the_unit():
    made = deployed(memory_policy={"NUMAPolicy": "bind", "NUMAMask": "1"})
    assert binding.memory(made, [worker(0)], {10: pages(n1=GIB)}) == []
    assert len(binding.memory(made, [worker(0)], {10: pages(n0=GIB)})) == 1


def test_a_control_group_that_forbids_the_node():
    assert binding.memory(deployed(BOUND), [worker(0), worker(1, mems="0")], {}) == [
        "memory of VLLM::Worker_TP1: wanted on NUMA node 1, which its control group forbids: 0 is allowed"]


def test_workers_of_ray_say_no_rank():
    some = [process(10, "ray::RayWorkerWrapper"), process(11, "ray::RayWorkerWrapper")]
    assert binding.nodes_of(deployed(BOUND), some[0]) == {0, 1}
    assert binding.cpus(instance(), placed(ranks=["0", "1"]), some, set()) == []


@pytest.mark.parametrize("ranks, local", [
    ({}, 0), ({"TP": 1}, 1), ({"PP": 1, "TP": 0}, 2), ({"PP": 1, "TP": 1}, 3), ({"DP": 1, "PP": 1, "TP": 1}, 7)])
def test_the_order_of_ranks(ranks, local):
    assert binding.local_rank(placed(sizes=sizes(2, 2, 2)), ranks, 8) == local


def test_gpus_on_which_it_computes():
    computing = {"0000:19:00.0": [{"pid": 10}], "0000:9b:00.0": [{"pid": 99}], "0000:cc:00.0": None}
    assert binding.gpus(placed(gpus=GPUS[:1]), {9, 10}, computing) == []
    assert binding.gpus(placed(gpus=GPUS[1:]), {9, 10}, computing) == [
        "GPUs: wanted 0000:9b:00.0, found 0000:19:00.0"]
    assert binding.gpus(placed(gpus=GPUS), {9, 10}, computing) == [
        "GPUs: wanted 0000:19:00.0, 0000:9b:00.0, found 0000:19:00.0"]
    assert binding.gpus(placed(gpus=GPUS[1:]), {50}, computing) == []  # In a container its numbers are others.


def test_variables_that_choose_the_gpus():
    made = placed(visible={"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0,1"})
    assert binding.variables(made, {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": "0,1"}) == []
    assert binding.variables(made, {"CUDA_VISIBLE_DEVICES": "0"}) == [
        "CUDA_DEVICE_ORDER: wanted PCI_BUS_ID, found no such variable", "CUDA_VISIBLE_DEVICES: wanted 0,1, found 0"]
    assert binding.variables(made, None) == []


def test_many_processes_are_counted():
    found = [process(number, cpus="0") for number in range(6)]
    assert binding.cpus(instance(), placed(cpus="1"), found, set())[0].endswith(
        "VLLM::Worker_TP0 (process 2) and 3 more: wanted within 1, found 0")
