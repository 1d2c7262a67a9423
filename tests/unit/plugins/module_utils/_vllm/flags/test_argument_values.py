# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that vLLM's parser would refuse, drop, cut or take for something else, each with what is legal."""

from __future__ import annotations

import datetime

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.argument_values import legal, wrong

FLAGS = known_arguments.schema()["flags"]
GOOD = [("max-num-seqs", 8), ("max-num-seqs", "8"), ("max-model-len", "auto"), ("max-model-len", -1),
        ("max-model-len", "32k"), ("max-num-batched-tokens", "25.6k"), ("kv-cache-memory-bytes", "1G"),
        ("gpu-memory-utilization", 0.95), ("gpu-memory-utilization", "1e-1"), ("enforce-eager", False),
        ("enforce-eager", True), ("headless", True), ("served-model-name", "a"), ("served-model-name", ["a", "b"]),
        ("seed", -1), ("compilation-config", {"mode": 3}), ("compilation-config", '{"mode": 3}'),
        ("compilation-config", {"cudagraph_mode": "FULL_AND_PIECEWISE", "debug_dump_path": None}),
        ("compilation-config", {"cudagraph_mode": "full"}),
        ("hf-overrides", {}), ("allowed-origins", ["*"]), ("pt-load-map-location", "cuda:1"),
        ("pt-load-map-location", {"cuda:1": "cuda:0"}), ("lora-modules", ["a=/b", {"name": "c", "path": "/d"}]),
        ("chat-template", "/etc/vllm/a.jinja"), ("chat-template", "{{ a }}\n"), ("hf-token", True),
        ("speculative-config", {"method": "ngram", "num_speculative_tokens": 3}), ("cpu-offload-gb", 2.5),
        ("attention-backend", "FLASHINFER"), ("optimization-level", 3), ("max-lora-rank", 16), ("max-lora-rank", "16"),
        ("eplb-config", {"window_size": "1000", "use_async": True}), ("tokenizer", "no"),
        ("tokenizer", "\u00e9\U0001f600"), ("ir-op-priority", {"rms_norm": "vllm_c,native"}),
        ("compilation-config", {"pass_config": {"eliminate_noops": True}}), ("middleware", "a.b.C")]
BAD = [
    ("tokenizer", datetime.date(2001, 1, 1), "YAML reads 2001-01-01 as a date; put it into quotes"),
    ("served-model-name", ["a", datetime.date(2001, 1, 1)], "put it into quotes"),
    ("max-model-len", 0, "at least one token"), ("max-model-len", "0", "at least one token"),
    ("compilation-config", {"pass_config": {"fuse_norm_quants": True}}, "has no key fuse_norm_quants; did you mean"),
    ("compilation-config", {"pass_config": {"eliminate_noops": [1]}}, "pass_config: eliminate_noops: [1] is of the"),
    ("enforce-eager", "false", "is no boolean but text"), ("enforce-eager", "true", "legal is true or false"),
    ("enforce-eager", 1, "is no boolean"), ("headless", False, "would drop it silently"),
    ("max-num-seqs", True, "it takes a value"), ("max-num-seqs", False, "it takes a value"),
    ("max-num-seqs", [8], "is a list, and it takes one value"), ("max-num-seqs", {"a": 1}, "is a mapping"),
    ("max-num-seqs", 2.5, "legal is a whole number"), ("max-num-seqs", "8k", "legal is a whole number"),
    ("max-num-seqs", 0, "out of range; legal is a whole number >=1"), ("max-num-seqs", "\u0663", "a whole number"),
    ("max-num-batched-tokens", "1.5K", "(8k is 8000, 8K is 8192)"), ("max-num-batched-tokens", "auto", "whole number"),
    ("max-model-len", -2, "out of range"), ("gpu-memory-utilization", 1.2, "out of range; legal is a number >0 <=1"),
    ("gpu-memory-utilization", 0, "out of range"), ("gpu-memory-utilization", 0.96, "too little for CUDA graphs"),
    ("gpu-memory-utilization", "90%", "legal is a number"), ("data-parallel-rpc-port", 70000, "<=65535"),
    ("kv-offloading-size", float("nan"), "legal is a number"), ("cpu-offload-gb", float("inf"), "legal is a number"),
    ("dtype", "bf16", "did you mean"), ("dtype", "BFLOAT16", "is not one of its words"), ("max-lora-rank", 7, "words"),
    ("data-parallel-backend", "nccl", "is not one of its words"), ("scheduler-cls", "Mine", "as package.module.Name"),
    ("middleware", "Mine.", "legal is a class"),
    ("compilation-config", 3, "of the wrong kind; legal is a mapping"), ("compilation-config", "high", "is no JSON"),
    ("compilation-config", ["a"], "of the wrong kind"), ("compilation-config", {"modus": 3}, "did you mean mode?"),
    ("hf-overrides", "text", "is no JSON"), ("allowed-origins", {"a": 1}, "legal is a list"),
    ("hf-overrides", {"a": float("nan")}, "cannot be written as JSON"), ("default-mm-loras", {"a": 1}, "legal is text"),
    ("eplb-config", {"window_size": [1]}, "window_size: [1] is of the wrong kind"),
    ("eplb-config", {"window_size": -1}, "wrong kind"), ("eplb-config", {"use_async": "maybe"}, "wrong kind"),
    ("kv-transfer-config", {"kv_role": "kv_bot"}, "did you mean kv_both?"),
    ("served-model-name", [], "the list is empty"), ("served-model-name", [None], "None in the list"),
    ("served-model-name", ["a", True], "True in the list"), ("served-model-name", ["a", "-b"], "begins with a hyphen"),
    ("served-model-name", [{"a": 1}], "in the list"), ("numa-bind-nodes", [0, "x"], "legal is a whole number"),
    ("lora-modules", ["/adapters/a"], "NAME=PATH"), ("lora-modules", [{"name": "a"}], "NAME=PATH"),
    ("tokenizer", "", "takes it for nothing"), ("tokenizer", "None", "write null, without quotes"),
    ("tokenizer", "null", "takes it for nothing"), ("tokenizer", "--x", "begins with a hyphen"),
    ("tokenizer", "a\x00b", "control character"), ("tokenizer", -0.5, "negative number with a point"),
    ("cpu-offload-gb", -0.5, "negative number with a point"), ("tokenizer", "hf_" + "a" * 30, "secrets go into"),
    ("chat-template", "template.jinja", "legal is an absolute path"), ("hf-token", False, "it takes a value"),
    ("sse-keep-alive-interval", -1, ">=0"), ("optimization-level", 4, "<=3"),
]


@pytest.mark.parametrize("flag,value", GOOD, ids=str)
def test_what_is_legal_passes(flag, value):
    assert wrong(flag, value, FLAGS[flag]) is None


@pytest.mark.parametrize("flag,value,words", BAD, ids=lambda value: repr(value)[:40])
def test_what_is_wrong_is_said(flag, value, words):
    said = wrong(flag, value, FLAGS[flag])
    assert said and said.startswith(flag + ": ") and words in said


def test_a_token_is_not_repeated():
    assert "hf_aaaa" not in wrong("tokenizer", "hf_" + "a" * 30, FLAGS["tokenizer"])


def test_what_is_legal_can_be_said_of_every_flag():
    assert all(legal(flag, entry) for flag, entry in FLAGS.items())
    assert legal("max-model-len", FLAGS["max-model-len"]) == (
        "a whole number (8k is 8000, 8K is 8192), auto >=-1")
