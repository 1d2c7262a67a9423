# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a model fits: the guides' table with the right numbers, what is refused, and that more never fits less."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_fit import fit

CONFIGS = Path(__file__).parents[4] / "captures" / "model-configs"
GIB = 1 << 30
H100 = 81559 << 20  # As nvidia-smi says.
H200 = 143771 << 20
KEYS = {"fits", "reason", "parameters", "weights_bytes", "kv_bytes_per_token", "tensor_parallel_size",
        "pipeline_parallel_size", "max_model_len", "max_concurrency"}


def config(name, **changes):
    """The configuration of a published model."""
    return {**json.loads((CONFIGS / (name + ".json")).read_text()), **changes}


@pytest.mark.parametrize(("name", "weights_gb", "gpus", "memory", "fits", "sizes"), [
    # Guide 000, matrix 3: 7B-8B, about 14 to 16 GB, one GPU.
    ("llama-3-8b", 16.06, 1, H100, True, (1, 1)),
    ("mistral-7b-v0.1", 14.48, 1, H100, True, (1, 1)),
    ("llama-3-8b", 16.06, 1, 46068 << 20, True, (1, 1)),
    # 70B-72B, 140 to 150 GB, "2x to 4x GPUs": not on 2 x 80 GB with anything left, but on 2 x 141 GB, and on 4 x 80.
    ("llama-3-70b", 141.1, 2, 80 * 10 ** 9, False, None),
    ("qwen2.5-72b", 145.4, 2, 80 * 10 ** 9, False, None),
    ("llama-3-70b", 141.1, 2, H200, True, (2, 1)),
    ("llama-3.1-70b", 141.1, 4, H100, True, (4, 1)),
    ("qwen2.5-72b", 145.4, 4, H100, True, (4, 1)),
    # 400B+, "8x GPU node (HGX B200 or H100)": not H100 in bf16; H200 and B200, and FP8.
    ("llama-3.1-405b", 811.7, 8, H100, False, None),
    ("llama-3.1-405b", 811.7, 8, H200, True, (8, 1)),
    ("llama-3.1-405b", 811.7, 8, 183359 << 20, True, (8, 1)),
    ("llama-3.1-405b-fp8", 487.2, 8, H100, True, (8, 1)),
    # The guide's examples: Mixtral without tensor parallelism does not fit one 80 GB GPU; on two it does.
    ("mixtral-8x7b", 93.4, 1, H100, False, None),
    ("mixtral-8x7b", 93.4, 2, H100, True, (2, 1)),
    # Others that are known to need this.
    ("deepseek-v3", 673.2, 8, H100, False, None),
    ("deepseek-v3", 673.2, 8, H200, True, (8, 1)),
    ("gpt-oss-120b", 65.2, 1, H100, True, (1, 1)),
])
def test_the_guides_table_with_the_right_numbers(name, weights_gb, gpus, memory, fits, sizes):
    found = fit(config(name), memory, gpus)
    assert found["weights_bytes"] / 1e9 == pytest.approx(weights_gb, rel=0.005)
    assert found["fits"] is fits
    if sizes:
        assert (found["tensor_parallel_size"], found["pipeline_parallel_size"]) == sizes
    assert set(found) >= KEYS


def test_70b_on_two_gpus_of_80_gb_lacks_what_is_stated():
    found = fit(config("llama-3-70b"), 80 * 10 ** 9, 2)
    # 2 x 80 x 0.92 - 141.1 = 6.1 GB for everything else of both GPUs.
    assert found["available_bytes"] - found["weights_bytes"] == pytest.approx(6.1e9, rel=0.01)
    missing = found["needs_bytes"] - found["available_bytes"]
    assert "%.1f GB are missing on 2 GPUs" % (missing / 1e9) in found["reason"]
    assert "FP8 (72." in found["reason"] and "2 x H200 (141 GB)" in found["reason"]
    assert "4 such GPUs in a node" in found["reason"]


def test_405b_on_eight_gpus_of_80_gb_is_refused_with_the_numbers_and_what_would_fit():
    found = fit(config("llama-3.1-405b"), 80 * GIB, 8)
    assert (found["fits"], found["max_model_len"], found["max_concurrency"]) == (False, 0, 0.0)
    for words in ("811.7 GB of weights in all", "230.1 GB are missing on 8 GPUs", "FP8 (410.1 GB of weights)",
                  "8 x H200 (141 GB)", "2 nodes of 8 such GPUs"):
        assert words in found["reason"]


@pytest.mark.parametrize(("changes", "gpus", "memory", "words"), [
    ({"dtype": "fp8"}, 8, 80 * GIB, None), ({"nodes": 2}, 8, 80 * GIB, None), ({}, 8, H200, None)])
