# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every family of models has what Hugging Face transformers makes of it, or what its publisher says."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_config import BadConfig
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_families import FAMILIES
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_matrix import parameters
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape

TINY = {"hidden_size": 256, "intermediate_size": 640, "num_hidden_layers": 7, "num_attention_heads": 8,
        "num_key_value_heads": 2, "vocab_size": 1000, "max_position_embeddings": 512}
_EXPERTS = {"num_experts": 6, "moe_intermediate_size": 96, "num_experts_per_tok": 2}
_MLA = {"kv_lora_rank": 64, "q_lora_rank": 96, "qk_nope_head_dim": 32, "qk_rope_head_dim": 16, "v_head_dim": 24,
        "n_routed_experts": 8, "moe_intermediate_size": 64, "num_experts_per_tok": 2, "num_key_value_heads": 8}
GEMMA_4 = {"num_hidden_layers": 12, "num_key_value_heads": 4, "head_dim": 32, "global_head_dim": 64,
           "num_global_key_value_heads": 2, "attention_k_eq_v": True, "hidden_size_per_layer_input": 0}
_LOCAL = {"num_local_experts": 4, "num_experts_per_tok": 2}
_DELTA = {"linear_num_key_heads": 2, "linear_num_value_heads": 4, "linear_key_head_dim": 16,
          "linear_value_head_dim": 24, "linear_conv_kernel_dim": 4, "head_dim": 48}
