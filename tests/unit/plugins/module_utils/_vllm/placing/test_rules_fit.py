# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules R29 and R30 and what runs on a GPU: each violated, and each silent on an instance that is right."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.rules_fit import findings

CONFIGS = Path(__file__).parents[5] / "captures" / "model-configs"
INSTANCE = {"name": "llama"}
H100, A100, V100 = "NVIDIA H100 80GB HBM3", "NVIDIA A100-SXM4-80GB", "Tesla V100-SXM2-32GB"


def config(name):
    """The configuration of a published model."""
    return json.loads((CONFIGS / (name + ".json")).read_text())


def gpus(count, name=H100, memory=81559 << 20, links="NV18"):
    """GPUs of a node with two sockets, half of them on each."""
    return [{"index": number, "name": name, "memory": memory, "numa_node": number * 2 // max(count, 2),
             "links": {str(peer): links for peer in range(count) if peer != number} if links else None}
            for number in range(count)]


def found(arguments, model="llama-3-70b", here=None, nodes=1):
    """[(rule, severity, setting)] and all messages."""
    told = findings(INSTANCE, arguments, config(model) if isinstance(model, str) and model in NAMES else model,
                    gpus(4) if here is None else here, nodes)
    assert all(one["message"].startswith("llama: ") for one in told)
    return [(one["rule"], one["severity"], one["setting"]) for one in told], " ".join(one["message"] for one in told)


NAMES = {path.stem for path in CONFIGS.glob("*.json")}


@pytest.mark.parametrize(("arguments", "model", "here", "nodes"), [
    ({"tensor-parallel-size": 4}, "llama-3-70b", gpus(4), 1),
    ({"tensor-parallel-size": 4, "data-parallel-size": 2}, "llama-3-70b", gpus(8), 1),
    ({"tensor-parallel-size": 8, "pipeline-parallel-size": 2, "nnodes": 2}, "llama-3.1-405b", gpus(8), 2),
    ({"max-model-len": 8192}, "llama-3-8b", gpus(1), 1),
    ({"max-model-len": "auto"}, "llama-3.1-70b", gpus(1, memory=150 << 30), 1),
    ({"tensor-parallel-size": 8, "quantization": "fp8", "max-model-len": 8192}, "llama-3.1-405b", gpus(8), 1),
    ({"tensor-parallel-size": 2}, "llama-3-8b", [], 1),
    ({"kv-cache-dtype": "fp8", "attention-backend": "FLASH_ATTN"}, "llama-3-8b", gpus(1), 1),
    ({"enforce-eager": False}, "llama-3-8b", gpus(1), 1)])
def test_what_is_right_has_no_finding(arguments, model, here, nodes):
    assert found(arguments, model, here, nodes) == ([], "")


def test_r29_weights_that_are_too_large():
    rules, words = found({"tensor-parallel-size": 8}, "llama-3.1-405b", gpus(8))
    assert rules == [("R29", "E", "max-model-len")]
    assert "GB are missing on 8 GPUs (811.7 GB of weights in all)" in words and "FP8" in words


def test_r29_the_models_own_context_is_too_long_where_none_is_set():
    rules, words = found({"tensor-parallel-size": 2}, "llama-3.1-70b", gpus(2))
    assert rules == [("R29", "E", "max-model-len")]
    assert "max-model-len is not set, so that vLLM takes the model's own 131072" in words
    assert "The longest context that fits is" in words


def test_r29_longrope_takes_less_than_it_could_where_none_is_set():
    model = dict(config("phi-3-mini-4k"), sliding_window=None, max_position_embeddings=131072,
                 original_max_position_embeddings=4096, rope_scaling={"type": "longrope"})
    assert found({}, model, gpus(1, memory=24 << 30)) == ([], "")


