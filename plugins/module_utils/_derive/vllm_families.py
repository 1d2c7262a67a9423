# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is particular to each family of models that the sizing knows, by the model_type of config.json.

PRIVATE to the collection. Pure data. Sources: the modelling code of Hugging Face transformers and of vLLM
(vllm/model_executor/models/<family>.py), which tells what each family holds; each family's count of parameters is
tested against a published model or against transformers itself.

names       what this family calls the common fields: {common name: its name}
attention   gqa (default) or mla
state       what the layers keep that layer_types calls linear_attention, mamba or conv: delta, mamba2, mamba1, conv
state_dtype the type of its state where config.json names none; without this key config.json has no say in it
single      a layer is one block: attention, a state, an MLP or experts
qkv_bias    q, k and v have biases; else attention_bias of config.json says so, for o_proj too unless o_bias is False
qk_norm     head: a norm of head_dim for q and for k; full: of all heads together; flagged: use_qk_norm says so
full_heads  layers that look at everything have other heads
gated       q_proj also makes a gate of the same size
norms       norms of hidden_size in a layer; biased: with biases, as all projections have where use_bias says so
norm_bias   norms have biases; mlp_bias: the MLP has; attention_bias: attention has, where config.json is silent
bias_key    what this family calls use_bias or attention_bias
positions   positions that are learnt: (key of their number, how many more)
numbers     other numbers of a layer that are neither matrices nor norms
two_matrices  the MLP has two, without a gate
without     keys that make a variant of it whose size is not known here
window      all, alternate (even layers), pattern (all but each n-th), flagged (use_sliding_window), None
experts     key of the number of experts; size the key of an expert's width; shared how shared experts are told
places      which layers have experts: step (default), first, interleaved, period, between
tied        default of tie_word_embeddings; the classes of transformers leave defaults out of config.json
defaults    other defaults of the class that published files leave out
"""

from __future__ import annotations

# Where a model that also sees or hears keeps the configuration of its language model.
HOLDERS = ("text_config", "llm_config", "language_config", "thinker_config")

# The last vLLM that served them (its models/registry.py, _PREVIOUSLY_SUPPORTED_MODELS), of those that are not below.
GONE = {"MllamaForConditionalGeneration": "0.10.2", "Phi3SmallForCausalLM": "0.9.2", "Phi4FlashForCausalLM": "0.10.2",
        "MotifForCausalLM": "0.10.2", "Phi4MultimodalForCausalLM": "0.12.0", "JAISLMHeadModel": "0.22.0",
        "QWenLMHeadModel": "0.23.0", "InternLMForCausalLM": "0.23.0", "XverseForCausalLM": "0.23.0",
        "Dots1ForCausalLM": "0.23.0", "BambaForCausalLM": "0.23.0", "MiniMaxForCausalLM": "0.23.0",
        "MiniMaxText01ForCausalLM": "0.23.0", "MiniMaxM1ForCausalLM": "0.23.0",
        "MiniMaxVL01ForConditionalGeneration": "0.23.0", "BaiChuanForCausalLM": "0.23.0",
        "BaichuanForCausalLM": "0.23.0", "AquilaModel": "0.24.0", "AquilaForCausalLM": "0.24.0",
        "Grok1ModelForCausalLM": "0.24.0", "Grok1ForCausalLM": "0.24.0",
        "AyaVisionForConditionalGeneration": "0.24.0", "TeleChatForCausalLM": "0.25.0",
        "PersimmonForCausalLM": "0.25.0", "FuyuForCausalLM": "0.25.0", "Plamo2ForCausalLM": "0.26.0",
        "OuroForCausalLM": "0.26.0", "ArcticForCausalLM": "0.28.0", "ChameleonForConditionalGeneration": "0.28.0",
        "MPTForCausalLM": "0.28.0", "MptForCausalLM": "0.28.0"}

_SHARED = {"experts": "n_routed_experts", "size": "moe_intermediate_size", "shared": ("n_shared_experts", 0),
           "places": "first"}
_DEEPSEEK = {"attention": "mla", **_SHARED}
_QWEN_MOE = {"experts": "num_experts", "size": "moe_intermediate_size"}
_QWEN_NEXT = {"state": "delta", "qk_norm": "head", "gated": True, "head_dim": 256,
              "defaults": {"full_attention_interval": 4}}
_QWEN_3_5 = {**_QWEN_NEXT, "state_dtype": "auto"}
_LOCAL = {"experts": "num_local_experts", "size": "intermediate_size"}
_GEMMA = {"tied": True, "head_dim": 256}
_BIASED = {"biased": True, "two_matrices": True}
_GPT = {"hidden_size": "n_embd", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
        "intermediate_size": "n_inner", "max_position_embeddings": "n_positions"}
_EXAONE = {"qk_norm": "head", "window": "pattern"}
_MAMBA = {"mamba_n_heads": "mamba_num_heads", "mamba_d_head": "mamba_head_dim", "mamba_d_state": "ssm_state_size",
          "mamba_n_groups": "n_groups", "mamba_d_conv": "conv_kernel"}

# Defaults of the classes, for a text_config that tells only what differs from them, as those of LLaVA and Pixtral do.
NESTED = {
    "llama": {"hidden_size": 4096, "intermediate_size": 11008, "num_hidden_layers": 32, "num_attention_heads": 32,
              "vocab_size": 32000, "max_position_embeddings": 2048},
    "mistral": {"hidden_size": 4096, "intermediate_size": 14336, "num_hidden_layers": 32, "num_attention_heads": 32,
                "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 131072,
                "sliding_window": 4096}}

FAMILIES = {
    "llama": {},
    "mistral": {"window": "all"},
    "ministral": {"window": "all"},
    "ministral3": {},
    "mistral4": dict(_DEEPSEEK),
    "mixtral": {"window": "all", **_LOCAL},
    "qwen2": {"qkv_bias": True, "window": "flagged"},
    "qwen2_5_vl_text": {"qkv_bias": True, "window": "flagged"},
    "qwen2_vl_text": {"qkv_bias": True, "window": "flagged"},
    "qwen3": {"qk_norm": "head", "head_dim": 128, "window": "flagged"},
    "qwen3_vl_text": {"qk_norm": "head", "head_dim": 128},
    "qwen2_moe": {"qkv_bias": True, "shared": "shared_expert_intermediate_size", "window": "flagged", **_QWEN_MOE},
    "qwen3_moe": {"qk_norm": "head", "window": "flagged", **_QWEN_MOE},
    "qwen3_vl_moe_text": {"qk_norm": "head", **_QWEN_MOE},
    "qwen3_next": {"shared": "shared_expert_intermediate_size", **_QWEN_NEXT, **_QWEN_MOE},
    "qwen3_5_text": dict(_QWEN_3_5),
    "qwen3_5_moe_text": {"shared": "shared_expert_intermediate_size", **_QWEN_3_5, **_QWEN_MOE},
    "mimo": {"qkv_bias": True, "window": "flagged"},
    "phi": {"norms": 1, "norm_bias": True, "attention_bias": True, "mlp_bias": True, "two_matrices": True,
            "head_bias": True, "without": ("qk_layernorm",)},
    "phi3": {"window": "all"},
    "phimoe": {"norm_bias": True, "head_bias": "lm_head_bias", "window": "all", **_LOCAL},
    "gemma": dict(_GEMMA),
    "gemma2": {"norms": 4, "window": "alternate", "defaults": {"sliding_window": 4096}, **_GEMMA},
    "gemma3_text": {"norms": 4, "qk_norm": "head", "window": "pattern", "defaults": {
        "vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
        "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 131072,
        "sliding_window": 4096, "sliding_window_pattern": 6}, **_GEMMA},
    "gemma4_text": {"norms": 4, "numbers": 1, "qk_norm": "head", "window": "pattern", "full_heads": True,
                    "names": {"num_experts_per_tok": "top_k_experts"}, "correction_bias": True,
                    "shared": "intermediate_size", "defaults": {
                        "sliding_window": 512, "sliding_window_pattern": 6, "hidden_size_per_layer_input": 256,
                        "global_head_dim": 512, "max_position_embeddings": 131072},
                    "without": ("hidden_size_per_layer_input", "num_kv_shared_layers", "use_double_wide_mlp"),
                    **_QWEN_MOE, **_GEMMA},
    "deepseek_v2": dict(_DEEPSEEK),
    "deepseek_v3": {"correction_bias": True, **_DEEPSEEK},
    "deepseek_v32": {"correction_bias": True, "indexer": True, **_DEEPSEEK},
    "kimi_k2": {"correction_bias": True, **_DEEPSEEK},
    "glm4_moe_lite": {"correction_bias": True, "defaults": {"first_k_dense_replace": 1}, **_DEEPSEEK},
    "glm_moe_dsa": {"correction_bias": True, "indexer": True, "defaults": {"first_k_dense_replace": 3}, **_DEEPSEEK},
    "gpt_oss": {"expert_bias": True, "sinks": True, "attention_bias": True, "head_dim": 64, "window": "alternate",
                **_LOCAL},
    "llama4_text": {"shared": "one", "dense_size": "intermediate_size_mlp", "window": "chunks",
                    "places": "interleaved", **_LOCAL},
    "minimax_m2": {"qk_norm": "full", "correction_bias": True, **_LOCAL},
    "granite": {},
    "granitemoe": dict(_LOCAL),
    "granitemoeshared": {"shared": "shared_intermediate_size", **_LOCAL},
    "granitemoehybrid": {"state": "mamba2", "shared": "shared_intermediate_size",
                         "dense_size": "shared_intermediate_size", **_LOCAL},
    "nemotron": {"norm_bias": True, "two_matrices": True},
    "nemotron_h": {"names": _MAMBA, "state": "mamba2", "state_dtype": "float32", "single": True, "two_matrices": True,
                   "correction_bias": True, **_SHARED, "shared": "moe_shared_expert_intermediate_size"},
    "jamba": {"state": "mamba1", "places": "period", "experts": "num_experts", "size": "intermediate_size",
              "defaults": {"mamba_expand": 2, "mamba_d_state": 16, "mamba_d_conv": 4}},
    "lfm2": {"state": "conv", "qk_norm": "head", "tied": True, "defaults": {"conv_L_cache": 3}},
    "lfm2_moe": {"state": "conv", "qk_norm": "head", "tied": True, "correction_bias": True, "places": "first",
                 "names": {"first_k_dense_replace": "num_dense_layers"}, "defaults": {"conv_L_cache": 3}, **_QWEN_MOE},
    "olmo": {"norms": 0},
    "olmo2": {"qk_norm": "full"},
    "olmo3": {"qk_norm": "full", "window": "listed"},
    "olmoe": {"qk_norm": "full", "experts": "num_experts", "size": "intermediate_size"},
    "apertus": {"qk_norm": "head", "two_matrices": True, "numbers": 2},
    "arcee": {"two_matrices": True},
    "chatglm": {"names": {"num_hidden_layers": "num_layers", "vocab_size": "padded_vocab_size",
                          "intermediate_size": "ffn_hidden_size", "num_key_value_heads": "multi_query_group_num",
                          "head_dim": "kv_channels"}, "qkv_bias": "add_qkv_bias", "without": ("add_bias_linear",)},
    "glm": {"attention_bias": True, "o_bias": False},
    "glm4": {"norms": 4, "o_bias": False},
    "glm4_moe": {"qk_norm": "flagged", "o_bias": False, "correction_bias": True, **_SHARED},
    "glm4v_text": {"norms": 4, "qkv_bias": True},
    "glm4v_moe_text": {"attention_bias": True, "o_bias": False, "correction_bias": True,
                       "defaults": {"first_k_dense_replace": 1}, **_SHARED},
    "exaone": {"names": {"num_hidden_layers": "num_layers"}},
    "exaone4": dict(_EXAONE),
    "exaone_moe": {"correction_bias": True, "experts": "num_experts", "size": "moe_intermediate_size",
                   "shared": ("num_shared_experts", 1), "places": "first", **_EXAONE},
    "ernie4_5": {"bias_key": "use_bias", "tied": True},
    "ernie4_5_moe": {"names": {"num_experts_per_tok": "moe_k"}, "bias_key": "use_bias", "tied": True,
                     "correction_bias": True, "experts": "moe_num_experts", "size": "moe_intermediate_size",
                     "shared": ("moe_num_shared_experts", 2), "places": "between"},
    "hunyuan_v1_dense": {"qk_norm": "head"},
    "internlm2": {"bias_key": "bias"},
    "internlm3": {"bias_key": "qkv_bias"},
    "minicpm": {"tied": True},
    "solar": {},
    "stablelm": {"norm_bias": True, "qkv_bias": "use_qkv_bias", "without": ("qk_layernorm",)},
    "seed_oss": {"o_bias": "attention_out_bias"},
    "smollm3": {"tied": True, "window": "flagged"},
    "starcoder2": {"tied": True, "window": "all", **_BIASED},
    "cohere": {"tied": True, "norms": 1, "qk_norm": "flagged_full"},
    "cohere2": {"tied": True, "norms": 1, "window": "pattern",
                "defaults": {"sliding_window": 4096, "sliding_window_pattern": 4}},
    "dbrx": {"names": {"hidden_size": "d_model", "num_hidden_layers": "n_layers", "num_attention_heads": "n_heads"},
             **_LOCAL},
    "falcon": {"names": {"num_hidden_layers": "n_layer", "num_attention_heads": "n_head",
                         "intermediate_size": "ffn_hidden_size"},
               "tied": True, "bias_key": "bias", "norm_bias": True, "two_matrices": True},
    "opt": {"names": {"intermediate_size": "ffn_dim"}, "tied": True, "positions": ("max_position_embeddings", 2),
            "bias_key": "enable_bias", **_BIASED},
    "gpt2": {"names": _GPT, "tied": True, "positions": ("max_position_embeddings", 0), **_BIASED},
    "gpt_bigcode": {"names": _GPT, "tied": True, "positions": ("max_position_embeddings", 0), **_BIASED},
    "gptj": {"names": _GPT, "norms": 1, "norm_bias": True, "mlp_bias": True, "head_bias": True, "two_matrices": True},
    "gpt_neox": {"norm_bias": True, "attention_bias": True, "mlp_bias": True, "two_matrices": True},
    "bloom": {"names": {"hidden_size": "n_embed", "num_hidden_layers": "n_layer", "num_attention_heads": "n_head"},
              "tied": True, "embedding_norm": True, **_BIASED},
}
