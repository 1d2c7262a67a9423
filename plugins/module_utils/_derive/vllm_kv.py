# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of the KV cache: of one token, and of one request of some length on one GPU.

PRIVATE to the collection. Pure. As vLLM's v1/kv_cache_interface.py and kv_cache_utils.py: K and V of each KV head; MLA
one latent vector for all heads, the same on each GPU; a sliding window keeps its window and what is being computed;
layers of several kinds share one pool in groups of equal numbers of layers and blocks of equal bytes, and what does
not divide is padding; a state is one block.
"""

from __future__ import annotations

from . import vllm_config as read

BLOCK = 16
# Bytes of one number; scales apart.
DTYPES = {"bfloat16": 2.0, "float16": 2.0, "half": 2.0, "fp8": 1.0, "fp8_e4m3": 1.0, "fp8_e5m2": 1.0, "fp8_inc": 1.0,
          "fp8_ds_mla": 1.0, "nvfp4": 0.5625, "int8_per_token_head": 1.0, "fp8_per_token_head": 1.0,
          "int4_per_token_head": 0.5}
_SCALE = 4  # Bytes a token and head with *_per_token_head.
_DS_MLA = 656  # fp8_ds_mla: 512 numbers of 8 bits, four scales of 4 bytes, 64 rotary numbers of 16 bits.
_INDEX_SCALE = 4
_STATES = 2  # Of one request: with prefix caching, on by default, one is kept while the next is made (MambaSpec).


def resolve(shape, kv_cache_dtype, width):
    """The kv_cache_dtype that is meant: auto is what the checkpoint says, else the model's own. Raises ValueError."""
    if kv_cache_dtype is None:
        kv_cache_dtype = "auto"
    if not isinstance(kv_cache_dtype, str) or (kv_cache_dtype != "auto" and kv_cache_dtype not in DTYPES):
        raise ValueError("kv_cache_dtype: %.40r is not one of auto, %s" % (kv_cache_dtype, ", ".join(DTYPES)))
    if kv_cache_dtype != "auto":
        if kv_cache_dtype == "fp8_ds_mla" and not is_mla(shape):
            raise ValueError("kv_cache_dtype: fp8_ds_mla is for models with MLA, and this is %s" % shape["model_type"])
        return kv_cache_dtype
    return _of_checkpoint(shape) or ("float32" if width == 4 else "bfloat16")


def _of_checkpoint(shape):
    """What the files of modelopt and compressed-tensors say the KV cache is to be: vLLM follows those only.

    Of compressed-tensors it takes any kv_cache_scheme for fp8, and with MLA none (attention.py, mla_attention.py).
    """
    given = shape["quantization"] or {}
    method = str(given.get("quant_method", "")).replace("_", "-")
    if method == "compressed-tensors" and read.mapping(given, "kv_cache_scheme"):
        return None if is_mla(shape) else "fp8"
    if not str(given.get("quant_method", "modelopt" if "producer" in given else "")).startswith("modelopt"):
        return None
    inner = read.mapping(given, "quantization") or given
    said = inner.get("kv_cache_scheme") or inner.get("kv_cache_quant_algo") or given.get("kv_cache_quant_algo")
    if isinstance(said, dict):
        said = {8: "fp8", 4: "nvfp4"}.get(said.get("num_bits")) if said.get("type") == "float" else None
    return {"fp8": "fp8", "nvfp4": "nvfp4"}.get(said.lower()) if isinstance(said, str) else None


def token_bytes(cache, dtype, heads=None):
    """Bytes that one layer keeps for one token; `heads` on this GPU, all of them by default. A state keeps none."""
    width = 4.0 if dtype == "float32" else DTYPES[dtype]
    if cache["kind"] in ("state", "none"):
        return 0
    if cache["kind"] == "mla":
        own = _DS_MLA if dtype == "fp8_ds_mla" else (cache["latent"] + cache["rope"]) * width
        return own + (cache["index"] + _INDEX_SCALE if cache["index"] else 0)
    heads = cache["heads"] if heads is None else heads
    return 2 * heads * (cache["size"] * width + (_SCALE if dtype.endswith("_per_token_head") else 0))