_MAMBA = {"mamba_n_heads": 16, "mamba_d_head": 32, "mamba_d_state": 24, "mamba_n_groups": 2, "mamba_d_conv": 4}
_NONE = {"num_key_value_heads": None, "intermediate_size": None}
_GPT = {**dict.fromkeys(TINY), "n_embd": 256, "n_layer": 7, "n_head": 8, "n_positions": 512, "vocab_size": 1000}
# What Hugging Face transformers 5.19 makes of the same configuration, counted on its meta device, with the router's
# correction bias, which is a buffer there and a tensor of the checkpoint. TINY for each, and what is named.
TRANSFORMERS = {
    "llama": ({"attention_bias": True, "mlp_bias": True}, 5118592), "mistral": ({}, 5103360),
    "ministral": ({"head_dim": 48}, 5676800), "mixtral": ({"num_local_experts": 4, "num_experts_per_tok": 2}, 15432448),
    "qwen2": ({}, 5106048), "qwen3": ({"head_dim": 48}, 5677472),
    "qwen2_moe": ({**_EXPERTS, "shared_expert_intermediate_size": 160, "decoder_sparse_step": 2,
                   "mlp_only_layers": [3]}, 5257088),
    "qwen3_moe": ({**_EXPERTS, "num_experts": 6, "head_dim": 64, "num_attention_heads": 8}, 5917824),
    "qwen3_next": ({**_EXPERTS, "shared_expert_intermediate_size": 160, "head_dim": 48, "linear_num_key_heads": 2,
                    "linear_num_value_heads": 4, "linear_key_head_dim": 16, "linear_value_head_dim": 24,
                    "linear_conv_kernel_dim": 4, "full_attention_interval": 4}, 5386272),
    "phi3": ({}, 5103360), "gemma": ({"head_dim": 40}, 5134080), "gemma2": ({"head_dim": 40}, 5137664),
    "gemma3_text": ({"head_dim": 40}, 5138224),
    "gemma4_text": ({**GEMMA_4, "enable_moe_block": True, "top_k_experts": 2, "num_experts": 6,
                     "moe_intermediate_size": 96}, 14062804),
    "deepseek_v2": ({**_MLA, "n_shared_experts": 2, "first_k_dense_replace": 1}, 5088096),
    "deepseek_v3": ({**_MLA, "n_shared_experts": 1, "first_k_dense_replace": 2, "attention_bias": True}, 4843352),
    "deepseek_v32": ({**_MLA, "n_shared_experts": 1, "first_k_dense_replace": 2, "index_head_dim": 32,
                      "index_n_heads": 4}, 4991304),
    "gpt_oss": ({"num_local_experts": 6, "num_experts_per_tok": 4, "head_dim": 32}, 22386402),
    "llama4_text": ({"num_local_experts": 4, "num_experts_per_tok": 1, "intermediate_size_mlp": 800,
                     "interleave_moe_layer_step": 2, "head_dim": 32}, 11496192),
    "granite": ({"attention_bias": True}, 5107840),
    "granitemoe": ({"num_local_experts": 4, "num_experts_per_tok": 2}, 15432448), "olmo2": ({}, 5105600),
    "olmo3": ({"sliding_window": 4096}, 5105600), "olmoe": ({"num_experts": 4, "num_experts_per_tok": 2}, 15434688),
    "glm4": ({"attention_bias": True, "head_dim": 32}, 5109632),
    "glm4_moe": ({"attention_bias": True, "head_dim": 32, "n_routed_experts": 4, "n_shared_experts": 1,
                  "moe_intermediate_size": 96, "use_qk_norm": True, "first_k_dense_replace": 1,
                  "num_experts_per_tok": 2}, 4375384),
    "seed_oss": ({"attention_bias": True, "attention_out_bias": False, "head_dim": 32}, 5106048),
    "smollm3": ({}, 4847360), "starcoder2": ({}, 3715072), "cohere": ({"use_qk_norm": True}, 4847808),
    "cohere2": ({}, 4845568),
    "qwen3_5_text": (_DELTA, 4857632),
    "qwen3_5_moe_text": ({**_DELTA, **_EXPERTS, "shared_expert_intermediate_size": 160}, 5386272),
    "ministral3": ({"head_dim": 48}, 5676800),
    "mistral4": ({**_MLA, "n_shared_experts": 1, "first_k_dense_replace": 1}, 4793184), "phi": ({}, 3968488),
    "phimoe": ({**_LOCAL, "attention_bias": True, "lm_head_bias": True}, 15441768),
    "glm": ({"head_dim": 32}, 5106048), "glm4_moe_lite": ({**_MLA, "n_shared_experts": 1}, 4793232),
    "glm_moe_dsa": ({**_MLA, "n_shared_experts": 1, "index_head_dim": 32, "index_n_heads": 4}, 5038400),
    "glm4v_text": ({}, 5109632),
    "glm4v_moe_text": ({"head_dim": 48, "n_routed_experts": 8, "moe_intermediate_size": 64, "n_shared_experts": 1,
                        "num_experts_per_tok": 2}, 5398256),
    "minimax_m2": ({**_LOCAL, "head_dim": 48}, 16009276),
    "granitemoeshared": ({**_LOCAL, "shared_intermediate_size": 96}, 15948544),
    "granitemoehybrid": ({**_LOCAL, **_MAMBA, "shared_intermediate_size": 96, "layer_types": [
        "mamba", "attention"] * 3 + ["mamba"]}, 16995136),
    "nemotron": ({"head_dim": 32, "attention_bias": True, "mlp_bias": True}, 3971072),
    "nemotron_h": ({"hybrid_override_pattern": "ME*-M*E", "mamba_num_heads": 16, "mamba_head_dim": 32,
                    "ssm_state_size": 24, "n_groups": 2, "conv_kernel": 4, "head_dim": 48, "n_routed_experts": 8,
                    "moe_intermediate_size": 64, "moe_shared_expert_intermediate_size": 72, "moe_latent_size": 40,
                    "num_experts_per_tok": 2}, 2384944),
    "jamba": ({"num_experts": 4, "num_experts_per_tok": 2, "attn_layer_period": 4, "attn_layer_offset": 2,
               "expert_layer_period": 2, "expert_layer_offset": 1, "mamba_dt_rank": 20}, 10920452),
    "lfm2": ({"full_attn_idxs": [2, 5], "block_ffn_dim_multiplier": 1.1, "block_multiple_of": 64}, 4654720),
    "lfm2_moe": ({**_EXPERTS, "num_dense_layers": 2, "layer_types": ["conv", "conv", "full_attention"] * 2 + [
        "conv"]}, 5104798),
    "olmo": ({}, 5099520), "apertus": ({}, 3956942), "arcee": ({"mlp_bias": True, "head_dim": 32}, 3962752),
    "exaone4": ({"sliding_window_pattern": 4}, 5103808),
    "exaone_moe": ({**_EXPERTS, "num_shared_experts": 2, "first_k_dense_replace": 1, "sliding_window_pattern": 4},
                   5702884),
    "ernie4_5": ({"use_bias": True, "head_dim": 48}, 5437376),
    "ernie4_5_moe": ({"moe_num_experts": 6, "moe_intermediate_size": 96, "moe_k": 2, "moe_num_shared_experts": 1,
                      "moe_layer_start_index": 1, "moe_layer_end_index": 5, "moe_layer_interval": 2}, 4925714),
    "hunyuan_v1_dense": ({"head_dim": 48}, 5677472),
    "stablelm": ({"use_qkv_bias": True, "use_parallel_residual": True}, 5106304),
    "opt": ({**_NONE, "ffn_dim": 640, "word_embed_proj_dim": 256}, 4537472),
    "gpt2": ({**_GPT, "n_inner": 640}, 4536960), "gpt_bigcode": (_GPT, 5109952), "gptj": (_GPT, 6031080),
    "gpt_neox": ({"num_key_value_heads": None}, 4661888),
    "bloom": ({**_NONE, "num_hidden_layers": None, "num_attention_heads": None, "n_layer": 7, "n_head": 8}, 5785344),
    "falcon": ({**_NONE, "new_decoder_architecture": True, "num_kv_heads": 2, "bias": True}, 5094016)}
