# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whole deployments on the hand-made node with eight GPUs, with the arguments that vLLM 0.33.0 knows."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import deployment
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.parallel_sizes import CannotPlace

from tests.sysroots.engine_nodes import cpus, indexes, instance, machine, several

SCHEMA = (known_arguments.schema(), "0.33.0", "what is known of vLLM 0.33.0")
# Of Llama 3.1 70B and 8B, as their config.json have it.
LLAMA_70B = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 8192, "head_dim": 128,
             "intermediate_size": 28672, "num_hidden_layers": 80, "num_attention_heads": 64, "num_key_value_heads": 8,
             "vocab_size": 128256, "max_position_embeddings": 131072, "torch_dtype": "bfloat16"}
LLAMA_8B = dict(LLAMA_70B, hidden_size=4096, intermediate_size=14336, num_hidden_layers=32, num_attention_heads=32)


def _node(*instances, **more):
    found = machine("eight-gpu")
    small = dict(LLAMA_8B, max_position_embeddings=8192)
    return dict(found, **dict({"configs": {one["name"]: small for one in instances},
                               "schemas": {one["name"]: SCHEMA for one in instances},
                               "tools": {"numactl": "/usr/bin/numactl"}, "addresses": {"10.0.0.1": "eno1"}}, **more))


def _all(*instances, **more):
    return deployment.compose_all(list(instances), _node(*instances, **more))


def _words(made, name):
    return [(one["rule"], one["severity"], one["message"]) for one in made[name]["deployment"]["findings"]]


def test_everything_of_an_instance():
    made = deployment.compose(instance(gpus=2, max_model_len=8192), _node(instance()), {"api_key": "s3cret"})
    assert made["unit"] == "vllm@llama.service"
    assert made["command"] == ["/opt/gpuwright/vllm-0.33.0/bin/vllm", "serve", "--config", "/etc/vllm/llama.yaml"]
    assert made["files"]["/etc/vllm/llama.yaml"]["text"].splitlines()[1:] == [
        "host: '0.0.0.0'", "max-model-len: 8192", "model: '/models/llama'", "numa-bind: true",
        "numa-bind-nodes: [0, 0]", "port: 8000", "served-model-name: ['llama']", "tensor-parallel-size: 2"]
    assert made["summary"] == ("llama (llama), GPU 0, 1 on NUMA node 0, TP 2 x PP 1, max_model_len 8192, port 8000, "
                               "gpuwright.slice")
    assert (made["findings"], made["problems"]) == ([], [])
    assert made["environment"]["CUDA_VISIBLE_DEVICES"] == "0,1"
    assert "--numa-bind-nodes" in made["shown"]


def test_a_secret_is_in_its_own_file_alone():
    made = deployment.compose(instance(gpus=2), _node(instance()), {"api_key": "s3cret"})
    assert [path for path, file in made["files"].items() if "s3cret" in file["text"]] == ["/etc/vllm/llama.secret.env"]
    assert "s3cret" not in json.dumps(dict(made, files={}))


@pytest.mark.parametrize(("flags", "words"), [
    ({"gpu_memory_utilisation": 0.9}, "gpu-memory-utilization"), ({"swap_space": 4}, "kv-offloading-size"),
    ({"enable_prefix_caching": "false"}, "enable-prefix-caching"), ({"port": 1}, "`port` of the instance says it")])
def test_what_the_engine_does_not_take_is_a_problem_and_nothing_is_written(flags, words):
    given = {"arguments": flags, "gpus": 1}
    made = deployment.compose(instance(**given), _node(instance()))
    assert made["problems"] and words in made["problems"][0]
    assert made["problems"][0].startswith("instance llama, arguments: ")
    assert made["files"]["/etc/vllm/llama.yaml"]["text"] == ""


def test_the_model_says_how_many_gpus():
    made = deployment.compose(instance(max_model_len=131072), _node(instance(), configs={"llama": LLAMA_70B}))
    assert made["arguments"]["tensor-parallel-size"] == 4
    assert indexes(made["placed"]) == [0, 1, 2, 3]
    made = deployment.compose(instance(max_model_len=8192), _node(instance(), configs={"llama": LLAMA_8B}))
    assert ("tensor-parallel-size" in made["arguments"], indexes(made["placed"])) == (False, [0])
    unknown = deployment.compose(instance(), _node(instance(), configs={"llama": "/models/llama is not there"}))
    assert indexes(unknown["placed"]) == [0]


