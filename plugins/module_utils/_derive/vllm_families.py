# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is particular to each family of models that the sizing knows, by the model_type of config.json.

PRIVATE to the collection. Pure data. Sources: the modelling code of Hugging Face transformers and of vLLM
(vllm/model_executor/models/<family>.py), which tells what each family holds; each family's count of parameters is
tested against a published model or against transformers itself.

attention   gqa (default), mla, or hybrid (layer_types name linear_attention layers)
qkv_bias    q, k and v have biases; else attention_bias of config.json says so, for o_proj too unless o_bias is False
qk_norm     head: a norm of head_dim for q and for k; full: of all heads together; flagged: use_qk_norm says so
gated       q_proj also makes a gate of the same size
norms       norms of hidden_size in a layer; biased: with biases, as all projections have where use_bias says so
window      all, alternate (even layers), pattern (all but each n-th), flagged (use_sliding_window), None
experts     key of the number of experts; size the key of an expert's width; shared how shared experts are told
tied        default of tie_word_embeddings; the classes of transformers leave defaults out of config.json
defaults    other defaults of the class that published files leave out
"""

from __future__ import annotations

# Where a model that also sees or hears keeps the configuration of its language model.
HOLDERS = ("text_config", "llm_config", "language_config", "thinker_config")

_DEEPSEEK = {"attention": "mla", "experts": "n_routed_experts", "size": "moe_intermediate_size",
             "shared": "n_shared_experts"}
_QWEN_MOE = {"experts": "num_experts", "size": "moe_intermediate_size"}
_GEMMA = {"tied": True, "head_dim": 256}

FAMILIES = {
    "llama": {},
    "mistral": {"window": "all"},
    "ministral": {"window": "all"},
    "mixtral": {"window": "all", "experts": "num_local_experts", "size": "intermediate_size"},
    "qwen2": {"qkv_bias": True, "window": "flagged"},
    "qwen2_5_vl_text": {"qkv_bias": True, "window": "flagged"},
    "qwen2_vl_text": {"qkv_bias": True, "window": "flagged"},
    "qwen3": {"qk_norm": "head", "head_dim": 128, "window": "flagged"},
    "qwen3_vl_text": {"qk_norm": "head", "head_dim": 128},
    "qwen2_moe": {"qkv_bias": True, "shared": "shared_expert_intermediate_size", "window": "flagged", **_QWEN_MOE},
    "qwen3_moe": {"qk_norm": "head", "window": "flagged", **_QWEN_MOE},
    "qwen3_vl_moe_text": {"qk_norm": "head", **_QWEN_MOE},
    "qwen3_next": {"attention": "hybrid", "qk_norm": "head", "gated": True, "head_dim": 256,
                   "shared": "shared_expert_intermediate_size", **_QWEN_MOE},
    "phi3": {"window": "all"},
    "gemma": dict(_GEMMA),
    "gemma2": {"norms": 4, "window": "alternate", "defaults": {"sliding_window": 4096}, **_GEMMA},
    "gemma3_text": {"norms": 4, "qk_norm": "head", "window": "pattern", "defaults": {
        "vocab_size": 262208, "hidden_size": 2304, "intermediate_size": 9216, "num_hidden_layers": 26,
        "num_attention_heads": 8, "num_key_value_heads": 4, "max_position_embeddings": 131072,
        "sliding_window": 4096, "sliding_window_pattern": 6}, **_GEMMA},
    "deepseek_v2": dict(_DEEPSEEK),
    "deepseek_v3": {"correction_bias": True, **_DEEPSEEK},
    "deepseek_v32": {"correction_bias": True, "indexer": True, **_DEEPSEEK},
    "kimi_k2": {"correction_bias": True, **_DEEPSEEK},
    "gpt_oss": {"experts": "num_local_experts", "size": "intermediate_size", "expert_bias": True, "sinks": True,
                "attention_bias": True, "head_dim": 64, "window": "alternate"},
    "llama4_text": {"experts": "num_local_experts", "size": "intermediate_size", "shared": "one",
                    "dense_size": "intermediate_size_mlp", "window": "chunks"},
    "granite": {},
    "granitemoe": {"experts": "num_local_experts", "size": "intermediate_size"},
    "olmo2": {"qk_norm": "full"},
    "olmo3": {"qk_norm": "full", "window": "listed"},
    "olmoe": {"qk_norm": "full", "experts": "num_experts", "size": "intermediate_size"},
    "glm4": {"norms": 4, "o_bias": False},
    "glm4_moe": {"qk_norm": "flagged", "o_bias": False, "correction_bias": True, "experts": "n_routed_experts",
                 "size": "moe_intermediate_size", "shared": "n_shared_experts"},
    "seed_oss": {"o_bias": "attention_out_bias"},
    "smollm3": {"tied": True, "window": "flagged"},
    "starcoder2": {"biased": True, "two_matrices": True, "tied": True, "window": "all"},
    "cohere": {"tied": True, "norms": 1, "qk_norm": "flagged_full"},
    "cohere2": {"tied": True, "norms": 1, "window": "pattern",
                "defaults": {"sliding_window": 4096, "sliding_window_pattern": 4}},
}
