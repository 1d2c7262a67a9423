# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Layers that keep one state for each sequence, however long it is: linear attention, Mamba and short convolutions.

PRIVATE to the collection. Pure. As vLLM's layers/mamba/mamba_utils.py shapes the states. What a layer keeps:

convolution  numbers in the model's own type: the last inputs of the convolution
state        numbers in `width` bytes; None for the model's own type, as mamba_ssm_cache_dtype auto means
groups       groups of heads that share B and C, one of which alone is copied to each GPU
shared       numbers of the convolution of one group
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_matrix import Matrix, vector

_WIDTHS = {"float32": 4, "float16": 2, "bfloat16": 2, "auto": None}


def state(text, family, found, layer):
    """(cache, matrices) of one layer."""
    return _STATES[family["state"]](text, family, found, layer)


def _cache(text, family, convolution, numbers, groups=0, shared=0):
    said = text.get("mamba_ssm_cache_dtype", text.get("mamba_ssm_dtype")) if family.get("state_dtype") else "auto"
    said = family.get("state_dtype") if said is None else said
    if not isinstance(said, str) or said not in _WIDTHS:
        raise read.BadConfig("config.json: mamba_ssm_cache_dtype is %.40r, not one of %s" % (said, ", ".join(_WIDTHS)))
    return {"kind": "state", "window": None, "convolution": convolution, "state": numbers, "width": _WIDTHS[said],
            "groups": groups, "shared": shared}


def _delta(text, family, found, layer):
    """Gated delta net (Qwen3-Next, Qwen3.5): a convolution, and a state of each value head."""
    path = "model.layers.%d.linear_attn." % layer
    keys, values = read.whole(text, "linear_num_key_heads"), read.whole(text, "linear_num_value_heads")
    key, value = read.whole(text, "linear_key_head_dim"), read.whole(text, "linear_value_head_dim")
    kernel = read.whole(text, "linear_conv_kernel_dim")
    mixed = 2 * keys * key + values * value
    hidden = found["hidden"]
    matrices = [Matrix(path + "in_proj_qkvz", layer, "linear", "linear_heads", 1, hidden, mixed + values * value),
                Matrix(path + "in_proj_ba", layer, "linear", "linear_heads", 1, hidden, 2 * values),
                vector(path + "conv1d", layer, mixed * kernel, "linear_heads"),
                vector(path + "A_log", layer, 2 * values, "linear_heads"), vector(path + "norm", layer, value),
                Matrix(path + "out_proj", layer, "linear", "linear_heads", 1, values * value, hidden)]
    found["linear_heads"] = keys
    return _cache(text, family, mixed * (kernel - 1), values * key * value), matrices


def _mamba2(text, family, found, layer):
    """Mamba 2: heads that share B and C in groups."""
    path = "model.layers.%d.mamba." % layer
    heads, size = read.whole(text, "mamba_n_heads"), read.whole(text, "mamba_d_head")
    numbers, groups = read.whole(text, "mamba_d_state"), read.whole(text, "mamba_n_groups")
    kernel, hidden, inner = read.whole(text, "mamba_d_conv"), found["hidden"], heads * size
    split = "copy" if groups == 1 else "linear_heads"
    matrices = [Matrix(path + "in_proj", layer, "linear", "linear_heads", 1, hidden, 2 * inner + heads),
                Matrix(path + "in_proj", layer, "linear", split, 1, hidden, 2 * groups * numbers),
                vector(path + "conv1d", layer, inner * _taps(text, kernel), "linear_heads"),
                vector(path + "conv1d_groups", layer, 2 * groups * numbers * _taps(text, kernel), split),
                vector(path + "A_log", layer, 3 * heads, "linear_heads"),
                vector(path + "norm", layer, inner, "linear_heads"),
                Matrix(path + "out_proj", layer, "linear", "linear_heads", 1, inner, hidden)]
    if read.flag(text, "mamba_proj_bias"):
        matrices += [vector(path + "bias", layer, 2 * inner + 2 * groups * numbers + heads + hidden)]
    found.update(linear_heads=heads, state_groups=groups)
    shared = 2 * numbers * (kernel - 1)
    return _cache(text, family, inner * (kernel - 1) + groups * shared, inner * numbers, groups, shared), matrices


def _mamba1(text, family, found, layer):
    """Mamba 1 as Jamba has it, with norms of dt, B and C."""
    path = "model.layers.%d.mamba." % layer
    hidden = found["hidden"]
    inner, numbers = read.whole(text, "mamba_expand") * hidden, read.whole(text, "mamba_d_state")
    rank = text.get("mamba_dt_rank")
    rank = -(-hidden // 16) if rank in (None, "auto") else read.whole(text, "mamba_dt_rank")
    kernel = read.whole(text, "mamba_d_conv")
    matrices = [Matrix(path + "in_proj", layer, "linear", "linear_heads", 1, hidden, 2 * inner),
                Matrix(path + "x_proj", layer, "linear", "linear_heads", 1, inner, rank + 2 * numbers),
                Matrix(path + "dt_proj", layer, "linear", "linear_heads", 1, rank, inner),
                vector(path + "conv1d", layer, inner * _taps(text, kernel), "linear_heads"),
                vector(path + "A_log", layer, inner * (numbers + 2), "linear_heads"),
                vector(path + "norms", layer, rank + 2 * numbers),
                Matrix(path + "out_proj", layer, "linear", "linear_heads", 1, inner, hidden)]
    if read.flag(text, "mamba_proj_bias"):
        matrices += [vector(path + "bias", layer, 2 * inner + hidden)]
    found["linear_heads"] = inner
    return _cache(text, family, inner * (kernel - 1), inner * numbers), matrices


def _short(text, family, found, layer):
    """The short convolutions of LFM2: no state but the last inputs."""
    path = "model.layers.%d.conv." % layer
    hidden, kernel = found["hidden"], read.whole(text, "conv_L_cache")
    matrices = [Matrix(path + "in_proj", layer, "linear", "linear_heads", 1, hidden, 3 * hidden),
                vector(path + "conv", layer, hidden * kernel, "linear_heads"),
                Matrix(path + "out_proj", layer, "linear", "linear_heads", 1, hidden, hidden)]
    if read.flag(text, "conv_bias"):
        matrices.append(vector(path + "bias", layer, 5 * hidden))
    found["linear_heads"] = hidden
    return _cache(text, family, hidden * (kernel - 1), 0), matrices


def _taps(text, kernel):
    """Numbers of the convolution for each of its channels."""
    return kernel + (1 if read.flag(text, "mamba_conv_bias", True) else 0)


_STATES = {"delta": _delta, "mamba2": _mamba2, "mamba1": _mamba1, "conv": _short}
