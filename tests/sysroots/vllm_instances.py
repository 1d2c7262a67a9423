# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Instances and placements as the units are made of them, in the variants that the field has."""

from __future__ import annotations

import copy

from plugins.module_utils._vllm.instance import instance

H100 = {"vendor": "nvidia", "name": "NVIDIA H100 80GB HBM3"}
GPUS = [dict(H100, index=index, uuid="GPU-%08d-0000-0000-0000-000000000000" % index, numa_node=index // 4)
        for index in range(8)]
AMD = [{"vendor": "amd", "name": "MI300X", "index": index, "uuid": None, "numa_node": index // 4} for index in range(8)]
MIG = [dict(GPUS[0], mig_device={"uuid": "MIG-11111111-0000-0000-0000-000000000000", "index": 2})]


def made(kind="venv", path="/opt/gpuwright/vllm-0.33.0", **changed):
    """An instance in normal form."""
    engine = {"kind": kind, "version": "0.33.0"}
    if kind in ("venv", "existing"):
        engine["path"] = str(path)
    return instance.check(dict({"name": "llama", "model": "/srv/models/llama", "engine": engine}, **changed))


def placed(gpus=(), **changed):
    """Where it was placed."""
    visible = {}
    if gpus:
        variable = "ROCR_VISIBLE_DEVICES" if gpus[0]["vendor"] == "amd" else "CUDA_VISIBLE_DEVICES"
        visible = {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", variable: ",".join(str(gpu["index"]) for gpu in gpus)}
    return dict({"gpus": copy.deepcopy(list(gpus)), "visible": visible, "environment": {"NCCL_DEBUG": "WARN"},
                 "arguments": {}, "slice": None, "cpus": None, "memory_policy": None, "devices": [], "why": {}},
                **changed)


def of_several(rank, distributed="native"):
    """One of two nodes."""
    addresses = ["10.0.0.1", "10.0.0.2"]
    return {"nnodes": 2, "node_rank": rank, "nodes": ["a", "b"], "address": addresses[rank], "addresses": addresses,
            "master_addr": "10.0.0.1", "master_port": 29501, "interface": "eth0", "distributed": distributed}


ONE_SOCKET = placed(GPUS[:4], slice="gpuwright.slice", cpus="2-31",
                    memory_policy={"NUMAPolicy": "preferred", "NUMAMask": "0"})
TWO_SOCKETS = placed(GPUS, slice="gpuwright.slice", cpus="2-31,34-63", devices=["/dev/infiniband"])
# name: (what differs from the instance, placement, secrets)
VARIANTS = {
    "one socket": ({}, ONE_SOCKET, None),
    "two sockets": ({}, TWO_SOCKETS, None),
    "no GPU": ({}, placed(), None),
    "AMD": ({}, placed(AMD, devices=["/dev/kfd", "/dev/dri"]), None),
    "MIG": ({}, placed(MIG), None),
    "secrets": ({}, ONE_SOCKET, {"api_key": 'k"$e\\y %i', "hf_token": "hf_x"}),
    "another user": ({"user": "svc", "stop_timeout": 600}, ONE_SOCKET, None),
    "stopped": ({"state": "stopped"}, ONE_SOCKET, None),
    "odd environment": ({"environment": {"A": 'a "b" $HOME %i \\ `x` #', "B": "", "C": " é "}}, ONE_SOCKET, None),
    "odd model": ({"model": "/srv/models/a %i $b \"c\""}, ONE_SOCKET, None),
    "model in /tmp": ({"model": "/tmp/model"}, placed(), None),
    "first of two nodes": ({"several": of_several(0)}, TWO_SOCKETS, {"hf_token": "hf_x"}),
    "second of two nodes": ({"several": of_several(1)}, TWO_SOCKETS, None),
    "head of Ray": ({"several": of_several(0, "ray")}, TWO_SOCKETS, {"hf_token": "hf_x"}),
    "worker of Ray": ({"several": of_several(1, "ray")}, TWO_SOCKETS, {"hf_token": "hf_x"}),
}
