# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of models: the published numbers of parameters, windows, lengths, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_config import BadConfig
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_matrix import parameters
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"


def config(name, **changes):
    """The configuration of a published model; a change to None removes a key."""
    found = {**json.loads((CONFIGS / (name + ".json")).read_text()), **changes}
    return {key: value for key, value in found.items() if value is not None}


PUBLISHED = {
    "llama-3-8b": 8.03e9, "llama-3-70b": 70.55e9, "llama-3-70b-awq": 70.55e9, "llama-3.1-70b": 70.55e9,
    "llama-3.1-405b": 405.85e9, "llama-3.1-405b-fp8": 405.85e9, "llama-3.3-70b-fp8": 70.55e9, "llama-4-scout": 108.64e9,
    "mistral-7b-v0.1": 7.24e9, "mixtral-8x7b": 46.70e9, "mixtral-8x22b": 140.63e9, "qwen2.5-7b": 7.62e9,
    "qwen2.5-72b": 72.71e9, "qwen3-235b-a22b": 235.09e9, "qwen3-235b-a22b-fp8": 235.09e9, "qwen3-next-80b-a3b": 79.67e9,
    "deepseek-v2-lite": 15.71e9, "deepseek-v3": 671.03e9, "deepseek-r1": 671.03e9, "gemma-2-27b": 27.23e9,
    "gemma-3-27b": 27.43e9, "gpt-oss-20b": 20.91e9, "gpt-oss-120b": 116.83e9, "phi-3-mini-4k": 3.82e9, "phi-4": 14.66e9,
    "bloom": 176.247e9, "gpt-neox-20b": 20.555e9, "phi-2": 2.780e9, "minimax-m2": 228.69e9, "jamba-v0.1": 51.57e9,
    "qwen2-vl-7b": 8.291e9, "nemotron-3-nano-30b-a3b": 31.58e9}


def test_every_configuration_has_a_published_number():
    assert {path.stem for path in CONFIGS.glob("*.json")} == set(PUBLISHED)


@pytest.mark.parametrize("name", sorted(PUBLISHED))
def test_the_parameters_are_the_published_ones(name):
    assert parameters(shape(config(name))["matrices"]) == pytest.approx(PUBLISHED[name], rel=0.001)


TINY = {"hidden_size": 256, "intermediate_size": 640, "num_hidden_layers": 7, "num_attention_heads": 8,
        "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 512}
_MLA = {"kv_lora_rank": 64, "q_lora_rank": 96, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 24,
        "n_routed_experts": 8, "moe_intermediate_size": 64, "num_experts_per_tok": 2, "num_key_value_heads": 8}
GEMMA_4 = {"num_hidden_layers": 12, "num_key_value_heads": 4, "head_dim": 32, "global_head_dim": 64,
           "num_global_key_value_heads": 2, "attention_k_eq_v": True, "hidden_size_per_layer_input": 0}
_DELTA = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
          "linear_value_head_dim": 24, "linear_conv_kernel_dim": 4, "head_dim": 48}


def test_a_nested_configuration_may_tell_only_what_differs():
    # LLaVA 1.5 7B: a model of 7.06 billion parameters, as its text_config and vision_config were published.
    text = {"model_type": "llama", "max_position_embeddings": 4096, "vocab_size": 32064}
    tower = {"hidden_size": 1024, "image_size": 336, "intermediate_size": 4096, "model_type": "clip_vision_model",
             "num_attention_heads": 16, "num_hidden_layers": 24, "patch_size": 14, "projection_dim": 768}
    llava = shape({"model_type": "llava", "text_config": text, "vision_config": tower})
    assert parameters(llava["matrices"]) == pytest.approx(7.063e9, rel=0.0005) and llava["longest"] == 4096
    mistral = {"model_type": "mistral", "vocab_size": 32064, "max_position_embeddings": 32768}
    assert shape({"model_type": "llava", "text_config": mistral, "vision_config": tower})["cache"][0]["window"] == 4096
    assert shape({"model_type": "llava", "text_config": {**mistral, "sliding_window": None},
                  "vision_config": tower})["cache"][0]["window"] is None


def windows(name, **changes):
    """The window of each layer."""
    return [cache["window"] for cache in shape(config(name, **changes))["cache"]]


def test_windows_by_layer():
    assert windows("mistral-7b-v0.1") == [4096] * 32
    assert windows("mistral-7b-v0.1", sliding_window=None) == [None] * 32
    assert windows("gemma-2-27b") == [4096, None] * 23
    assert windows("gemma-3-27b") == [None if layer % 6 == 5 else 1024 for layer in range(62)]
    assert windows("gpt-oss-120b") == [128, None] * 18
    assert windows("gpt-oss-120b", layer_types=["full_attention", "sliding_attention"] * 18) == [None, 128] * 18
    assert windows("qwen2.5-72b") == [None] * 80
    assert windows("qwen2.5-72b", use_sliding_window=True) == [None] * 70 + [131072] * 10
    assert windows("llama-4-scout") == [8192, 8192, 8192, None] * 12
    assert windows("phi-3-mini-4k") == [2047] * 32


