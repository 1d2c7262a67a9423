# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How many GPUs an instance takes on each of its nodes, by the sizes of its parallelism.

PRIVATE to the collection. Pure. The names are vLLM's flags: tensor, pipeline, prefill-context and data parallel size.
"""

from __future__ import annotations

TENSOR, PIPELINE, CONTEXT, DATA = (
    "tensor-parallel-size", "pipeline-parallel-size", "prefill-context-parallel-size", "data-parallel-size")
LOCAL = "data-parallel-size-local"


class CannotPlace(Exception):
    """An instance cannot run on this node as asked; the text says what it needs and what there is."""


def nodes(instance):
    """How many nodes run the instance together."""
    return int((instance.get("several") or {}).get("nnodes") or 1)


def is_ray(instance):
    """Whether Ray starts its workers: over several nodes by the role, or as the arguments say."""
    several = instance.get("several") or {}
    return several.get("distributed") == "ray" or \
        instance["arguments"].get("distributed-executor-backend") == "ray"


def given(instance, flag):
    """A size that the arguments name, or None. Raises CannotPlace for what is no size."""
    value = instance["arguments"].get(flag)
    if value is None:
        return None
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdigit() or int(text) < 1:
        raise CannotPlace("%s: %r is no whole number from 1 on" % (flag, value))
    return int(text)


def sizes(instance, listed=None, fitted=None):
    """{flag: size} of all four. `listed` is how many GPUs of this node were asked for, `fitted` what the model needs.

    Where the arguments name no tensor-parallel size: what `gpus` asks for, all of it inside a node; else `fitted`, the
    smallest TP x PP that holds the model; else one GPU a node.
    """
    said = {flag: given(instance, flag) for flag in (TENSOR, PIPELINE, CONTEXT, DATA)}
    context, data = said[CONTEXT] or 1, said[DATA] or 1
    tensor, pipeline = said[TENSOR], said[PIPELINE]
    count = nodes(instance)
    if tensor is None and listed is not None:
        tensor, pipeline = _spread(instance, listed, count, pipeline, context * data)
    elif tensor is None:
        fits = fitted or {}
        tensor = fits.get("tensor_parallel_size") or 1
        pipeline = pipeline or fits.get("pipeline_parallel_size")
        # What fits on one GPU is asked to run on several nodes: a stage each is the least that uses them all.
        pipeline = pipeline or (count if data == 1 and tensor == 1 else None)
    elif pipeline is None and listed is not None and data == 1 and (listed * count) % (tensor * context) == 0:
        pipeline = listed * count // (tensor * context) if count > 1 else None
    return {TENSOR: tensor, PIPELINE: pipeline or 1, CONTEXT: context, DATA: data}


def _spread(instance, listed, count, pipeline, others):
    """(TP, PP) for so many GPUs of each node: TP inside a node, PP across nodes."""
    world = listed * count
    stages = pipeline or (count if others == 1 else 1)
    if world % (stages * others):
        raise CannotPlace("%s: %d GPUs%s are not divided by %s %d x %d of the other sizes: name tensor-parallel-size, "
                          "or another number of GPUs" % (instance["name"], world, _on(count), PIPELINE, stages, others))
    return world // (stages * others), stages


def on_a_node(instance, asked):
    """How many GPUs those sizes take on each node. Raises CannotPlace where the nodes cannot share them evenly."""
    world = asked[TENSOR] * asked[PIPELINE] * asked[CONTEXT] * asked[DATA]
    count, local = nodes(instance), given(instance, LOCAL)
    if count > 1:
        if world % count:
            raise CannotPlace("%s: %d nodes do not divide the %d GPUs of %s: vLLM gives each node the same number (R29)"
                              % (instance["name"], count, world, words(asked)))
        return world // count
    if local is not None:
        return asked[TENSOR] * asked[PIPELINE] * asked[CONTEXT] * local
    return world


def words(asked):
    """Sizes as people write them: TP 4 x PP 2."""
    short = {TENSOR: "TP", PIPELINE: "PP", CONTEXT: "PCP", DATA: "DP"}
    return " x ".join("%s %d" % (short[flag], size) for flag, size in asked.items() if flag in (
        TENSOR, PIPELINE) or size > 1)


def _on(count):
    return " on %d nodes" % count if count > 1 else ""