def test_what_it_says_would_fit_does(changes, gpus, memory, words):
    assert fit(config("llama-3.1-405b"), memory, gpus, **changes)["fits"], words


def test_two_nodes_take_pipeline_stages_and_keep_tensor_parallelism_inside():
    found = fit(config("llama-3.1-405b"), H100, 8, nodes=2)
    assert (found["tensor_parallel_size"], found["pipeline_parallel_size"], found["nodes"]) == (8, 2, 2)


def test_fewer_gpus_are_taken_where_they_do():
    found = fit(config("llama-3-8b"), H100, 8, nodes=4)
    assert (found["tensor_parallel_size"], found["pipeline_parallel_size"], found["nodes"]) == (1, 1, 1)


@pytest.mark.parametrize(("name", "tensor", "words"), [
    ("llama-3-70b", 6, "64 attention heads are not divisible by tensor_parallel_size 6 (possible: 1, 2, 4, 8, 16"),
    ("qwen2.5-7b", 8, "28 attention heads are not divisible by tensor_parallel_size 8"),
    ("qwen2.5-7b", 7, "4 KV heads neither are divisible by tensor_parallel_size 7 nor divide it"),
    ("phi-4", 4, "10 KV heads neither are divisible by tensor_parallel_size 4"),
    ("llama-4-scout", 5, "8 KV heads neither"),
    ("qwen3-next-80b-a3b", 3, "16 attention heads"),
    ("nemotron-3-nano-30b-a3b", 16, "the 8 groups of the Mamba layers' heads are not divisible by"),
])
def test_sizes_that_vllm_refuses_are_refused(name, tensor, words):
    found = fit(config(name), H200, 16, tensor_parallel_size=tensor)
    assert not found["fits"] and words in found["reason"]
    assert found["tensor_parallel_size"] is None


@pytest.mark.parametrize(("changes", "tensor", "words"), [
    ({"intermediate_size": 14337}, 2, "intermediate_size of 14337 is not divisible"),
    ({"vocab_size": 127999, "num_attention_heads": 33, "num_key_value_heads": 33, "hidden_size": 33 * 128,
      "intermediate_size": 14400}, 3,
     "the vocabulary, padded to 128000, is not divisible by tensor_parallel_size 3"),
    ({"quantization_config": {"quant_method": "fp8", "weight_block_size": [128, 128]}, "intermediate_size": 14464}, 2,
     "14464 / tensor_parallel_size 2 is no multiple of the quantised block of 128"),
])
def test_what_does_not_divide_is_named(changes, tensor, words):
    found = fit(config("llama-3-8b", **changes), H200, 8, tensor_parallel_size=tensor)
    assert not found["fits"] and words in found["reason"]


def test_heads_that_leave_gpus_idle_are_said_and_stages_in_the_node_are_offered():
    found = fit(config("llama-3-70b"), 60 * GIB, 3)
    assert not found["fits"]
    assert "More of the 3 GPUs cannot be used: 64 attention heads are not divisible by tensor_parallel_size 3" in (
        found["reason"])
    assert "tensor_parallel_size 1 with pipeline_parallel_size 3" in found["reason"]
    assert fit(config("llama-3-70b"), 60 * GIB, 3, tensor_parallel_size=1, pipeline_parallel_size=3)["fits"]


def test_a_context_that_is_too_long_says_how_long_it_may_be():
    found = fit(config("llama-3-8b", max_position_embeddings=131072), 24 * GIB, 1, max_model_len=131072)
    assert not found["fits"]
    assert "The longest context that fits is %d" % found["max_model_len"] in found["reason"]
    assert fit(config("llama-3-8b", max_position_embeddings=131072), 24 * GIB, 1,
               max_model_len=found["max_model_len"])["fits"]
    assert not fit(config("llama-3-8b", max_position_embeddings=131072), 24 * GIB, 1,
                   max_model_len=found["max_model_len"] + 16)["fits"]


def test_without_a_length_the_longest_that_fits_is_found_and_said():
    found = fit(config("llama-3-8b", max_position_embeddings=131072), 24 * GIB, 1)
    assert found["fits"] and 8192 < found["max_model_len"] < 131072
    assert "set max_model_len to %d or less" % found["max_model_len"] in found["reason"]


def test_more_than_the_models_own_context_is_refused():
    found = fit(config("llama-3-8b"), H100, 8, max_model_len=16384)
    assert not found["fits"] and "max_model_len 16384 is more than the 8192 tokens" in found["reason"]


