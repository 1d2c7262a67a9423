# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of quantised checkpoints: bits, scales, zero points, blocks, what is left out, and what is not known."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_config import BadConfig
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_matrix import Matrix, vector
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_quantization import (
    bytes_of,
    format_of,
    formats,
    method_of,
)
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_weights import ledger

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"
LINEAR = Matrix("model.layers.3.mlp.down_proj", 3, "linear", "wide", 1, 512, 256)
EXPERT = Matrix("model.layers.3.mlp.experts.down_proj", 3, "expert", "experts", 4, 512, 256)
HEAD = Matrix("lm_head", "last", "head", "vocab", 1, 256, 1000)
NUMBERS = 512 * 256


def size(matrix, quantization, dtype="bfloat16"):
    """Bytes of one matrix of a checkpoint with this quantization_config."""
    found, width = formats({"quantization": quantization}, dtype)
    return bytes_of(matrix, format_of(matrix, found), width)


def compressed(weights, **more):
    """A quantization_config of compressed-tensors with one group."""
    return {"quant_method": "compressed-tensors",
            "config_groups": {"group_0": dict({"targets": ["Linear"], "weights": weights}, **more)}}


@pytest.mark.parametrize(("quantization", "expected"), [
    (None, 2 * NUMBERS),
    ({"quant_method": "fp8"}, NUMBERS + 256 * 4),
    ({"quant_method": "fp8", "weight_block_size": [128, 128]}, NUMBERS + 2 * 4 * 4),
    ({"quant_method": "awq", "bits": 4, "group_size": 128}, NUMBERS // 2 + 256 * 4 * 2 + 256 * 4 // 2),
    ({"quant_method": "awq", "bits": 4, "group_size": 128, "zero_point": False}, NUMBERS // 2 + 256 * 4 * 2),
    ({"quant_method": "gptq", "bits": 4, "group_size": 128}, NUMBERS // 2 + 256 * 4 * 2 + 256 * 4 // 2),
    ({"quant_method": "gptq", "bits": 8, "group_size": -1}, NUMBERS + 256 * 2 + 256),
    ({"quant_method": "mxfp4"}, 2 * NUMBERS),
    (compressed({"num_bits": 8, "type": "float", "strategy": "channel", "group_size": None}), NUMBERS + 256 * 2),
    (compressed({"num_bits": 4, "type": "int", "strategy": "group", "group_size": 128}), NUMBERS // 2 + 256 * 4 * 2),
    (compressed({"num_bits": 4, "type": "float", "group_size": 16}), NUMBERS // 2 + 256 * 32),
    (compressed({"num_bits": 8}, targets=["re:.*self_attn.*"]), 2 * NUMBERS),
    (compressed({"num_bits": 8}, targets=["re:.*down_proj"]), NUMBERS + 256 * 2),
    ({"quant_method": "modelopt", "quant_algo": "NVFP4"}, NUMBERS // 2 + 256 * 32),
    ({"producer": {"name": "modelopt"}, "quantization": {"quant_algo": "FP8"}}, NUMBERS + 256 * 4),
    ({"quant_method": "mxfp8"}, NUMBERS + 256 * 16),
])
def test_bytes_of_a_linear_layer(quantization, expected):
    assert size(LINEAR, quantization) == expected


@pytest.mark.parametrize(("quantization", "expected"), [
    ({"quant_method": "mxfp4"}, 4 * (NUMBERS // 2 + 256 * 16)),
    ({"quant_method": "experts_int8"}, 4 * (NUMBERS + 256 * 4)), ({"quant_method": "fp8"}, 4 * (NUMBERS + 256 * 4))])
def test_bytes_of_experts(quantization, expected):
    assert size(EXPERT, quantization) == expected


@pytest.mark.parametrize("left", [
    {"modules_to_not_convert": ["model.layers.3.mlp.down_proj"]}, {"ignored_layers": ["model.layers.3.mlp"]},
    {"modules_to_not_convert": ["down_proj"]}, {"modules_to_not_convert": ["model.layers.*.mlp"]},
    {"ignore": ["re:.*down_proj$"]}, {"modules_to_not_convert": ["model.language_model.layers.3.mlp.down_proj"]},
    {"modules_to_not_convert": ["language_model.model.layers.3.mlp.down_proj"]}])
def test_what_is_left_in_16_bits(left):
    assert size(LINEAR, {"quant_method": "fp8", **left}) == 2 * NUMBERS


@pytest.mark.parametrize("left", [
    {"modules_to_not_convert": ["model.layers.33.mlp.down_proj", "proj", "model.layers.30"]},
    {"ignore": ["re:.*up_proj$"]}, {"modules_to_not_convert": ["lm_head", None, 3, ""]},
    {"modules_to_not_convert": None}])
def test_names_that_only_look_alike_are_quantised(left):
    assert size(LINEAR, {"quant_method": "fp8", **left}) == NUMBERS + 256 * 4


@pytest.mark.parametrize(("name", "left"), [
    ("model.layers.0.mlp.gate_proj", "model.layers.0.mlp.gate_up_proj"),
    ("model.layers.0.self_attn.k_proj", "model.layers.0.self_attn.qkv_proj"),
    ("model.layers.0.mlp.shared_experts.gate_up_proj", "model.layers.0.mlp.shared_expert.gate_proj"),
    ("model.layers.0.mlp.experts.gate_up_proj", "model.layers.0.mlp.experts.0.gate_up_proj"),
    ("model.layers.0.mlp.experts.down_proj", "model.layers.0.block_sparse_moe"),
    ("model.layers.0.mamba.in_proj", "backbone.layers.0.mixer.in_proj"),
    ("model.layers.1.mlp.c_fc", "backbone.layers.1.mixer.up_proj"),
    ("model.layers.1.mlp.shared_experts.down_proj", "backbone.layers.1.mixer.shared_experts.down_proj"),
    ("model.layers.2.linear_attn.in_proj_ba", "model.language_model.layers.2.linear_attn.in_proj_a"),
    ("model.layers.2.mlp.down_proj", "model.layers.2.feed_forward.down_proj")])
def test_other_names_of_the_same_matrix(name, left):
    assert size(LINEAR._replace(name=name), {"quant_method": "fp8", "ignored_layers": [left]}) == 2 * NUMBERS


def test_the_head_is_quantised_only_where_it_is_said():
    gptq = {"quant_method": "gptq", "bits": 4, "group_size": 128}
    assert size(HEAD, gptq) == 2 * 256000
    assert size(HEAD, dict(gptq, lm_head=True)) == 256000 // 2 + 1000 * 2 * 2 + 1000 * 2 // 2
    assert size(vector("x", 0, 100), gptq) == 200


def test_a_plan_counts_an_unquantised_checkpoint_as_if_it_were_quantised():
    assert size(LINEAR, None, "fp8") == NUMBERS + 256 * 4
    assert size(HEAD, None, "fp8") == 2 * 256000
    assert size(LINEAR, None, "float32") == 4 * NUMBERS
    assert size(LINEAR, {"quant_method": "fp8"}, "fp8") == NUMBERS + 256 * 4


@pytest.mark.parametrize(("quantization", "dtype", "words"), [
    ({"quant_method": "newquant"}, "auto", "quant_method newquant is not known to the sizing"),
    ({"quant_method": "bitsandbytes", "load_in_4bit": True}, "auto", "bitsandbytes is none that vLLM 0.32 loads"),
    ({"bits": 4}, "auto", "has no quant_method (keys: bits)"),
    ({"quant_method": "awq", "bits": 5}, "auto", "bits is 5"), ({"quant_method": "awq"}, "auto", "no bits"),
    ({"quant_method": "modelopt", "quant_algo": "X"}, "auto", "quant_algo 'X'"),
    ({"quant_method": "compressed-tensors"}, "auto", "without weights"),
    ({"quant_method": "fp8", "weight_block_size": [128]}, "auto", "weight_block_size is [128]"),
    ({"quant_method": "fp8", "ignore": ["re:("]}, "auto", "no regular expression"),
    ({"quant_method": "awq", "bits": 4}, "fp8", "this checkpoint is awq already"),
    (None, "fp7", "dtype: 'fp7' is not one of")])
def test_what_is_not_known_is_refused(quantization, dtype, words):
    with pytest.raises(BadConfig) as error:
        size(LINEAR, quantization, dtype)
    assert words in str(error.value)


@pytest.mark.parametrize(("name", "gb"), [
    ("gpt-oss-120b", 65.25), ("gpt-oss-20b", 13.76), ("llama-3.1-405b-fp8", 487.2), ("llama-3-70b-awq", 39.77),
    ("llama-3.3-70b-fp8", 72.67), ("qwen3-235b-a22b-fp8", 236.4), ("deepseek-v3", 673.15)])
def test_published_quantised_checkpoints(name, gb):
    found = shape(json.loads((CONFIGS / (name + ".json")).read_text()))
    assert ledger(found, "auto")["total"] / 1e9 == pytest.approx(gb, rel=0.001)


def test_linear_among_the_targets_is_every_linear_layer():
    group = {"targets": ["Linear", "re:.*nothing"], "weights": {"num_bits": 8, "type": "int"}}
    assert size(LINEAR, {"quant_method": "compressed-tensors", "config_groups": {"a": group}}) == NUMBERS + 256 * 2


@pytest.mark.parametrize("rule", ["+:.*down_proj", ".*down_proj"])
def test_gptq_with_other_bits_for_some(rule):
    given = {"quant_method": "gptq", "bits": 4, "group_size": -1, "dynamic": {rule: {"bits": 8}, "-:.*up_proj": {}}}
    assert size(LINEAR, given) == NUMBERS + 256 * 2 + 256
    assert size(LINEAR._replace(name="model.layers.3.self_attn.o_proj"), given) == NUMBERS // 2 + 256 * 2 + 256 // 2


def test_the_method_of_a_config():
    both = {"producer": {"name": "modelopt"}, "config_groups": {"a": {}}}
    assert method_of({"quantization_config": both}) == "modelopt"
    assert method_of({"model_type": "llama"}) is None
    assert method_of({"quantization_config": {"quant_method": "FP8"}}) == "fp8"
    assert method_of({"text_config": {"compression_config": {"config_groups": {"a": {}}}}}) == "compressed-tensors"