def per_token(shape, dtype):
    """Bytes of one token in all layers, each once: on how many GPUs copies of it are is not counted."""
    return int(sum(token_bytes(cache, dtype) for cache in shape["cache"]))


def is_mla(shape):
    """Whether its attention keeps one latent vector."""
    return any(cache["kind"] == "mla" for cache in shape["cache"])


def groups(shape, layers, dtype, tensor):
    """[{"window", "block", "token", "request"}] of one stage's layers (a slice) on one GPU.

    token: bytes of a token, in whole blocks of `block` tokens, no older than the window; request: bytes however long.
    """
    kinds = {}
    for cache in shape["cache"][layers]:
        if cache["kind"] != "none":
            kinds.setdefault((cache["kind"], cache["window"]), []).append(cache)
    counts = [len(caches) for caches in kinds.values()]
    # kv_cache_utils.py: the smallest number of layers of one kind, unless they are nearly equal.
    group = 1 if not counts else max(counts) if max(counts) < 1.5 * min(counts) else min(counts)
    page, found = _page(shape, dtype, tensor), []
    for (kind, window), caches in sorted(kinds.items(), key=str):
        padded = -(-len(caches) // group) * group if len(kinds) > 1 else len(caches)
        block, request = BLOCK, 0
        token = sum(_on_gpu(cache, dtype, tensor) for cache in caches) * padded / len(caches)
        if kind == "state":
            request = _STATES * padded * (page or state_bytes(caches[0], dtype, tensor))
        elif page:
            block = _block(page, _on_gpu(caches[0], dtype, tensor))
            token = page * padded / block
        found.append({"window": window, "block": block, "token": token, "request": request})
    return found


def _block(page, token):
    """Tokens of a block of `page` bytes; where they do not divide it, the rest of it is padding."""
    return int(page // token) if page % (token * BLOCK) == 0 else BLOCK


def _on_gpu(cache, dtype, tensor):
    """Bytes of one token in one layer on one GPU."""
    heads = max(cache["heads"] // tensor, 1) if "heads" in cache else None
    return token_bytes(cache, dtype, heads)


def _page(shape, dtype, tensor):
    """Bytes that all layers' blocks have in one pool; None where blocks of 16 tokens are of one size by themselves.

    A block of a layer that attends is made as large as the largest state (platforms/interface.py), or as the block of
    the layer that has the largest (kv_cache_utils.py).
    """
    tokens = {_on_gpu(cache, dtype, tensor) for cache in shape["cache"]} - {0}
    state = max((state_bytes(cache, dtype, tensor) for cache in shape["cache"] if cache["kind"] == "state"), default=0)
    if not tokens or (not state and (len(tokens) == 1 or is_mla(shape))):
        return None
    largest = BLOCK * max(tokens)
    return -(-state // largest) * largest if state else largest


def state_bytes(cache, dtype, tensor):
    """Bytes of one state of one layer on one GPU."""
    width = 4 if dtype == "float32" else 2
    groups_here = cache["groups"]
    # mamba_utils.py: one group of heads is copied to each GPU.
    copied = tensor - groups_here if groups_here and groups_here % tensor else 0
    convolution = cache["convolution"] + copied * cache["shared"]
    return (convolution * width + cache["state"] * (cache["width"] or width)) // tensor


def request_bytes(found, length, in_flight):
    """Bytes of one request of `length` tokens on one GPU; `in_flight` tokens are computed at a time."""
    total = 0
    for one in found:
        blocks = -(-(length if one["window"] is None else min(one["window"] - 1 + in_flight, length)) // one["block"])
        total += (blocks + (one["window"] is not None)) * one["block"] * one["token"] + one["request"]
    return total
