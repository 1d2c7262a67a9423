# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a node stands against an instance: each rule is silent on a node that is right, and else speaks."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import rules_here

from tests.sysroots import engine_nodes
from tests.sysroots.engine_nodes import cpus, instance, machine, put

_FREE = {"total": 80 << 30, "free": 79 << 30}
FIRST = "0000:19:00.0"


def _node(**more):
    """A node that is right: the GPUs are free, tools are there."""
    found = machine("eight-gpu")
    memory = {gpu["pci_address"]: _FREE for gpu in found["topology"]["gpus"]}
    return dict(found, **dict({"memory": memory, "shm": 64 << 30, "remove_ipc": True, "users": {"vllm": 990},
                               "tools": {"numactl": "/usr/bin/numactl", "podman": "4.9.3", "docker": "27.1"}}, **more))


def _said(one, node, **changed):
    """[(rule, severity, words)] of an instance that is placed on a node which then is as `changed` says."""
    placed = put(node, one)
    return [(found["rule"], found["severity"], found["message"])
            for found in rules_here.findings(one, placed, dict(node, **changed))]


def _holder(ours=None, memory=None, who="process 7 (python3)"):
    return {"pid": 7, "comm": "python3", "gpus": [FIRST], "memory": {FIRST: memory}, "unit": None, "ours": ours,
            "who": who}


def test_a_node_that_is_right_is_passed_over():
    assert _said(instance(gpus=2), _node()) == []
    assert _said(instance(gpus=["0", "7"]), _node(cpus=cpus("8-55,60-111"))) == []


def test_too_little_free_memory_names_who_has_it():
    little = dict(_node()["memory"], **{FIRST: {"total": 80 << 30, "free": 20 << 30}})
    said = _said(instance(gpus=["0"]), _node(memory=little, holders=[_holder()]))
    assert said == [("memory", "E", "llama: GPU 0 (0000:19:00.0) has 20.0 GiB free of 80.0, and vLLM takes 0.92 of all "
                     "(gpu-memory-utilization), 73.6 GiB: process 7 (python3) is there")]
    assert _said(instance(gpus=["0"], gpu_memory_utilization=0.2), _node(memory=little)) == []
    assert "no process is seen to have the rest" in _said(instance(gpus=["0"]), _node(memory=little))[0][2]


def test_the_engine_that_is_replaced_counts_as_free():
    little = dict(_node()["memory"], **{FIRST: {"total": 80 << 30, "free": 5 << 30}})
    assert _said(instance(gpus=["0"]), _node(memory=little, holders=[_holder("llama", 74 << 30)])) == []
    assert _said(instance(gpus=["0"]), _node(memory=little, holders=[_holder("llama", None)])) == []
    other = _holder("other", 74 << 30, "process 7 (python3 in vllm@other.service)")
    assert _said(instance(gpus=["0"]), _node(memory=little, holders=[other]))[0][1] == "E"
    assert _said(instance(gpus=["0"]), _node(memory=little, holders=[other], leaving=["other"])) == []


def test_memory_that_cannot_be_read_is_no_fault_but_a_stranger_is_named():
    unknown = {FIRST: {"total": 80 << 30, "free": None}}
    assert _said(instance(gpus=["0"]), _node(memory=unknown)) == []
    assert _said(instance(gpus=["0"]), _node(memory=unknown, holders=[_holder()])) == [
        ("memory", "W", "llama: process 7 (python3) is there on GPU 0, whose free memory is not known")]


@pytest.mark.parametrize(("ours", "words"), [(None, "port 8000 is taken by process 7 (nginx)"),
                                             ("other", "port 8000 is taken by instance other"), ("llama", None)])
def test_a_port_is_its_own(ours, words):
    said = _said(instance(gpus=1), _node(listeners={("0.0.0.0", 8000): {"who": "process 7 (nginx)", "ours": ours}}))
    assert said == ([("R25", "E", "llama: " + words)] if words else [])


def test_isolated_cpus_are_no_place_for_many_threads():
    said = _said(instance(gpus=["4"]), _node(cpus=cpus("8-20,60-111", "10-12")))
    assert said == [("R1", "E", "llama: gpuwright.slice gives it CPU 10-12, isolated by the kernel (isolcpus), which "
                     "balances no threads there: its many threads would share few of them")]
    bound = {"llama": {"CPUAffinity": {"value": "10 60-70", "file": "/etc/x.conf"}}}
    assert "/etc/x.conf gives it CPU 10" in _said(
        instance(gpus=["4"]), _node(cpus=cpus("", "10-12"), overrides=bound))[-1][2]


def test_binding_needs_nodes_where_cpus_are_restricted():
    found = _node(cpus=cpus("8-55,60-111"))
    gpus = [dict(gpu, numa_node=None, cpus="0-223") if gpu["index"] == 2 else gpu for gpu in found["topology"]["gpus"]]
    found = dict(found, topology=dict(found["topology"], gpus=gpus))
    assert _said(instance(gpus=["2"]), found) == [
        ("R3", "E", "llama: numa-bind cannot find the GPUs' NUMA nodes itself (gpuwright.slice has CPU 8-55,60-111), "
         "and the kernel does not say them: name them with numa-bind-nodes")]
    assert _said(instance(gpus=["2"], arguments={"numa-bind-nodes": [0]}), found) == []
    assert _said(instance(gpus=["2"]), dict(found, cpus=cpus())) == []


