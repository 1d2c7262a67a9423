# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The filter vllm_fit: what it takes, and its errors."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.vllm import FilterModule
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_fit import fit

vllm_fit = FilterModule().filters()["vllm_fit"]
ROOT = Path(__file__).parents[4]
CONFIG = json.loads((ROOT / "tests/captures/model-configs/llama-3-8b.json").read_text())
GIB = 1 << 30


def test_a_dict_and_its_text_are_the_same():
    expected = fit(CONFIG, 80 * GIB, 8)
    assert vllm_fit(CONFIG, 80 * GIB, 8) == expected
    assert vllm_fit(json.dumps(CONFIG), gpu_memory=80 * GIB, gpus=8) == expected
    assert vllm_fit(CONFIG, str(80 * GIB), "8", nodes="1", gpu_memory_utilization="0.92") == expected


def test_the_options_of_the_issue_are_taken_as_they_are_written():
    found = vllm_fit(CONFIG, gpu_memory=80 * GIB, gpus=8, nodes=1, dtype="bfloat16", kv_cache_dtype="auto",
                     max_model_len=None, gpu_memory_utilization=0.92)
    assert set(found) >= {"fits", "reason", "parameters", "weights_bytes", "kv_bytes_per_token", "tensor_parallel_size",
                          "pipeline_parallel_size", "max_model_len", "max_concurrency"}


@pytest.mark.parametrize(("options", "words"), [
    ({}, "needs gpu_memory"), ({"gpu_memory": 80 * GIB}, "needs gpu_memory"),
    ({"gpu_memory": 80, "gpus": 8}, "1 GiB or more"), ({"gpu_memory": "80 GB", "gpus": 8}, "gpu_memory: '80 GB'"),
    ({"gpu_memory": 80 * GIB, "gpus": 0}, "gpus: 0 is not an integer of 1"),
    ({"gpu_memory": 80 * GIB, "gpus": True}, "gpus: True"),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "gpu_memory_utilisation": 0.9}, "gpu_memory_utilisation is no option"),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "gpu_memory_utilization": 1.2}, "1.2 is not a number above 0 and up to 1"),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "max_model_len": 0}, "max_model_len: 0"),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "dtype": "bf16"}, "dtype: 'bf16' is not one of auto, bfloat16"),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "dtype": []}, "dtype: "),
    ({"gpu_memory": 80 * GIB, "gpus": 8, "kv_cache_dtype": "int2"}, "kv_cache_dtype: 'int2' is not one of"),
    ({"gpu_memory": 80 * GIB, "gpus": 2, "tensor_parallel_size": 4}, "needs 4 GPUs, and there are 2"),
])
def test_bad_input_is_an_error_of_the_filter(options, words):
    with pytest.raises(AnsibleFilterError, match="gpuwright.node.vllm_fit") as error:
        vllm_fit(CONFIG, **options)
    assert words in str(error.value)


def test_nodes_come_third():
    assert vllm_fit(CONFIG, 80 * GIB, 8, 2) == fit(CONFIG, 80 * GIB, 8, nodes=2) != fit(CONFIG, 80 * GIB, 8)


def test_the_documentation_names_every_option_and_result():
    documented = yaml.safe_load((ROOT / "plugins/filter/vllm_fit.yml").read_text())
    found = fit(CONFIG, 80 * GIB, 8)
    assert set(documented["RETURN"]["_value"]["contains"]) == set(found)
    options = set(documented["DOCUMENTATION"]["options"]) - {"_input"}
    for option in options - {"gpu_memory", "gpus"}:
        given = {"dtype": "auto", "kv_cache_dtype": "auto", "gpu_memory_utilization": 0.9}.get(option, 1)
        assert vllm_fit(CONFIG, 80 * GIB, 8, **{option: given})["parameters"] == found["parameters"]