# Of these transformers has no code, or none that makes them: sizes as their publishers document them.
_EIGHT = {"hidden_size": 4096, "num_attention_heads": 32, "max_position_embeddings": 32768}
PUBLISHED_ONLY = {
    "chatglm": ({"num_layers": 40, "padded_vocab_size": 151552, "ffn_hidden_size": 13696, "hidden_size": 4096,
                 "kv_channels": 128, "num_attention_heads": 32, "multi_query_attention": True, "add_qkv_bias": True,
                 "multi_query_group_num": 2, "add_bias_linear": False, "seq_length": 131072}, 9.40e9),
    "internlm2": ({**_EIGHT, "num_hidden_layers": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
                   "vocab_size": 92544, "bias": False}, 7.74e9),
    "internlm3": ({**_EIGHT, "num_hidden_layers": 48, "num_key_value_heads": 2, "intermediate_size": 10240,
                   "vocab_size": 128512, "head_dim": 128, "bias": False, "qkv_bias": False}, 8.80e9),
    "exaone": ({**_EIGHT, "num_layers": 32, "num_key_value_heads": 8, "intermediate_size": 14336,
                "vocab_size": 102400}, 7.82e9),
    "minicpm": ({"hidden_size": 2304, "num_attention_heads": 36, "num_key_value_heads": 36, "num_hidden_layers": 40,
                 "intermediate_size": 5760, "vocab_size": 122753}, 2.72e9),
    "solar": ({"hidden_size": 5120, "num_attention_heads": 40, "num_key_value_heads": 10, "num_hidden_layers": 64,
               "intermediate_size": 17920, "vocab_size": 32128}, 22.1e9),
    "dbrx": ({"d_model": 6144, "n_heads": 48, "n_layers": 40, "max_seq_len": 32768, "vocab_size": 100352,
              "attn_config": {"kv_n_heads": 8}, "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16,
                                                               "moe_top_k": 4}}, 131.6e9)}


@pytest.mark.parametrize("kind", sorted(PUBLISHED_ONLY))
def test_a_published_model_of_a_family_without_code_in_transformers(kind):
    given, expected = PUBLISHED_ONLY[kind]
    assert parameters(shape({**given, "model_type": kind})["matrices"]) == pytest.approx(expected, rel=0.002)


@pytest.mark.parametrize("kind", sorted(TRANSFORMERS))
def test_a_small_model_of_each_family_has_what_transformers_makes(kind):
    changes, expected = TRANSFORMERS[kind]
    given = {key: value for key, value in {**TINY, **changes, "model_type": kind}.items() if value is not None}
    assert parameters(shape(given)["matrices"]) == expected


VARIANTS = [({**GEMMA_4, "model_type": "gemma4_text"}, 8723596),
            # As newer transformers write it.
            ({**GEMMA_4, "model_type": "gemma4_text", "global_head_dim": None, "num_global_key_value_heads": None,
              "per_layer_config": dict.fromkeys(("05", "11"), {"head_dim": 64, "num_key_value_heads": 2})}, 8723596)]


@pytest.mark.parametrize(("changes", "expected"), VARIANTS)
def test_variants_of_families(changes, expected):
    given = {key: value for key, value in {**TINY, **changes}.items() if value is not None}
    assert parameters(shape(given)["matrices"]) == expected


def test_every_family_is_tested():
    same = {"qwen2_5_vl_text": "qwen2", "qwen2_vl_text": "qwen2", "mimo": "qwen2", "kimi_k2": "deepseek_v3"}
    towers = {"qwen3_vl_text", "qwen3_vl_moe_text"}
    assert set(FAMILIES) == set(TRANSFORMERS) | set(PUBLISHED_ONLY) | set(same) | towers
    assert all(FAMILIES[one] == FAMILIES[other] for one, other in same.items())
    assert FAMILIES["qwen3_vl_moe_text"].items() <= FAMILIES["qwen3_moe"].items()


def test_a_fault_in_one_field_of_any_family_is_words_and_no_crash():
    odd = [0, -1, 1.5, "8", True, [], [None], {}, ["conv"], 1 << 50]
    for kind, (changes, _expected) in {**TRANSFORMERS, **PUBLISHED_ONLY}.items():
        given = {key: value for key, value in {**TINY, **changes, "model_type": kind}.items() if value is not None}
        for key in (*given, "layer_types", "mlp_layer_types", "mamba_ssm_dtype", "moe_layer_freq"):
            for value in odd:
                try:
                    assert parameters(shape({**given, key: value})["matrices"]) > 0
                except BadConfig as error:
                    assert str(error)