def test_who_names_gpus_is_placed_before_who_counts_them():
    made = _all(instance("a", gpus=2), instance("b", gpus=["0"], port=8001))
    assert {name: indexes(one["deployment"]["placed"]) for name, one in made.items()} == {"a": [1, 2], "b": [0]}


def test_what_stands_keeps_its_gpus_and_what_leaves_gives_them():
    keys = [gpu["pci_address"] for gpu in machine("eight-gpu")["topology"]["gpus"]]
    taken = {"old": {"gpus": keys[:7]}, "b": {"gpus": keys[7:]}}
    made = _all(instance("a", gpus=7), instance("b", gpus=1, port=8001), taken=taken)
    assert {name: indexes(one["deployment"]["placed"]) for name, one in made.items()} == {
        "a": [0, 1, 2, 3, 4, 5, 6], "b": [7]}
    made = _all(instance("a", gpus=2), instance("old", gpus=7, port=8001), taken=taken)
    assert made["a"]["problem"].startswith("a: 2 GPUs wanted, 1 of 8 free (GPU 0: instance old has it; ")
    assert made["a"]["deployment"] is None and made["old"]["deployment"]


def test_what_is_to_be_absent_needs_no_place():
    made = _all(instance("a", gpus=99, state="absent"), instance("b", gpus=8))
    assert (made["a"]["deployment"], made["a"]["problem"]) == (None, None)
    assert len(made["b"]["deployment"]["placed"]["gpus"]) == 8


def test_two_instances_on_one_port():
    made = _all(instance("a", gpus=1), instance("b", gpus=1), instance("c", gpus=1, port=8001))
    assert _words(made, "a") == [("R25", "E", "a and b: both listen on port 8000: give one another port")]
    assert _words(made, "b") == [("R25", "E", "b and a: both listen on port 8000: give one another port")]
    assert _words(made, "c") == []
    apart = _all(instance("a", gpus=1, listen="10.0.0.1"), instance("b", gpus=1, listen="10.0.0.2"))
    assert _words(apart, "a") == []


@pytest.mark.parametrize(("first", "second", "severity", "words"), [
    (None, None, "E", "to share it, each has to say its part"), (0.4, None, "E", "to share it, each has to say"),
    (0.6, 0.6, "E", "their gpu-memory-utilization of 0.6 and 0.6 is more than 0.95 in all"),
    (0.4, 0.5, "I", "as they say")])
def test_two_instances_on_one_gpu(first, second, severity, words):
    made = _all(*[instance(name, gpus=["3"], port=port, arguments={"gpu-memory-utilization": part} if part else {})
                  for name, port, part in (("a", 8000, first), ("b", 8001, second))])
    assert [(rule, one) for rule, one, _words_ in _words(made, "a")] == [("gpus", severity)]
    assert words in _words(made, "b")[0][2]


def test_a_second_node_has_no_api():
    one = instance(gpus=8, several=several(1, address="10.0.0.1", addresses=["10.0.0.9", "10.0.0.1"],
                                           master_addr="10.0.0.9"))
    made = deployment.compose(one, _node(one))
    assert made["arguments"]["headless"] is True
    assert made["summary"].endswith("TP 8 x PP 2, node 2 of 2, max_model_len as the model says, no API here, "
                                    "gpuwright.slice")
    with pytest.raises(CannotPlace):
        deployment.compose(one, _node(one, addresses={"10.9.9.9": "eno1"}))


def test_two_nodes_on_one_machine_take_cpus_apart():
    pair = [instance(name, gpus=0, pipeline_parallel_size=2, port=port, several=several(
        rank, address="127.0.0.%d" % (rank + 1), addresses=["127.0.0.1", "127.0.0.2"], master_addr="127.0.0.1"))
        for rank, (name, port) in enumerate((("first", 8000), ("second", 8001)))]
    made = _all(*pair, cpus=cpus("0-3"))
    assert [made[one["name"]]["deployment"]["placed"]["ranks"] for one in pair] == [["0-1"], ["2-3"]]
    for rank, one in enumerate(pair):
        told = made[one["name"]]["deployment"]
        assert told["arguments"]["node-rank"] == rank and told["findings"] == [] and told["problems"] == []
        assert told["environment"]["VLLM_CPU_OMP_THREADS_BIND"] == ("0-1", "2-3")[rank]
        assert (told["environment"]["VLLM_HOST_IP"], told["environment"]["GLOO_SOCKET_IFNAME"]) == (
            "127.0.0.%d" % (rank + 1), "lo")


