# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a model that also sees holds besides its language model: the vision tower and what joins the two.

PRIVATE to the collection. Pure. It is counted whole on each GPU of the first stage, and never as quantised: it is
small, and checkpoints leave it in 16 bits. Sources: the modelling code of Hugging Face transformers, by model_type.
"""

from __future__ import annotations

from . import vllm_config as read
from .vllm_matrix import vector

_HEARS = ("audio_config", "speech_config", "talker_config")


def vision(config, found):
    """The matrices of the tower and the projector; [] for a model of text only. Raises BadConfig for an unknown one."""
    hears = next((key for key in _HEARS if isinstance(config.get(key), dict)), None)
    if hears:
        raise read.BadConfig("config.json has %s: the size of a model that hears is not known here" % hears)
    tower = read.mapping(config, "vision_config")
    if not tower:
        return []
    outer = config.get("model_type")
    count = _TOWERS.get(outer) if isinstance(outer, str) else None
    if count is None:
        raise read.BadConfig(
            "model_type %s has a vision tower (vision_config, model_type %s) whose size is not known here; known: %s"
            % (outer, tower.get("model_type"), ", ".join(sorted(_TOWERS))))
    found["notes"].append("the vision tower is counted whole on each GPU of the first stage")
    return [vector("vision_tower", "first", count(config, tower, found["hidden"]))]


def _layer(hidden, wide, norms=4):
    """Attention, an MLP of two matrices, all with biases, and norms with biases."""
    return 4 * (hidden * hidden + hidden) + 2 * hidden * wide + wide + hidden + norms * hidden


def _gemma3(config, tower, text):
    """SigLIP without its pooling head, and one projection."""
    hidden, wide = read.whole(tower, "hidden_size", 768), read.whole(tower, "intermediate_size", 3072)
    patch, image = read.whole(tower, "patch_size", 16), read.whole(tower, "image_size", 224)
    layers = read.whole(tower, "num_hidden_layers", 12)
    embeddings = 3 * patch * patch * hidden + hidden + (image // patch) ** 2 * hidden
    return embeddings + layers * _layer(hidden, wide) + 2 * hidden + hidden * text + hidden


def _mistral3(config, tower, text):
    """Pixtral, a merger of neighbouring patches, and two projections."""
    hidden, wide = read.whole(tower, "hidden_size", 1024), read.whole(tower, "intermediate_size", 4096)
    patch, layers = read.whole(tower, "patch_size", 16), read.whole(tower, "num_hidden_layers", 24)
    merge = read.whole(config, "spatial_merge_size", 2)
    bias = 1 if read.flag(config, "multimodal_projector_bias") else 0
    inside = 3 * patch * patch * hidden + hidden + layers * (4 * hidden * hidden + 3 * hidden * wide + 2 * hidden)
    return inside + hidden + merge * merge * hidden * hidden + hidden * text + text * text + 2 * bias * text


def _qwen2_5_vl(config, tower, text):
    """RMS norms, an MLP of three matrices with biases, and a merger."""
    hidden, wide = read.whole(tower, "hidden_size", 3584), read.whole(tower, "intermediate_size", 3420)
    patch, depth = read.whole(tower, "patch_size", 14), read.whole(tower, "depth", 32)
    merged = hidden * read.whole(tower, "spatial_merge_size", 2) ** 2
    layer = 4 * (hidden * hidden + hidden) + 3 * hidden * wide + 2 * wide + hidden + 2 * hidden
    pixels = read.whole(tower, "in_channels", 3) * read.whole(tower, "temporal_patch_size", 2) * patch * patch
    return pixels * hidden + depth * layer + hidden + merged * merged + merged + merged * text + text


def _qwen3_vl(config, tower, text):
    """Positions that are learnt, and one merger for the end and for each layer that feeds the language model."""
    hidden, wide = read.whole(tower, "hidden_size", 1152), read.whole(tower, "intermediate_size", 4304)
    patch, depth = read.whole(tower, "patch_size", 16), read.whole(tower, "depth", 27)
    merged = hidden * read.whole(tower, "spatial_merge_size", 2) ** 2
    deep = len(read.listed(tower, "deepstack_visual_indexes")) if "deepstack_visual_indexes" in tower else 3
    out = read.whole(tower, "out_hidden_size", text)
    merger = merged * merged + merged + merged * out + out
    embedding = 3 * read.whole(tower, "temporal_patch_size", 2) * patch * patch * hidden + hidden
    positions = read.whole(tower, "num_position_embeddings", 2304) * hidden
    return embedding + positions + depth * _layer(hidden, wide) + merger + 2 * hidden + deep * (merger + 2 * merged)


def _llama4(config, tower, text):
    """A class token, positions that are learnt, and projections without biases."""
    hidden, wide = read.whole(tower, "hidden_size", 768), read.whole(tower, "intermediate_size", 5632)
    patch, image = read.whole(tower, "patch_size", 14), read.whole(tower, "image_size", 448)
    layers, ratio = read.whole(tower, "num_hidden_layers", 34), tower.get("pixel_shuffle_ratio", 0.5)
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 1:
        raise read.BadConfig("config.json: pixel_shuffle_ratio is %.60r, not a number above 0 and up to 1" % (ratio,))
    first, last = read.whole(tower, "projector_input_dim", 4096), read.whole(tower, "projector_output_dim", 4096)
    positions = ((image // patch) ** 2 + 1) * hidden
    shuffled = int(hidden // ratio ** 2)
    projector = shuffled * first + last * last + read.whole(tower, "vision_output_dim", 4096) * text
    return 3 * patch * patch * hidden + hidden + positions + layers * _layer(hidden, wide) + 4 * hidden + projector


_TOWERS = {"gemma3": _gemma3, "mistral3": _mistral3, "qwen2_5_vl": _qwen2_5_vl, "qwen3_vl": _qwen3_vl,
           "qwen3_vl_moe": _qwen3_vl, "llama4": _llama4}
