# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where instances go on real machines: GPUs, visible devices, NUMA nodes, ranks, and what cannot be placed."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._vllm import gpu_choice, node, placed
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.parallel_sizes import CannotPlace

from tests.sysroots import engine_nodes, gpu_hosts
from tests.sysroots.engine_nodes import indexes, instance, put, several


@pytest.fixture(scope="module")
def machine(tmp_path_factory):
    """A function from the name of a machine to what was read there, once."""
    found = {}

    def read(name):
        if name not in found:
            found[name] = engine_nodes.look(engine_nodes.build(name, tmp_path_factory.mktemp("node")))
        return found[name]
    return read


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
    ("mig", {"gpus": 2}, [1, 2], "1,2", [0, 0]),
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
def test_placed_on_a_machine(name, asked, gpus, visible, nodes, machine):
    where = put(machine(name), instance(**asked))
    assert indexes(where) == gpus
    assert [value for key, value in where["visible"].items() if key != "CUDA_DEVICE_ORDER"] == [visible]
    assert where["arguments"].get("numa-bind-nodes") == nodes
    assert where["arguments"].get("numa-bind") is (True if nodes else None)
    assert where["memory_policy"] is None
    assert where["slice"] == "gpuwright.slice"


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
def test_what_cannot_be_placed_is_said(asked, words, machine):
    with pytest.raises(CannotPlace, match=re.escape(words)):
        put(machine("eight-gpu"), instance(**asked))


def test_a_divided_gpu_is_named_by_its_devices(machine):
    with pytest.raises(CannotPlace, match="divided by MIG: name one of its devices: " + engine_nodes.MIG[0]):
        put(machine("mig"), instance(gpus=["0"]))
    with pytest.raises(CannotPlace, match="a MIG device is a GPU by itself to CUDA and NCCL: TP 2 x PP 1 over several"):
        put(machine("mig"), instance(gpus=list(engine_nodes.MIG)))


def test_a_gpu_that_another_driver_holds_is_left_out(machine):
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
    return dict(found, taken={name: {"gpus": [keys[number] for number in numbers], "cpus": ""}
                              for name, numbers in gpus.items()})


def test_what_runs_keeps_its_gpus(machine):
    found = _taken(machine("eight-gpu"), llama=[5, 6])
    where = put(found, instance(gpus=2))
    assert indexes(where) == [5, 6]
    assert where["why"]["gpus"] == "it has them already"
    assert indexes(put(found, instance(gpus=1))) == [5]


def test_instances_share_no_gpu(machine):
    found = _taken(machine("eight-gpu"), one=[0, 1, 2], two=[4])
    assert indexes(put(found, instance(gpus=2))) == [5, 6]
    with pytest.raises(CannotPlace, match="GPU 0: instance one has it; .*GPU 3: free; GPU 4: instance two has it"):
        put(found, instance(gpus=5))


def test_a_stranger_bars_a_gpu_and_the_instances_own_process_does_not(machine):
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


# -- NUMA -------------------------------------------------------------------------------------------------------------


def _cpus(given="", isolated="", partition=None):
    return {"slices": {"gpuwright.slice": given}, "isolated": isolated, "partitions": {"gpuwright.slice": partition}}


@pytest.mark.parametrize(("cpus", "words"), [
    (_cpus("4-55,60-111"), "gpuwright.slice has CPU 4-55,60-111, so vLLM cannot find them itself (R3)"),
    (_cpus("4-55,60-111", partition="root"), "it is a partition of its own, so vLLM"),
    (_cpus("4-55,60-111", isolated="200-223"), "the kernel isolates CPU 200-223, so vLLM"),
])
def test_nodes_are_named_where_cpus_are_restricted(cpus, words, machine):
    where = put(machine("eight-gpu"), instance(gpus=["2", "6"]), cpus=cpus)
    assert (where["arguments"]["numa-bind"], where["arguments"]["numa-bind-nodes"]) == (True, [0, 1])
    assert words in where["why"]["numa"]
    assert where["environment"]["VLLM_WORKER_MULTIPROC_METHOD"] == "spawn"


def test_numactl_would_reach_isolated_cpus(machine):
    where = put(machine("eight-gpu"), instance(gpus=2), cpus=_cpus(isolated="10-20"))
    assert "numa-bind" not in where["arguments"]
    assert where["memory_policy"] == {"NUMAPolicy": "preferred", "NUMAMask": "0"}
    assert where["cpus"] == "0-9,21-55,112-167"
    assert "(R1)" in where["warnings"][0][2]


def test_without_numactl_one_socket_is_preferred_and_two_are_left_alone(machine):
    where = put(machine("eight-gpu"), instance(gpus=["4", "5"]), tools=())
    assert where["memory_policy"] == {"NUMAPolicy": "preferred", "NUMAMask": "1"}
    assert where["cpus"] == "56-111,168-223"
    assert where["warnings"] == [("numa", "W", "workers are not bound to the NUMA nodes of their GPUs: vLLM does it by "
                                  "numactl, which is not installed; install the package numactl")]
    where = put(machine("eight-gpu"), instance(gpus=8), tools=())
    assert (where["memory_policy"], where["cpus"]) == (None, None)


