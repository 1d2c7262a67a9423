# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Vision towers: small ones of every kind have what transformers makes; unknown ones are refused."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_config import BadConfig
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_matrix import parameters
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_vision import vision

_BASE = {"hidden_size": 64, "intermediate_size": 96, "patch_size": 14}
_DEEP = {**_BASE, "depth": 3, "out_hidden_size": 256, "num_position_embeddings": 64, "deepstack_visual_indexes": [0, 1]}
_ALONE = {**_BASE, "num_hidden_layers": 3, "image_size": 56}
_CLIP = {**_ALONE, "model_type": "clip_vision_model"}
_VIT = {**_ALONE, "image_size": [56, 56], "patch_size": [14, 14]}
# Counted by transformers 5.19 on its meta device, for a language model of hidden size 256.
TOWERS = {
    "gemma3": ({**_BASE, "num_hidden_layers": 3, "image_size": 56}, 143328),
    "mistral3": ({**_BASE, "num_hidden_layers": 3}, 240896),
    "qwen2_5_vl": ({**_BASE, "depth": 3}, 313280),
    "qwen3_vl": (_DEEP, 563360), "qwen3_vl_moe": (_DEEP, 563360),
    "llama4": ({**_BASE, "intermediate_size": 256, "num_hidden_layers": 3, "image_size": 56, "projector_input_dim": 96,
                "projector_output_dim": 96, "vision_output_dim": 96, "pixel_shuffle_ratio": 0.5}, 247360),
    "qwen2_vl": ({"embed_dim": 64, "hidden_size": 256, "depth": 3, "mlp_ratio": 2}, 307392),
    "qwen3_5": ({**_BASE, "depth": 3, "out_hidden_size": 256, "num_position_embeddings": 64}, 299168),
    "glm4v": ({**_BASE, "depth": 3, "out_hidden_size": 256, "image_size": 56, "attention_bias": True}, 479616),
    "glm4v_moe": ({**_BASE, "depth": 3, "out_hidden_size": 256, "image_size": 56}, 479040),
    "llava": (_CLIP, 209504), "llava_next": (_CLIP, 209760), "internvl": (_VIT, 258784),
    "paligemma": ({**_ALONE, "model_type": "siglip_vision_model"}, 143520),
    "gemma4": ({**_ALONE, "patch_size": 16, "num_attention_heads": 4, "head_dim": 16, "position_embedding_size": 32},
               174944),
    "kimi_k25": ({**_BASE, "num_hidden_layers": 3, "pos_emb_height": 8, "pos_emb_width": 6}, 260640)}
# What else the configuration of the whole says.
VARIANTS = [
    ({"model_type": "llava", "multimodal_projector_bias": False, "vision_config": {**_ALONE, "model_type": "pixtral"}},
     224448),
    ({"model_type": "llava_onevision", "vision_feature_layer": [-1, -2],
      "vision_config": {**_ALONE, "model_type": "siglip_vision_model"}}, 225952),
    ({"model_type": "internvl", "vision_config": {**_VIT, "norm_type": "rms_norm", "attention_bias": True,
                                                  "use_qk_norm": True}}, 259360),
    # Its buffers are in the checkpoint: two of the pooler, and four limits of each of seven projections of a layer.
    ({"model_type": "gemma4", "vision_config": {**TOWERS["gemma4"][0], "standardize": True,
                                                "use_clipped_linears": True}}, 174944 + 2 * 64 + 3 * 7 * 4),
    # The same towers as their publishers wrote them.
    ({"model_type": "internvl_chat", "vision_config": {**_ALONE, "norm_type": "rms_norm", "qkv_bias": True,
                                                       "qk_normalization": True}}, 259360),
    ({"model_type": "kimi_k25", "vision_config": {
        "vt_hidden_size": 64, "vt_intermediate_size": 96, "vt_num_hidden_layers": 3, "init_pos_emb_height": 8,
        "init_pos_emb_width": 6, "patch_size": 14, "mm_projector_type": "patchmerger"}}, 260640)]


@pytest.mark.parametrize("kind", sorted(TOWERS))
def test_a_small_tower_of_each_kind_has_what_transformers_makes(kind):
    tower, expected = TOWERS[kind]
    found = {"hidden": 256, "notes": []}
    matrices = vision({"model_type": kind, "vision_config": tower}, found)
    assert parameters(matrices) == expected
    assert [(matrix.layer, matrix.kind, matrix.split) for matrix in matrices] == [("first", "plain", "copy")]
    assert "counted whole on each GPU of the first stage" in found["notes"][0]


@pytest.mark.parametrize(("config", "expected"), VARIANTS)
def test_variants_of_towers(config, expected):
    assert parameters(vision(config, {"hidden": 256, "notes": []})) == expected


def test_a_model_of_text_has_none():
    assert vision({"model_type": "llama"}, {"hidden": 256, "notes": []}) == []


@pytest.mark.parametrize(("config", "words"), [
    ({"model_type": "llava", "vision_config": {"model_type": "clip"}}, "model_type clip) whose size is not known here"),
    ({"model_type": "internvl_chat", "vision_config": {**_ALONE, "norm_type": 7}}, "norm_type is 7"),
    ({"model_type": "kimi_k25", "vision_config": {"mm_projector_type": "patchmergerv2"}}, "patchmergerv2"),
    ({"model_type": "qwen3_omni", "audio_config": {"x": 1}}, "has audio_config"),
    ({"model_type": "gemma3", "vision_config": 7}, "vision_config is int, not a dict"),
    ({"model_type": "gemma3", "vision_config": {"hidden_size": -1}}, "hidden_size is -1"),
    ({"model_type": "llama4", "vision_config": {"pixel_shuffle_ratio": 0}}, "pixel_shuffle_ratio is 0")])
def test_what_is_not_known_is_refused(config, words):
    with pytest.raises(BadConfig) as error:
        vision(config, {"hidden": 256, "notes": []})
    assert words in str(error.value)
