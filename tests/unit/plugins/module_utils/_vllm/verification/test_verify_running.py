# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Looks at a stand-in engine that really runs here, started as the role renders it, with each of its ways to fail.

The gate test_vllm_engine.py does the same with the real one.
"""

from __future__ import annotations

import gzip
import json
import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import help_text

from tests.sysroots import direct_engine, engine_environment
from tests.sysroots.held_port import held_port

HELP = "tests/captures/vllm-help/0.32.0-wide.txt.gz"
CPU = str(min(os.sched_getaffinity(0)))
CONFIG = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 128, "intermediate_size": 256,
          "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 258,
          "max_position_embeddings": 1024}


@pytest.fixture(name="known", scope="module")
def fixture_known(checkout):
    return help_text.parse_help(gzip.decompress((checkout / HELP).read_bytes()).decode())


@pytest.fixture(name="made")
def fixture_made(tmp_path, checkout, known):
    """A function that composes an instance of the stand-in."""
    (tmp_path / "model").mkdir()
    (tmp_path / "model" / "config.json").write_text(json.dumps(CONFIG))
    (tmp_path / "help.txt").write_bytes(gzip.decompress((checkout / HELP).read_bytes()))
    engine = tmp_path / "engine"
    engine_environment.install(engine, help=str(tmp_path / "help.txt"), memory=str(tmp_path / "memory"), delay=0)

    def make(name, cpus=CPU, fault=None, secrets=None, **given):
        environment = {"VLLM_CPU_OMP_THREADS_BIND": cpus, **({"STANDIN_FAULT": fault} if fault else {})}
        one = direct_engine.asked(name, tmp_path / "model", engine, environment=environment, **given)
        return direct_engine.composed(one, known, secrets)
    return make


def others(found, engine):
    """What differs but for limits that this machine lets nobody raise."""
    lines = [words for words in found["differs"] if words.startswith("limit ")]
    assert {words.split()[1] for words in lines} == engine.refused_here()
    return [words for words in found["differs"] if words not in lines]


def test_one_that_is_well_with_two_workers_and_a_key(made, tmp_path):
    secrets = {"a": {"api_key": "MINE"}}
    tensor = made("a", CPU + "|" + CPU, secrets=secrets["a"], arguments={"tensor-parallel-size": 2})
    with direct_engine.started(tmp_path, tensor, secrets=secrets) as (engine,):
        found = engine.settled()
        assert others(found, engine) == [], engine.log.read_text()
        assert [worker["title"] for worker in found["facts"]["workers"]] == ["VLLM::Worker_TP0", "VLLM::Worker_TP1"]
        assert found["facts"]["completion"] == "/v1/completions answered ' Paris'"
        assert "MINE" not in json.dumps(found)


@pytest.mark.parametrize("fault, words", [
    ("503", "/health: 200 is wanted, found 503"),
    ("other_model", "/v1/models: wanted is a, found somebody-elses"),
    ("no_completion", "a completion was not answered: /v1/completions: status 500: EngineCore encountered an issue."),
    ("exit", "unit vllm@a.service is failed (failed): its main process ended with status 1: "
             "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB.")])
def test_each_way_to_fail_is_named(made, tmp_path, fault, words):
    with direct_engine.started(tmp_path, made("a", fault=fault)) as (engine,):
        found = engine.settled()
        assert found["ok"] is False
        assert words in found["differs"]


def test_memory_that_cannot_be_locked_is_named(made, tmp_path):
    with direct_engine.started(tmp_path, made("a", fault="memlock")) as (engine,):
        found = engine.settled()
        assert any(words.startswith("limit memlock of VLLM::EngineCore") and "found 65536 (R15)" in words
                   for words in found["differs"]), found


def test_one_that_never_answers_is_waited_for(made, tmp_path):
    with direct_engine.started(tmp_path, made("a", fault="never_healthy")) as (engine,):
        found = engine.look()
        assert found["ok"] is None and found["facts"]["waits_for"].startswith("waits for /health: nobody listens")


def test_the_second_engine_on_a_device_ends_with_the_words_of_vllm(made, tmp_path):
    with direct_engine.started(tmp_path, made("a")) as (first,):
        assert others(first.settled(), first) == []
        with direct_engine.started(tmp_path, made("b")) as (second,):
            assert "ValueError: Free memory on device cuda:0" in second.settled()["differs"][0]
        assert others(first.look(), first) == []


def test_two_nodes_wait_for_one_another_and_end_together(made, tmp_path):
    addresses, port = ["127.0.0.1", "127.0.0.2"], held_port()
    nodes = [made("rank%d" % rank, "%s" % CPU if rank == 0 else "0-%d" % (os.cpu_count() - 1), served_name="both",
                  arguments={"tensor-parallel-size": 2},
                  several={"nnodes": 2, "node_rank": rank, "nodes": ["n1", "n2"], "address": addresses[rank],
                           "addresses": addresses, "master_addr": addresses[0], "master_port": port,
                           "interface": "lo", "distributed": "native"}) for rank in range(2)]
    with direct_engine.started(tmp_path, *nodes) as engines:
        for engine in engines:
            assert others(engine.settled(), engine) == [], engine.log.read_text()
        engines[1].process.kill()
        engines[0].process.wait(300)
        assert "Connection closed by peer" in engines[0].look()["differs"][0]


def test_a_name_that_the_engine_does_not_know_ends_it(made, tmp_path):
    wrong = made("a")
    text = wrong["files"]["/etc/vllm/a.yaml"]["text"] + "gpu-memory-utilisation: 0.9\n"
    wrong["files"]["/etc/vllm/a.yaml"] = dict(wrong["files"]["/etc/vllm/a.yaml"], text=text)
    with direct_engine.started(tmp_path, wrong) as (engine,):
        assert engine.settled()["differs"] == [
            "unit vllm@a.service is failed (failed): its main process ended with status 2: vllm: error: unrecognized "
            "arguments: --gpu-memory-utilisation"]