def test_the_operators_word_on_binding_counts(machine):
    for word, words in ((False, "false"), (None, "null")):
        where = put(machine("eight-gpu"), instance(gpus=2, arguments={"numa-bind": word}))
        assert not {"numa-bind", "numa-bind-nodes"} & set(where["arguments"])
        assert where["why"]["numa"] == "its arguments say numa-bind: " + words
    where = put(machine("eight-gpu"), instance(gpus=2, arguments={"numa-bind-nodes": [1, 1]}))
    assert where["arguments"] == {"tensor-parallel-size": 2, "numa-bind": True}


def test_a_gpus_own_memory_is_no_place_for_a_worker(machine):
    found = machine("grace")
    topology = dict(found["topology"], gpus=[dict(gpu, numa_node=2 + 8 * gpu["index"])
                                             for gpu in found["topology"]["gpus"]])
    where = put(dict(found, topology=topology), instance(gpus=4))
    assert where["arguments"]["numa-bind-nodes"] == [0, 0, 1, 1]
    one = [dict(numa, cpus="") if numa["id"] else numa for numa in topology["numa_nodes"]]
    where = put(dict(found, topology=dict(topology, numa_nodes=one)), instance(gpus=1))
    assert where["memory_policy"] == {"NUMAPolicy": "bind", "NUMAMask": "0"}


def test_an_unknown_node_is_left_to_vllm(machine):
    found = machine("eight-gpu")
    gpus = [dict(gpu, numa_node=None, cpus="0-223") if gpu["index"] == 2 else gpu for gpu in found["topology"]["gpus"]]
    where = put(dict(found, topology=dict(found["topology"], gpus=gpus)), instance(gpus=["2", "3"]))
    assert where["arguments"]["numa-bind"] is True
    assert "numa-bind-nodes" not in where["arguments"]


# -- Several nodes, Ray, AMD, containers ------------------------------------------------------------------------------


def test_ranks_of_native_nodes(machine):
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


def test_what_nccl_has_from_its_file_stays(machine):
    found = dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}, nccl_values={"NCCL_SOCKET_IFNAME": "=bond0"})
    assert "NCCL_SOCKET_IFNAME" not in put(found, instance(gpus=8, several=several(0)))["environment"]


def test_an_address_must_be_this_nodes(machine):
    found = dict(machine("eight-gpu"), addresses={"10.9.9.9": "eno1"})
    with pytest.raises(CannotPlace, match=re.escape("the address 10.0.0.1 is none of this node's: 10.9.9.9")):
        put(found, instance(gpus=8, several=several(0)))


@pytest.mark.parametrize(("asked", "nnodes", "words"), [
    ({"tensor_parallel_size": 4, "pipeline_parallel_size": 1}, 3, "3 nodes do not divide the 4 GPUs of TP 4 x PP 1"),
    ({"gpus": 4, "tensor_parallel_size": 8, "pipeline_parallel_size": 2}, 2,
     "TP 8 x PP 2 needs 8 GPUs on this node, and gpus gives it 4"),
])
def test_a_world_that_nodes_do_not_share_evenly(asked, nnodes, words, machine):
    with pytest.raises(CannotPlace, match=re.escape(words)):
        put(dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}),
            instance(several=several(0, nnodes), **asked))


def test_a_group_across_nodes_is_a_warning(machine):
    where = put(dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"}),
                instance(tensor_parallel_size=16, several=several(0)))
    assert [rule for rule, _severity, _words in where["warnings"]] == ["R30"]


def test_ray_takes_no_ranks_and_no_binding(machine):
    found = dict(machine("eight-gpu"), addresses={"10.0.0.1": "eno1"})
    where = put(found, instance(gpus=8, several=several(0, distributed="ray")))
    assert where["arguments"] == {"tensor-parallel-size": 8, "pipeline-parallel-size": 2,
                                  "distributed-executor-backend": "ray"}


def test_amd_is_named_by_what_its_executor_takes(machine):
    found = dict(machine("carrizo-apu+dgpu"), addresses={"10.0.0.1": "eno1"})
    assert put(found, instance(gpus=["0"]))["visible"] == {"ROCR_VISIBLE_DEVICES": "GPU-c34ec50444dd0a6c"}
    ray = put(found, instance(gpus=["1"], several=several(0, distributed="ray")))
    assert ray["visible"] == {"HIP_VISIBLE_DEVICES": "1"}


def test_rocms_numbers_are_those_of_the_compute_driver(machine):
    found = machine("rccl-topo_8p_rome_n4")
    gpus = [dict(gpu, hip_index=7 - gpu["index"]) for gpu in found["topology"]["gpus"]]
    found = dict(found, topology=dict(found["topology"], gpus=gpus))
    assert put(found, instance(gpus=["0", "2"]))["visible"] == {"ROCR_VISIBLE_DEVICES": "7,5"}


