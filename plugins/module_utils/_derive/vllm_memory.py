# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GPU memory that is neither weights nor KV cache: activations, logits, CUDA graphs, workspaces, NCCL's buffers.

PRIVATE to the collection. Pure. An estimate by formula, where weights and KV cache are reckoned exactly:

  activations  tokens computed at a time x bytes of a token's widest layer, as vLLM's profiling run measures them
  logits       sequences x vocabulary x 10 bytes (16 bits, 32 bits, and the sampler's copy), on the last stage
  graphs       256 MiB and 10 MiB a layer of the stage
  workspaces   512 MiB: FlashInfer, cuBLAS
  all four     at least 2 GB and at most 6 GB
  NCCL         512 MiB a GPU with tensor parallelism, 256 MiB with pipeline stages or several nodes

Tokens and sequences at a time are vLLM's defaults of max_num_batched_tokens and max_num_seqs (engine/arg_utils.py: 2048
and 256, from 70 GiB on 8192 and 1024, from 160 GiB on 16384), joined by a line so that more memory never fits less.
"""

from __future__ import annotations

_GIB = 1 << 30
_MIB = 1 << 20
_LEAST, _MOST = 2 * 10 ** 9, 6 * 10 ** 9
_STEP = 70 * _GIB


def in_flight(gpu_memory):
    """(tokens computed at a time, sequences) of vLLM's defaults for a GPU of this memory, or a little more."""
    tokens = min(max(gpu_memory * 8192 // _STEP, 2048), 16384)
    return int(tokens), int(min(max(gpu_memory * 1024 // _STEP, 256), 1024))


def overhead(shape, gpu_memory, tensor, stages, nodes):
    """Bytes on one GPU of each stage: [{"activations", "graphs", "communication"}]."""
    tokens, sequences = in_flight(gpu_memory)
    communication = (512 * _MIB if tensor > 1 else 0) + (256 * _MIB if stages > 1 or nodes > 1 else 0)
    found = []
    for stage in range(stages):
        layers = -(-shape["layers"] // stages)
        active = tokens * _token(shape, tensor)
        if stage == stages - 1:
            active += sequences * shape["vocab"] * 10
        graphs = (256 + 512 + 10 * layers) * _MIB
        both = min(max(active + graphs, _LEAST), _MOST)
        found.append({"activations": both - min(graphs, both), "graphs": min(graphs, both),
                      "communication": communication})
    return found


def _token(shape, tensor):
    """Bytes of one token in the widest part of a layer, in 16 bits."""
    hidden = shape["hidden"]
    attention = 2 * (shape["heads"] + 2 * shape["kv_heads"]) * shape["head_dim"] // tensor
    wide = 3 * shape["intermediate"] // tensor
    experts = shape["experts"]
    if experts:
        size = experts["size"] // tensor
        wide = max(experts["active"] * (max(2 * size, hidden) + size), 3 * experts["shared"] // tensor)
    return 2 * (6 * hidden + max(attention, wide))
