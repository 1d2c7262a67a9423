# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Bytes of a model's weights: in all, and on one GPU of each pipeline stage.

PRIVATE to the collection. Pure. Stages get layers as vLLM's get_pp_indices gives them: equal parts, what is left over
from the last but one backwards. The first has the embeddings, the last the head, or a copy of tied embeddings.
"""

from __future__ import annotations

from .vllm_quantization import bytes_of, format_of, formats

_DIVIDED = ("heads", "linear_heads", "wide", "vocab", "experts")
_TILE = 256  # What the MXFP4 kernels of vLLM pad the width of experts and of the model to.


def ledger(shape, dtype):
    """{"total", "layers": {layer: {split: bytes}}, "blocks": {(width, block): name}, ...}. Raises BadConfig."""
    found, width = formats(shape, dtype)
    layers, total, padded, blocks = {}, 0, False, {}
    for matrix in shape["matrices"]:
        one = format_of(matrix, found)
        size = bytes_of(matrix, one, width)
        total += size
        padded = padded or (matrix.kind == "expert" and one is not None and one.name.endswith("mxfp4"))
        if matrix.split == "wide" and one is not None and one.block:
            down = matrix.name.endswith("down_proj")
            key = (matrix.rows, one.block[1]) if down else (matrix.columns, one.block[0])
            blocks.setdefault(key, matrix.name)
        part = layers.setdefault(matrix.layer, {})
        part[matrix.split] = part.get(matrix.split, 0) + size
    _absorb(shape, layers)
    embeddings = layers["first"].get("vocab", 0) if shape["tied"] else 0
    return {"total": total, "layers": layers, "width": width, "tied": embeddings, "padded": padded, "blocks": blocks}


def _absorb(shape, layers):
    """What is on the GPU and not in the files: of MLA W_UK and W_UV, 16-bit forms of kv_b_proj; V where K is V."""
    for matrix in shape["matrices"]:
        if matrix.split == "kv_full":
            layers[matrix.layer]["kv_full"] *= 2
        if matrix.name.endswith("kv_b_proj"):
            layers[matrix.layer]["heads"] += 2 * matrix.rows * matrix.columns


def partition(layers, stages):
    """How many layers each pipeline stage has."""
    parts = [layers // stages] * stages
    for index in range(2, layers % stages + 2):
        parts[-index] += 1
    return parts


def per_gpu(shape, weights, tensor, stages):
    """Bytes on one GPU of each stage."""
    padding = _padding(shape, tensor) if weights["padded"] else 1
    found, start = [], 0
    for stage, count in enumerate(partition(shape["layers"], stages)):
        names = list(range(start, start + count))
        names += ["first"] if stage == 0 else []
        names += ["last"] if stage == stages - 1 else []
        size = sum(_share(shape, split, size, tensor, padding)
                   for name in names for split, size in weights["layers"].get(name, {}).items())
        if stages > 1 and stage == stages - 1:
            size += weights["tied"] // tensor
        found.append(int(size))
        start += count
    return found


def _share(shape, split, size, tensor, padding):
    """What one GPU of a tensor-parallel group holds of some bytes; KV heads are copied where there are too few."""
    if split in ("kv", "kv_full"):
        heads = shape["kv_heads"] if split == "kv" else shape["full_kv_heads"]
        return size / heads * max(heads / tensor, 1)
    if split == "experts":
        return size / tensor * padding
    return size / tensor if split in _DIVIDED else size


def _padding(shape, tensor):
    def round_up(number):
        return -(-number // _TILE) * _TILE / number

    return round_up(max(shape["experts"]["size"] // tensor, 1)) * round_up(shape["hidden"])
