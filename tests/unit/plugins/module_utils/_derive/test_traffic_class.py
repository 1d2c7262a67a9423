# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the declared class: the byte that applications send, the priority that it gets, and what cannot be one."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import traffic_class
from ansible_collections.gpuwright.node.plugins.module_utils._derive.traffic_class import traffic_class as declare


def test_the_default_class_is_that_of_nvidias_own_scripts():
    told = declare({})
    assert (told["traffic_class"], told["pfc"], told["trust"], told["dscp_prio"]) == (106, [3], "dscp", None)
    assert told["cnp"] == {"priority": 6, "dscp": 48}
    assert told["link_layers"]["Ethernet"] == {
        "NCCL_IB_TC": 106, "NCCL_GIN_IB_TC": 106, "UCX_IB_TRAFFIC_CLASS": 106, "NVSHMEM_IB_TRAFFIC_CLASS": 106}


@pytest.mark.parametrize("dscp, byte, priority", [(0, 2, 0), (24, 98, 3), (26, 106, 3), (40, 162, 5), (63, 254, 7)])
def test_bytes_and_priorities_of_dscps(dscp, byte, priority):
    assert (traffic_class.byte(dscp), traffic_class.default_priority(dscp)) == (byte, priority)


@pytest.mark.parametrize("asked, mapped", [
    ((3, 26), None), ((4, 26), {"26": 4}), ((3, 26, 6, 47), {"47": 6}), ((5, 26, 7, 50), {"26": 5, "50": 7})])
def test_only_what_is_not_dscp_over_eight_is_mapped(asked, mapped):
    assert declare({}, *asked)["dscp_prio"] == mapped


def test_numbers_may_come_as_text():
    assert declare({}, "3", "26", "6", "48", "1") == declare({}, 3, 26, 6, 48, 1)


def test_infiniband_gets_a_service_level_only_where_one_is_told():
    assert declare({})["link_layers"]["InfiniBand"] == {}
    assert declare({}, infiniband_sl=0)["link_layers"]["InfiniBand"] == {
        "NCCL_IB_SL": 0, "UCX_IB_SL": 0, "NVSHMEM_IB_SL": 0}


def test_the_devices_of_the_node_are_told_apart():
    devices = [{"name": "mlx5_0", "ports": [{"link_layer": "Ethernet"}]},
               {"name": "mlx5_1", "ports": [{"link_layer": "InfiniBand"}]}, {"name": "odd", "ports": []}]
    assert declare({"rdma_devices": devices})["devices"] == {"mlx5_0": "Ethernet", "mlx5_1": "InfiniBand"}


@pytest.mark.parametrize("asked, words", [
    ((8, 26), "rdma_roce_priority: 8 is not a number from 0 to 7"), ((3, 64), "rdma_roce_dscp: 64 is not"),
    ((True, 26), "rdma_roce_priority: True"),
    ((3, 26, 3, 48), "congestion notifications .* of their own"), ((3, 26, 6, 26), "of their own"),
    ((3, "x"), "rdma_roce_dscp: 'x'"),
    ((3, 26, 6, 48, 16), "rdma_roce_infiniband_sl: 16 is not a number from 0 to 15")])
def test_what_is_no_class_is_told_in_words(asked, words):
    with pytest.raises(ValueError, match=words):
        declare({}, *asked)
