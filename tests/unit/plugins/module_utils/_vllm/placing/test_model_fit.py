# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much parallelism a model needs, from what an instance says of its length and weights."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing.model_fit import fitted

CONFIG = json.loads((Path(__file__).parents[5] / "captures" / "model-configs" / "llama-3.1-70b.json").read_text())
GPUS = [{"index": number, "vendor": "nvidia", "name": "NVIDIA H100 80GB HBM3", "memory": 81559 << 20}
        for number in range(8)]


def size(arguments, **changes):
    """The tensor-parallel size that an instance with these arguments gets."""
    instance = {"name": "llama", "arguments": arguments, "several": None, "gpus": None}
    found = fitted(instance, dict({"topology": {"gpus": GPUS}, "configs": {"llama": CONFIG}}, **changes))
    return found and found["tensor_parallel_size"]


@pytest.mark.parametrize(("arguments", "expected"), [
    ({}, 4), ({"max-model-len": 16384}, 2), ({"max-model-len": "16k"}, 2), ({"max-model-len": "auto"}, 4),
    ({"max-model-len": None}, 4), ({"quantization": "fp8", "max-model-len": 2048}, 2),
    ({"quantization": "fp8"}, 2), ({"dtype": "half", "gpu-memory-utilization": 0.8}, 4),
    ({"tensor-parallel-size": 8}, 8), ({"max-model-len": "much"}, None)])
def test_what_is_said_decides(arguments, expected):
    assert size(arguments) == expected


def test_what_is_not_known_is_not_guessed():
    assert size({}, configs={}) is None
    assert size({}, configs={"llama": "not there yet"}) is None
    assert size({}, topology={"gpus": [dict(GPUS[0], memory=None)]}) is None