@pytest.mark.parametrize(("nodes", "words"), [
    ([0], "numa-bind-nodes has 1 nodes for 2 GPUs: one for each, in PCI order"),
    ([0, 5], "numa-bind-nodes: 5 has no CPUs here; nodes with CPUs are 0, 1")])
def test_nodes_that_somebody_wrote_are_checked(nodes, words):
    assert _said(instance(gpus=2, arguments={"numa-bind": True, "numa-bind-nodes": nodes}), _node()) == [
        ("R3", "E", "llama: " + words)]


def test_fork_makes_binding_do_nothing():
    said = _said(instance(gpus=2, environment={"VLLM_WORKER_MULTIPROC_METHOD": "fork"}), _node())
    assert said == [("R3", "W", "llama: VLLM_WORKER_MULTIPROC_METHOD=fork makes numa-bind do nothing")]


def test_a_gpu_has_cpus_of_its_own_node_in_the_slice():
    assert _said(instance(gpus=["0", "7"]), _node(cpus=cpus("60-111"))) == [
        ("R5", "E", "llama: gpuwright.slice leaves it CPU 60-111, none of them near GPU 0 (0-55,112-167)")]


@pytest.mark.parametrize(("value", "severity"), [("64K", "E"), ("infinity", None)])
def test_memory_to_lock_is_without_limit(value, severity):
    told = {"llama": {"LimitMEMLOCK": {"value": value, "file": "/etc/x.conf"}}}
    said = _said(instance(gpus=1), _node(overrides=told))
    assert [(rule, one) for rule, one, _words in said] == ([("R15", severity)] if severity else [])
    assert _said(instance(gpus=1), _node(overrides={"other": told["llama"]})) == []


def test_shared_memory():
    assert _said(instance(gpus=2), _node(shm=64 << 20)) == [
        ("R35", "W", "llama: /dev/shm holds 64 MiB, and 2 workers want 512: queues of vLLM and buffers of NCCL lie "
         "there")]
    assert _said(instance(gpus=1), _node(shm=64 << 20)) == []
    said = _said(instance(gpus=2, user="ada"), _node(users={"ada": 1000}))
    assert [rule for rule, _severity, _words in said] == ["R35"]
    assert _said(instance(gpus=2, user="ada"), _node(users={"ada": 1000}, remove_ipc=False)) == []


def test_containers_need_their_tools():
    podman = instance(gpus=1, engine=engine_nodes.PODMAN)
    docker = instance(gpus=1, engine=dict(engine_nodes.PODMAN, kind="docker"))
    cdi = {"nvidia.com/gpu": ["0", "1", "all"]}
    assert _said(podman, _node(cdi=cdi)) == []
    assert "podman is not installed on this node" in _said(podman, _node(tools={}, cdi=cdi))[0][2]
    assert "nvidia-ctk cdi generate" in _said(podman, _node())[0][2]
    assert "has none of its GPUs" in _said(podman, _node(cdi={"nvidia.com/gpu": ["7"]}))[0][2]
    three = instance(gpus=3, engine=engine_nodes.PODMAN)  # The specification is older than one of the GPUs.
    assert ("engine", "E", "llama: the CDI specification for nvidia.com/gpu has only 2 of its 3 GPUs: make it "
            "anew with nvidia-ctk cdi generate") in _said(three, _node(cdi=cdi))
    assert [severity for _rule, severity, _words in _said(docker, _node())] == ["W"]
    assert _said(docker, _node(tools={"docker": "27.1", "nvidia-ctk": "/usr/bin/nvidia-ctk"})) == []


def test_a_gpu_without_a_driver_is_said_before_anything_starts():
    node, bare = _node(), {"driver": None, "driver_version": None, "uuid": None}
    gpus = [dict(gpu, **bare) if gpu["index"] == 0 else gpu for gpu in node["topology"]["gpus"]]
    without = dict(node, topology=dict(node["topology"], gpus=gpus))
    assert _said(instance(gpus=["0", "1"]), without) == [
        ("driver", "E", "llama: no driver has GPU 0 (%s): install the NVIDIA driver, or load it: vLLM sees no GPU "
         "until then" % FIRST)]
    assert _said(instance(gpus=["1"]), without) == _said(instance(gpus=["0"], state="stopped"), without) == []


def test_what_the_user_cannot_reach_is_a_warning():
    words = "user vllm cannot read the model: /root has mode 0700 and is of user 0 and group 0"
    assert _said(instance(gpus=["1"]), _node(beyond_reach={"llama": [words], "other": ["x"]})) == [
        ("user", "W", "llama: " + words)]