def test_containers_are_given_devices(machine):
    found = machine("eight-gpu")
    cdi = {"nvidia.com/gpu": ["0", "1", "GPU-00000001-0000-0000-0000-000000000000", "all"]}
    assert put(found, instance(gpus=2, engine=engine_nodes.PODMAN), cdi=cdi)["devices"] == [
        "nvidia.com/gpu=0", "nvidia.com/gpu=GPU-00000001-0000-0000-0000-000000000000"]
    amd = put(machine("carrizo-apu+dgpu"), instance(gpus=["0"], engine=engine_nodes.PODMAN))
    assert amd["devices"] == ["/dev/kfd", "/dev/dri"]
    assert "numa-bind" not in put(machine("rccl-topo_8p_rome_n4"), instance(gpus=2, engine=engine_nodes.PODMAN))[
        "arguments"]


def test_nccls_variables_are_given_where_its_file_does_not_and_the_operators_win(machine):
    found = dict(machine("eight-gpu"), nccl_environment={"NCCL_IB_TC": "106", "NCCL_DEBUG": "WARN"})
    where = put(found, instance(gpus=2, environment={"NCCL_DEBUG": "INFO", "OMP_NUM_THREADS": "4"}))
    assert where["environment"]["NCCL_IB_TC"] == "106"
    assert not {"NCCL_DEBUG", "OMP_NUM_THREADS"} & set(where["environment"])


# -- CPUs -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "count", "lists"), [
    ("96em64t-4no4pa3ca2co", 1, ["0-95"]),
    ("96em64t-4no4pa3ca2co", 2, ["0-47", "48-95"]),
    ("96em64t-4no4pa3ca2co", 4, ["0-23", "24-47", "48-71", "72-95"]),
    ("96em64t-4no4pa3ca2co", 8, ["0-11", "12-23", "24-35", "36-47", "48-59", "60-71", "72-83", "84-95"]),
    ("32amd64-4s2n4c-cgroup2", 2, ["0-15", "16-31"]),
    ("nvidia-dgx-gb10", 2, ["0-9", "10-19"]),
])
def test_workers_on_cpus_of_a_real_machine(name, count, lists, machine):
    where = put(machine(name), instance(gpus=0, tensor_parallel_size=count))
    assert where["environment"]["VLLM_CPU_OMP_THREADS_BIND"] == "|".join(lists)
    assert (where["ranks"], where["gpus"], where["visible"], where["warnings"]) == (lists, [], {}, [])


def test_a_worker_has_one_thread_of_a_core_and_only_its_slices(machine):
    where = put(machine("eight-gpu"), instance(gpus=0, tensor_parallel_size=2), cpus=_cpus("8-15,60-63,120-127"))
    assert where["ranks"] == ["8-15", "60-63"]


def test_workers_of_another_instance_keep_their_cpus(machine):
    found = dict(machine("32amd64-4s2n4c-cgroup2"), taken={"other": {"gpus": [], "cpus": "0-15"}})
    assert put(found, instance(gpus=0))["ranks"] == ["16-31"]
    with pytest.raises(CannotPlace, match="17 workers on CPUs, and 16 CPUs are free for them .16-31.; other instances"):
        put(found, instance(gpus=0, tensor_parallel_size=17))


def test_a_node_without_gpus_says_so(machine):
    where = put(machine("32amd64-4s2n4c-cgroup2"), instance())
    assert where["warnings"][0][2].startswith("there is no GPU on this node: it runs on CPUs")
    with pytest.raises(CannotPlace, match="2 GPUs wanted, and there is none on this node"):
        put(machine("32amd64-4s2n4c-cgroup2"), instance(gpus=2))


# -- What always holds ------------------------------------------------------------------------------------------------

_NAMES = ("eight-gpu", "azure-ndv4-topo", "rccl-topo_8p_rome_n4", "grace", "dlperf-v100-tab")


@settings(max_examples=150, deadline=None)
@given(name=st.sampled_from(_NAMES), counts=st.lists(st.integers(1, 4), min_size=1, max_size=6))
def test_no_gpu_twice_in_pci_order_with_a_node_each(machine, name, counts):
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
        found["taken"] = dict(found["taken"], **{"i%d" % number: {"gpus": keys, "cpus": ""}})


@settings(max_examples=100, deadline=None)
@given(count=st.integers(1, 16), usable=st.sets(st.integers(0, 31), min_size=16))
def test_no_cpu_twice_and_only_those_given(machine, count, usable):
    where = put(machine("32amd64-4s2n4c-cgroup2"), instance(gpus=0, tensor_parallel_size=count),
                cpus=_cpus(_cpulist.format(usable)))
    cpus = [cpu for text in where["ranks"] for cpu in _cpulist.parse(text)]
    assert len(where["ranks"]) == count and all(where["ranks"])
    assert len(cpus) == len(set(cpus)) and set(cpus) <= usable


def test_the_package_says_who_raises():
    assert placed.CannotPlace is CannotPlace
    assert node.SLICE == "gpuwright.slice"
