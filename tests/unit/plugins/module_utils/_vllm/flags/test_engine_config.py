# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The YAML of the engine's configuration says the same to any reader, and is what its parser takes."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import known_arguments
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags.engine_config import text, words

SCHEMA = known_arguments.schema()


def test_a_flag_a_line_sorted_by_the_engines_own_names():
    said = {"tensor_parallel_size": 2, "enforce-eager": True, "dtype": "auto", "max-model-len": None,
            "device-memory-utilization": 0.9, "served-model-name": ["a", "b"], "max-num-batched-tokens": "8k"}
    assert text(said, SCHEMA) == ("dtype: 'auto'\nenforce-eager: true\ngpu-memory-utilization: 0.9\n"
                                  "max-num-batched-tokens: '8k'\nserved-model-name: ['a', 'b']\n"
                                  "tensor-parallel-size: 2\n")
    assert words(said, SCHEMA) == ["--dtype", "auto", "--enforce-eager", "--gpu-memory-utilization", "0.9",
                                   "--max-num-batched-tokens", "8k", "--served-model-name", "a", "b",
                                   "--tensor-parallel-size", "2"]


def test_false_is_the_name_that_says_false_in_this_release():
    older = {"flags": {"enable-lora": dict(SCHEMA["flags"]["enable-lora"], inverse="no-enable-lora")}}
    assert text({"enable-lora": False, "numa-bind": False}, SCHEMA) == "disable-lora: true\nno-numa-bind: true\n"
    assert text({"enable-lora": False}, older) == "no-enable-lora: true\n"
    assert words({"enable-lora": False}, older) == ["--no-enable-lora"]


def test_nothing_said_is_an_empty_mapping():
    assert text({}, SCHEMA) == text({"dtype": None}, SCHEMA) == "{}\n"
    assert words({"dtype": None}, SCHEMA) == []


@pytest.mark.parametrize("value", ["no", "null", "1e5", "0x10", "it's", '"', "a: b # c", "- a", "\\n", "a\nb\tc",
                                   "\u00e9\u2028\U0001f600", "{x}", "  two  ", "@a", "%a"])
def test_text_arrives_to_the_letter_in_ascii(value):
    written = text({"tokenizer": value}, SCHEMA)
    assert written.isascii() and written.count("\n") == 1
    assert yaml.safe_load(written) == {"tokenizer": value}


@pytest.mark.parametrize("value", [0.5, 1e-7, 1e22, 3.0, 10 ** 20, -1])
def test_a_number_arrives_as_the_word_that_python_writes(value):
    assert str(yaml.safe_load(text({"seed": value}, SCHEMA))["seed"]) == str(value)


def test_a_mapping_is_json_in_one_line():
    value = {"b": {"it's": [1, 2.5, None, True]}, "a": "\u00e9"}
    written = text({"hf-overrides": value}, SCHEMA)
    assert written.count("\n") == 1 and written.isascii()
    assert json.loads(yaml.safe_load(written)["hf-overrides"]) == value
    assert text({"hf-overrides": {1: "x", "b": 2}}, SCHEMA) == "hf-overrides: '{\"1\": \"x\", \"b\": 2}'\n"
    assert text({"hf-overrides": {"a": 1}}, SCHEMA) == "hf-overrides: '{\"a\": 1}'\n"
    assert text({"allowed-origins": ["*"]}, SCHEMA) == "allowed-origins: '[\"*\"]'\n"
    assert text({"compilation-config": '{"mode": 3}'}, SCHEMA) == "compilation-config: '{\"mode\": 3}'\n"
    assert words({"lora-modules": ["a=/b", {"name": "c"}]}, SCHEMA) == ["--lora-modules", "a=/b", '{"name": "c"}']


def test_what_nobody_could_check_is_written_as_it_is():
    unknown = dict(SCHEMA, unchecked="not there")
    assert text({"brand-new": False, "newer": [1, "a"], "newest": {"a": 1}}, unknown) == (
        "no-brand-new: true\nnewer: [1, 'a']\nnewest: '{\"a\": 1}'\n")
