# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The presets of role vllm_service: what each says to vLLM, and which values of the guides none of them says.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

PRESETS = {
    # vLLM's own defaults, which go by the GPU: nothing to say.
    "balanced": {},
    # Small batches answered quickly: CUDA graphs of finer steps, kernels for few tokens.
    "latency": {"performance-mode": "interactivity"},
    # Many requests at once. vLLM doubles max-num-batched-tokens and max-num-seqs of what it takes for this GPU: on one
    # of 70 GiB or more that is guide 002's 16384 tokens, and on a small one what fits it.
    "throughput": {"performance-mode": "throughput"},
}

# (flag, the guides' value, why no preset says it). Each can be said in an instance's arguments.
LEFT_TO_VLLM = (
    ("max-num-batched-tokens", 16384, "vLLM chooses by the GPU (2048, 8192 or 16384, twice that with throughput)"),
    ("max-num-seqs", 512, "vLLM takes 1024 on GPUs of 70 GiB and more but A100: 512, or guide 000's 256, lowers it"),
    ("gpu-memory-utilization", 0.95, "0.92 is vLLM's own; CUDA graphs and NCCL need part of the rest"),
    ("block-size", 16, "vLLM chooses by the attention backend; a forced size can shut out the fast one"),
    ("enable-chunked-prefill", True, "on already wherever the model allows it"),
    ("max-model-len", 8192, "goes by the model and the memory: filter vllm_fit computes it"),
    ("tensor-parallel-size", 4, "goes by the GPUs that the instance gets"),
    ("numa-bind", True, "goes by the GPUs' NUMA nodes and the instance's slice"),
    ("quantization", "fp8", "changes what the model answers; fast from sm89 on. An FP8 checkpoint says so itself"),
    ("kv-cache-dtype", "fp8", "changes what the model answers, a little, and is fast only from sm89 on"),
)
