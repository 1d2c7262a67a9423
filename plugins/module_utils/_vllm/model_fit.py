# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How much parallelism an instance's model needs on this node's GPUs, where nobody says it.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from .._derive import vllm_fit
from . import gpu_choice, parallel_sizes


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
        return vllm_fit.fit(config, memory, len(gpus), **options(instance))
    except ValueError:
        return None  # The rule on sizes says what is wrong.


def options(instance):
    """What an instance says of the model's size, as `fit` takes it."""
    said = {flag: value for flag, value in instance["arguments"].items() if value is not None}
    told = {"nodes": parallel_sizes.nodes(instance)}
    for flag in ("dtype", "kv-cache-dtype", "gpu-memory-utilization"):
        if flag in said:
            told[flag.replace("-", "_")] = said[flag]
    length = said.get("max-model-len")
    if isinstance(length, int) and not isinstance(length, bool):
        told["max_model_len"] = length
    for flag in (parallel_sizes.TENSOR, parallel_sizes.PIPELINE):
        told[flag.replace("-", "_")] = parallel_sizes.given(instance, flag)
    if told.get("dtype") in ("auto", "half"):
        told["dtype"] = {"auto": "bfloat16", "half": "float16"}[told["dtype"]]
    return told