def test_r29_a_length_beyond_the_models_own_that_vllm_is_told_to_take():
    arguments, allow = {"max-model-len": 65536}, {"VLLM_ALLOW_LONG_MAX_MODEL_LEN": "1"}
    told = findings(INSTANCE, arguments, config("llama-3-8b"), gpus(1))
    assert [one["severity"] for one in told] == ["E"] and "vLLM refuses it" in told[0]["message"]
    told = findings(dict(INSTANCE, environment=allow), arguments, config("llama-3-8b"), gpus(1))
    assert [one["severity"] for one in told] == ["I"] and "because of VLLM_ALLOW" in told[0]["message"]


@pytest.mark.parametrize(("arguments", "name"), [
    ({"enable-expert-parallel": True}, "enable-expert-parallel"), ({"quantization": "torchao"}, "quantization"),
    ({"decode-context-parallel-size": 2}, "decode-context-parallel-size"), ({"cpu-offload-gb": 4}, "cpu-offload-gb")])
def test_r29_what_the_formulas_do_not_reckon_with_is_not_judged(arguments, name):
    told = findings(INSTANCE, dict(arguments, **{"tensor-parallel-size": 4}), config("mixtral-8x22b"), gpus(4))
    size = [one for one in told if one["rule"] == "R29"]
    assert [one["severity"] for one in size] == ["I"] and "not checked, because of %s" % name in size[0]["message"]
    off = {flag: 1 if flag.endswith("size") else None for flag in arguments}
    told = findings(INSTANCE, dict(off, **{"tensor-parallel-size": 4}), config("mixtral-8x22b"), gpus(4))
    assert "not checked" not in " ".join(one["message"] for one in told)


def test_r29_near_the_limit_is_a_warning_on_both_sides():
    arguments = {"tensor-parallel-size": 2, "max-model-len": 64}
    for memory, severity, sentence in ((78, "E", "does not fit"), (81.5, "W", "vLLM's start decides"),
                                       (83, "W", "fits by")):
        rules, words = found(arguments, "llama-3-70b", gpus(2, memory=int(memory * 1e9)))
        assert rules == [("R29", severity, "max-model-len")] and sentence in words
    assert found(arguments, "llama-3-70b", gpus(2, memory=90 * 10 ** 9))[0] == []


@pytest.mark.parametrize(("arguments", "here", "nodes", "words"), [
    ({"tensor-parallel-size": 3}, gpus(4), 1, "64 attention heads are not divisible by tensor_parallel_size 3"),
    ({"tensor-parallel-size": 3}, [], 1, "64 attention heads are not divisible by tensor_parallel_size 3"),
    ({"tensor-parallel-size": 8}, gpus(4), 1, "TP 8 x PP 1 needs 8 GPUs, and there are 4 (4 on each node, nodes: 1)"),
    ({"tensor-parallel-size": 4, "data-parallel-size": 2}, gpus(4), 1, "TP 4 x PP 1 x DP 2 needs 8 GPUs"),
    ({"tensor-parallel-size": 4, "nnodes": 3}, gpus(4), 3, "nnodes 3 does not divide the 4 GPUs of TP 4 x PP 1"),
])
def test_r29_sizes_that_cannot_be(arguments, here, nodes, words):
    rules, said = found(arguments, "llama-3-70b", here, nodes)
    assert {("R29", "E")} == {one[:2] for one in rules}
    assert words in said


@pytest.mark.parametrize(("arguments", "model", "here", "words"), [
    ({}, None, None, "the model's config.json is not there yet"),
    ({}, "no such file on this node", None, "no such file on this node"),
    ({}, {"model_type": "new"}, None, "model_type new"),
    ({"cpu-offload-gb": 40}, "llama-3-8b", None, "because of cpu-offload-gb"),
    ({}, "llama-3-8b", gpus(1, memory=None), "the GPUs' memory is not known"),
    ({"gpu-memory-utilization": 3}, "llama-3-8b", None, "gpu_memory_utilization: 3")])
