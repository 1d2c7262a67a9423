# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a model fits on GPUs, with what parallelism, context length and concurrency: from its config.json.

PRIVATE to the collection. Pure. Weights and KV cache are reckoned as vLLM holds them (vllm_weights.py, vllm_kv.py); the
rest is an estimate (vllm_memory.py), so that a GB a GPU decides nothing. `gpus` are those of one node, and all bytes of
the result are totals of one replica, but in per_gpu.
"""

from __future__ import annotations

from . import vllm_advice as advice
from . import vllm_kv, vllm_memory
from .vllm_fit_input import checked
from .vllm_matrix import parameters
from .vllm_model_shape import shape as shape_of
from .vllm_parallel import candidates, refusal
from .vllm_weights import ledger, partition, per_gpu

_UNBOUNDED = 1 << 24


def fit(config, gpu_memory, gpus, nodes=1, dtype="bfloat16", kv_cache_dtype="auto", max_model_len=None,
        gpu_memory_utilization=0.92, tensor_parallel_size=None, pipeline_parallel_size=None):
    """{"fits", "reason", "parameters", "weights_bytes", "kv_bytes_per_token", ...}, as in vllm_fit.yml.

    Raises ValueError for bad input, and for a model whose size cannot be told.
    """
    asked = checked(gpu_memory, gpus, nodes, max_model_len, gpu_memory_utilization, tensor_parallel_size,
                    pipeline_parallel_size)
    model = shape_of(config)
    weights = ledger(model, dtype)
    asked["kv_cache_dtype"] = vllm_kv.resolve(model, kv_cache_dtype, weights["width"])
    asked["dtype"] = dtype
    best, refused = search(model, weights, asked)
    result = _result(model, weights, asked, best)
    result["fits"] = fits(model, asked, best)
    result["reason"] = advice.reason(model, weights, asked, best, refused, result["fits"], search)
    return result


def search(model, weights, asked):
    """(the smallest sizes that hold the context asked for, else those with the longest; [why others were refused])."""
    refused, best = [], None
    for tensor, stages, nodes in candidates(asked["gpus"], asked["nodes"], asked["tensor"], asked["stages"]):
        words = refusal(model, weights, tensor, stages)
        if words:
            refused.append(words)
            continue
        one = trial(model, weights, asked, tensor, stages, nodes)
        if one["longest"] >= one["wanted"]:
            return one, refused
        if best is None or (one["longest"], min(one["room"])) > (best["longest"], min(best["room"])):
            best = one
    return best, refused


def trial(model, weights, asked, tensor, stages, nodes):
    """What is left for the KV cache on one GPU of each stage, and how long a request that holds."""
    held = per_gpu(model, weights, tensor, stages)
    other = vllm_memory.overhead(model, asked["gpu_memory"], tensor, stages, nodes)
    usable = int(asked["gpu_memory"] * asked["utilization"])
    room = [usable - size - sum(part.values()) for size, part in zip(held, other)]
    start, caches = 0, []
    for count in partition(model["layers"], stages):
        caches.append(vllm_kv.groups(model, slice(start, start + count), asked["kv_cache_dtype"], tensor))
        start += count
    tokens = vllm_memory.in_flight(asked["gpu_memory"])[0]
    most = model["longest"] or _UNBOUNDED
    longest = min(_longest(cache, left, tokens, most) for cache, left in zip(caches, room))
    return {"tensor": tensor, "stages": stages, "nodes": nodes, "held": held, "other": other, "room": room,
            "usable": usable, "caches": caches, "in_flight": tokens, "longest": longest,
            "wanted": min(asked["length"] or model["unset"], most)}


def _longest(cache, room, in_flight, most):
    """The longest request, in whole blocks, that fits into `room` bytes; 0 for none."""
    if vllm_kv.request_bytes(cache, most, in_flight) <= room:
        return most
    low, high = 0, most // vllm_kv.BLOCK
    while low < high:
        middle = (low + high + 1) // 2
        fitting = vllm_kv.request_bytes(cache, middle * vllm_kv.BLOCK, in_flight) <= room
        low, high = (middle, high) if fitting else (low, middle - 1)
    return low * vllm_kv.BLOCK


def concurrency(one, length):
    """How many requests of this length are in the KV cache at once."""
    if not length:
        return 0.0
    sizes = [vllm_kv.request_bytes(cache, length, one["in_flight"]) for cache in one["caches"]]
    return max(min((room / size if size else float(1 << 20)) for size, room in zip(sizes, one["room"])), 0.0)


def fits(model, asked, best):
    """Whether what was asked for is held; without a length, whether a useful one is."""
    if best is None or (asked["length"] and model["longest"] and asked["length"] > model["longest"]):
        return False
    return best["longest"] >= (asked["length"] or advice.least(model))


def _result(model, weights, asked, best):
    found = {"parameters": parameters(model["matrices"]), "weights_bytes": weights["total"],
             "kv_bytes_per_token": vllm_kv.per_token(model, asked["kv_cache_dtype"]), "dtype": asked["dtype"],
             "kv_cache_dtype": asked["kv_cache_dtype"], "model_type": model["model_type"],
             "attention_heads": model["heads"], "layers": model["layers"], "hidden_size": model["hidden"],
             "model_max_len": model["longest"], "unset_max_len": model["unset"], "available_bytes": int(
                 asked["gpu_memory"] * asked["utilization"]) * asked["gpus"] * asked["nodes"],
             "notes": list(model["notes"]), "tensor_parallel_size": None, "pipeline_parallel_size": None,
             "nodes": None, "max_model_len": 0, "max_concurrency": 0.0, "needs_bytes": None, "per_gpu": None}
    if best is None:
        return found
    length = asked["length"] or best["longest"] or advice.least(model)
    found.update(
        tensor_parallel_size=best["tensor"], pipeline_parallel_size=best["stages"], nodes=best["nodes"],
        max_model_len=best["longest"], max_concurrency=round(concurrency(best, length), 2),
        needs_bytes=sum(_of_gpu(best, stage, length)["needs"] for stage in range(best["stages"])) * best["tensor"],
        per_gpu=_of_gpu(best, advice.worst(best, length), length))
    return found


def _of_gpu(best, stage, length):
    """Bytes on one GPU of a stage."""
    request = int(vllm_kv.request_bytes(best["caches"][stage], length, best["in_flight"]))
    other = {key: int(size) for key, size in best["other"][stage].items()}
    return dict({"usable": best["usable"], "weights": best["held"][stage], "request": request,
                 "kv_cache": max(int(best["room"][stage]), 0),
                 "needs": best["held"][stage] + sum(other.values()) + request}, **other)
