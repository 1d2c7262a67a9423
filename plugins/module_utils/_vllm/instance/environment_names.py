# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of an instance's environment that vLLM does not read, or reads otherwise than their name says.

PRIVATE to the collection. Pure. vLLM warns of an unknown VLLM_* in its log and goes on without it.
"""

from __future__ import annotations

from ..._values import nearest
from ..flags.known_variables import NAMES

KNOWN = frozenset("VLLM_" + name for name in NAMES.split())
# What somebody meant who wrote it.
INSTEAD = {
    "HOST_IP": "vLLM reads VLLM_HOST_IP, and the role sets it from the topology",
    "VLLM_ATTENTION_BACKEND": "it is gone; say attention-backend in arguments",
    "VLLM_FLASHINFER_FORCE_TENSOR_CORES": "it is gone; FlashInfer decides",
    "VLLM_USE_V1": "it is gone: V1 is the only engine",
    "VLLM_WORKER_USE_RAY": "it is gone; say distributed-executor-backend: ray in arguments",
    "VLLM_GPU_MEMORY_UTILIZATION": "there is no such variable; say gpu-memory-utilization in arguments",
    "VLLM_MODEL": "there is no such variable; `model` of the instance says it",
    "VLLM_TENSOR_PARALLEL_SIZE": "there is no such variable; say tensor-parallel-size in arguments",
}
# What vLLM reads, and not for what it seems to be.
OTHERWISE = {
    "VLLM_PORT": "it is the first of vLLM's internal ports, not the API's, which `port` of the instance says; a value "
                 "that is no number, as Kubernetes sets it for a service called vllm, stops the start",
}
# What everybody could read in /etc/vllm, and in /proc for who has the process.
SECRETS = {"VLLM_API_KEY": "api_key", "HF_TOKEN": "hf_token", "HUGGING_FACE_HUB_TOKEN": "hf_token"}
# They choose GPUs: written by hand they would give an instance those of another, behind the placement's back.
CHOOSE_GPUS = ("CUDA_DEVICE_ORDER", "CUDA_VISIBLE_DEVICES", "GPU_DEVICE_ORDINAL", "HIP_VISIBLE_DEVICES",
               "NVIDIA_VISIBLE_DEVICES", "ROCR_VISIBLE_DEVICES")
# vLLM reads them, in builds or plugins that the list of one release lacks.
_FAMILIES = ("VLLM_ROCM_", "VLLM_TPU_", "VLLM_XPU_", "VLLM_ASCEND_", "VLLM_NEURON_", "VLLM_GAUDI_", "VLLM_OMNI_")


def problems(environment, where):
    """What may not be in an environment at all: secrets, and the choice of GPUs. A list of words."""
    found = ["%s: %s: it would be readable in /etc/vllm; put it into vllm_service_secrets[NAME].%s" % (
        where, name, SECRETS[name]) for name in sorted(environment) if name in SECRETS]
    return found + ["%s: %s: the role sets it, so that no two instances have the same GPU; say `gpus` of the instance: "
                    "a number, or a list of indexes, UUIDs (MIG devices too) or PCI addresses" % (where, name)
                    for name in CHOOSE_GPUS if name in environment]


def warnings(environment, where):
    """What does nothing, or something else than its name says (R31). A list of words."""
    found = []
    for name in sorted(environment):
        words = INSTEAD.get(name) or OTHERWISE.get(name)
        if name == "VLLM_PORT" and not str(environment[name]).isdigit():
            words = "%r: %s" % (environment[name], words)
        if not words and name.startswith("VLLM_") and name not in KNOWN and not name.startswith(_FAMILIES):
            close = nearest(name, KNOWN)
            words = "vLLM 0.33.0 reads no such variable%s" % ("; " + close if close.startswith("did you") else "")
        if words:
            found.append("%s: %s: %s" % (where, name, words))
    return found
