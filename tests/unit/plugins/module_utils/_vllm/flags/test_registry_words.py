# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Words that only a registry of vLLM knows: refused where that is sure, and where a plugin may have them, a doubt."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.arguments import check, doubts

SCHEMA = known_arguments.schema()
# What is wrong, and the words of the refusal.
WRONG = [
    ({"tool-call-parser": "hermez"}, "tool-call-parser: 'hermez' is not one of its words; did you mean hermes?"),
    ({"reasoning-parser": "deepseek-r1"}, "did you mean deepseek_r1?"), ({"reasoning_parser": "qwen"}, "mean qwen3?"),
    ({"load-format": "safetensor"}, "did you mean safetensors?"), ({"tokenizer-mode": "slow"}, "known: alpamayo2"),
    ({"attention-backend": "xformers"}, "not one of"), ({"attention-backend": "FLASH_INFER"}, "FLASHINFER?"),
    ({"mm-encoder-attn-backend": "auto"}, "not one of"), ({"config-format": "HF"}, "known: auto, hf, mistral"),
    ({"distributed-executor-backend": "rays"}, "did you mean ray?"), ({"quantization": "bitsandbytes"}, "not one of"),
    ({"kv-cache-dtype": "fp8_e5m3"}, "did you mean fp8_e5m2?"), ({"kv-cache-dtype": "FP8"}, "not one of"),
    ({"model-impl": "transformer"}, "did you mean transformers?"), ({"mamba-backend": "cuda"}, "known: CPU"),
    ({"sleep-mode-backend": "cumen"}, "did you mean cumem?"), ({"cohere-format": "command"}, "known: cmd3, cmd4"),
    ({"compilation-config": {"cudagraph_mode": "FULL_DECODE"}}, "compilation-config: cudagraph_mode: 'FULL_DECODE' is"),
    ({"compilation-config": '{"mode": "eager"}'}, "compilation-config: mode: 'eager' is not"),
    ({"speculative-config": {"method": "eagle4"}}, "speculative-config: method: 'eagle4' is not one of its words"),
    ({"speculative-config": {"quantization": "int4"}}, "quantization: 'int4' is not"),
    ({"kv-transfer-config": {"kv_connector": "NixlConector"}}, "did you mean NixlConnector?"),
    ({"ec-transfer-config": {"ec_connector": "ECCpu"}}, "ec_connector: 'ECCpu' is not"),
    ({"structured-outputs-config": {"reasoning_parser": "qwen"}}, "reasoning_parser: 'qwen' is not"),
    ({"weight-transfer-config": {"backend": "rdma"}}, "backend: 'rdma' is not"),
    ({"attention-config": {"backend": "xformers"}}, "backend: 'xformers' is not"),
    ({"kernel-config": {"moe_backend": "deepgemm"}}, "did you mean deep_gemm?"),
    ({"load-format": 3}, "load-format: 3 is not one of its words"), ({"attention-backend": 2.5}, "2.5 is not one of"),
    ({"attention-backend": "FLASHINFER", "attention-config": {"backend": "FLASHINFER"}}, "say the same thing"),
    ({"cudagraph_capture_sizes": [1], "compilation_config": '{"cudagraph_capture_sizes": [2]}'}, "say the same thing"),
]
# What is legal though it does not look so, or where nobody here can know.
RIGHT = [
    {"attention-backend": "auto"}, {"attention-backend": "flash_attn"}, {"attention-config": {"backend": "Auto"}},
    {"load-format": "SafeTensors"}, {"tokenizer-mode": "HF"}, {"quantization": "FP8"}, {"quantization": "marlin"},
    {"mamba-backend": "triton"}, {"reasoning-parser": "none"}, {"tokenizer-mode": "kimi_audio"},
    {"distributed-executor-backend": "my.package.Executor"}, {"kernel-config": {"moe_backend": "Deep-GEMM"}},
    {"compilation-config": {"mode": "vllm_compile", "cudagraph_mode": "full"}}, {"compilation-config": {"mode": 3}},
    {"tool-call-parser": "mine", "tool-parser-plugin": "/p.py"}, {"generation-config": "/a/folder"},
    {"reasoning-parser": "mine", "reasoning_parser_plugin": "/p.py"},
    {"structured-outputs-config": {"reasoning_parser": "mine", "reasoning_parser_plugin": "/p.py"}},
    {"structured-outputs-config": {"reasoning_parser": ""}}, {"kv-transfer-config": {"kv_connector": None}},
    {"kv-transfer-config": {"kv_connector": "Mine", "kv_connector_module_path": "a.b"}},
    {"attention-config": {"backend": None}, "attention-backend": "FLASHINFER"},
]


@pytest.mark.parametrize("arguments,words", WRONG, ids=lambda value: str(value)[:60])
def test_a_wrong_word_is_refused_with_the_nearest(arguments, words):
    said = check(arguments, SCHEMA, "here")
    assert len(said) == 1 and words in said[0]
    assert doubts(arguments, SCHEMA) == []


@pytest.mark.parametrize("arguments", RIGHT, ids=str)
def test_a_word_that_may_be_right_is_not_refused(arguments):
    assert check(arguments, SCHEMA, "here") == [] and doubts(arguments, SCHEMA) == []


def test_where_plugins_are_a_word_is_only_doubted():
    schema = dict(SCHEMA, plugins="its environment has the plugin mine")
    for arguments, words in WRONG:
        if "same thing" not in words:
            assert check(arguments, schema, "here") == []
            (said,) = doubts(arguments, schema)
            assert said.endswith("not refused: its environment has the plugin mine")
    assert [doubts(arguments, schema) for arguments in RIGHT] == [[]] * len(RIGHT)


def test_of_another_release_a_word_is_doubted_unless_its_own_help_lists_them_all():
    help_of_it = {"flags": {flag: dict(entry, words=None, closed=False, key_words={}, choices=None)
                            for flag, entry in SCHEMA["flags"].items()}}
    help_of_it["flags"]["tool-call-parser"].update(words=["hermes", "brand_new"], closed=True)
    other = known_arguments.complete(help_of_it, "0.34.0")
    assert check({"tool-call-parser": "brand_new"}, other, "here") == []
    assert "did you mean hermes?" in check({"tool-call-parser": "hermez"}, other, "here")[0]
    assert check({"load-format": "brand_new"}, other, "here") == []
    (said,) = doubts({"load_format": "brand_new", "tool-call-parser": None, "max-num-seqs": 3}, other)
    assert said.startswith("load-format: 'brand_new' is not among the words known of it (known: auto,")
    assert check({"speculative-config": {"method": "brand_new"}}, other, "here") == []
    same = known_arguments.complete(help_of_it, "0.33.0+cu129")
    assert check({"load-format": "brand_new"}, same, "here") != []