def test_concurrency_is_the_cache_by_the_bytes_of_one_request():
    found = fit(config("llama-3-70b"), H200, 2, max_model_len=4096)
    part = found["per_gpu"]
    assert part["request"] == 4096 * 327680 // 2
    assert found["max_concurrency"] == pytest.approx(part["kv_cache"] / part["request"], abs=0.01)
    assert part["usable"] == part["weights"] + part["kv_cache"] + sum(
        part[key] for key in ("activations", "graphs", "communication"))


def test_activations_and_graphs_are_two_to_six_gb():
    for path in sorted(CONFIGS.glob("*.json")):
        part = fit(json.loads(path.read_text()), H200, 8, nodes=2)["per_gpu"]
        assert 2e9 <= part["activations"] + part["graphs"] <= 6e9, path.name


def test_a_tensor_parallel_group_is_not_torn_between_nodes():
    found = fit(config("llama-3-70b"), H100, 8, nodes=2, tensor_parallel_size=4, pipeline_parallel_size=3)
    assert not found["fits"] and "does not put the same number of GPUs on each node" in found["reason"]


def test_fp8_of_the_cache_doubles_what_it_holds():
    sixteen, eight = (fit(config("llama-3-70b"), H200, 2, kv_cache_dtype=dtype) for dtype in ("auto", "fp8"))
    assert eight["kv_bytes_per_token"] * 2 == sixteen["kv_bytes_per_token"]
    assert eight["max_concurrency"] == pytest.approx(2 * sixteen["max_concurrency"], rel=0.001)


NAMES = sorted(path.stem for path in CONFIGS.glob("*.json"))


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(NAMES), memory=st.integers(8 * GIB, 300 * GIB), more=st.integers(0, 100 * GIB),
       gpus=st.sampled_from([1, 2, 4, 8]), length=st.one_of(st.none(), st.integers(1, 300000)),
       share=st.floats(0.5, 1.0))
def test_more_memory_never_fits_less(name, memory, more, gpus, length, share):
    options = {"max_model_len": length, "gpu_memory_utilization": share}
    small, large = (fit(config(name), size, gpus, **options) for size in (memory, memory + more))
    assert large["fits"] or not small["fits"]
    if not small["fits"] and not large["fits"]:
        assert large["max_model_len"] >= small["max_model_len"]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(NAMES), memory=st.integers(8 * GIB, 300 * GIB), gpus=st.sampled_from([1, 2, 4, 8]),
       lengths=st.tuples(st.integers(1, 300000), st.integers(1, 300000)))
def test_a_longer_context_never_fits_more(name, memory, gpus, lengths):
    short, long = (fit(config(name), memory, gpus, max_model_len=length) for length in sorted(lengths))
    assert short["fits"] or not long["fits"]


JSON = st.recursive(st.none() | st.booleans() | st.integers(-9, 1 << 70) | st.floats() | st.text(max_size=6),
                    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
                    max_leaves=6)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(name=st.sampled_from(NAMES), data=st.data())
def test_odd_json_gives_words_and_no_crash(name, data):
    odd = config(name)
    for key in data.draw(st.lists(st.sampled_from([*odd, "layer_types", "quantization_config", "text_config",
                                                   "vision_config", "rope_scaling"]), min_size=1, max_size=3)):
        odd[key] = data.draw(JSON)
    try:
        assert set(fit(odd, H100, 8)) >= KEYS
    except ValueError as error:
        assert str(error)


@pytest.mark.parametrize("odd", [None, 7, [], {}, "", "[]", "nonsense", '{"model_type": []}', {"model_type": "llama"}])
def test_what_is_no_config_is_said(odd):
    with pytest.raises(ValueError, match="config"):
        fit(odd, H100, 8)


@pytest.mark.parametrize(("given", "tokens"), [("2.5k", 2500), ("4K", 4096), ("0.004m", 4000), (" 3k ", 3000)])
def test_lengths_with_suffixes_as_vllm_reads_them(given, tokens):
    assert fit(config("llama-3-8b"), H100, 1, max_model_len=given) == fit(config("llama-3-8b"), H100, 1,
                                                                          max_model_len=tokens)


def test_longrope_where_no_length_is_said():
    stretched = config("phi-3-mini-4k", sliding_window=262144, max_position_embeddings=131072,
                       original_max_position_embeddings=4096, rope_scaling={"type": "longrope"})
    small = fit(stretched, 16 * GIB, 1)
    assert small["fits"] is True
    assert 4096 <= small["max_model_len"] < 131072 == small["model_max_len"]
    assert "where max_model_len is not set, vLLM takes 4096" in small["reason"]
    assert "does not start" not in small["reason"]


def test_memory_that_is_not_in_bytes():
    with pytest.raises(ValueError, match="'80GB' is not the bytes of one GPU, a whole number of 1 GiB or more"):
        fit(config("llama-3-8b"), "80GB", 1)
