# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The attention of one layer of a model: its matrices, and what it keeps in the KV cache for a token.

PRIVATE to the collection. Pure. A layer keeps for each token K and V of its KV heads (full, or no older than a
window), one latent vector with its rotary part for all heads (mla), for each sequence one state however long it is
(state), or nothing (none: a layer that is an MLP only).
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_config import kind_of
from .vllm_matrix import Matrix, vector
from .vllm_mla import mla
from .vllm_state import state

_STATES = ("linear_attention", "mamba", "conv")


def head_size(text, family, found):
    """head_dim; where config.json has none, the family's, or hidden_size / heads."""
    if family.get("attention") == "mla":
        return read.whole(text, "qk_nope_head_dim") + read.whole(text, "qk_rope_head_dim")
    default = family.get("head_dim")
    if default is None:
        default = found["hidden"] // found["heads"]
        if text.get("head_dim") is None and found["hidden"] % found["heads"]:
            raise read.BadConfig("config.json: hidden_size %d is no multiple of num_attention_heads %d, and there is "
                                 "no head_dim" % (found["hidden"], found["heads"]))
    return read.whole(text, "head_dim", default)


def attention(text, family, found, layer):
    """(cache, matrices) of one layer."""
    kind = kind_of(text, layer) if family.get("state") else None
    if kind in ("mlp", "moe"):
        return {"kind": "none", "window": None}, []
    if kind in _STATES:
        return state(text, family, found, layer)
    if family.get("attention") == "mla":
        return mla(text, family, found, layer)
    window = _window(text, family, found, layer)
    own = _own(text, family, found, window)
    cache = {"kind": "window" if window else "full", "window": window}
    return dict(cache, heads=own["kv_heads"], size=own["head_dim"]), _matrices(text, family, own, layer)


def _own(text, family, found, window):
    """Heads of this layer: some families give those that look at everything others (Gemma 4)."""
    if not family.get("full_heads") or window:
        return dict(found, values=True, kv_split="kv")
    own = dict(found, head_dim=read.whole(text, "global_head_dim"), values=True, kv_split="kv")
    if read.flag(text, "attention_k_eq_v"):
        own.update(kv_heads=read.whole(text, "num_global_key_value_heads", found["kv_heads"]), values=False,
                   kv_split="kv_full")
        found["full_kv_heads"] = own["kv_heads"]
    return own


def _matrices(text, family, found, layer):
    path = "model.layers.%d.self_attn." % layer
    hidden, size = found["hidden"], found["head_dim"]
    wide, narrow = found["heads"] * size, found["kv_heads"] * size
    gate = 2 if family.get("gated") else 1
    matrices = [Matrix(path + "q_proj", layer, "linear", "heads", 1, hidden, wide * gate),
                Matrix(path + "k_proj", layer, "linear", found["kv_split"], 1, hidden, narrow),
                Matrix(path + "o_proj", layer, "linear", "heads", 1, wide, hidden)]
    if found["values"]:
        matrices.append(Matrix(path + "v_proj", layer, "linear", "kv", 1, hidden, narrow))
    biased, out = _biases(text, family)
    if biased:
        matrices += [vector(path + "q_bias", layer, wide * gate, "heads"),
                     vector(path + "kv_bias", layer, 2 * narrow, "kv")]
    if out:
        matrices.append(vector(path + "o_bias", layer, hidden))
    matrices += _head_norms(text, family, found, layer, path)
    if family.get("sinks"):
        matrices.append(vector(path + "sinks", layer, found["heads"], "heads"))
    return matrices


def _biases(text, family):
    """(q, k and v have biases, o_proj has one)."""
    if family.get("qkv_bias"):
        said = family["qkv_bias"]
        return read.flag(text, said) if isinstance(said, str) else True, False
    if family.get("biased"):
        biased = read.flag(text, family.get("bias_key", "use_bias"), True)
        return biased, biased
    biased = read.flag(text, family.get("bias_key", "attention_bias"), family.get("attention_bias", False))
    out = family.get("o_bias", biased)
    return biased, read.flag(text, out) if isinstance(out, str) else out


def _head_norms(text, family, found, layer, path):
    kind = family.get("qk_norm")
    if kind in ("flagged", "flagged_full") and not read.flag(text, "use_qk_norm"):
        return []
    if kind in ("head", "flagged"):
        return [vector(path + "qk_norm", layer, 2 * found["head_dim"])]
    if kind in ("full", "flagged_full"):
        return [vector(path + "qk_norm", layer, (found["heads"] + found["kv_heads"]) * found["head_dim"])]
    return []


def _window(text, family, found, layer):
    """How many tokens back this layer looks; None for all of them."""
    rule = family.get("window")
    if rule == "chunks":
        return _chunk(text, layer)
    size = read.whole(text, "sliding_window", 0, 0) or None
    if rule is None or size is None or (rule == "flagged" and not read.flag(text, "use_sliding_window")):
        return None
    kind = kind_of(text, layer)
    if kind is not None:
        return size if kind == "sliding_attention" else None
    if rule == "alternate":
        return size if layer % 2 == 0 else None
    if rule == "pattern":
        pattern = read.whole(text, "sliding_window_pattern", text.get("_sliding_window_pattern"))
        return size if (layer + 1) % pattern else None
    if rule == "flagged":
        return size if layer >= read.whole(text, "max_window_layers", found["layers"], 0) else None
    return size if rule == "all" else None


def _chunk(text, layer):
    """Llama 4: layers with rotary positions look at their chunk only; each n-th has none and looks at everything."""
    size = read.whole(text, "attention_chunk_size", 0, 0) or None
    rope = read.listed(text, "no_rope_layers")
    if rope:
        return size if layer < len(rope) and rope[layer] else None
    return size if (layer + 1) % read.whole(text, "no_rope_layer_interval", 4) else None
