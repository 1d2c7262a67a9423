# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why nothing was placed: numbers, hosts, and what is in the way on each."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place

from tests.sysroots import gpu_hosts


def words(hosts, size, **options):
    with pytest.raises(ValueError) as refused:
        place(hosts, size, **options)
    return str(refused.value)


def test_what_is_missing_inside_nodes():
    hosts = {"node1": {"gpus": 8}, "node2": {"gpus": 8}, "node3": {"gpus": 8, "busy": 2}}
    assert words(hosts, 8, replicas=3, within="node") == (
        "nothing was placed: it needs 3 groups of 8 GPUs (3 replicas, 1 pipeline stage each: 24 GPUs in all); inside a "
        "node there are 2, and 22 GPUs are free: node1 8 free, node2 8 free, node3 6 free (2 busy)")


def test_enough_gpus_but_not_where_they_are_needed():
    hosts = {"a": {"gpus": 4}, "b": {"gpus": 4}, "c": {"gpus": 2}}
    assert words(hosts, 2, pipeline_parallel_size=5) == (
        "nothing was placed: it needs 5 groups of 2 GPUs (1 replica, 5 pipeline stages each: 10 GPUs in all); inside a "
        "node there are 5, and 10 GPUs are free: a 4 free, b 4 free, c 2 free. 0 of 1 replica fit. All nodes of a "
        "replica give as many like GPUs (vLLM's --nnodes), in whole groups or in equal parts of one: 2 on 5 nodes "
        "or 1 on 10 nodes")


def test_no_gpu_is_free_at_all():
    assert words({"a": {"gpus": 2, "busy": 2}}, 1) == (
        "nothing was placed: it needs 1 group of 1 GPU (1 replica, 1 pipeline stage each: 1 GPU in all); no GPU is "
        "free: a 0 free (2 busy)")


def test_some_fit_but_not_all():
    hosts = {"a": {"gpus": 4}, "b": {"gpus": 3}, "c": {"gpus": 3}}
    assert "1 of 2 replicas fits" in words(hosts, 4, replicas=2, within="node")


def test_what_is_in_the_way_on_each_host():
    hosts = {"a": gpu_hosts.host([4]), "b": gpu_hosts.host([4], name="NVIDIA L40S")}
    hosts["a"]["topology"]["gpus"][0]["mig"]["enabled"] = True
    hosts["a"]["topology"]["gpus"][1]["driver"] = "vfio-pci"
    told = words(hosts, 4, gpu="H100")
    assert "inside a node there are 0, for no node has more than 2 alike, and 2 GPUs are free" in told
    assert "a 2 free (1 in MIG mode, 1 bound to vfio), b 0 free (4 not asked for)" in told


def test_gpus_of_several_kinds_are_named():
    host = gpu_hosts.host([4])
    host["topology"]["gpus"][0]["name"] = "NVIDIA L40S"
    assert "a 4 free (3 NVIDIA H100 80GB HBM3, 1 NVIDIA L40S)" in words({"a": host}, 4)


def test_many_hosts_are_not_all_listed():
    told = words({"h%03d" % number: {"gpus": 3} for number in range(60)}, 4, within="node")
    assert "h019 3 free, and 40 more hosts" in told
    assert "h020" not in told
    assert "none was found that takes all: 0 of 1 replica fit" in told
