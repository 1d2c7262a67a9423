# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The MLP of one layer of a model: dense, or experts with their router and what is shared.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from . import vllm_config as read
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
    count = read.whole(text, family["experts"], next((text[key] for key in _COUNTS if text.get(key) is not None), None))
    size = read.whole(text, family["size"])
    active = read.whole(text, "num_experts_per_tok", text.get("experts_per_token"))
    return {"count": count, "size": size, "active": min(active, count), "shared": _shared(text, family, size)}


def _shared(text, family, size):
    """The width of what each token goes through besides its experts."""
    rule = family.get("shared")
    if rule is None:
        return 0
    if rule == "one":
        return size
    if rule == "n_shared_experts":
        return size * read.whole(text, rule, 0, 0)
    return read.whole(text, rule, 0, 0)


def mlp(text, family, found, layer):
    """The matrices of one layer."""
    path = "model.layers.%d.mlp." % layer
    if not found["experts"] or _dense(text, family, layer):
        return _dense_mlp(text, family, found, layer, path)
    experts, hidden = found["experts"], found["hidden"]
    count, size = experts["count"], experts["size"]
    matrices = [Matrix(path + "gate", layer, "plain", "copy", 1, hidden, count),
                Matrix(path + "experts.gate_up_proj", layer, "expert", "experts", count, hidden, 2 * size),
                Matrix(path + "experts.down_proj", layer, "expert", "experts", count, size, hidden)]
    if family.get("correction_bias"):
        matrices.append(vector(path + "gate.e_score_correction_bias", layer, count))
    if family.get("expert_bias"):
        matrices += [vector(path + "gate.bias", layer, count),
                     vector(path + "experts.bias", layer, count * (2 * size + hidden))]
    if experts["shared"]:
        wide = experts["shared"]
        matrices += [Matrix(path + "shared_experts.gate_up_proj", layer, "linear", "wide", 2, hidden, wide),
                     Matrix(path + "shared_experts.down_proj", layer, "linear", "wide", 1, wide, hidden)]
        if family["shared"] == "shared_expert_intermediate_size":
            matrices.append(vector(path + "shared_expert_gate", layer, hidden))
    return matrices


def _dense(text, family, layer):
    """Whether this layer of a model with experts has none."""
    if layer in read.listed(text, "mlp_only_layers"):
        return True
    if layer < read.whole(text, "first_k_dense_replace", 0, 0):
        return True
    if family.get("dense_size"):
        listed = read.listed(text, "moe_layers")
        return layer not in listed if listed else bool((layer + 1) % read.whole(text, "interleave_moe_layer_step", 1))
    step = read.whole(text, "decoder_sparse_step", 1)
    frequency = read.whole(text, "moe_layer_freq", 1) if not isinstance(text.get("moe_layer_freq"), list) else 1
    if family.get("shared") == "n_shared_experts":
        return bool(layer % frequency)
    return bool((layer + 1) % step)


def _dense_mlp(text, family, found, layer, path):
    hidden, wide = found["hidden"], found["intermediate"]
    two = family.get("two_matrices")
    matrices = [Matrix(path + name, layer, "linear", "wide", 1, hidden, wide)
                for name in (("c_fc",) if two else ("gate_proj", "up_proj"))]
    matrices.append(Matrix(path + ("c_proj" if two else "down_proj"), layer, "linear", "wide", 1, wide, hidden))
    if read.flag(text, "use_bias", True) if family.get("biased") else read.flag(text, "mlp_bias"):
        matrices += [vector(path + "bias", layer, wide * (len(matrices) - 1), "wide"),
                     vector(path + "down_bias", layer, hidden)]
    return matrices
