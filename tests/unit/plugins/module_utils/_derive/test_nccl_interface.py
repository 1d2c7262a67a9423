# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the interface by which jobs are set up: that of the default route, if the fact leaves no doubt."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_interface


def nic(name, route=True, state="up", addresses=("10.255.0.2/24",), rdma=None):
    return {"name": name, "default_route": route, "operstate": state, "rdma_device": rdma,
            "addresses": addresses if addresses is None else list(addresses)}


def derive(*nics, named=None, serving=(), layer="Ethernet"):
    return nccl_interface.derive({"nics": list(nics), "rdma_devices": [
        {"name": "mlx5_0", "ports": [{"link_layer": layer}]}]}, named, set(serving))


@pytest.mark.parametrize("nics", [
    [nic("eno1")], [nic("eno1", addresses=None)], [nic("eno1", state="unknown"), nic("eno2", route=False)],
    [nic("eno1"), nic("eno2", state="down")], [nic("eno1", rdma="mlx5_0")], [nic("eno1", addresses=["fd00::2/64"])],
    [nic("eno1"), nic("eno2", addresses=[])]])
def test_the_default_route_tells_it(nics):
    value, why = derive(*nics)
    assert value == "=eno1"
    assert "eno1" in why


@pytest.mark.parametrize("nics, words", [
    ([], "no physical interface"), ([nic("eno1", route=False)], "no physical interface"),
    ([nic("eno1", state="down")], "eno1 with the default route is not up"),
    ([nic("eno1", addresses=[]), nic("eno2", addresses=[])], "above eno1, eno2, such as a bond"),
    ([nic("eno1"), nic("eno2")], "go through eno1, eno2"),
    ([nic("rail0", rdma="mlx5_1")], "NIC for GPUs")])
def test_where_there_is_a_doubt_nothing_is_set(nics, words):
    value, why = derive(*nics, serving=["mlx5_1"])
    assert value is None
    assert words in why


def test_an_infiniband_interface_is_none_unless_told():
    assert derive(nic("ib0", rdma="mlx5_0"), layer="InfiniBand")[0] is None
    assert derive(nic("ib0", rdma="mlx5_0"), layer="InfiniBand", named=["ib0"])[0] == "=ib0"


def test_a_person_says_it():
    assert derive(nic("eno1"), named="bond0,eno1,bond0")[0] == "=bond0,eno1"
    assert derive(nic("eno1", state="down"), named=["eno1"])[1].endswith("eno1 is down now (nics)")
    assert derive(nic("eno1"), named=[])[0] is None


@pytest.mark.parametrize("named, words", [
    (["eth0:1"], "no name of an interface"), (["=eth0"], "no name"), (["^docker0"], "no name"), (["a b"], "no name"),
    (["a-name-that-is-long"], "no name"), ([""], "no name"), (5, "is not a list of names"),
    (["eth%d" % number for number in range(17)], "17 interfaces, and NCCL takes 16")])
def test_what_nccl_would_read_otherwise_is_refused(named, words):
    with pytest.raises(ValueError, match=words):
        derive(nic("eno1"), named=named)