def test_r29_what_could_not_be_checked_is_said(arguments, model, here, words):
    rules, said = found(arguments, model, here)
    assert rules == [("R29", "I", None)] and words in said


def test_r30_a_group_over_the_network_where_stages_would_do():
    rules, words = found({"tensor-parallel-size": 8, "nnodes": 2}, "llama-3-70b", gpus(4), 2)
    assert rules == [("R30", "W", "tensor-parallel-size")]
    assert "its tensor-parallel group of 8 spans nodes with 4 GPUs each" in words and "TP 4 x PP 2 fits too" in words
    arguments = {"tensor-parallel-size": 4, "pipeline-parallel-size": 2, "nnodes": 2}
    assert found(arguments, "llama-3-70b", gpus(4), 2)[0] == []


def test_r30_a_group_over_sockets_without_nvlink():
    rules, words = found({"tensor-parallel-size": 4}, "llama-3-70b", gpus(4, links="SYS"))
    assert rules == [("R30", "W", "tensor-parallel-size")]
    assert "GPU 0 (NUMA node 0) and GPU 2 (NUMA node 1), with no NVLink" in words
    assert found({"tensor-parallel-size": 4}, "llama-3-70b", gpus(4, links=None))[0] == []
    assert found({"tensor-parallel-size": 2, "data-parallel-size": 2}, "llama-3-8b", gpus(4, links="SYS"))[0] == []


def test_enforce_eager_left_on():
    rules, words = found({"enforce-eager": True}, "llama-3-8b", gpus(1))
    assert rules == [("R30", "W", "enforce-eager")] and "no CUDA graphs" in words
    assert found({"enforce-eager": True}, "llama-3-8b", [])[0] == []


@pytest.mark.parametrize(("arguments", "model", "name", "expected", "words"), [
    ({}, "llama-3.3-70b-fp8", V100, ("E", "quantization"), "compressed-tensors does not run on 7.0"),
    ({"quantization": "fp8"}, "llama-3-8b", A100, ("W", "quantization"), "take compressed-tensors INT8 or awq"),
    ({}, "deepseek-v2-lite", A100, None, ""),
    ({"attention-backend": "FLASHMLA"}, "deepseek-v2-lite", A100, ("E", "attention-backend"), "take TRITON_MLA"),
    ({"attention-backend": "TRITON_ATTN"}, "llama-3-8b", H100, ("W", "attention-backend"), "take FLASH_ATTN"),
    ({"kv-cache-dtype": "fp8"}, "llama-3-8b", A100, ("W", "kv-cache-dtype"), "saves memory and no time"),
    ({"kv-cache-dtype": "fp8_e5m2", "attention-backend": "FLASH_ATTN"}, "llama-3-8b", H100, ("E", "kv-cache-dtype"),
     "does not run with FLASH_ATTN"),
    ({"dtype": "bfloat16"}, "llama-3-8b", V100, ("E", "dtype"), "bfloat16 needs compute capability 8.0"),
    ({"quantization": "fp8"}, "llama-3-8b", "NVIDIA X900", ("I", "quantization"), "is not known"),
    ({"attention-backend": "FLASHY"}, "llama-3-8b", H100, ("I", "attention-backend"), "no attention backend"),
])
def test_what_a_gpu_does_not_run_or_runs_slowly(arguments, model, name, expected, words):
    rules, said = found(dict(arguments, **{"max-model-len": 4096}), model, gpus(1, name=name, memory=160 << 30))
    assert rules == ([("backend", *expected)] if expected else [])
    assert words in said


def test_nothing_odd_raises():
    for value in (None, True, "x", -1, [], {}, 3.5):
        for flag in ("tensor-parallel-size", "nnodes", "max-model-len", "dtype", "kv-cache-dtype", "quantization",
                     "gpu-memory-utilization", "attention-backend"):
            for model in (config("llama-3-8b"), {"quantization_config": 3}, {}, []):
                findings(INSTANCE, {flag: value}, model, gpus(2), 1)
