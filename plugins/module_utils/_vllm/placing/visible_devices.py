# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables by which an instance sees its GPUs and no others, and the devices that a container is given for them.

PRIVATE to the collection. Pure. Of AMD's two variables ROCR_VISIBLE_DEVICES is the one that the runtime itself obeys,
so nothing above it sees other GPUs. A container that is given single GPUs numbers them from 0: secret_files.py leaves
numbers out of its environment. Ray refuses to start with it ("Please use HIP_VISIBLE_DEVICES instead"), and hands
GPUs to its workers by the other: there it is HIP_VISIBLE_DEVICES, which vLLM copies to CUDA_VISIBLE_DEVICES.
"""

from __future__ import annotations

from . import parallel_sizes
from .gpu_choice import key

ORDER = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID"}
RECORD = "GPUWRIGHT_GPUS"  # Which GPUs an instance has, by address: what later runs go by, for indexes change.
_CONTAINERS = ("podman", "docker")
CDI = "nvidia.com/gpu"


def variables(instance, gpus, topology):
    """(the variables, why) for GPUs in PCI order; none of them for an instance on CPUs."""
    if not gpus:
        return {}, "it runs on CPUs"
    if gpus[0]["vendor"] == "nvidia":
        return _nvidia(gpus, topology)
    if parallel_sizes.is_ray(instance):
        return {"HIP_VISIBLE_DEVICES": ",".join(_hip(gpu) for gpu in gpus)}, \
            "Ray does not start with ROCR_VISIBLE_DEVICES"
    uuids = [gpu.get("uuid") for gpu in gpus]
    if all(uuids):
        return {"ROCR_VISIBLE_DEVICES": ",".join(uuids)}, "by UUID: ROCm's numbers are not those of the PCI order"
    if instance["engine"]["kind"] in _CONTAINERS:
        return {}, "the container is given these GPUs alone, and numbers them anew"
    return {"ROCR_VISIBLE_DEVICES": ",".join(_hip(gpu) for gpu in gpus)}, \
        "by ROCm's own numbers: not every GPU here has a UUID"


def _nvidia(gpus, topology):
    """CUDA shows no whole GPU beside a part of another, so beside one that is divided by MIG numbers are no names."""
    divided = any((gpu.get("mig") or {}).get("enabled") for gpu in topology["gpus"])
    if divided and all(gpu.get("mig_device") or gpu.get("uuid") for gpu in gpus):
        named, why = [(gpu.get("mig_device") or gpu)["uuid"] for gpu in gpus], "by UUID: a GPU here is divided by MIG"
    else:
        named = [_cuda(gpu, topology) for gpu in gpus]
        why = "numbered in PCI order, as CUDA_DEVICE_ORDER=PCI_BUS_ID says"
    return dict(ORDER, CUDA_VISIBLE_DEVICES=",".join(named)), why


def _cuda(gpu, topology):
    """What CUDA calls a GPU: it numbers those that NVIDIA's driver has, and a MIG device has a UUID only."""
    if gpu.get("mig_device"):
        return gpu["mig_device"]["uuid"]
    driven = [one["index"] for one in topology["gpus"]
              if one["vendor"] == "nvidia" and one.get("driver") in ("nvidia", None)]
    return str(driven.index(gpu["index"]))


def _hip(gpu):
    """What ROCm calls a GPU: its place among the compute driver's nodes, where that is known."""
    return str(gpu["index"] if gpu.get("hip_index") is None else gpu["hip_index"])


def record(gpus):
    """The line that says which GPUs these are."""
    return {RECORD: ",".join(key(gpu) for gpu in gpus)} if gpus else {}


def devices(gpus, topology, cdi, several):
    """What a container is given: NVIDIA's GPUs by their names in the CDI specifications, AMD's by their files, NICs.

    `cdi` is {kind: [names]} of the specifications on the node. A GPU of NVIDIA's that none has is left to the engine's
    own way of naming it.
    """
    found = []
    for gpu in gpus:
        if gpu["vendor"] == "amd":
            found += [path for path in ("/dev/kfd", gpu.get("render") or "/dev/dri") if path not in found]
        else:
            named = _name_in(gpu, cdi.get(CDI) or (), topology)
            found += ["%s=%s" % (CDI, named)] if named else []
    if several and topology.get("rdma_devices"):
        found.append("/dev/infiniband")
    return found


def _name_in(gpu, names, topology):
    """The GPU's name in a specification: its UUID, or its number (of a part: the GPU's and its own)."""
    part = gpu.get("mig_device")
    number = _cuda(dict(gpu, mig_device=None), topology)
    wanted = (part.get("uuid"), "%s:%s" % (number, part.get("index"))) if part else (gpu.get("uuid"), number)
    return next((name for name in wanted if name in names), None)
