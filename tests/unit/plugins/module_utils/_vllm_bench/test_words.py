# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of `vllm bench serve`, against the help of the real one."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.help_text import parse_help
from ansible_collections.gpuwright.node.plugins.module_utils._vllm_bench import words

from tests.sysroots import vllm_instances

LOAD = {"dataset": "random", "dataset_path": None, "requests": 30, "warmup": 2, "request_rate": "inf",
        "concurrency": 8, "input_tokens": 64, "output_tokens": 32, "ignore_eos": True, "seed": 0, "arguments": {},
        "timeout": 60}


@pytest.fixture
def schema(checkout):
    """What the real one takes."""
    return parse_help((checkout / "tests/captures/vllm-bench/help.txt").read_text())


@pytest.mark.parametrize("changed", [
    {}, {"dataset": "sharegpt", "dataset_path": "/d.json"}, {"dataset": "custom", "dataset_path": "/d.jsonl"},
    {"request_rate": 2.5, "concurrency": None, "warmup": 0, "ignore_eos": False}])
def test_the_real_one_takes_all_that_the_role_says(schema, changed):
    made = words.flags(vllm_instances.made(arguments={"ssl_certfile": "/c"}), dict(LOAD, **changed), "/r", 7)
    assert words.problems(made, {}, schema) == []
    assert "insecure" in made and made["seed"] == 7
    told = words.words(["vllm"], made)
    assert told[:3] == ["vllm", "bench", "serve"]
    assert told[told.index("--base-url") + 1] == "https://127.0.0.1:8000"


@pytest.mark.parametrize(("own", "problem"), [
    ({"burstines": 1}, "did you mean burstiness?"), ({"num_prompts": 3}, "that is vllm_benchmark_requests"),
    ({"result_dir": "/x"}, "the role says that itself"), ({"disable_shuffle": "false"}, "disable-shuffle"),
    ({"lora_assignment": "rnd"}, "random")])
def test_a_flag_that_the_real_one_does_not_take(schema, own, problem):
    made = words.flags(vllm_instances.made(), dict(LOAD, arguments=own), "/r", 0)
    assert problem in "; ".join(words.problems(made, own, schema))


def test_more_flags(schema):
    own = {"burstiness": 0.5, "goodput": ["ttft:100", "tpot:20"], "random_range_ratio": {"input": 0.3}}
    made = words.flags(vllm_instances.made(), dict(LOAD, arguments=own), "/r", 0)
    assert words.problems(made, own, schema) == []
    told = words.words(["vllm"], made)
    assert told[told.index("--goodput") + 1:told.index("--goodput") + 3] == ["ttft:100", "tpot:20"]
    assert told[told.index("--random-range-ratio") + 1] == '{"input": 0.3}'


def test_an_engine_that_is_too_old(schema):
    del schema["flags"]["num-warmups"]
    made = words.flags(vllm_instances.made(), LOAD, "/r", 0)
    assert "no --num-warmups; it is too old" in words.problems(made, {}, schema)[0]


@pytest.mark.parametrize(("changed", "tokenizer"), [
    ({}, "/m"), ({"model_file": "/m/a.gguf"}, "/m/a.gguf"), ({"model_path": None}, "org/name"),
    ({"model_file": "/m/a.gguf", "arguments": {"tokenizer": "/t"}}, "/t")])
def test_the_tokenizer_is_the_engine_s_own(changed, tokenizer):
    instance = dict(dict(vllm_instances.made(), model="org/name", model_path="/m"), **changed)
    assert words.flags(instance, LOAD, "/r", 0)["tokenizer"] == tokenizer
