# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which variables and devices an instance sees its GPUs."""

from __future__ import annotations

from tests.sysroots import engine_nodes
from tests.sysroots.engine_nodes import instance, machine, put, several


def test_amd_is_named_by_what_its_executor_takes():
    found = dict(machine("carrizo-apu+dgpu"), addresses={"10.0.0.1": "eno1"})
    assert put(found, instance(gpus=["0"]))["visible"] == {"ROCR_VISIBLE_DEVICES": "GPU-c34ec50444dd0a6c"}
    ray = put(found, instance(gpus=["1"], several=several(0, distributed="ray")))
    assert ray["visible"] == {"HIP_VISIBLE_DEVICES": "1"}


def test_rocms_numbers_are_those_of_the_compute_driver():
    found = machine("rccl-topo_8p_rome_n4")
    gpus = [dict(gpu, hip_index=7 - gpu["index"]) for gpu in found["topology"]["gpus"]]
    found = dict(found, topology=dict(found["topology"], gpus=gpus))
    assert put(found, instance(gpus=["0", "2"]))["visible"] == {"ROCR_VISIBLE_DEVICES": "7,5"}


def test_containers_are_given_devices():
    found = machine("eight-gpu")
    cdi = {"nvidia.com/gpu": ["0", "1", "GPU-00000001-0000-0000-0000-000000000000", "all"]}
    assert put(found, instance(gpus=2, engine=engine_nodes.PODMAN), cdi=cdi)["devices"] == [
        "nvidia.com/gpu=0", "nvidia.com/gpu=GPU-00000001-0000-0000-0000-000000000000"]
    amd = put(machine("carrizo-apu+dgpu"), instance(gpus=["0"], engine=engine_nodes.PODMAN))
    assert amd["devices"] == ["/dev/kfd", "/dev/dri"]
    assert "numa-bind" not in put(machine("rccl-topo_8p_rome_n4"), instance(gpus=2, engine=engine_nodes.PODMAN))[
        "arguments"]
