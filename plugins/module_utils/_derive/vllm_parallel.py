# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which tensor-parallel and pipeline-parallel sizes vLLM accepts for a model, and how they lie on nodes.

PRIVATE to the collection. Pure. Tensor parallelism stays in a node, pipeline stages go across nodes: that is what is
searched. Other sizes are tried when they are asked for. Sources in vLLM: config/model.py (heads), models/*.py (KV
heads), layers/linear.py and layers/fused_moe (width), vocab_parallel_embedding.py (vocabulary, padded to 64),
fp8_utils.py (blocks).
"""

from __future__ import annotations

from .vllm_kv import is_mla


def candidates(gpus, nodes, tensor, stages):
    """[(tensor, stages, nodes used)], the fewest GPUs first. Sizes that are given (not None) are kept."""
    found = set()
    for used in range(1, nodes + 1):
        # A tensor-parallel size that no node has was asked for: its group is across nodes, and needs no stages.
        for pipeline in [stages] if stages else [used, 1] if tensor and tensor > gpus else [used]:
            for size in [tensor] if tensor else range(1, gpus + 1):
                if _lies(size, pipeline, used, gpus):
                    found.add((size, pipeline, used))
    return sorted(found, key=lambda one: (one[0] * one[1], one[2], one[1]))


def _lies(tensor, stages, nodes, gpus):
    """Whether a world of this size is on `nodes` nodes, the same number of GPUs on each, and needs all of them."""
    world = tensor * stages
    if world % nodes or world // nodes > gpus:
        return False
    here = world // nodes
    if here % tensor and tensor % here:
        return False
    return nodes == 1 or -(-world // gpus) == nodes or (stages == nodes and tensor <= gpus)


def refusal(shape, weights, tensor, stages):
    """Why vLLM would refuse these sizes, in words; None where it takes them."""
    for number, what in ((shape["heads"], "attention heads"),
                         (shape.get("linear_heads"), "heads or channels of the layers with a state")):
        if number and number % tensor:
            return "%d %s are not divisible by tensor_parallel_size %d (possible: %s)" % (
                number, what, tensor, _divisors(number))
    groups = shape.get("state_groups", 1)
    if groups > 1 and groups % tensor:
        return ("the %d groups of the Mamba layers' heads are not divisible by tensor_parallel_size %d (possible: %s)"
                % (groups, tensor, _divisors(groups)))
    if not is_mla(shape) and shape["kv_heads"] % tensor and tensor % shape["kv_heads"]:
        return ("%d KV heads neither are divisible by tensor_parallel_size %d nor divide it"
                % (shape["kv_heads"], tensor))
    for what, size in _widths(shape):
        if size % tensor:
            return "%s of %d is not divisible by tensor_parallel_size %d" % (what, size, tensor)
    vocabulary = -(-shape["vocab"] // 64) * 64
    if vocabulary % tensor:
        return "the vocabulary, padded to %d, is not divisible by tensor_parallel_size %d" % (vocabulary, tensor)
    if stages > shape["layers"]:
        return "%d layers are fewer than pipeline_parallel_size %d" % (shape["layers"], stages)
    return _blocks(weights, tensor)


def _widths(shape):
    experts = shape["experts"]
    dense = any(matrix.split == "wide" and ".shared_experts." not in matrix.name for matrix in shape["matrices"])
    found = [("intermediate_size", shape["intermediate"])] if dense else []
    if experts:
        found.append(("the width of an expert", experts["size"]))
        found += [("the width of the shared expert", experts["shared"])] if experts["shared"] else []
    return found


def _blocks(weights, tensor):
    """Weights that are quantised in blocks are divided between blocks only; experts' blocks vLLM divides itself."""
    for (width, block), name in weights["blocks"].items() if tensor > 1 else ():
        if width // tensor % block:
            return "%s: %d / tensor_parallel_size %d is no multiple of the quantised block of %d" % (
                name, width, tensor, block)
    return None


def _divisors(number, most=64):
    return ", ".join(str(one) for one in range(1, min(number, most) + 1) if number % one == 0)
