# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The shape of a model from its config.json: layers, heads, KV cache, experts, and every matrix that it holds.

PRIVATE to the collection. Pure. A matrix is named as in the checkpoint, since lists of what is not quantised use those
names. Layers of multi-token prediction are not counted: vLLM loads them for speculative decoding only.
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_attention import attention, head_size
from .vllm_dialects import common
from .vllm_matrix import Matrix, vector
from .vllm_mlp import experts_of, mlp
from .vllm_vision import vision


def shape(config):
    """{"family", "hidden", "vocab", "tied", "layers", "heads", "kv_heads", "head_dim", "cache", "matrices", ...}.

    `cache` has one entry a layer: {"kind": "full" | "window" | "mla" | "state", ...}. Raises BadConfig.
    """
    config = read.parse(config)
    text, kind, family = read.split(config)
    text = common(text, kind, family)
    layers = read.few(text)
    found = {"model_type": kind, "family": family, "architectures": config.get("architectures"),
             "hidden": read.whole(text, "hidden_size"), "vocab": read.whole(text, "vocab_size"), "layers": layers,
             "heads": read.whole(text, "num_attention_heads"), "tied": _tied(config, text, family),
             "dtype": read.dtype_of(config, text), "longest": read.longest(text, read.longest(config)),
             "quantization": _quantization(config, text), "notes": []}
    found["unset"] = read.unset(text, found["longest"])
    found["kv_heads"] = _kv_heads(text, found["heads"])
    found["head_dim"] = head_size(text, family, found)
    found["experts"] = experts_of(text, family)
    found["intermediate"] = _intermediate(text, family, found)
    found["cache"], found["matrices"] = [], _outside(text, found)
    for layer in range(layers):
        cache, matrices = attention(text, family, found, layer)
        found["cache"].append(cache)
        found["matrices"] += matrices + mlp(text, family, found, layer) + _norms(text, family, found, layer)
    found["matrices"] += vision(config, found)
    _warn(config, text, found)
    return found


def _tied(config, text, family):
    default = read.flag(config, "tie_word_embeddings", family.get("tied", False))
    return read.flag(text, "tie_word_embeddings", default)


def _kv_heads(text, heads):
    kv_heads = read.whole(text, "num_key_value_heads", heads)
    if heads % kv_heads:
        raise read.BadConfig("config.json: num_attention_heads %d is no multiple of num_key_value_heads %d"
                             % (heads, kv_heads))
    return kv_heads


def _intermediate(text, family, found):
    """The width of a dense layer's MLP; where all layers have experts it may be missing."""
    if found["experts"] and not family.get("dense_size"):
        return read.whole(text, "intermediate_size", found["experts"]["size"])
    return read.whole(text, family.get("dense_size", "intermediate_size"))


def _quantization(config, text):
    for one in (config, text):
        for key in ("quantization_config", "compression_config"):
            if one.get(key) is not None:
                return read.mapping(one, key)
    return None


def _outside(text, found):
    """Embeddings, positions that are learnt, the last norm and the head."""
    hidden, vocab, family = found["hidden"], found["vocab"], found["family"]
    matrices = [Matrix("model.embed_tokens", "first", "plain", "vocab", 1, hidden, vocab)]
    if family.get("positions"):
        key, offset = family["positions"]
        matrices.append(Matrix("model.embed_positions", "first", "plain", "copy", 1, hidden,
                               read.whole(text, key) + offset))
    if family.get("norms") != 0:
        matrices.append(vector("model.norm", "last", _norm(family, hidden)))
    if family.get("embedding_norm"):
        matrices.append(vector("model.embedding_norm", "first", _norm(family, hidden)))
    if not found["tied"]:
        matrices.append(Matrix("lm_head", "last", "head", "vocab", 1, hidden, vocab))
    biased = family.get("head_bias")
    if read.flag(text, biased) if isinstance(biased, str) else biased:
        matrices.append(vector("lm_head.bias", "last", vocab, "vocab"))
    return matrices


def _norm(family, hidden):
    return hidden * (2 if family.get("biased") or family.get("norm_bias") else 1)


def _norms(text, family, found, layer):
    count = read.whole(text, "norms", family.get("norms", 2), 0)
    return [vector("model.layers.%d.norms" % layer, layer, count * _norm(family, found["hidden"]) +
                   family.get("numbers", 0))]


def _warn(config, text, found):
    if read.whole(text, "num_nextn_predict_layers", 0, 0):
        found["notes"].append("the layers of multi-token prediction are not counted: vLLM loads them only for "
                              "speculative decoding")
    if isinstance(config.get("auto_map"), dict):
        found["notes"].append("config.json names code of its own (auto_map); it was read as a %s" % found["model_type"])