def test_more_workers_than_cpus_share_them_and_say_so():
    made = _all(*[instance(name, gpus=0, tensor_parallel_size=2, port=port)
                  for name, port in (("a", 8000), ("b", 8001))], cpus=cpus("5,9"))
    assert [one["deployment"]["placed"]["ranks"] for one in made.values()] == [["5", "9"], ["5", "9"]]
    assert _words(made, "b") == [("cpus", "W", "b: 4 workers of all instances share 2 CPUs (5,9)")]


def test_the_model_the_environment_and_an_unknown_engine_are_judged_too():
    one = instance(gpus=1, environment={"VLLM_USE_V1": "1"}, enforce_eager=True)
    schema = (dict(SCHEMA[0], unchecked="it is not there yet"), None, "nothing")
    made = deployment.compose(one, _node(one, configs={"llama": LLAMA_70B}, schemas={"llama": schema}))
    assert [(found["rule"], found["severity"]) for found in made["findings"]] == [
        ("R29", "E"), ("R30", "W"), ("R31", "W"), ("R31", "W")]
    assert "it is not there yet" in made["findings"][3]["message"]


def _on(node, index):
    return next(gpu for gpu in node["topology"]["gpus"] if gpu["index"] == index)["pci_address"]


def _running(*instances, **more):
    """A node on which each instance has the GPU and the port of its own `was`; its memory is full there."""
    node = _node(*instances)
    was = {"a": 0, "b": 1}
    key = {gpu["index"]: deployment.gpu_choice.key(gpu) for gpu in node["topology"]["gpus"]}
    holders = [{"gpus": [_on(node, index)], "who": "instance %s" % name, "ours": name, "memory": {}}
               for name, index in was.items()]
    return dict({"taken": {name: {"gpus": [key[index]]} for name, index in was.items()}, "holders": holders,
                 "holders_complete": True, "listeners": {("0.0.0.0", 8000 + index): {"who": "x", "ours": name}
                                                         for name, index in was.items()}}, **more)


@pytest.mark.parametrize("complete", [True, False])
def test_two_that_exchange_their_gpus_or_ports_in_one_run_are_told_the_order(complete):
    swap = [instance("a", gpus=["1"], port=8001), instance("b", gpus=["0"], port=8000)]
    here = _running(*swap)
    made = _all(*swap, **(here if complete else dict(here, holders=[], holders_complete=False)))
    orders = [one for one in _words(made, "a") if one[0] == "order"]
    assert orders[0][2].startswith("a: GPU 1 is instance b's until that is switched, and each instance of a node is "
                                   "switched by itself, so b has to leave first")
    assert orders[1][2].startswith("a: port 8001 is instance b's") and {one[1] for one in orders} == {"E"}
    assert [one[2][:9] for one in _words(made, "b") if one[0] == "order"] == ["b: GPU 0 ", "b: port 8"]
    stays = [instance("a", gpus=["0"], port=8000), instance("b", gpus=["1"], port=8001)]
    assert [one for one in _words(_all(*stays, **here), "a") if one[0] == "order"] == []


def test_one_that_is_stopped_takes_nothing_from_the_others_and_nobody_keeps_it_from_being_stopped():
    both = [instance("a", gpus=8, state="stopped"), instance("b", gpus=8)]
    keys = [deployment.gpu_choice.key(gpu) for gpu in machine("eight-gpu")["topology"]["gpus"]]
    first = _all(*both, taken={"a": {"gpus": keys}})
    assert [len(one["deployment"]["placed"]["gpus"]) for one in first.values()] == [8, 8]
    assert _words(first, "a") == _words(first, "b") == []
    on = [{"gpus": [gpu["pci_address"]], "who": "instance b", "ours": "b", "memory": {}}
          for gpu in machine("eight-gpu")["topology"]["gpus"]]
    full = {gpu["pci_address"]: {"total": 80 << 30, "free": 1 << 30}
            for gpu in machine("eight-gpu")["topology"]["gpus"]}
    later = _all(*both, taken={"b": {"gpus": keys}}, holders=on, memory=full)
    assert later["a"]["deployment"] and _words(later, "a") == []
