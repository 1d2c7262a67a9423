# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs where in vLLM: each limit at its edge, what is slow, what is named instead, the capability of products."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_backends import capability, runs
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_backends_table import (
    ATTENTION,
    OTHER_ATTENTION,
    PRODUCTS,
    QUANTIZATION,
)

CAPABILITIES = ("7.0", "7.5", "8.0", "8.6", "8.9", "9.0", "10.0", "10.3", "12.0", "12.1")


def column(**asked):
    """For each compute capability: '+' fast, 's' slow, '-' does not run."""
    found = [runs(here, **asked) for here in CAPABILITIES]
    return "".join("+" if one["fast"] else "s" if one["runs"] else "-" for one in found)


@pytest.mark.parametrize(("name", "expected"), [
    ("fp8", "-sss++++++"), ("fbgemm_fp8", "--ss++++++"), ("modelopt", "--ss++++++"), ("fp8_per_tensor", "-sss++++++"),
    ("awq", "-+++++++++"), ("gptq", "s+++++++++"), ("gptq_marlin", "s+++++++++"), ("compressed-tensors", "-+++++++++"),
    ("modelopt_fp4", "-sssss++++"), ("mxfp4", "--sss+++++"), ("modelopt_mxfp8", "--ssss++++"),
    ("nvfp4_per_token", "------++--"), ("experts_int8", "--++++++++"), ("moe_wna16", "ssssssssss"),
    ("AWQ", "-+++++++++")])
def test_quantisation_by_compute_capability(name, expected):
    assert column(quantization=name) == expected


@pytest.mark.parametrize(("name", "expected"), [
    ("FLASH_ATTN", "--++++++++"), ("FLASHINFER", "--++++++++"), ("TRITON_ATTN", "++ssssssss"), ("B12X", "--------++"),
    ("FLEX_ATTENTION", "++ssssssss"), ("FLASHMLA", "-----+++--"), ("FLASH_ATTN_MLA", "-----+----"),
    ("CUTLASS_MLA", "------++--"), ("FLASHINFER_MLA", "------++--"), ("TRITON_MLA", "+++++sss++"),
    ("ROCM_ATTN", "----------"), ("flash_attn", "--++++++++")])
def test_attention_backends_by_compute_capability(name, expected):
    assert column(attention_backend=name) == expected


@pytest.mark.parametrize(("dtype", "backend", "expected"), [
    ("auto", None, "++++++++++"), ("bfloat16", None, "--++++++++"), ("fp8", None, "--ss++++++"),
    ("fp8", "FLASH_ATTN", "-----+++--"), ("fp8_e5m2", "FLASH_ATTN", "----------"), ("fp8_e5m2", None, "--ss++++++"),
    ("fp8", "TRITON_ATTN", "----ssssss"), ("nvfp4", None, "--ssss++++"), ("fp8_ds_mla", None, "-----+++--"),
    ("fp8", "TOKENSPEED_MLA", "------++--"), ("auto", "TOKENSPEED_MLA", "----------")])
def test_types_of_kv_cache_by_compute_capability(dtype, backend, expected):
    assert column(kv_cache_dtype=dtype, attention_backend=backend) == expected


@pytest.mark.parametrize(("asked", "expected"), [
    ({"quantization": "fp8"}, "s++"), ({"quantization": "awq"}, "sss"), ({"quantization": "gptq_marlin"}, "---"),
    ({"quantization": "mxfp4"}, "ss+"), ({"attention_backend": "ROCM_ATTN"}, "+++"),
    ({"attention_backend": "ROCM_AITER_FA"}, "-++"), ({"attention_backend": "FLASH_ATTN"}, "---"),
    ({"kv_cache_dtype": "fp8"}, "s++"), ({"attention_backend": "TRITON_MLA"}, "+ss")])
def test_amd_by_architecture(asked, expected):
    found = [runs(here, **asked) for here in ("gfx90a", "gfx942", "gfx950")]
    assert "".join("+" if one["fast"] else "s" if one["runs"] else "-" for one in found) == expected


def test_the_words_say_the_limit_the_source_and_what_to_take_instead():
    found = runs("7.0", quantization="fp8", attention_backend="FLASH_ATTN")
    assert "fp8 does not run on 7.0: it runs from compute capability 7.5 on" in found["why"]
    assert "FLASH_ATTN does not run on 7.0" in found["why"] and "v1/attention/backends/flash_attn.py" in found["why"]
    assert found["instead"] == "compressed-tensors INT8 or awq"
    assert runs("7.5", attention_backend="FLASH_ATTN")["instead"] == "TRITON_ATTN"
    assert runs("9.0", attention_backend="TRITON_ATTN")["instead"] == "FLASH_ATTN"
    assert runs("12.0", attention_backend="FLASHMLA")["instead"] == "TRITON_MLA"
    assert "Marlin" in runs("8.0", quantization="fp8")["why"]
    assert runs("9.0", quantization="fp8")["instead"] is None


