# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of a node: lists, replicas on several nodes, placements, and what is wrong with them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import instances, options

INVENTORY = {"n1": {"vllm_service_address": "192.0.2.1"}, "n2": {"vllm_service_address": "192.0.2.2"}, "n3": {}}
PAIR = {"name": "pair", "model": "/m", "nodes": ["n1", "n2"]}
ENTRY = {"name": "replica0", "nodes": ["n1"], "gpus": [4, 5], "node_rank": 0, "address": "192.0.2.1",
         "tensor_parallel_size": 2, "pipeline_parallel_size": 1, "master_port": 29501}


def made(host="n1", **given):
    given = dict({"instances": [], "engine": "venv", "version": "0.33.0", "distributed": "native", "prompt": "x",
                  "address": INVENTORY[host].get("vllm_service_address")}, **given)
    return instances.of_host(host, given, options.defaults(given), INVENTORY)


def test_the_role_s_words_hold_unless_the_instance_has_its_own():
    found = made(instances=[{"name": "a", "model": "/m", "arguments": {"dtype": "auto"}, "port": "9000"}],
                 arguments={"dtype": "bfloat16", "max_num_seqs": 8}, health_timeout=60)
    assert found["a"]["arguments"] == {"dtype": "auto", "max-num-seqs": 8}
    assert found["a"]["port"] == 9000 and found["a"]["health_timeout"] == 60
    assert found["a"]["engine"]["path"] == "/opt/gpuwright/vllm-0.33.0"


def test_models_lie_on_the_volume_that_the_role_names():
    commit = "6f6073b423013f6a7d4d9f39144961bfbfbc386b"
    found = made(instances=[{"name": "a", "model": "org/name", "revision": commit}], models_dir="/models")
    assert found["a"]["model_path"] == "/models/org--name/" + commit


@pytest.mark.parametrize("role, own, wanted", [("x", {}, "x"), (None, {}, None), ("x", {"prompt": None}, None),
                                               (None, {"prompt": "y"}, "y")])
def test_a_prompt_of_null_asks_for_none(role, own, wanted):
    assert made(instances=[dict({"name": "a", "model": "/m"}, **own)], prompt=role)["a"]["prompt"] == wanted


def test_each_node_gets_its_rank_and_others_nothing():
    first, second, third = (made(host, instances=[PAIR]) for host in ("n1", "n2", "n3"))
    assert [one["pair"]["several"]["node_rank"] for one in (first, second)] == [0, 1] and third == {}
    assert second["pair"]["several"] == {
        "nnodes": 2, "node_rank": 1, "nodes": ["n1", "n2"], "address": "192.0.2.2",
        "addresses": ["192.0.2.1", "192.0.2.2"], "master_addr": "192.0.2.1", "master_port": 29501, "interface": None,
        "distributed": "native"}
    assert made(instances=[dict(PAIR, nodes="n1")])["pair"]["several"] is None


def test_the_node_of_a_placement_gets_its_replicas_one_port_after_the_other():
    other = dict(ENTRY, name="replica1", gpus=[6, 7])
    found = made(placement={"n1": [ENTRY, other]}, placed={"model": "/m", "port": 9000})
    assert [one["port"] for one in found.values()] == [9000, 9001]
    assert found["replica0"]["gpus"] == ["4", "5"] and found["replica0"]["several"] is None
    assert found["replica0"]["arguments"] == {"tensor-parallel-size": 2, "pipeline-parallel-size": 1}
    assert made("n2", placement={"n1": [ENTRY]}, placed={"model": "/m"}) == {}


@pytest.mark.parametrize("given, words", [
    ({"instances": {"a": 1}}, "is no list of instances"),
    ({"instances": ["a"]}, "is no instance"),
    ({"instances": [None]}, "None is no instance"),
    ({"instances": None}, "vllm_service_instances is null"),
    ({"instances": [{"name": "a", "model": "/m", "listen": "not an address"}]}, "listen"),
    ({"instances": [{"name": "a", "model": "/m", "user": "Root user"}]}, "no user's name"),
    ({"instances": [PAIR, PAIR]}, "there twice"),
    ({"instances": [dict(PAIR, nodes=["n1", "n1"])]}, "n1 is named twice"),
    ({"instances": [dict(PAIR, nodes=["n1", "n9"])]}, "n9 is not in the inventory; known: n1, n2, n3"),
    ({"instances": [dict(PAIR, nodes=[])]}, "none is named"),
    ({"instances": [dict(PAIR, nodes=7)]}, "not a list of names"),
    ({"instances": [dict(PAIR, several={})]}, "several is made from nodes"),
    ({"instances": [dict(PAIR, distributed="slurm")]}, "distributed"),
    ({"instances": [{"name": "a", "model": "/m"}, {"name": "b", "model": "/m"}]}, "both want port 8000"),
    ({"instances": [{"name": "a", "model": "/m", "gpus": [0]},
                    {"name": "b", "model": "/m", "gpus": [0], "port": 8001}]}, "both want GPU 0"),
    ({"instances": [PAIR, dict(PAIR, name="second", port=8001)]}, "both want port 29501: set master_port"),
    ({"placement": {"n9": []}}, "n9 is not in the inventory"),
    ({"placement": []}, None),
    ({"placement": {}, "placed": {"model": "/m"}}, "add -e @report/placement.yml"),
    ({"instances": [{"name": "a", "model": "/m", "distributed": "ray", "master_port": 29601}]},
     "distributed and master_port: of an instance on several nodes"),
    ({"placement": ["n1"]}, "legal is {node:"),
    ({"placement": {"n1": [ENTRY]}}, "vllm_service_placed says what they serve"),
    ({"placement": {"n1": [ENTRY]}, "placed": {"model": "/m", "gpus": 2}}, "the placement decides gpus"),
    ({"placement": {"n1": [ENTRY]}, "placed": {"model": "/m", "arguments": {"tensor_parallel_size": 4}}},
     "the placement decides tensor_parallel_size"),
    ({"placement": {"n1": [{"name": "x"}]}, "placed": {"model": "/m"}}, "an entry lacks nodes"),
])
def test_what_cannot_be_is_named(given, words):
    if words is None:
        assert made(**given) == {}
        return
    with pytest.raises(BadInstance, match=words):
        made(**given)


@pytest.mark.parametrize("own, words", [
    ({"environment": {"HF_TOKEN": "hf_hunter2"}},
     "instance a, environment: HF_TOKEN: .*; put it into vllm_service_secrets.a..hf_token"),
    ({"arguments": {"api_key": "hunter2"}}, "arguments: api-key: .*; put it into vllm_service_secrets.a..api_key")])
def test_a_secret_in_plain_view_is_refused_before_it_goes_anywhere(own, words):
    with pytest.raises(BadInstance, match=words) as refused:
        made(instances=[dict({"name": "a", "model": "/m"}, **own)])
    assert "hunter2" not in str(refused.value)
    assert made(instances=[{"name": "a", "model": "/m", "arguments": {"api_key": None}}])


def test_stopped_instances_want_no_port():
    assert set(made(instances=[{"name": "a", "model": "/m"}, {"name": "b", "model": "/m", "state": "stopped"}])) == {
        "a", "b"}
