# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The words of the sizing: what fits and how well, or what is missing and what would fit instead.

PRIVATE to the collection. Pure. What would fit is tried, not guessed: each suggestion is the same search with one thing
changed.
"""

from __future__ import annotations

from . import vllm_kv
from .vllm_parallel import refusal
from .vllm_quantization import PLAIN
from .vllm_weights import ledger

# Memory as drivers report it.
_GPUS = (("H200 (141 GB)", 143771 << 20), ("B200 (180 GB)", 183359 << 20), ("MI355X (288 GB)", 294896 << 20))
_MOST_NODES = 16
SHORTEST = 2048


def gb(size):
    """Bytes in words: GB of 10^9, as vendors sell them."""
    return "%.1f GB" % (size / 1e9)


def reason(model, weights, asked, best, refused, fits, search):
    """One or a few sentences, with the numbers."""
    given = asked["length"]
    if given and model["longest"] and given > model["longest"]:
        return ("max_model_len %d is more than the %d tokens that config.json gives the model; vLLM refuses it"
                % (given, model["longest"]))
    if best is None:
        return _refused(asked, refused)
    size = "TP %d x PP %d" % (best["tensor"], best["stages"])
    if fits:
        return _fits(model, weights, asked, best, size)
    return "%s %s" % (_short(model, weights, asked, best, size, refused), _instead(model, asked, search))


def _refused(asked, refused):
    many = " on each of %d nodes" % asked["nodes"] if asked["nodes"] > 1 else ""
    words = "no parallelism that vLLM accepts is possible with %d GPU%s%s" % (
        asked["gpus"], "" if asked["gpus"] == 1 else "s", many)
    if not refused:
        return words + (": tensor_parallel_size %s x pipeline_parallel_size %s does not put the same number of GPUs on "
                        "each node" % (asked["tensor"] or "any", asked["stages"] or "any"))
    return "%s: %s" % (words, "; ".join(refused[:4]))


def _fits(model, weights, asked, best, size):
    length = asked["length"] or best["longest"]
    words = "%s of weights and %s of KV cache a token fit with %s" % (
        gb(weights["total"]), _kib(vllm_kv.per_token(model, asked["kv_cache_dtype"])), size)
    if not asked["length"] and best["longest"] < model["unset"]:
        return ("%s, but not the model's whole context of %d tokens: set max_model_len to %d or less, or vLLM does not "
                "start" % (words, model["unset"], best["longest"]))
    words = "%s, with a context of %d tokens" % (words, length)
    if not asked["length"] and length > model["unset"]:
        words += "; where max_model_len is not set, vLLM takes %d" % model["unset"]
    return words


def _kib(size):
    return "%.5g KiB" % (size / 1024)


def _short(model, weights, asked, best, size, refused):
    length = asked["length"] or least(model)
    gpus, stage = best["tensor"] * best["stages"], worst(best, length)
    other = sum(best["other"][stage].values())
    kept = vllm_kv.request_bytes(best["caches"][stage], length, best["in_flight"])
    missing = kept - best["room"][stage]
    words = ("does not fit: %s needs %s a GPU (%s of weights, %s of KV cache for %d tokens, about %s of activations, "
             "CUDA graphs and NCCL), and %.4g of %s is %s: %s are missing on %d %s (%s of weights in all)."
             % (size, gb(best["held"][stage] + other + kept), gb(best["held"][stage]), gb(kept), length, gb(other),
                asked["utilization"], gb(asked["gpu_memory"]), gb(best["usable"]), gb(missing * gpus), gpus,
                "GPU" if gpus == 1 else "GPUs", gb(weights["total"])))
    if asked["length"] and best["longest"]:
        words += " The longest context that fits is %d." % best["longest"]
    total = asked["gpus"] * asked["nodes"]
    if refused and gpus < total:
        words += " More of the %d GPUs cannot be used: %s." % (total, "; ".join(_last(refused)))
    return words


def worst(best, length):
    """The stage whose GPUs have the least room for a request."""
    return min(range(best["stages"]), key=lambda one: best["room"][one] - vllm_kv.request_bytes(
        best["caches"][one], length, best["in_flight"]))


def least(model):
    """Tokens that a request must be able to have where no length is asked for: a shorter one is of no use."""
    return min(SHORTEST, model["longest"] or SHORTEST)


def _last(refused):
    """The refusals of the most GPUs, which were tried last."""
    return refused[-2:]


def _instead(model, asked, search):
    """What would fit, each tried."""
    found, free = [], dict(asked, tensor=None, stages=None)
    if model["quantization"] is None and asked["dtype"] in PLAIN:
        found += _tried(model, asked, search, "FP8 (%s of weights)", "fp8")
        found += [] if found else _tried(model, asked, search, "4-bit weights (%s)", "awq")
    weights, count = ledger(model, asked["dtype"]), asked["gpus"] * asked["nodes"]
    found += ["%d x %s" % (count, name) for name, memory in _GPUS if memory > asked["gpu_memory"]
              and _holds(model, weights, dict(asked, gpu_memory=memory), search)][:1]
    found += ["%d such GPUs in a node" % gpus for gpus in (2, 4, 8) if gpus > asked["gpus"] and asked["nodes"] == 1
              and _holds(model, weights, dict(free, gpus=gpus), search)][:1]
    found += ["%d nodes of %d such GPUs" % (nodes, asked["gpus"]) for nodes in (2, 4, 8, _MOST_NODES)
              if nodes > asked["nodes"] and _holds(model, weights, dict(free, nodes=nodes), search)][:1]
    found += _inside(model, asked, search)
    if not found:
        return "Neither larger GPUs nor %d nodes would do." % _MOST_NODES
    return "What would fit: %s." % "; ".join(found)


def _tried(model, asked, search, words, dtype):
    smaller = ledger(model, dtype)
    return [words % gb(smaller["total"])] if _holds(model, smaller, dict(asked, dtype=dtype), search) else []


def _inside(model, asked, search):
    """Pipeline stages inside a node, which are not searched unless they are asked for."""
    weights, gpus = ledger(model, asked["dtype"]), asked["gpus"]
    if asked["stages"] or asked["nodes"] > 1:
        return []
    for stages in range(2, gpus + 1):
        tensor = gpus // stages
        if refusal(model, weights, tensor, stages) is None and _holds(
                model, weights, dict(asked, tensor=tensor, stages=stages), search):
            return ["here, tensor_parallel_size %d with pipeline_parallel_size %d" % (tensor, stages)]
    return []


def _holds(model, weights, asked, search):
    best, _refused_sizes = search(model, weights, asked)
    return best is not None and best["longest"] >= (asked["length"] or least(model))
