# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""CPUs of workers that compute on CPUs, on captures of real machines."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import cpu_ranks
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.parallel_sizes import CannotPlace

from tests.sysroots.engine_nodes import cpus, instance, machine, put


@pytest.mark.parametrize(("name", "count", "lists"), [
    ("96em64t-4no4pa3ca2co", 1, ["0-95"]),
    ("96em64t-4no4pa3ca2co", 2, ["0-47", "48-95"]),
    ("96em64t-4no4pa3ca2co", 4, ["0-23", "24-47", "48-71", "72-95"]),
    ("96em64t-4no4pa3ca2co", 8, ["0-11", "12-23", "24-35", "36-47", "48-59", "60-71", "72-83", "84-95"]),
    ("32amd64-4s2n4c-cgroup2", 2, ["0-15", "16-31"]),
    ("nvidia-dgx-gb10", 2, ["0-9", "10-19"]),
])
def test_workers_on_cpus_of_a_real_machine(name, count, lists):
    where = put(machine(name), instance(gpus=0, tensor_parallel_size=count))
    assert where["environment"]["VLLM_CPU_OMP_THREADS_BIND"] == "|".join(lists)
    assert (where["ranks"], where["gpus"], where["visible"], where["warnings"]) == (lists, [], {}, [])


def test_a_worker_has_one_thread_of_a_core_and_only_its_slices():
    where = put(machine("eight-gpu"), instance(gpus=0, tensor_parallel_size=2), cpus=cpus("8-15,60-63,120-127"))
    assert where["ranks"] == ["8-15", "60-63"]


def test_all_instances_divide_the_cpus_whoever_is_placed_first():
    both = [instance(name, gpus=0, tensor_parallel_size=size) for name, size in (("b", 2), ("a", 1))]
    topology = machine("32amd64-4s2n4c-cgroup2")["topology"]
    shared = cpu_ranks.share(both + [instance("c", gpus=0, environment={cpu_ranks.VARIABLE: "30|31"})], topology)
    assert shared == {"workers": [("a", 1), ("b", 2)], "busy": "30-31"}
    ranks = {one["name"]: put(machine("32amd64-4s2n4c-cgroup2"), one, cpu_share=shared)["ranks"] for one in both}
    assert ranks == {"a": ["0-7"], "b": ["8-19", "20-29"]}


@pytest.mark.parametrize(("bound", "words"), [
    ("0-1,|2", "legal are auto, nobind, and a list of CPUs"), ("3-1|4", "legal are"), ("", "legal are"),
    ("0-7:2|8", "legal are"), ("99999|1", "legal are"), ("0-3", "has 1 lists of CPUs for 2 workers"),
    ("0-3|30-40", "CPU 32-40 is not among those that it may use: 0-31")])
def test_cpus_that_the_operator_names_are_such_that_the_engine_starts(bound, words):
    one = instance("c", gpus=0, tensor_parallel_size=2, environment={cpu_ranks.VARIABLE: bound})
    topology = machine("32amd64-4s2n4c-cgroup2")["topology"]
    cpu_ranks.share([one], topology)  # Of all instances of the node: it never fails for one of them.
    with pytest.raises(CannotPlace, match=words):
        put(machine("32amd64-4s2n4c-cgroup2"), one)


@pytest.mark.parametrize("bound", ["auto", "nobind", "0-3|5,8-9"])
def test_cpus_that_the_operator_names(bound):
    one = instance("c", gpus=0, tensor_parallel_size=2, environment={cpu_ranks.VARIABLE: bound})
    assert cpu_ranks.VARIABLE not in put(machine("32amd64-4s2n4c-cgroup2"), one)["environment"]


def test_no_cpu_is_left():
    found = {"workers": [], "busy": "0-31"}
    with pytest.raises(CannotPlace, match="no CPU is left for it: its slice has 0-31, all named by other instances"):
        put(machine("32amd64-4s2n4c-cgroup2"), instance(gpus=0), cpu_share=found)


def test_a_node_without_gpus_says_so():
    where = put(machine("32amd64-4s2n4c-cgroup2"), instance())
    assert where["warnings"][0][2].startswith("there is no GPU on this node: it runs on CPUs")
    with pytest.raises(CannotPlace, match="2 GPUs wanted, and there is none on this node"):
        put(machine("32amd64-4s2n4c-cgroup2"), instance(gpus=2))


@settings(max_examples=100, deadline=None)
@given(count=st.integers(1, 16), usable=st.sets(st.integers(0, 31), min_size=16))
def test_no_cpu_twice_and_only_those_given(count, usable):
    where = put(machine("32amd64-4s2n4c-cgroup2"), instance(gpus=0, tensor_parallel_size=count),
                cpus=cpus(_cpulist.format(usable)))
    given_out = [cpu for text in where["ranks"] for cpu in _cpulist.parse(text)]
    assert len(where["ranks"]) == count and all(where["ranks"])
    assert len(given_out) == len(set(given_out)) and set(given_out) <= usable
