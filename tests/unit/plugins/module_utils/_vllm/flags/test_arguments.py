# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a person may not say to vLLM: every trap is named, with where, what is legal and the nearest match."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.argument_names import (
    GONE,
    OF_THE_ROLE,
    SECRETS,
)
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.arguments import check, find

SCHEMA = known_arguments.schema()
WHERE = "instance llama, arguments"
GOOD = [{}, {"max-model-len": None}, {"max_model_len": "8k"}, {"enable-lora": False}, {"numa-bind-nodes": [0, 1]},
        {"gpu-memory-utilization": 0.9}, {"device-memory-utilization": "0.9"}, {"served-model-name": None},
        {"enable-auto-tool-choice": True, "tool-call-parser": "hermes"}, {"attention-backend": "flash_attn"}]
WORDS = [
    ({"max-num-sequences": 8}, "no such argument; did you mean max-num-seqs?"),
    ({"max-model": 8}, "did you mean max-model-len? Names are not shortened here"),
    ({"gpu-memory-utilisation": 0.9}, "no such argument; use gpu-memory-utilization"),
    ({"utilisation": 0.9}, "no such argument; use gpu-memory-utilization"),
    ({"kv-cache-dtipe": "fp8"}, "did you mean kv-cache-dtype?"), ({"tp": 2}, "the long name is tensor-parallel-size"),
    ({"O": 3}, "the long name is optimization-level"), ({"xyzzy": 1}, "`vllm serve --help=all` lists them all"),
    ({"--max-model-len": 8}, "without its leading dashes"), ({8: 1}, "without its leading dashes"),
    ({"compilation-config.mode": 3}, "as in compilation-config: {mode: ...}"),
    ({"no-enforce-eager": True}, "that is the negative form; write enforce-eager: false"),
    ({"disable-log-requests": True}, "that is the negative form; write enable-log-requests: false"),
    ({"no-enable-lora": True}, "write enable-lora: false"), ({"data-parallel": 1}, "data-parallel-"),
    ({"max-model-len": 1, "max_model_len": 2}, "max_model_len: it is there twice, as max-model-len too"),
    ({"gpu-memory-utilization": 0.5, "device-memory-utilization": 0.5}, "it is there twice"),
    ({"enable-auto-tool-choice": True}, "enable-auto-tool-choice needs tool-call-parser"),
    ({"enable-log-outputs": True}, "needs enable-log-requests"),
    ({"enable-per-request-metrics": True, "disable-log-stats": True}, "exclude one another"),
    ({"max-num-seqs": "true"}, "'true'; legal is a whole number >=1"),
]


@pytest.mark.parametrize("arguments", GOOD, ids=str)
def test_what_is_legal_passes(arguments):
    assert check(arguments, SCHEMA, WHERE) == []


@pytest.mark.parametrize("arguments,words", WORDS, ids=lambda value: str(value)[:50])
def test_a_wrong_name_is_said_with_what_was_meant(arguments, words):
    found = check(arguments, SCHEMA, WHERE)
    assert found and all(line.startswith(WHERE + ": ") for line in found)
    assert words in "\n".join(found)


@pytest.mark.parametrize("flag", sorted(SECRETS))
def test_a_secret_is_never_an_argument(flag):
    assert "vllm_service_secrets" in check({flag.replace("-", "_"): "abc"}, SCHEMA, WHERE)[0]
    assert "abc" not in check({flag: "abc"}, SCHEMA, WHERE, own=[flag])[0]


def test_what_the_role_says_is_refused_unless_the_role_says_it():
    for flag in OF_THE_ROLE:
        assert len(check({flag: "x"}, SCHEMA, WHERE)) == 1, flag
    assert check({"port": 8000, "nnodes": 2, "headless": True}, SCHEMA, WHERE, own=["port", "nnodes", "headless"]) == []
    assert "legal is a whole number" in check({"port": "x"}, SCHEMA, WHERE, own=["port"])[0]


def test_what_is_gone_is_asked_only_of_an_engine_that_does_not_have_it():
    assert sorted(set(GONE) & set(SCHEMA["flags"])) == []
    for name, instead in GONE.items():
        if name != "disable-log-requests":  # In 0.33.0 it is a negative form.
            assert instead in check({name: 1}, SCHEMA, WHERE)[0]
    older = {"flags": dict(SCHEMA["flags"], **{"swap-space": SCHEMA["flags"]["cpu-offload-gb"]})}
    assert check({"swap-space": 4}, older, WHERE) == []


def test_a_preset_that_an_older_engine_does_not_know_is_named_as_one():
    older = {"flags": {flag: entry for flag, entry in SCHEMA["flags"].items() if flag != "performance-mode"}}
    assert "which the preset says: write performance-mode: null" in check({"performance-mode": "throughput"}, older,
                                                                          WHERE)[0]


def test_an_engine_that_cannot_be_asked_is_not_guessed_at():
    unknown = dict(SCHEMA, unchecked="it is not there")
    assert check({"brand-new": ["a"], "no-such-thing": True}, unknown, WHERE) == []
    assert len(check({"api-key": "x", "port": 1, "gpu-memory-utilisation": 1, "brand-new": "--x"}, unknown, WHERE)) == 4


def test_every_name_of_an_argument_is_found():
    assert find("device_memory_utilization", SCHEMA)[0] == "gpu-memory-utilization"
    assert find("disable-lora", SCHEMA)[::2] == ("enable-lora", True)
    assert find("no-enable-lora", SCHEMA)[::2] == ("enable-lora", True)
    assert find("xyzzy", SCHEMA) is None
