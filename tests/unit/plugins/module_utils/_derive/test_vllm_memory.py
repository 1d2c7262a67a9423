# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Memory besides weights and KV cache: within what is stated, growing with the model, and divided as it is in vLLM."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_memory import in_flight, overhead
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_model_shape import shape

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"
GIB = 1 << 30


def model(name):
    """The shape of a published model."""
    return shape(json.loads((CONFIGS / (name + ".json")).read_text()))


@pytest.mark.parametrize(("memory", "expected"), [
    (8, (2048, 256)), (70, (8192, 1024)), (160, (16384, 1024)), (288, (16384, 1024))])
def test_tokens_at_a_time_are_vllms_defaults_at_its_steps(memory, expected):
    assert in_flight(memory * GIB) == expected


def test_between_the_steps_it_is_never_less_than_vllms_default():
    for memory in range(1, 400):
        tokens, sequences = in_flight(memory * GIB)
        assert tokens >= (16384 if memory >= 160 else 8192 if memory >= 70 else 2048)
        assert sequences >= (1024 if memory >= 70 else 256)


def test_the_parts_by_their_formula():
    found = overhead(model("llama-3-70b"), 80 * GIB, 4, 1, 1)
    tokens = 80 * 8192 // 70
    active = tokens * 2 * (6 * 8192 + 3 * 28672 // 4) + 1024 * 128256 * 10
    assert found == [{"activations": active, "graphs": (256 + 512 + 800) << 20, "communication": 512 << 20}]


def test_experts_count_by_those_that_are_active():
    tokens = 80 * 8192 // 70
    found = overhead(model("deepseek-v3"), 80 * GIB, 2, 1, 1)[0]
    attention = 2 * (128 + 2 * 128) * 192 // 2
    assert found["activations"] == tokens * 2 * (6 * 7168 + max(attention, 8 * (7168 + 1024))) + 1024 * 129280 * 10


def test_logits_are_on_the_last_stage_only():
    found = overhead(model("llama-3.1-405b"), 80 * GIB, 8, 2, 2)
    assert found[1]["activations"] - found[0]["activations"] == 1024 * 128256 * 10
    assert [part["communication"] for part in found] == [(512 + 256) << 20] * 2


def test_one_gpu_has_no_buffers_of_nccl_and_two_gb_at_the_least():
    found = overhead(model("llama-3-8b"), 16 * GIB, 1, 1, 1)[0]
    assert found["communication"] == 0
    assert found["activations"] + found["graphs"] == 2 * 10 ** 9


def test_six_gb_at_the_most():
    found = overhead(model("llama-3.1-405b"), 288 * GIB, 1, 1, 1)[0]
    assert found["activations"] + found["graphs"] == 6 * 10 ** 9
