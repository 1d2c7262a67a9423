# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the sizing, as numbers: memory, GPUs, nodes, length, utilization and parallel sizes.

PRIVATE to the collection. Pure. Numbers may come as text, as Ansible's templates make them.
"""

from __future__ import annotations

import math
import re

_MOST = 4096  # GPUs of a node, nodes, parallel sizes: above what anybody has, and bounds the search.
_GIB = 1 << 30


def checked(gpu_memory, gpus, nodes, length, utilization, tensor, stages):
    """{"gpu_memory", "gpus", "nodes", "length", "utilization", "tensor", "stages"}. Raises ValueError."""
    found = {"gpu_memory": _memory(gpu_memory), "gpus": _whole(gpus, "gpus", 1, 1024),
             "nodes": _whole(nodes, "nodes", 1, _MOST), "length": _length(length), "utilization": _share(utilization),
             "tensor": None if tensor is None else _whole(tensor, "tensor_parallel_size", 1, _MOST),
             "stages": None if stages is None else _whole(stages, "pipeline_parallel_size", 1, _MOST)}
    world = (found["tensor"] or 1) * (found["stages"] or 1)
    if world > found["gpus"] * found["nodes"]:
        raise ValueError("tensor_parallel_size %s x pipeline_parallel_size %s needs %d GPUs, and there are %d (%d a "
                         "node, nodes: %d)" % (found["tensor"] or 1, found["stages"] or 1, world,
                                               found["gpus"] * found["nodes"], found["gpus"], found["nodes"]))
    return found


def _memory(value):
    try:
        return _whole(value, "gpu_memory", _GIB, 1 << 60)
    except ValueError as error:
        raise ValueError("gpu_memory: %.60r is not the bytes of one GPU, a whole number of 1 GiB or more, as the "
                         "topology's gpus[0].memory is; an H100 of 80 GB has 85520809984" % (value,)) from error


def _whole(value, what, least, most):
    if isinstance(value, float) and math.isfinite(value) and value == int(value):
        value = int(value)
    whole = not isinstance(value, bool) and re.match(r"\s*\d{1,20}\s*\Z", str(value), re.ASCII)
    if not whole or not least <= int(value) <= most:
        raise ValueError("%s: %.60r is not an integer of %d to %d" % (what, value, least, most))
    return int(value)


def _length(value):
    """vLLM's own words for 'the longest that fits' are auto and -1."""
    if value is None or str(value).strip().lower() in ("auto", "-1", ""):
        return None
    match = re.match(r"\s*(?:(\d{1,12})([KMG])|(\d{1,12}(?:\.\d{1,12})?)([kmg]))\s*\Z", str(value), re.ASCII)
    if not match:
        return _whole(value, "max_model_len", 1, 1 << 30)
    number, binary, point, decimal = match.groups()
    size = int(number) * 1024 ** " KMG".index(binary) if binary else int(float(point) * 1000 ** " kmg".index(decimal))
    return _whole(size, "max_model_len", 1, 1 << 30)


def _share(value):
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = math.nan
    if isinstance(value, bool) or not 0 < share <= 1:
        raise ValueError("gpu_memory_utilization: %.60r is not a number above 0 and up to 1" % (value,))
    return share