def test_a_gpu_newer_than_the_table():
    assert runs("13.0", attention_backend="FLASH_ATTN")["fast"]
    assert "from compute capability 8.0 to 12.1" in runs("13.0", attention_backend="FLASHINFER")["why"]
    assert not runs("13.0", attention_backend="FLASHINFER")["runs"]


@pytest.mark.parametrize("same", ["9.0", 9.0, (9, 0), 90, "sm_90", "sm_90a", "90"])
def test_a_capability_in_all_its_forms(same):
    assert runs(same, attention_backend="FLASH_ATTN_MLA")["fast"]


@pytest.mark.parametrize(("here", "asked", "words"), [
    ("hopper", {}, "'hopper' is no compute capability"), (None, {}, "no compute capability"), (True, {}, "True"),
    ("9.0", {"quantization": "fp88"}, "did you mean fp8"), ("9.0", {"attention_backend": "FLASH"}, "FLASH"),
    ("9.0", {"attention_backend": "FLASHATTN"}, "did you mean FLASH_ATTN"),
    ("9.0", {"kv_cache_dtype": "fp8_e4"}, "did you mean fp8_e4m3")])
def test_names_that_vllm_lacks_are_refused_with_the_nearest(here, asked, words):
    with pytest.raises(ValueError, match="vLLM 0.32 has no|is no compute capability") as error:
        runs(here, **asked)
    assert words in str(error.value)


@pytest.mark.parametrize(("name", "expected"), [
    ("NVIDIA H100 80GB HBM3", "9.0"), ("NVIDIA H200", "9.0"), ("NVIDIA H20", "9.0"), ("NVIDIA GH200 480GB", "9.0"),
    ("NVIDIA H100 PCIe", "9.0"), ("NVIDIA H100 NVL", "9.0"), ("NVIDIA H800", "9.0"), ("NVIDIA B200", "10.0"),
    ("NVIDIA GB200", "10.0"), ("NVIDIA B300 SXM6 AC", "10.3"), ("NVIDIA GB300", "10.3"), ("NVIDIA GB10", "12.1"),
    ("NVIDIA A100-SXM4-80GB", "8.0"), ("NVIDIA A100 80GB PCIe", "8.0"), ("A100-SXM4-40GB", "8.0"),
    ("NVIDIA A30", "8.0"), ("NVIDIA A800-SXM4-80GB", "8.0"), ("NVIDIA A10", "8.6"), ("NVIDIA A10G", "8.6"),
    ("NVIDIA A40", "8.6"), ("NVIDIA RTX A6000", "8.6"), ("NVIDIA GeForce RTX 3090", "8.6"), ("NVIDIA L4", "8.9"),
    ("NVIDIA L40S", "8.9"), ("NVIDIA L40", "8.9"), ("NVIDIA RTX 6000 Ada Generation", "8.9"),
    ("NVIDIA GeForce RTX 4090", "8.9"), ("NVIDIA RTX PRO 6000 Blackwell Server Edition", "12.0"),
    ("NVIDIA GeForce RTX 5090", "12.0"), ("Tesla T4", "7.5"), ("Tesla V100-SXM2-32GB", "7.0"),
    ("Quadro RTX 6000", "7.5"), ("AMD Instinct MI300X", "gfx942"), ("AMD Instinct MI325X", "gfx942"),
    ("AMD Instinct MI355X", "gfx950"), ("AMD Instinct MI250X", "gfx90a"), ("AMD Instinct MI210", "gfx90a"),
    ("NVIDIA X900", None), ("", None), (None, None)])
def test_the_capability_of_a_product(name, expected):
    assert capability({"name": name}) == expected


def test_a_capability_that_is_said_is_taken_before_the_name():
    assert capability({"name": "NVIDIA H100 80GB HBM3", "compute_capability": "10.0"}) == "10.0"
    assert capability({"name": "x", "architecture": "gfx942:sramecc+:xnack-"}) == "gfx942"
    assert capability({"name": "NVIDIA H100 80GB HBM3", "architecture": "Hopper"}) == "9.0"


def test_every_entry_has_a_source_and_every_product_is_a_capability():
    for entry in [*QUANTIZATION.values(), *ATTENTION.values()]:
        assert entry["source"].endswith((".py", ")", "nvfp4", "mxfp8")) and "/" in entry["source"]
    for _expression, found in PRODUCTS:
        assert isinstance(runs(found, quantization="fp8")["runs"], bool)
    assert not set(ATTENTION) & set(OTHER_ATTENTION)
