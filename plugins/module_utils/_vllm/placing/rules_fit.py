# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules R29 and R30: whether an instance's model fits where it was placed, lies well there, and runs fast on such GPUs.

PRIVATE to the collection. Pure. `arguments` are all of the instance's, merged; `config` is its model's config.json, or
words on why there is none; `placed_gpus` are the topology's GPUs of this node that it gets; `nodes` how many nodes like
this one run it together.
"""

from __future__ import annotations

from ..._derive import vllm_backends, vllm_fit
from ..._derive.vllm_model_shape import shape as shape_of
from ..._derive.vllm_parallel import refusal
from ..._derive.vllm_quantization import method_of
from ..._derive.vllm_weights import ledger
from ..._rules.finding import finding
from .model_fit import online

TENSOR, PIPELINE, DATA = "tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size"
CONTEXT = "prefill-context-parallel-size"
# With these the memory is not what the formulas say.
_BEYOND = ("kv-cache-memory-bytes", "cpu-offload-gb", "enable-expert-parallel", "decode-context-parallel-size",
           "speculative-config", "hf-overrides")


def findings(instance, arguments, config, placed_gpus, nodes=1):
    """All findings of R29, R30 and of what runs and is fast on these GPUs."""
    told = {flag: value for flag, value in arguments.items() if value is not None}
    sizes = {flag: _size(told, flag) for flag in (TENSOR, PIPELINE, DATA, CONTEXT)}
    where = (instance, told, sizes, config, placed_gpus, nodes)
    found = []
    for rule in (_world, _fits, _across_nodes, _across_sockets, _eager, _backends):
        found += rule(*where)
    return found


def _say(instance, rule, severity, setting, words):
    return [finding(rule, severity, setting, "%s: %s" % (instance["name"], words))]


def _size(told, flag):
    """A parallel size; what is wrong with one is said of the arguments."""
    text = str(told.get(flag, 1)).strip()
    return int(text) if text.isdigit() and 0 < int(text) <= 1 << 16 else 1


def _words(sizes):
    more = "".join(" x %s %d" % (what, sizes[flag]) for what, flag in (("CP", CONTEXT), ("DP", DATA))
                   if sizes[flag] > 1)
    return "TP %d x PP %d%s" % (sizes[TENSOR], sizes[PIPELINE], more)


def _world(instance, told, sizes, config, gpus, nodes):
    """R29: the GPUs that the sizes need are there, and are the same number on each node."""
    group = sizes[TENSOR] * sizes[PIPELINE] * sizes[CONTEXT]
    world, here = group * sizes[DATA], len(gpus) * nodes
    found = []
    if gpus and world > here:
        found += _say(instance, "R29", "E", TENSOR, "%s needs %d GPUs, and there are %d (%d on each node, nodes: %d)"
                      % (_words(sizes), world, here, len(gpus), nodes))
    nnodes = _size(told, "nnodes")
    # With data parallelism a replica may be on fewer nodes than there are; vLLM checks those.
    if nnodes > 1 and world % nnodes:
        found += _say(instance, "R29", "E", "nnodes", "nnodes %d does not divide the %d GPUs of %s" % (
            nnodes, world, _words(sizes)))
    return found


def _asked(told, sizes, gpus, nodes, config):
    """What `fit` is asked."""
    asked = {"tensor_parallel_size": sizes[TENSOR], "pipeline_parallel_size": sizes[PIPELINE], "nodes": nodes}
    for flag in ("dtype", "kv-cache-dtype", "gpu-memory-utilization", "max-model-len"):
        if flag in told:
            asked[flag.replace("-", "_")] = told[flag]
    asked.update(online(told, config))
    memory = min((gpu["memory"] for gpu in gpus if gpu.get("memory")), default=None)
    return dict(asked, gpu_memory=memory, gpus=len(gpus))


def _fits(instance, told, sizes, config, gpus, nodes):
    """R29: weights and KV cache are held, and vLLM takes the sizes."""
    if not isinstance(config, dict):
        return _say(instance, "R29", "I", None, "its size was not checked: %s" % (
            config or "the model's config.json is not there yet"))
    try:
        if not gpus:
            words = refusal(shape_of(config), ledger(shape_of(config), "auto"), sizes[TENSOR], sizes[PIPELINE])
            return _say(instance, "R29", "E", TENSOR, words) if words else []
        asked = _asked(told, sizes, gpus, nodes, config)
        beyond = _beyond(instance, told, config)
        group = sizes[TENSOR] * sizes[PIPELINE]
        if asked["gpu_memory"] is None or beyond or sizes[CONTEXT] > 1 or group > len(gpus) * nodes:
            why = "of %s" % ", ".join(beyond) if beyond else "the GPUs' memory is not known"
            return [] if group > len(gpus) * nodes else _say(
                instance, "R29", "I", None, "its size was not checked, because %s" % why)
        return _judged(instance, told, config, asked)
    except ValueError as error:
        return _say(instance, "R29", "I", None, "its size was not checked: %s" % error)


def _beyond(instance, told, config):
    """What is said that the formulas do not reckon with."""
    found = [flag for flag in _BEYOND if told.get(flag) is True or told.get(flag) not in (None, False, 0, 1)]
    if told.get("quantization") and method_of(config) is None and not online(told, config):
        found.append("quantization")
    return found + [name for name in instance.get("environment") or {} if name == "VLLM_ALLOW_LONG_MAX_MODEL_LEN"]


def _judged(instance, told, config, asked):
    """What `fit` says, as a finding. Without max-model-len vLLM wants the model's own length, or does not start.

    Near the limit the estimate of activations and graphs decides, which is no proof: W, not E.
    """
    found, before = vllm_fit.fit(config, **asked), ""
    whole = found["unset_max_len"]
    if "max-model-len" not in told and found["max_model_len"] != whole and found["per_gpu"]:
        found = vllm_fit.fit(config, **dict(asked, max_model_len=whole))
        before = "max-model-len is not set, so that vLLM takes the model's own %d: " % whole
    part = found["per_gpu"]
    if part is None:
        return _say(instance, "R29", "E", TENSOR, found["reason"])
    left, doubt = part["usable"] - part["needs"], part["activations"] // 2
    if found["fits"] and left >= doubt:
        return []
    if found["fits"]:
        automatic = str(told.get("max-model-len")).strip().lower() in ("auto", "-1")
        return [] if automatic else _say(instance, "R29", "W", "max-model-len", "it fits by %.1f GB a GPU only, and "
                                         "what vLLM needs besides weights and KV cache is an estimate" % (left / 1e9))
    near = 0 <= -left < doubt
    return _say(instance, "R29", "W" if near else "E", "max-model-len", before + found["reason"] + (
        " It is near the limit, and vLLM's start decides." if near else ""))


def _across_nodes(instance, told, sizes, config, gpus, nodes):
    """R30: a tensor-parallel group over the network, where pipeline stages would keep it inside a node."""
    here, world = len(gpus), sizes[TENSOR] * sizes[PIPELINE]
    if not here or nodes < 2 or sizes[TENSOR] <= here or world % nodes or not isinstance(config, dict):
        return []
    try:
        asked = dict(_asked(told, sizes, gpus, nodes, config), tensor_parallel_size=world // nodes,
                     pipeline_parallel_size=nodes)
        found = vllm_fit.fit(config, **asked) if asked["gpu_memory"] else {"fits": False}
    except ValueError:
        return []  # R29 says what is wrong.
    if not found["fits"]:
        return []
    return _say(instance, "R30", "W", TENSOR, "its tensor-parallel group of %d spans nodes with %d GPUs each, and "
                "each layer waits for the network twice; TP %d x PP %d fits too, with the groups inside the nodes" % (
                    sizes[TENSOR], here, world // nodes, nodes))


def _across_sockets(instance, told, sizes, config, gpus, nodes):
    """R30: a tensor-parallel group on several NUMA nodes whose GPUs have no NVLink between them."""
    found = []
    for start in range(0, len(gpus) - sizes[TENSOR] + 1, sizes[TENSOR]):
        group = gpus[start:start + sizes[TENSOR]]
        far = next(((one, two) for one in group for two in group if _apart(one, two)), None)
        if far:
            found += _say(instance, "R30", "W", TENSOR, "its tensor-parallel group has GPU %s (NUMA node %s) and GPU "
                          "%s (NUMA node %s), with no NVLink between them: each layer crosses the sockets' link. "
                          "Keep a group on one node's GPUs, or take pipeline-parallel-size" % (
                              far[0]["index"], far[0]["numa_node"], far[1]["index"], far[1]["numa_node"]))
    return found


def _apart(one, two):
    """Whether two GPUs are on different NUMA nodes and known to have no fast link; what is not known is no finding."""
    nodes = (one.get("numa_node"), two.get("numa_node"))
    if None in nodes or nodes[0] == nodes[1] or not isinstance(one.get("links"), dict):
        return False
    words = str(one["links"].get(str(two["index"]), ""))
    return bool(one["links"]) and not words.startswith(("NV", "XGMI"))


def _eager(instance, told, sizes, config, gpus, nodes):
    """enforce-eager is for finding faults; without CUDA graphs the CPU holds up each step of a decode."""
    if told.get("enforce-eager") is not True or not gpus:
        return []
    return _say(instance, "R30", "W", "enforce-eager", "enforce-eager is on: there are no CUDA graphs, and small "
                "batches are decoded much more slowly; leave it out but for looking for a fault")


def _backends(instance, told, sizes, config, gpus, nodes):
    """What is quantised, attended and cached by means that this GPU lacks, or has slowly."""
    asked = {"quantization": told.get("quantization"), "attention_backend": told.get("attention-backend"),
             "kv_cache_dtype": told.get("kv-cache-dtype")}
    found = []
    try:
        asked["quantization"] = (method_of(config) if isinstance(config, dict) else None) or asked["quantization"]
    except ValueError:
        pass  # R29 says what is wrong.
    seen = {vllm_backends.capability(gpu): gpu for gpu in gpus}
    for here, gpu in sorted(seen.items(), key=lambda one: str(one[0])):
        for key, value in asked.items():
            if value is not None and value != "auto":
                found += _backend(instance, key, value, here, gpu, asked)
        if here and here[0] != "g" and float(here) < 8 and str(told.get("dtype")) == "bfloat16":
            found += _say(instance, "backend", "E", "dtype", "bfloat16 needs compute capability 8.0, and %s has %s: "
                          "dtype: half" % (gpu["name"], here))
    return found


def _backend(instance, key, value, here, gpu, asked):
    flag = key.replace("_", "-")
    if here is None:
        return _say(instance, "backend", "I", flag, "whether %s %s runs on %s is not known" % (
            flag, value, gpu.get("name") or "a GPU without a name"))
    context = {"attention_backend": asked["attention_backend"]} if key == "kv_cache_dtype" else {}
    try:
        if context and not vllm_backends.runs(here, **context)["runs"]:
            return []  # Said of the backend.
        verdict = vllm_backends.runs(here, **dict(context, **{key: value}))
    except ValueError as error:
        return _say(instance, "backend", "I", flag, "not checked: %s" % error)
    if verdict["fast"]:
        return []
    words = "%s has compute capability %s: %s" % (gpu["name"], here, verdict["why"])
    return _say(instance, "backend", "W" if verdict["runs"] else "E", flag,
                words + ("; take %s" % verdict["instead"] if verdict["instead"] else ""))
