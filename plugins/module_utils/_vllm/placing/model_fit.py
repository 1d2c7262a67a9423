# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much parallelism an instance's model needs on this node's GPUs, where nobody says it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ..._derive import vllm_fit
from ..._derive.vllm_quantization import method_of
from . import gpu_choice, parallel_sizes

# What --quantization makes of 16-bit weights, as the sizing names it.
_ONLINE = {"fp8": "fp8", "fp8_per_tensor": "fp8", "fp8_per_block": "fp8", "fp8_per_channel": "fp8", "mxfp8": "fp8",
           "int8_per_channel_weight_only": "int8", "nvfp4_per_token": "nvfp4", "experts_int8": "int8"}


def fitted(instance, node):
    """What `fit` found for the model on GPUs of this node, or None where its config.json or their memory is not known.

    The smallest TP x PP that holds it; where nothing does, what comes nearest, and the rule on sizes says so.
    """
    config = (node.get("configs") or {}).get(instance["name"])
    gpus, _out = gpu_choice.able(node["topology"])
    memory = min([gpu["memory"] for gpu in gpus if gpu.get("memory")] or [0])
    if not isinstance(config, dict) or not memory:
        return None
    try:
        asked = dict(options(instance), **online(instance["arguments"], config))
        return vllm_fit.fit(config, memory, len(gpus), **asked)
    except ValueError:
        return None  # The rule on sizes says what is wrong.


def options(instance):
    """What an instance says of the model's size, as `fit` takes it."""
    said = {flag: value for flag, value in instance["arguments"].items() if value is not None}
    told = {"nodes": parallel_sizes.nodes(instance)}
    for flag in ("dtype", "kv-cache-dtype", "gpu-memory-utilization", "max-model-len"):
        if flag in said:
            told[flag.replace("-", "_")] = said[flag]
    for flag in (parallel_sizes.TENSOR, parallel_sizes.PIPELINE):
        told[flag.replace("-", "_")] = parallel_sizes.given(instance, flag)
    return told


def online(arguments, config):
    """The `dtype` to ask `fit` for where `quantization` makes smaller weights of 16-bit ones; {} where it does not."""
    asked = str(arguments.get("quantization") or "").lower()
    return {"dtype": _ONLINE[asked]} if asked in _ONLINE and method_of(config) is None else {}
