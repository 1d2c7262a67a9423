# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of versions across nodes (R34): who differs from most of its model, and what is not known."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive import versions
from ansible_collections.gpuwright.node.plugins.module_utils._derive.versions import compare_versions
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import eight_gpu


def fleet(*drivers, model="H100", **more):
    return {"n%d" % number: {"model": model, "versions": dict({"the driver": driver} if driver else {}, **more)}
            for number, driver in enumerate(drivers)}


def test_a_nodes_versions_are_those_of_its_driver_its_kernel_and_its_boards():
    fact = {"system": {"kernel": "6.8.0-60"}, "gpus": [{"driver": "nvidia", "driver_version": "570.86.15"}] * 8,
            "rdma_devices": [{"board_id": "MT_1", "firmware": "28.40"}, {"board_id": "MT_1", "firmware": "28.39"},
                             {"board_id": None, "firmware": "1"}, {"board_id": "MT_2", "firmware": None}]}
    assert versions.of(fact, {"NCCL": "2.27.3", "CUDA": None}) == {
        "NCCL": "2.27.3", "the firmware of MT_1": "28.39 and 28.40", "the kernel": "6.8.0-60",
        "the nvidia driver": "570.86.15"}
    assert versions.of({}) == versions.of({"gpus": [{"driver_version": None}], "rdma_devices": [{}]}) == {}


def test_the_training_node_tells_its_versions(tmp_path):
    told = versions.of(read_topology(Host(str(eight_gpu.build(tmp_path)))))
    assert told["the kernel"] == "6.8.0-60-generic" and "the nvidia driver" in told


def test_equal_nodes_say_nothing():
    assert compare_versions({}) == compare_versions(fleet("570", "570", "570")) == []


def test_who_differs_is_told_with_how_many_do_not():
    assert compare_versions(fleet("570", "560", "570")) == [
        ("n1", "R34: the driver is 560, and 570 on 2 of 3 nodes of its model")]


def test_all_differences_of_a_host_are_one_sentence():
    nodes = fleet("570", "570", "560", NCCL="2.27")
    nodes["n2"]["versions"]["NCCL"] = "2.26"
    assert compare_versions(nodes) == [("n2", "R34: NCCL is 2.26, and 2.27 on 2 of 3 nodes of its model; the driver is "
                                              "560, and 570 on 2 of 3 nodes of its model")]


def test_of_two_that_differ_one_is_told():
    assert compare_versions(fleet("570", "560")) == [
        ("n1", "R34: the driver is 560, and 570 on 1 of 2 nodes of its model")]


def test_models_are_compared_among_themselves_and_the_unknown_with_nothing():
    nodes = dict(fleet("570", "570"), other={"model": "A100", "versions": {"the driver": "535"}})
    assert compare_versions(nodes) == []
    assert compare_versions(fleet("570", None, "570")) == []
