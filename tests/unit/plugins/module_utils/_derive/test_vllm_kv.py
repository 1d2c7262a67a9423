# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of the KV cache: of a token by kind of attention and type, and of a request with windows, states and copies."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import vllm_kv
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"


def model(name, **changes):
    """The shape of a published model."""
    return shape({**json.loads((CONFIGS / (name + ".json")).read_text()), **changes})


@pytest.mark.parametrize(("name", "dtype", "expected"), [
    ("llama-3-70b", "bfloat16", 320 * 1024), ("llama-3-70b", "fp8", 160 * 1024), ("llama-3-70b", "float32", 640 * 1024),
    ("llama-3-8b", "bfloat16", 128 * 1024), ("llama-3.1-405b", "bfloat16", 504 * 1024),
    ("mixtral-8x7b", "bfloat16", 128 * 1024), ("qwen2.5-72b", "bfloat16", 320 * 1024),
    ("deepseek-v3", "bfloat16", 61 * 576 * 2), ("deepseek-v3", "fp8", 61 * 576),
    ("deepseek-v3", "fp8_ds_mla", 61 * 656),
    ("qwen3-235b-a22b", "bfloat16", 94 * 2 * 4 * 128 * 2), ("qwen3-next-80b-a3b", "bfloat16", 12 * 2 * 2 * 256 * 2),
    ("gemma-3-27b", "bfloat16", 62 * 2 * 16 * 128 * 2), ("gpt-oss-120b", "bfloat16", 36 * 2 * 8 * 64 * 2),
    ("llama-3-8b", "nvfp4", 36 * 1024), ("llama-3-8b", "int8_per_token_head", 32 * 2 * 8 * (128 + 4)),
])
def test_bytes_of_a_token(name, dtype, expected):
    assert vllm_kv.per_token(model(name), dtype) == expected


def one_request(name, length, tensor=1, in_flight=2048, dtype="bfloat16"):
    """Bytes of one request on one GPU of a model on one stage."""
    found = model(name)
    return vllm_kv.request_bytes(vllm_kv.groups(found, slice(None), dtype, tensor), length, in_flight)


def test_the_guides_contexts_of_llama_70b():
    assert one_request("llama-3-70b", 8192) == 2.5 * 2 ** 30
    assert one_request("llama-3-70b", 131072) == 40 * 2 ** 30


def test_kv_heads_are_divided_until_each_gpu_has_one_and_copied_from_then_on():
    whole = one_request("llama-3-70b", 8192)
    assert [whole / one_request("llama-3-70b", 8192, tensor) for tensor in (2, 4, 8, 16, 64)] == [2, 4, 8, 8, 8]


def test_mla_is_the_same_on_every_gpu():
    assert one_request("deepseek-v3", 4096, 8) == one_request("deepseek-v3", 4096) == 4096 * 61 * 576 * 2


def test_a_request_is_whole_blocks():
    assert one_request("llama-3-8b", 1) == one_request("llama-3-8b", 16) == 16 * 128 * 1024
    assert one_request("llama-3-8b", 17) == 32 * 128 * 1024


def test_a_window_ends_with_itself_and_what_is_computed():
    token = 128 * 1024
    assert one_request("mistral-7b-v0.1", 1000) == (1008 + 16) * token
    assert one_request("mistral-7b-v0.1", 32768) == (4096 + 2048 + 16) * token
    odd = vllm_kv.groups(model("mistral-7b-v0.1", sliding_window=4097), slice(None), "bfloat16", 1)
    assert vllm_kv.request_bytes(odd, 32768, 2048) == (4096 + 2048 + 16) * token


def test_layers_of_two_kinds_share_a_pool_with_padding():
    # Gemma 3 27B: 10 layers look at everything and 52 at 1024 tokens. In groups of 10, 52 are 60.
    token = 2 * 16 * 128 * 2
    assert one_request("gemma-3-27b", 65536) == (10 * 65536 + 60 * (1024 + 2048 + 16)) * token
    # gpt-oss: 18 and 18, no padding.
    assert one_request("gpt-oss-120b", 65536) == 18 * (65536 + 128 + 2048 + 16) * 2 * 8 * 64 * 2


