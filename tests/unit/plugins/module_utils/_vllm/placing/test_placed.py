# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where instances go on real machines: GPUs, visible devices, NUMA nodes; and what always holds."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import gpu_choice
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.parallel_sizes import CannotPlace
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.placed import place

from tests.sysroots import engine_nodes
from tests.sysroots.engine_nodes import indexes, instance, machine, put

# (machine, what is asked for) -> (GPUs, CUDA_VISIBLE_DEVICES or ROCR_VISIBLE_DEVICES, numa-bind-nodes).
TABLE = [
    ("eight-gpu", {"gpus": 1}, [0], "0", [0]),
    ("eight-gpu", {"gpus": 2}, [0, 1], "0,1", [0, 0]),
    ("eight-gpu", {"gpus": 4}, [0, 1, 2, 3], "0,1,2,3", [0, 0, 0, 0]),
    ("eight-gpu", {"gpus": 8}, list(range(8)), "0,1,2,3,4,5,6,7", [0, 0, 0, 0, 1, 1, 1, 1]),
    ("eight-gpu", {"tensor_parallel_size": 4, "pipeline_parallel_size": 2}, list(range(8)), "0,1,2,3,4,5,6,7",
     [0, 0, 0, 0, 1, 1, 1, 1]),
    ("eight-gpu", {"tensor_parallel_size": 2, "data_parallel_size": 2}, [0, 1, 2, 3], "0,1,2,3", [0, 0, 0, 0]),
    ("eight-gpu", {"gpus": ["7", "0000:19:00.0"]}, [0, 7], "0,7", [0, 1]),
    ("eight-gpu", {"gpus": ["00000000:C0:00.0", "40:00.0"]}, [3, 7], "3,7", [0, 1]),
    ("eight-gpu", {"gpus": ["GPU-00000005"]}, [5], "5", [1]),
    ("mig", {"gpus": [engine_nodes.MIG[1]]}, [0], engine_nodes.MIG[1], [0]),
    ("mig", {"gpus": 2}, [1, 2], "GPU-00000001-0000-0000-0000-000000000000,GPU-00000002-0000-0000-0000-000000000000",
     [0, 0]),
    ("grace", {"gpus": 2}, [0, 1], "0,1", [0, 0]),
    ("grace", {"gpus": 4}, [0, 1, 2, 3], "0,1,2,3", [0, 0, 1, 1]),
    ("azure-ndv4-topo", {"gpus": 8}, list(range(8)), "0,1,2,3,4,5,6,7", [1, 1, 0, 0, 3, 3, 2, 2]),
    ("azure-ndv4-topo", {"gpus": 2}, [0, 1], "0,1", [1, 1]),
    ("rccl-topo_8p_rome_n4", {"gpus": 2}, [1, 2], "1,2", [2, 2]),
    ("rccl-topo_8p_rome_n4", {"gpus": ["0", "3", "4"]}, [0, 3, 4], "0,3,4", [3, 1, 7]),
    ("rccl-topo_8p_90a", {"gpus": 2}, [0, 1], "0,1", None),
    ("dlperf-v100-tab", {"gpus": 2}, [0, 3], "0,3", None),
    ("dlperf-v100-tab", {"gpus": 4}, [0, 1, 2, 3], "0,1,2,3", None),
    ("aws-p4d.24xlarge", {"gpus": 4}, [0, 1, 2, 3], "0,1,2,3", None),
    ("puget-wrx90-2gpu-2nic", {"gpus": 2}, [0, 1], "0,1", None),
    ("nvidia-qx-h100", {"gpus": ["GPU-00000003-0000-0000-0000-000000000003"]}, [3], "3", None),
    ("carrizo-apu+dgpu", {"gpus": ["1"]}, [1], "GPU-c34ec50444dd0a6d", None),
]


@pytest.mark.parametrize(("name", "asked", "gpus", "visible", "nodes"), TABLE)
def test_placed_on_a_machine(name, asked, gpus, visible, nodes):
    where = put(machine(name), instance(**asked))
    assert indexes(where) == gpus
    assert [value for key, value in where["visible"].items() if key != "CUDA_DEVICE_ORDER"] == [visible]
    assert where["arguments"].get("numa-bind-nodes") == nodes
    assert where["arguments"].get("numa-bind") is (True if nodes else None)
    assert where["memory_policy"] is None
    assert where["slice"] == "gpuwright.slice"


def test_nccls_variables_are_given_where_its_file_does_not_and_the_operators_win():
    found = dict(machine("eight-gpu"), nccl_environment={"NCCL_IB_TC": "106", "NCCL_DEBUG": "WARN"})
    where = put(found, instance(gpus=2, environment={"NCCL_DEBUG": "INFO", "OMP_NUM_THREADS": "4"}))
    assert where["environment"]["NCCL_IB_TC"] == "106"
    assert not {"NCCL_DEBUG", "OMP_NUM_THREADS"} & set(where["environment"])


_NAMES = ("eight-gpu", "azure-ndv4-topo", "rccl-topo_8p_rome_n4", "grace", "dlperf-v100-tab")


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(_NAMES), counts=st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_no_gpu_twice_in_pci_order_with_a_node_each(name, counts):
    found, seen = dict(machine(name), taken={}), []
    for number, count in enumerate(counts):
        try:
            where = put(found, instance("i%d" % number, gpus=count))
        except CannotPlace:
            assert count > len(found["topology"]["gpus"]) - len(seen)
            continue
        keys = [gpu_choice.key(gpu) for gpu in where["gpus"]]
        assert len(keys) == count and not set(keys) & set(seen)
        assert indexes(where) == sorted(indexes(where))
        visible = [value for key, value in where["visible"].items() if key != "CUDA_DEVICE_ORDER"][0]
        assert visible.split(",") == [str(index) for index in indexes(where)]
        nodes = where["arguments"].get("numa-bind-nodes")
        assert nodes is None or len(nodes) == count
        seen += keys
        found["taken"] = dict(found["taken"], **{"i%d" % number: {"gpus": keys}})


def test_gpus_that_are_gone_are_no_reason_to_compute_on_cpus():
    found = machine("eight-gpu")
    one = instance("llama", gpus=None)
    bare = dict(found["topology"], gpus=[])
    with pytest.raises(CannotPlace, match="it was started with GPU 0000:1b:00.0, and this node shows no GPU at all"):
        place(one, bare, None, [], {}, {"llama": {"gpus": ["0000:1b:00.0"]}}, found)
    there = place(dict(one, gpus=0), bare, None, [], {}, {"llama": {"gpus": ["0000:1b:00.0"]}}, found)
    assert there["gpus"] == []
