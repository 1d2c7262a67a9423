# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MLP of one layer of a model: dense, or experts with their router and what is shared.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_config import kind_of
from .vllm_matrix import Matrix, vector

_COUNTS = ("num_local_experts", "num_experts", "n_routed_experts", "moe_num_experts")


def experts_of(text, family):
    """{"count", "size", "active", "shared"} of the layers with experts; None for a dense model."""
    if not family.get("experts"):
        stray = next((key for key in _COUNTS if isinstance(text.get(key), int) and text[key] > 1), None)
        if stray:
            raise read.BadConfig("config.json: model_type %s has no experts, and %s is %s: it is a variant whose size "
                                 "is not known here" % (text.get("model_type"), stray, text[stray]))
        return None
    # Newer transformers write num_local_experts for families that were published with num_experts.
    default = next((text[key] for key in _COUNTS if text.get(key) is not None), None)
    count = read.whole(text, family["experts"], default, 0)
    if count == 0:
        return None
    size = read.whole(text, family["size"])
    active = read.whole(text, "num_experts_per_tok", text.get("experts_per_token"))
    return {"count": count, "size": size, "active": min(active, count), "shared": _shared(text, family, size),
            "input": read.whole(text, "moe_latent_size", 0, 0)}


def _shared(text, family, size):
    """The width of what each token goes through besides its experts."""
    rule = family.get("shared")
    if rule is None:
        return 0
    if rule == "one":
        return size
    if isinstance(rule, tuple):  # (key of the number, experts where it is missing)
        return size * read.whole(text, rule[0], rule[1], 0)
    return read.whole(text, rule, 0, 0)


def mlp(text, family, found, layer):
    """The matrices of one layer."""
    path = "model.layers.%d.mlp." % layer
    kind = kind_of(text, layer) if family.get("single") else None
    if family.get("single") and kind not in ("mlp", "moe"):
        return []
    if kind == "mlp" or not found["experts"] or (kind is None and _dense(text, family, layer)):
        return _dense_mlp(text, family, found, layer, path)
    return _experts(family, found, layer, path)


def _experts(family, found, layer, path):
    """The router, the experts, and what is shared."""
    experts, hidden = found["experts"], found["hidden"]
    count, size, wide = experts["count"], experts["size"], experts["shared"]
    up, inside = 1 if family.get("two_matrices") else 2, experts["input"] or hidden
    matrices = [Matrix(path + "gate", layer, "plain", "copy", 1, hidden, count),
                Matrix(path + "experts.gate_up_proj", layer, "expert", "experts", count, inside, up * size),
                Matrix(path + "experts.down_proj", layer, "expert", "experts", count, size, inside)]
    if experts["input"]:
        matrices.append(Matrix(path + "latent_proj", layer, "linear", "copy", 2, hidden, inside))
    if family.get("correction_bias"):
        matrices.append(vector(path + "gate.e_score_correction_bias", layer, count))
    if family.get("expert_bias"):
        matrices += [vector(path + "gate.bias", layer, count),
                     vector(path + "experts.bias", layer, count * (2 * size + hidden))]
    if wide:
        matrices += [Matrix(path + "shared_experts.gate_up_proj", layer, "linear", "wide", up, hidden, wide),
                     Matrix(path + "shared_experts.down_proj", layer, "linear", "wide", 1, wide, hidden)]
        if family["shared"] == "shared_expert_intermediate_size":
            matrices.append(vector(path + "shared_expert_gate", layer, hidden))
    return matrices


def _dense(text, family, layer):
    """Whether this layer of a model with experts has none."""
    kinds = read.listed(text, "mlp_layer_types")
    if kinds:
        return layer < len(kinds) and kinds[layer] == "dense"
    if layer in read.listed(text, "mlp_only_layers"):
        return True
    return _PLACES[family.get("places", "step")](text, layer)


def _by_step(text, layer):
    return bool((layer + 1) % read.whole(text, "decoder_sparse_step", 1))


def _after_first(text, layer):
    frequency = text.get("moe_layer_freq")
    if isinstance(frequency, list):
        return layer < len(frequency) and not frequency[layer]
    return layer < read.whole(text, "first_k_dense_replace", 0, 0) or bool(
        layer % read.whole(text, "moe_layer_freq", 1))


def _interleaved(text, layer):
    listed = read.listed(text, "moe_layers")
    return layer not in listed if listed else bool((layer + 1) % read.whole(text, "interleave_moe_layer_step", 1))


def _in_period(text, layer):
    return layer % read.whole(text, "expert_layer_period", 2) != read.whole(text, "expert_layer_offset", 1, 0)


def _between(text, layer):
    last = read.whole(text, "moe_layer_end_index", -1, -1)
    inside = read.whole(text, "moe_layer_start_index", 1, 0) <= layer and (last == -1 or layer <= last)
    return not inside or bool((layer + 1) % read.whole(text, "moe_layer_interval", 1))


_PLACES = {"step": _by_step, "first": _after_first, "interleaved": _interleaved, "period": _in_period,
           "between": _between}


def _dense_mlp(text, family, found, layer, path):
    hidden, wide = found["hidden"], found["intermediate"]
    two = family.get("two_matrices")
    matrices = [Matrix(path + name, layer, "linear", "wide", 1, hidden, wide)
                for name in (("c_fc",) if two else ("gate_proj", "up_proj"))]
    matrices.append(Matrix(path + ("c_proj" if two else "down_proj"), layer, "linear", "wide", 1, wide, hidden))
    if _biased(text, family):
        matrices += [vector(path + "bias", layer, wide * (len(matrices) - 1), "wide"),
                     vector(path + "down_bias", layer, hidden)]
    return matrices


def _biased(text, family):
    if family.get("biased") or family.get("bias_key"):
        return read.flag(text, family.get("bias_key", "use_bias"), bool(family.get("biased")))
    return read.flag(text, "mlp_bias", family.get("mlp_bias", False))