def test_states_are_two_blocks_and_a_block_of_what_attends_is_as_large():
    # As vLLM logs it for Qwen3-Next: "Setting attention block size to 544 tokens".
    state = 2 * ((2 * 16 * 128 + 32 * 128) * 3 + 32 * 128 * 128)
    assert state == 1097728
    block = 544
    page = block * 2048
    for length in (1, block, block + 1, 65536):
        assert one_request("qwen3-next-80b-a3b", length) == 2 * 36 * page + -(-length // block) * 12 * page


GEMMA_4 = {"model_type": "gemma4_text", "hidden_size": 512, "intermediate_size": 640, "num_hidden_layers": 12,
           "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 1024, "head_dim": 256,
           "num_global_key_value_heads": 4, "attention_k_eq_v": True, "hidden_size_per_layer_input": 0}


@pytest.mark.parametrize(("tensor", "window", "full"), [(1, 16384, 8192), (4, 4096, 2048), (8, 2048, 2048)])
def test_layers_with_other_heads_have_blocks_of_equal_bytes(tensor, window, full):
    # As vLLM's unify_kv_cache_spec_page_size: the smaller token has more of them in a block.
    two, ten = sorted(vllm_kv.groups(shape(GEMMA_4), slice(None), "bfloat16", tensor), key=lambda one: one["token"])
    assert (two["window"], two["token"], two["block"]) == (None, 2 * full, 16 * window // full)
    assert (ten["window"], ten["token"], ten["block"]) == (512, 10 * window, 16)


HYBRID = {"model_type": "nemotron_h", "hidden_size": 2688, "hybrid_override_pattern": "MEMEM*EMEMEM*EMEM",
          "intermediate_size": 1856, "num_attention_heads": 32, "num_key_value_heads": 2, "head_dim": 128,
          "vocab_size": 131072, "mamba_num_heads": 64, "mamba_head_dim": 64, "ssm_state_size": 128, "n_groups": 8,
          "conv_kernel": 4, "n_routed_experts": 4, "moe_intermediate_size": 1856, "num_experts_per_tok": 2,
          "moe_shared_expert_intermediate_size": 3712}


def test_mamba_keeps_32_bits_where_nothing_is_said_and_layers_of_mlp_keep_nothing():
    found = shape(HYBRID)
    kinds = [cache["kind"] for cache in found["cache"]]
    assert (kinds.count("state"), kinds.count("full"), kinds.count("none")) == (8, 2, 7)
    assert vllm_kv.per_token(found, "bfloat16") == 2 * 2 * 2 * 128 * 2
    # vLLM's mamba2_state_shape: (64 x 64 + 2 x 8 x 128) x 3 in 16 bits, 64 x 64 x 128 in 32; half on two GPUs.
    whole = 2 * (64 * 64 + 2 * 8 * 128) * 3 + 4 * 64 * 64 * 128
    state = next(cache for cache in found["cache"] if cache["kind"] == "state")
    assert [vllm_kv.state_bytes(state, "bfloat16", tensor) for tensor in (1, 2)] == [whole, whole // 2]
    sixteen = next(cache for cache in shape({**HYBRID, "mamba_ssm_cache_dtype": "bfloat16"})["cache"]
                   if cache["kind"] == "state")
    assert vllm_kv.state_bytes(sixteen, "bfloat16", 1) == whole - 2 * 64 * 64 * 128


def test_one_group_of_mamba_heads_is_copied():
    state = next(cache for cache in shape({**HYBRID, "n_groups": 1})["cache"] if cache["kind"] == "state")
    assert vllm_kv.state_bytes(state, "bfloat16", 4) == (2 * (64 * 64 + 2 * 4 * 128) * 3 + 4 * 64 * 64 * 128) // 4


@pytest.mark.parametrize(("quantization", "asked", "expected"), [
    (None, "auto", "bfloat16"), (None, None, "bfloat16"), (None, "fp8", "fp8"),
    ({"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "FP8"}, "auto", "fp8"),
    ({"quant_method": "modelopt", "kv_cache_scheme": {"num_bits": 8, "type": "float"}}, "auto", "fp8"),
    ({"quant_method": "modelopt", "quant_algo": "NVFP4", "kv_cache_quant_algo": "FP8"}, "bfloat16", "bfloat16"),
    ({"quant_method": "compressed-tensors", "kv_cache_scheme": {"num_bits": 8, "type": "float"}}, "auto", "fp8"),
    ({"quant_method": "compressed-tensors", "kv_cache_scheme": None}, "auto", "bfloat16"),
    ({"quant_method": "fp8"}, "auto", "bfloat16")])
def test_auto_is_what_the_checkpoint_says(quantization, asked, expected):
    assert vllm_kv.resolve(model("llama-3-8b", quantization_config=quantization), asked, 2) == expected


def test_mla_does_not_follow_compressed_tensors():
    given = {"quant_method": "compressed-tensors", "kv_cache_scheme": {"num_bits": 8, "type": "float"}}
    assert vllm_kv.resolve(model("deepseek-v3", quantization_config=given), "auto", 2) == "bfloat16"


def test_auto_of_a_32_bit_model_is_32_bits():
    assert vllm_kv.resolve(model("llama-3-8b"), "auto", 4) == "float32"


@pytest.mark.parametrize("odd", ["fp9", 8, [], "fp8_ds_mla"])
def test_what_is_no_type_of_this_models_cache(odd):
    with pytest.raises(ValueError, match="kv_cache_dtype"):
        vllm_kv.resolve(model("llama-3-8b"), odd, 2)
