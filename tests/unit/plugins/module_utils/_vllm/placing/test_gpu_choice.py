# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GPUs an instance gets: by name, those it has, or the best connected; and what cannot be had."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import gpu_choice
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.parallel_sizes import CannotPlace

from tests.sysroots import engine_nodes, gpu_hosts
from tests.sysroots.engine_nodes import indexes, instance, machine, put


@pytest.mark.parametrize(("asked", "words"), [
    ({"gpus": ["8"]}, "there is no GPU 8 on this node: it has 8, 0 to 7"),
    ({"gpus": ["GPU-00000009"]}, "there is no GPU GPU-00000009 on this node; "),
    ({"gpus": ["GPU-0"]}, "GPU-0 is the beginning of 8 UUIDs: write more of it"),
    ({"gpus": ["0000:1a:00.0"]}, "there is no GPU 0000:1a:00.0 on this node; did you mean 0000:"),
    ({"gpus": ["nvidia0"]}, "'nvidia0' is no index, UUID (GPU-... or MIG-...) or PCI address"),
    ({"gpus": ["0", "0000:19:00.0"]}, "0000:19:00.0 is named twice"),
    ({"gpus": 9}, "9 GPUs wanted, 8 of 8 free (GPU 0: free; "),
    ({"gpus": 2, "tensor_parallel_size": 4}, "TP 4 x PP 1 needs 4 GPUs on this node, and gpus gives it 2 (R29)"),
    ({"gpus": 6, "pipeline_parallel_size": 4}, "6 GPUs are not divided by pipeline-parallel-size 4"),
    ({"tensor_parallel_size": "four"}, "tensor-parallel-size: 'four' is no whole number from 1 on"),
    ({"tensor_parallel_size": True}, "tensor-parallel-size: True is no whole number from 1 on"),
])
def test_what_cannot_be_placed_is_said(asked, words):
    with pytest.raises(CannotPlace, match=re.escape(words)):
        put(machine("eight-gpu"), instance(**asked))


def test_a_divided_gpu_is_named_by_its_devices():
    with pytest.raises(CannotPlace, match="divided by MIG: name one of its devices: " + engine_nodes.MIG[0]):
        put(machine("mig"), instance(gpus=["0"]))
    with pytest.raises(CannotPlace, match="a MIG device is a GPU by itself to CUDA and NCCL: TP 2 x PP 1 over several"):
        put(machine("mig"), instance(gpus=list(engine_nodes.MIG)))


def test_a_gpu_that_another_driver_holds_is_left_out():
    found = machine("eight-gpu")
    gpus = [dict(gpu, driver="vfio-pci") if gpu["index"] == 1 else gpu for gpu in found["topology"]["gpus"]]
    found = dict(found, topology=dict(found["topology"], gpus=gpus))
    where = put(found, instance(gpus=2))
    assert indexes(where) == [0, 2]
    assert where["visible"]["CUDA_VISIBLE_DEVICES"] == "0,1"  # CUDA does not count what NVIDIA's driver has not.
    with pytest.raises(CannotPlace, match="1 is held by the driver vfio-pci"):
        put(found, instance(gpus=["1"]))


def _taken(found, **gpus):
    keys = [gpu_choice.key(gpu) for gpu in found["topology"]["gpus"]]
    return dict(found, taken={name: {"gpus": [keys[number] for number in numbers]}
                              for name, numbers in gpus.items()})


def test_what_runs_keeps_its_gpus():
    found = _taken(machine("eight-gpu"), llama=[5, 6])
    where = put(found, instance(gpus=2))
    assert indexes(where) == [5, 6]
    assert where["why"]["gpus"] == "it has them already"
    assert indexes(put(found, instance(gpus=1))) == [5]


def test_instances_share_no_gpu():
    found = _taken(machine("eight-gpu"), one=[0, 1, 2], two=[4])
    assert indexes(put(found, instance(gpus=2))) == [5, 6]
    with pytest.raises(CannotPlace, match="GPU 0: instance one has it; .*GPU 3: free; GPU 4: instance two has it"):
        put(found, instance(gpus=5))


def test_a_stranger_bars_a_gpu_and_the_instances_own_process_does_not():
    found = machine("eight-gpu")
    address = found["topology"]["gpus"][0]["pci_address"]
    holder = {"pid": 7, "comm": "python3", "gpus": [address], "memory": {}, "unit": None, "ours": None,
              "who": "process 7 (python3)"}
    assert indexes(put(dict(found, holders=[holder]), instance(gpus=1))) == [1]
    assert indexes(put(dict(found, holders=[dict(holder, ours="llama")]), instance(gpus=1))) == [0]


def test_gpus_of_one_socket_go_before_gpus_that_a_bridge_of_sockets_parts():
    for linked in (True, False):
        found = {"topology": gpu_hosts.host([4, 4], linked)["topology"], "affinity": None, "holders": [],
                 "nccl_environment": {}, "taken": {}}
        assert indexes(put(_taken(found, other=[0, 1]), instance(gpus=4))) == [4, 5, 6, 7]
        assert indexes(put(_taken(found, other=[4]), instance(gpus=2))) == [5, 6]  # The socket that is broken already.


def test_gpus_of_one_kind_go_together():
    topology = gpu_hosts.host([4, 4], linked=False)["topology"]
    for gpu in topology["gpus"][1:4]:
        gpu.update(name="NVIDIA L40S", memory=48 << 30)
    found = {"topology": topology, "affinity": None, "holders": [], "nccl_environment": {}, "taken": {}}
    assert indexes(put(found, instance(gpus=3))) == [1, 2, 3] or indexes(put(found, instance(gpus=3))) == [4, 5, 6]
    with pytest.raises(CannotPlace, match="8 of 8 free, not all alike"):
        put(found, instance(gpus=6))


def test_gpus_of_one_socket_go_together_where_a_socket_has_several_nodes():
    topology = gpu_hosts.host([1, 1, 1, 1], linked=False)["topology"]
    for core in topology["cpu"]["cores"]:
        core["package"] = core["numa_node"] % 2  # Nodes 0 and 2 are one socket.
    for gpu in topology["gpus"]:
        gpu["links"] = {}
    found = {"topology": topology, "affinity": None, "holders": [], "nccl_environment": {}, "taken": {}}
    assert indexes(put(found, instance(gpus=2))) == [0, 2]
