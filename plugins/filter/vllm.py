# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Filter that says whether vLLM can hold a model on some GPUs."""

from __future__ import annotations

from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter.topology import thaw
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_fit import fit

_OPTIONS = ("dtype", "kv_cache_dtype", "max_model_len", "gpu_memory_utilization", "tensor_parallel_size",
            "pipeline_parallel_size")


def vllm_fit(config, gpu_memory=None, gpus=None, nodes=1, **options):
    """See vllm_fit.yml."""
    if gpu_memory is None or gpus is None:
        raise AnsibleFilterError("gpuwright.node.vllm_fit needs gpu_memory, the bytes of one GPU, and gpus, those of a "
                                 "node")
    unknown = sorted(set(options) - set(_OPTIONS))
    if unknown:
        raise AnsibleFilterError("gpuwright.node.vllm_fit: %s is no option of it; there are: gpu_memory, gpus, nodes, "
                                 "%s" % (unknown[0], ", ".join(_OPTIONS)))
    try:
        return fit(thaw(config), gpu_memory, gpus, nodes, **options)
    except ValueError as error:
        raise AnsibleFilterError("gpuwright.node.vllm_fit: %s" % error) from error


class FilterModule:
    """The filters of this file, by name."""

    def filters(self):
        """Name to function."""
        return {"vllm_fit": vllm_fit}