def test_a_hybrid_model_has_states_and_each_fourth_layer_attends():
    kinds = [cache["kind"] for cache in shape(config("qwen3-next-80b-a3b"))["cache"]]
    assert kinds == ["state", "state", "state", "full"] * 12
    listed = ["full_attention"] + ["linear_attention"] * 47
    assert [cache["kind"] for cache in shape(config("qwen3-next-80b-a3b", layer_types=listed))["cache"]] == [
        "full"] + ["state"] * 47


@pytest.mark.parametrize(("model", "expected"), [
    ({"model_type": "llama"}, 512),
    ({"model_type": "llama", "rope_scaling": {"rope_type": "llama3", "factor": 8.0}}, 512),
    ({"model_type": "llama", "rope_scaling": {"type": "linear", "factor": 4.0}}, 2048),
    ({"model_type": "qwen2", "rope_scaling": {"type": "yarn", "factor": 4.0, "original_max_position_embeddings": 300}},
     512),
    ({"model_type": "llama", "rope_parameters": {"full_attention": {"rope_type": "linear", "factor": 4.0}}}, 2048),
    ({"model_type": "cohere", "model_max_length": 4096}, 4096), ({"model_type": "llama", "max_seq_length": 300}, 300),
    ({"model_type": "gemma3_text", "rope_scaling": {"rope_type": "linear", "factor": 8.0}}, 512),
    ({"model_type": "llama", "max_position_embeddings": None}, None)])
def test_the_models_own_length_as_vllm_reckons_it(model, expected):
    assert shape({**TINY, **model})["longest"] == expected


@pytest.mark.parametrize(("model", "expected"), [
    ({"model_type": "llama"}, 512), ({"model_type": "llama", "max_position_embeddings": None}, 2048),
    ({"model_type": "phi3", "rope_scaling": {"type": "longrope"}, "original_max_position_embeddings": 128}, 128),
    ({"model_type": "phi3", "rope_scaling": {"type": "longrope"}}, 512),
    ({"model_type": "phi3", "original_max_position_embeddings": 128}, 512)])
def test_what_vllm_takes_where_no_length_is_said(model, expected):
    assert shape({**TINY, **model})["unset"] == expected


@pytest.mark.parametrize(("odd", "words"), [
    ({"model_type": "newmodel", "architectures": ["NewModel"]}, "model_type newmodel (architectures ['NewModel'])"),
    ({"model_type": "newmodel"}, "metadata.total_size in model.safetensors.index.json"),
    ({"model_type": "mllama", "architectures": ["MllamaForConditionalGeneration"]},
     "vLLM served MllamaForConditionalGeneration up to 0.10.2, and no longer does"),
    ({"model_type": None}, "config has no model_type"),
    ({"model_type": "gemma4_text"}, "hidden_size_per_layer_input is 256: a gemma4_text with it is a variant"),
    ({**GEMMA_4, "model_type": "gemma4_text", "per_layer_config": {"1": {"head_dim": 8}, "5": {"head_dim": 4}}},
     "gives layers different sizes"),
    ({"model_type": "phi", "qk_layernorm": True}, "qk_layernorm is True: a phi with it is a variant"),
    ({"model_type": "opt", "ffn_dim": 640, "word_embed_proj_dim": 128}, "word_embed_proj_dim is 128, and hidden_size"),
    ({"model_type": "nemotron_h", "hybrid_override_pattern": "M*X"}, "cannot be told from 'X'"),
    ({"model_type": "nemotron_h"}, "cannot be told from it"),
    ({**_DELTA, "model_type": "qwen3_5_text", "mamba_ssm_dtype": []}, "mamba_ssm_cache_dtype is [], not one of"),
    ({**_MLA, "model_type": "glm_moe_dsa", "index_topk_pattern": 7}, "index_topk_pattern is 7"),
    ({"model_type": "lfm2", "block_ffn_dim_multiplier": "a"}, "block_ffn_dim_multiplier is 'a'"),
    ({"model_type": "llama", "num_attention_heads": None}, "no num_attention_heads"),
    ({"model_type": "llama", "num_attention_heads": "8"}, "num_attention_heads is '8', not an integer"),
    ({"model_type": "llama", "num_hidden_layers": 5000}, "no model has more than 1000"),
    ({"model_type": "llama", "hidden_size": 257}, "no multiple of num_attention_heads"),
    ({"model_type": "llama", "num_key_value_heads": 3}, "no multiple of num_key_value_heads 3"),
    ({"model_type": "llama", "num_local_experts": 8}, "llama has no experts, and num_local_experts is 8"),
    ({"model_type": "mixtral"}, "no num_local_experts"),
    ({"model_type": "deepseek_v3"}, "no qk_nope_head_dim"),
    ({"model_type": "llama", "attention_bias": "no"}, "attention_bias is 'no', neither true nor false"),
    ({"model_type": "gpt_oss", "num_local_experts": 4, "num_experts_per_tok": 2, "sliding_window": 8,
      "layer_types": ["full_attention"]}, "layer_types has 1 entries"),
    ({"model_type": "llava", "text_config": {**TINY, "model_type": "llama"}, "vision_config": {"hidden_size": 8}},
     "has a vision tower"),
    ({"model_type": "llama", "audio_config": {}}, "hears")])
def test_what_cannot_be_sized_is_refused_by_name(odd, words):
    with pytest.raises(BadConfig) as error:
        shape({key: value for key, value in {**TINY, **odd}.items() if value is not None})
    assert words in str(error.value)
