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
# Counted by transformers 5.19 on its meta device, for a language model of hidden size 256.
TOWERS = {
    "gemma3": ({**_BASE, "num_hidden_layers": 3, "image_size": 56}, 143328),
    "mistral3": ({**_BASE, "num_hidden_layers": 3}, 240896),
    "qwen2_5_vl": ({**_BASE, "depth": 3}, 313280),
    "qwen3_vl": (_DEEP, 563360), "qwen3_vl_moe": (_DEEP, 563360),
    "llama4": ({**_BASE, "intermediate_size": 256, "num_hidden_layers": 3, "image_size": 56, "projector_input_dim": 96,
                "projector_output_dim": 96, "vision_output_dim": 96, "pixel_shuffle_ratio": 0.5}, 247360)}


@pytest.mark.parametrize("kind", sorted(TOWERS))
def test_a_small_tower_of_each_kind_has_what_transformers_makes(kind):
    tower, expected = TOWERS[kind]
    found = {"hidden": 256, "notes": []}
    matrices = vision({"model_type": kind, "vision_config": tower}, found)
    assert parameters(matrices) == expected
    assert [(matrix.layer, matrix.kind, matrix.split) for matrix in matrices] == [("first", "plain", "copy")]
    assert "counted whole on each GPU of the first stage" in found["notes"][0]


def test_a_model_of_text_has_none():
    assert vision({"model_type": "llama"}, {"hidden": 256, "notes": []}) == []


@pytest.mark.parametrize(("config", "words"), [
    ({"model_type": "llava", "vision_config": {"model_type": "clip"}}, "model_type clip) whose size is not known here"),
    ({"model_type": "qwen3_omni", "audio_config": {"x": 1}}, "has audio_config"),
    ({"model_type": "gemma3", "vision_config": 7}, "vision_config is int, not a dict"),
    ({"model_type": "gemma3", "vision_config": {"hidden_size": -1}}, "hidden_size is -1"),
    ({"model_type": "llama4", "vision_config": {"pixel_shuffle_ratio": 0}}, "pixel_shuffle_ratio is 0")])
def test_what_is_not_known_is_refused(config, words):
    with pytest.raises(BadConfig) as error:
        vision(config, {"hidden": 256, "notes": []})
    assert words in str(error.value)
