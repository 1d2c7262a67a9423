# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Multi-head latent attention (DeepSeek): one latent vector for all heads, and the indexer of its sparse form.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_matrix import Matrix, vector


def mla(text, family, found, layer):
    path = "model.layers.%d.self_attn." % layer
    hidden, heads = found["hidden"], found["heads"]
    latent, rope = read.whole(text, "kv_lora_rank"), read.whole(text, "qk_rope_head_dim")
    nope, value = read.whole(text, "qk_nope_head_dim"), read.whole(text, "v_head_dim")
    rank = read.whole(text, "q_lora_rank", 0, 0)
    if rank:
        matrices = [Matrix(path + "q_a_proj", layer, "linear", "copy", 1, hidden, rank),
                    vector(path + "q_a_layernorm", layer, rank),
                    Matrix(path + "q_b_proj", layer, "linear", "heads", 1, rank, heads * (nope + rope))]
    else:
        matrices = [Matrix(path + "q_proj", layer, "linear", "heads", 1, hidden, heads * (nope + rope))]
    matrices += [Matrix(path + "kv_a_proj_with_mqa", layer, "linear", "copy", 1, hidden, latent + rope),
                 vector(path + "kv_a_layernorm", layer, latent),
                 Matrix(path + "kv_b_proj", layer, "linear", "heads", 1, latent, heads * (nope + value)),
                 Matrix(path + "o_proj", layer, "linear", "heads", 1, heads * value, hidden)]
    if read.flag(text, "attention_bias"):
        matrices += [vector(path + "bias", layer, rank + latent + rope + hidden)]
    index = 0
    if family.get("indexer") and not _borrowed(text, layer):
        index = read.whole(text, "index_head_dim")
        matrices += _indexer(text, found, layer, path, rank, index)
    return {"kind": "mla", "latent": latent, "rope": rope, "index": index, "window": None}, matrices


def _borrowed(text, layer):
    """Whether this layer takes the choice of an earlier one, as vLLM's models/deepseek_v32/attention.py reads it."""
    pattern = text.get("index_topk_pattern")
    if pattern is None:
        offset = read.whole(text, "index_skip_topk_offset", 2, 0)
        return bool(max(layer - offset + 1, 0) % read.whole(text, "index_topk_freq", 1))
    if not isinstance(pattern, (str, list)):
        raise read.BadConfig("config.json: index_topk_pattern is %.40r, not a text or list of F and S" % (pattern,))
    return layer < len(pattern) and pattern[layer] == "S"


def _indexer(text, found, layer, path, rank, index):
    """DeepSeek sparse attention: a small attention that chooses which tokens the large one looks at."""
    heads = read.whole(text, "index_n_heads")
    return [Matrix(path + "indexer.wq_b", layer, "linear", "copy", 1, rank, heads * index),
            Matrix(path + "indexer.wk", layer, "linear", "copy", 1, found["hidden"], index),
            vector(path + "indexer.k_norm", layer, 2 * index),
            Matrix(path + "indexer.weights_proj", layer, "plain", "copy", 1, found["hidden"], heads)]
