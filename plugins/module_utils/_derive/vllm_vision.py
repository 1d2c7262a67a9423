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
    out = read.whole(tower, "out_hidden_size", text)
    return pixels * hidden + depth * layer + hidden + merged * merged + merged + merged * out + out


def _qwen2_vl(config, tower, text):
    """As its successor, with norms that have biases and an MLP of two matrices; hidden_size is what comes out."""
    hidden, out = read.whole(tower, "embed_dim", 1280), read.whole(tower, "hidden_size", text)
    patch, depth = read.whole(tower, "patch_size", 14), read.whole(tower, "depth", 32)
    merged = hidden * read.whole(tower, "spatial_merge_size", 2) ** 2
    wide = hidden * read.whole(tower, "mlp_ratio", 4)
    pixels = read.whole(tower, "in_channels", 3) * read.whole(tower, "temporal_patch_size", 2) * patch * patch
    return (pixels * hidden + depth * _layer(hidden, wide) + 2 * hidden + merged * merged + merged + merged * out
            + out)


def _qwen3_vl(config, tower, text):
    """Positions that are learnt, and one merger for the end and for each layer that feeds the language model."""
    hidden, wide = read.whole(tower, "hidden_size", 1152), read.whole(tower, "intermediate_size", 4304)
    patch, depth = read.whole(tower, "patch_size", 16), read.whole(tower, "depth", 27)
    merged = hidden * read.whole(tower, "spatial_merge_size", 2) ** 2
    layers = 0 if config["model_type"].startswith("qwen3_5") else 3  # Qwen3.5 feeds no other layers.
    deep = len(read.listed(tower, "deepstack_visual_indexes")) if "deepstack_visual_indexes" in tower else layers
    out = read.whole(tower, "out_hidden_size", text)
    merger = merged * merged + merged + merged * out + out
    embedding = 3 * read.whole(tower, "temporal_patch_size", 2) * patch * patch * hidden + hidden
    positions = read.whole(tower, "num_position_embeddings", 2304) * hidden
    return embedding + positions + depth * _layer(hidden, wide) + merger + 2 * hidden + deep * (merger + 2 * merged)


