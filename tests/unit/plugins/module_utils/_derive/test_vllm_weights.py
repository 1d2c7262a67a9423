# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Weights on one GPU: layers by stage as vLLM divides them, what is divided, copied, kept twice and padded."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_matrix import parameters
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_weights import ledger, partition, per_gpu

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"


def held(name, tensor, stages, dtype="auto", **changes):
    """(the shape, bytes on one GPU of each stage)."""
    model = shape({**json.loads((CONFIGS / (name + ".json")).read_text()), **changes})
    return model, per_gpu(model, ledger(model, dtype), tensor, stages)


@pytest.mark.parametrize(("layers", "stages", "expected"), [
    (80, 1, [80]), (80, 2, [40, 40]), (61, 2, [31, 30]), (61, 4, [15, 15, 16, 15]), (10, 4, [2, 3, 3, 2]),
    (11, 4, [3, 3, 3, 2]), (126, 4, [31, 32, 32, 31]), (3, 3, [1, 1, 1])])
def test_layers_of_each_stage_as_get_pp_indices_of_vllm(layers, stages, expected):
    assert partition(layers, stages) == expected


def test_one_gpu_holds_all_of_the_checkpoint():
    for name in ("llama-3-8b", "mixtral-8x7b", "gemma-2-27b", "qwen2.5-7b"):
        model, found = held(name, 1, 1)
        assert found == [2 * parameters(model["matrices"])]


def test_stages_together_hold_everything_once():
    model, found = held("llama-3-70b", 1, 4)
    assert sum(found) == 2 * parameters(model["matrices"])
    assert found[0] - found[1] == 2 * 128256 * 8192  # The embeddings.


def test_tied_embeddings_are_on_the_first_and_the_last_stage():
    model, found = held("gemma-2-27b", 1, 2)
    assert sum(found) == 2 * parameters(model["matrices"]) + 2 * 256000 * 4608


def test_matrices_are_divided_and_norms_are_not():
    model, found = held("llama-3-70b", 8, 1)
    norms = 2 * (2 * 80 + 1) * 8192
    assert found == [(2 * parameters(model["matrices"]) - norms) // 8 + norms]


def test_kv_heads_are_copied_where_there_are_too_few():
    eight, sixteen = (held("llama-3-70b", tensor, 1)[1][0] for tensor in (8, 16))
    keys = 2 * 2 * 80 * 8192 * 1024 // 8
    norms = 2 * (2 * 80 + 1) * 8192
    assert sixteen == (eight - keys - norms) // 2 + keys + norms


def test_mla_keeps_two_forms_of_its_up_projection():
    model, found = held("deepseek-v2-lite", 1, 1)
    assert found == [2 * parameters(model["matrices"]) + 27 * 2 * 512 * 16 * (128 + 128)]


def test_experts_in_mxfp4_are_padded_on_the_gpu():
    model, one = held("gpt-oss-120b", 1, 1)
    assert one[0] / ledger(model, "auto")["total"] == pytest.approx((3072 / 2880) ** 2, rel=0.02)
    assert held("gpt-oss-120b", 1, 1, quantization_config=None)[1] == [2 * parameters(model["matrices"])]


def test_where_keys_are_values_vllm_keeps_both_and_copies_them_by_their_own_heads():
    gemma = {"model_type": "gemma4_text", "hidden_size": 512, "intermediate_size": 1024, "num_hidden_layers": 6,
             "num_attention_heads": 16, "num_key_value_heads": 16, "vocab_size": 1024, "head_dim": 64,
             "global_head_dim": 128, "num_global_key_value_heads": 2, "attention_k_eq_v": True,
             "hidden_size_per_layer_input": 0}
    model = shape(gemma)
    one, eight = (per_gpu(model, ledger(model, "auto"), tensor, 1)[0] for tensor in (1, 8))
    values = 2 * 512 * 2 * 128
    assert one == 2 * parameters(model["matrices"]) + values
    copied = sum(2 * matrix.rows * matrix.columns for matrix in model["matrices"] if matrix.split == "copy")
    # Of its two heads each GPU has one: a half of keys and values, and an eighth of all else.
    assert eight == (one - copied - 2 * values) // 8 + copied + values
