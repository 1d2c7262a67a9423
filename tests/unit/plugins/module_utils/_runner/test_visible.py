# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which GPU a process gets: ranks, launchers, and what hides GPUs from it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._runner.visible import NoGpu, chosen, visible

GPUS = [{"index": number, "pci_address": "0000:%02x:00.0" % (16 + number), "vendor": "nvidia",
         "uuid": "GPU-%d%d%d%d-ab" % ((number,) * 4), "mig": None} for number in range(4)]
AMD = [dict(gpu, vendor="amd", uuid=None) for gpu in GPUS]
MIG = [dict(gpu, mig={"enabled": True, "devices": [{"index": 0, "uuid": "MIG-%d-x" % gpu["index"]}]}) for gpu in GPUS]


def index(gpus, environment, rank=None, asked=None):
    return chosen(gpus, environment, rank, asked)["index"]


@pytest.mark.parametrize("environment, rank, expected", [
    ({}, 2, 2),
    ({"LOCAL_RANK": "1"}, None, 1),
    ({"LOCAL_RANK": "1", "SLURM_LOCALID": "3"}, None, 1),
    ({"LOCAL_RANK": "1"}, 3, 3),
    ({"SLURM_LOCALID": "3"}, None, 3),
    ({"OMPI_COMM_WORLD_LOCAL_RANK": "2"}, None, 2),
    ({"CUDA_VISIBLE_DEVICES": "3,1"}, 0, 3),
    ({"CUDA_VISIBLE_DEVICES": " 3 , 1 "}, 1, 1),
    ({"CUDA_VISIBLE_DEVICES": "GPU-2222-ab,GPU-0"}, 0, 2),
    ({"CUDA_VISIBLE_DEVICES": "GPU-2222-ab,GPU-0"}, 1, 0),
    ({"CUDA_VISIBLE_DEVICES": "MIG-GPU-1111-ab/3/0"}, 0, 1),
    ({"CUDA_VISIBLE_DEVICES": "2", "SLURM_LOCALID": "3"}, None, 2),  # srun --gpus-per-task=1
])
def test_the_rank_chooses_among_the_visible(environment, rank, expected):
    assert index(GPUS, environment, rank) == expected


@pytest.mark.parametrize("environment, rank, words", [
    ({}, 4, r"local rank 4: this process can see 4 GPUs \(all of this machine\), ranks 0 to 3; .* --gpu"),
    ({}, -1, "ranks begin with 0"),
    ({}, None, "Say --local-rank N or --gpu INDEX, or set one of LOCAL_RANK, SLURM_LOCALID, OMPI_COMM_WORLD"),
    ({"LOCAL_RANK": "x"}, None, "Say --local-rank"),
    ({"CUDA_VISIBLE_DEVICES": ""}, 0, "can see no GPU: CUDA_VISIBLE_DEVICES="),
    ({"CUDA_VISIBLE_DEVICES": "-1,0"}, 0, "can see no GPU: CUDA_VISIBLE_DEVICES=-1,0"),
    ({"CUDA_VISIBLE_DEVICES": "0,9,1"}, 1, "can see 1 GPU"),  # As CUDA does, nothing from the first wrong one on.
    ({"CUDA_VISIBLE_DEVICES": "GPU-"}, 0, "no GPU"),
    ({"CUDA_VISIBLE_DEVICES": "2", "LOCAL_RANK": "3"}, None, r"local rank 3 \(LOCAL_RANK\): .* ranks 0 to 0"),
    ({"CUDA_VISIBLE_DEVICES": "2", "SLURM_LOCALID": "3"}, 3, "local rank 3: "),
])
def test_nonsense_is_refused_in_words(environment, rank, words):
    with pytest.raises(NoGpu, match=words):
        index(GPUS, environment, rank)


def test_where_there_is_none_it_says_so():
    with pytest.raises(NoGpu, match="there is none on this machine"):
        index([], {}, 0)


@pytest.mark.parametrize("asked, expected", [("1", 0), ("GPU-2222-ab", 2), ("0000:12:00.0", 2), ("12:00.0", 2)])
def test_a_gpu_can_be_named_whatever_the_rank(asked, expected):
    assert index(GPUS, {"CUDA_VISIBLE_DEVICES": "2,0", "LOCAL_RANK": "7"}, None, asked) == expected


@pytest.mark.parametrize("asked", ["3", "x", "GPU-1111-ab", "0000:11:00.0", "-1"])
def test_a_named_one_that_is_hidden_is_none(asked):
    with pytest.raises(NoGpu, match="--gpu %s: this process can see 0: 0000:12:00.0, 1: 0000:10:00.0" % asked):
        index(GPUS, {"CUDA_VISIBLE_DEVICES": "2,0"}, None, asked)


def test_a_control_group_that_hides_gpus_is_honoured():
    """nvidia-smi lists, and so gives UUIDs to, what the process can open; CUDA numbers those."""
    gpus = [dict(gpu, uuid=gpu["uuid"] if gpu["index"] in (1, 3) else None) for gpu in GPUS]
    assert index(gpus, {"CUDA_VISIBLE_DEVICES": "0"}, 0) == 1
    assert index(gpus, {}, 1) == 3
    assert visible(gpus, {})[1] == "nvidia-smi lists 2 of 4"


def test_a_mig_device_is_its_gpus():
    assert index(MIG, {"CUDA_VISIBLE_DEVICES": "MIG-3-x"}, 0) == 3
    with pytest.raises(NoGpu):
        index(MIG, {"CUDA_VISIBLE_DEVICES": "MIG-7"}, 0)


@pytest.mark.parametrize("environment, expected", [
    ({"ROCR_VISIBLE_DEVICES": "2,3", "HIP_VISIBLE_DEVICES": "1"}, 3),
    ({"CUDA_VISIBLE_DEVICES": "1"}, 1),
    ({"HIP_VISIBLE_DEVICES": "2", "CUDA_VISIBLE_DEVICES": "1"}, 2),
])
def test_amd_has_words_of_its_own(environment, expected):
    assert index(AMD, environment, 0) == expected


def test_amds_words_hide_no_nvidia_gpu():
    assert index(GPUS, {"ROCR_VISIBLE_DEVICES": "3", "HIP_VISIBLE_DEVICES": "3"}, 0) == 0