def _llama4(config, tower, text):
    """A class token, positions that are learnt, and projections without biases."""
    hidden, wide = read.whole(tower, "hidden_size", 768), read.whole(tower, "intermediate_size", 5632)
    patch, image = read.whole(tower, "patch_size", 14), read.whole(tower, "image_size", 448)
    layers, ratio = read.whole(tower, "num_hidden_layers", 34), _ratio(tower, "pixel_shuffle_ratio")
    first, last = read.whole(tower, "projector_input_dim", 4096), read.whole(tower, "projector_output_dim", 4096)
    positions = ((image // patch) ** 2 + 1) * hidden
    shuffled = int(hidden // ratio ** 2)
    projector = shuffled * first + last * last + read.whole(tower, "vision_output_dim", 4096) * text
    return 3 * patch * patch * hidden + hidden + positions + layers * _layer(hidden, wide) + 4 * hidden + projector


def _glm4v(config, tower, text):
    """Without biases, and a merger that is an MLP of three matrices after a convolution."""
    hidden, wide = read.whole(tower, "hidden_size", 1536), read.whole(tower, "out_hidden_size", 4096)
    patch, image = read.whole(tower, "patch_size", 14), read.whole(tower, "image_size", 336)
    inside, merge = read.whole(tower, "intermediate_size", 13696), read.whole(tower, "spatial_merge_size", 2)
    pixels = read.whole(tower, "in_channels", 3) * read.whole(tower, "temporal_patch_size", 2) * patch * patch
    bias = 3 * hidden if read.flag(tower, "attention_bias") else 0
    layer = 4 * hidden * hidden + bias + 3 * hidden * wide + 2 * hidden
    merger = wide * wide + 2 * wide + 3 * wide * inside + merge * merge * hidden * wide + wide
    positions = (image // patch) ** 2 * hidden
    return pixels * hidden + hidden + positions + read.whole(tower, "depth", 24) * layer + 2 * hidden + merger


def _tower(config, tower):
    """CLIP, SigLIP without its pooling head, or Pixtral, as what stands alone is told: (numbers, its hidden size)."""
    kind = tower.get("model_type")
    defaults = _STANDALONE.get(kind) if isinstance(kind, str) else None
    if defaults is None:
        raise read.BadConfig(
            "model_type %s has a vision tower (vision_config, model_type %s) whose size is not known here; known: %s"
            % (config["model_type"], kind, ", ".join(sorted(_STANDALONE))))
    tower = {**defaults, **{key: value for key, value in tower.items() if value is not None}}
    hidden, wide, patch, image, layers = (read.whole(tower, key) for key in (
        "hidden_size", "intermediate_size", "patch_size", "image_size", "num_hidden_layers"))
    pixels = 3 * patch * patch * hidden
    if kind == "pixtral":
        return pixels + hidden + layers * (4 * hidden * hidden + 3 * hidden * wide + 2 * hidden), hidden
    inside = pixels + (image // patch) ** 2 * hidden + layers * _layer(hidden, wide)
    # CLIP has a class token with its position and two norms; SigLIP a bias of the patches and one norm.
    return inside + (6 if kind == "clip_vision_model" else 3) * hidden, hidden


def _llava(config, tower, text):
    """A tower that stands alone and two projections, of several of its layers where they are listed."""
    numbers, hidden = _tower(config, tower)
    layer = config.get("vision_feature_layer")
    hidden *= len(layer) if isinstance(layer, list) and layer else 1
    bias = 2 if read.flag(config, "multimodal_projector_bias", True) else 0
    newline = 0 if config["model_type"] == "llava" else text
    return numbers + hidden * text + text * text + bias * text + newline


def _paligemma(config, tower, text):
    """SigLIP and one projection."""
    numbers, hidden = _tower(config, tower)
    return numbers + hidden * read.whole(config, "projection_dim", text) + read.whole(config, "projection_dim", text)


def _internvl(config, tower, text):
    """InternViT with scales of its layers, as it was published or as transformers has it, and two projections."""
    published = config["model_type"] == "internvl_chat"
    tower = tower if published else {**_INTERNVIT, **tower}
    patch, image = (read.whole({key: _first(tower.get(key))}, key) for key in ("patch_size", "image_size"))
    hidden, norm = read.whole(tower, "hidden_size"), tower.get("norm_type")
    if norm not in ("layer_norm", "rms_norm"):
        raise read.BadConfig("vision_config: norm_type is %.40r, not layer_norm or rms_norm" % (norm,))
    biased = read.flag(tower, "qkv_bias" if published else "attention_bias")
    normed = read.flag(tower, "qk_normalization" if published else "use_qk_norm")
    layer = _layer(hidden, read.whole(tower, "intermediate_size"), 4 if norm == "layer_norm" else 2)
    layer += (2 + 2 * normed - 3 * (not biased)) * hidden
    merged = hidden * int(1 / _ratio(config, "downsample_ratio")) ** 2
    positions = ((image // patch) ** 2 + 2) * hidden  # One more, and the class token itself.
    return (3 * patch * patch * hidden + hidden + positions + read.whole(tower, "num_hidden_layers") * layer
            + 2 * merged + merged * text + text + text * text + text)


def _first(value):
    return value[0] if isinstance(value, list) and value else value


def _kimi(config, tower, text):
    """MoonViT: positions on a grid, and a merger of neighbouring patches."""
    if tower.get("mm_projector_type", "patchmerger") != "patchmerger":
        raise read.BadConfig("vision_config: mm_projector_type is %.40r: only the size of a patchmerger is known here"
                             % (tower["mm_projector_type"],))
    keys = (("", "hidden_size", 1152), ("", "intermediate_size", 4304), ("", "num_hidden_layers", 27),
            ("init_", "pos_emb_height", 64), ("init_", "pos_emb_width", 64))
    hidden, wide, layers, height, width = (
        read.whole(tower, key, next((tower[one] for one in (prefix + key, "vt_" + key) if tower.get(one)), default))
        for prefix, key, default in keys)
    patch = read.whole(tower, "patch_size", 14)
    merged = 4 * hidden
    inside = 3 * patch * patch * hidden + hidden + height * width * hidden + layers * _layer(hidden, wide)
    return inside + 4 * hidden + merged * merged + merged + merged * text + text


def _gemma4(config, tower, text):
    """RMS norms of heads too, positions of two axes, and one projection."""
    hidden, wide = read.whole(tower, "hidden_size", 768), read.whole(tower, "intermediate_size", 3072)
    heads, size = read.whole(tower, "num_attention_heads", 12), read.whole(tower, "head_dim", 64)
    kv_heads, patch = read.whole(tower, "num_key_value_heads", heads), read.whole(tower, "patch_size", 16)
    layer = 2 * hidden * (heads + kv_heads) * size + 3 * hidden * wide + 4 * hidden + 2 * size
    layer += 7 * 4 if read.flag(tower, "use_clipped_linears") else 0
    positions = 2 * read.whole(tower, "position_embedding_size", 10240) * hidden
    scales = 2 * hidden if read.flag(tower, "standardize") else 0
    return (3 * patch * patch * hidden + positions + read.whole(tower, "num_hidden_layers", 16) * layer + scales
            + hidden * text)


def _ratio(config, key):
    ratio = config.get(key, 0.5)
    if isinstance(ratio, bool) or not isinstance(ratio, (int, float)) or not 0 < ratio <= 1:
        raise read.BadConfig("config.json: %s is %.60r, not a number above 0 and up to 1" % (key, ratio))
    return ratio


_INTERNVIT = {"hidden_size": 1024, "intermediate_size": 4096, "num_hidden_layers": 24, "patch_size": 14,
              "image_size": 448, "norm_type": "layer_norm"}
_STANDALONE = {"clip_vision_model": {"hidden_size": 768, "intermediate_size": 3072, "patch_size": 32, "image_size": 224,
                                     "num_hidden_layers": 12},
               "siglip_vision_model": {"hidden_size": 768, "intermediate_size": 3072, "patch_size": 16,
                                       "image_size": 224, "num_hidden_layers": 12},
               "pixtral": {"hidden_size": 1024, "intermediate_size": 4096, "patch_size": 16, "image_size": 1024,
                           "num_hidden_layers": 24}}
_TOWERS = {"gemma3": _gemma3, "gemma4": _gemma4, "mistral3": _mistral3, "qwen2_vl": _qwen2_vl,
           "qwen2_5_vl": _qwen2_5_vl, "qwen3_vl": _qwen3_vl, "qwen3_vl_moe": _qwen3_vl, "qwen3_5": _qwen3_vl,
           "qwen3_5_moe": _qwen3_vl, "llama4": _llama4, "glm4v": _glm4v, "glm46v": _glm4v, "glm4v_moe": _glm4v,
           "llava": _llava, "llava_next": _llava, "llava_onevision": _llava, "paligemma": _paligemma,
           "internvl": _internvl, "internvl_chat": _internvl, "kimi_vl": _kimi, "kimi_k25": _kimi}
