# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the value types of NCCL's variables."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._nccl_values import (
    NcclAddressRange,
    NcclAlgo,
    NcclDevicesPolicy,
    NcclExtra,
    NcclGdrLevel,
    NcclHcaList,
    NcclHostPort,
    NcclInterfaces,
    NcclPath,
    NcclProto,
    NcclSubsystems,
)

OWN = NcclExtra({"NCCL_IB_HCA": "nccl_env_ib_hca"})
MANY = "=" + ",".join("mlx5_%d" % number for number in range(33))


@pytest.mark.parametrize("value, raw, text", [
    (NcclPath(), "/var/log/nccl.%h.%p", "/var/log/nccl.%h.%p"), (NcclGdrLevel(), "PXB", "PXB"),
    (NcclAddressRange(), "10.1.0.0/16", "10.1.0.0/16"), (NcclAddressRange(), "fd00:1::/64", "fd00:1::/64"),
    (NcclAddressRange(), "::/0", "::/0"), (NcclHostPort(), "localhost:28028", "localhost:28028"),
    (NcclHostPort(), "[::1]:28028", "[::1]:28028"), (NcclHcaList(), "=mlx5_0:1,mlx5_1:1", "=mlx5_0:1,mlx5_1:1"),
    (NcclHcaList(), ["mlx5_0", "rocep193s0f0"], "=mlx5_0,rocep193s0f0"), (NcclHcaList(), "^=mlx5_4", "^=mlx5_4"),
    (NcclHcaList(), "^mlx5_4", "^mlx5_4"), (NcclHcaList(), "=mlx5_0:1:0:0,mlx5_1::1:0", "=mlx5_0:1:0:0,mlx5_1::1:0"),
    (NcclHcaList(), "=mlx5_0:1:3", "=mlx5_0:1:3"), (NcclInterfaces(), "=eth0,eth1", "=eth0,eth1"),
    (NcclInterfaces(), "^docker0", "^docker0"), (NcclInterfaces(), ["bond0.100"], "=bond0.100"),
    (NcclInterfaces(), "eth", "eth"), (NcclAlgo(), "ring", "Ring"), (NcclAlgo(), "allreduce:^tree", "AllReduce:^Tree"),
    (NcclAlgo(), "Ring;allreduce:tree,nvlstree", "Ring;AllReduce:Tree,NVLSTree"), (NcclProto(), "^ll128", "^LL128"),
    (NcclProto(), "simple,LL", "Simple,LL"), (NcclSubsystems(), "init,NET", "INIT,NET"),
    (NcclSubsystems(), "^COLL", "^COLL"), (NcclDevicesPolicy(), "auto", "AUTO"),
    (NcclDevicesPolicy(), "max:2", "MAX:2"),
])
def test_what_is_legal_is_written_as_nccl_writes_it(value, raw, text):
    assert value.parse(raw) == text
    assert value.read(text) == text and value.parse(value.read(text)) == text


@pytest.mark.parametrize("value, raw, words", [
    (NcclPath(), "nccl.log", "'nccl.log' is not an absolute path"), (NcclPath(), "/a b", "is not an absolute path"),
    (NcclPath(), '"/a"', "has quotes"), (NcclGdrLevel(), 5, "5 is a number of old, and means SYS, GPUDirect across"),
    (NcclGdrLevel(), "2", "'2' is a number of old, and means PXB; legal is one of LOC, NVL, C2C, PIX"),
    (NcclGdrLevel(), "pxb", "'pxb' is not one of LOC"), (NcclGdrLevel(), "auto", "'auto' is not one of LOC"),
    (NcclGdrLevel(), True, "True is not one of"), (NcclAddressRange(), "10.1.0.0", "is not a subnet, such as"),
    (NcclAddressRange(), "10.1.0.0/255.255.0.0", "is not a subnet"),
    (NcclAddressRange(), "10.1.0.0/33", "is not a subnet"),
    (NcclAddressRange(), "10.1.2.3/16", "is an address within 10.1.0.0/16"),
    (NcclAddressRange(), "net/16", "not a subnet"),
    (NcclHostPort(), "28028", "is not HOST:PORT"), (NcclHostPort(), "localhost:65536", "is not HOST:PORT"),
    (NcclHostPort(), "::1:28028", "is not HOST:PORT"), (NcclHostPort(), "localhost:0", "is not HOST:PORT"),
    (NcclHcaList(), "mlx5", "without = every entry is the beginning of a name"), (NcclHcaList(), "=", "'' in = is not"),
    (NcclHcaList(), "=mlx5_0,", "'' in =mlx5_0, is not"), (NcclHcaList(), "=mlx5_0:", "'mlx5_0:' in"),
    (NcclHcaList(), "=mlx5_0:one", "'mlx5_0:one' in"), (NcclHcaList(), "=mlx5_0:1:2:3:4", "'mlx5_0:1:2:3:4' in"),
    (NcclHcaList(), "=mlx5_0, mlx5_1", "' mlx5_1' in"), (NcclHcaList(), '="mlx5_0"', "has quotes"),
    (NcclHcaList(), "=mlx5_0,mlx5_0", "mlx5_0 is named twice"), (NcclHcaList(), MANY, "33 entries, and NCCL reads 32"),
    (NcclHcaList(), [], "is no text"),
    (NcclInterfaces(), "auto", "'auto' in auto is no interface's name; null lets NCCL"),
    (NcclInterfaces(), "e", "takes no notice of a single letter"), (NcclInterfaces(), "=eth0:1", "'eth0:1' in"),
    (NcclInterfaces(), "=a_name_beyond_15", "is no interface's name"), (NcclInterfaces(), "=", "no notice"),
    (NcclInterfaces(), ",".join("e%d" % number for number in range(17)), "17 entries, and NCCL reads 16"),
    (NcclAlgo(), "auto", "starts no communicator; .*null lets NCCL choose"), (NcclAlgo(), "Tre", "did you mean Tree"),
    (NcclProto(), "LL128", "LL128 is never forced: where a platform does not support it, data are corrupted"),
    (NcclProto(), "Simple;allreduce:ll128", "LL128 is never forced"), (NcclProto(), "auto", "null lets NCCL choose"),
    (NcclSubsystems(), "INIT;NET", "'INIT;NET'"), (NcclSubsystems(), "ALLES", "did you mean ALL"),
    (NcclDevicesPolicy(), "MAX:0", "'MAX:0' is not AUTO, ALL or MAX:NUMBER"), (NcclDevicesPolicy(), 2, "2 is not AUTO"),
])
def test_what_nccl_would_take_otherwise_is_refused(value, raw, words):
    with pytest.raises(ValueError, match=words):
        value.parse(raw)


@pytest.mark.parametrize("value", [NcclPath(), NcclGdrLevel(), NcclAddressRange(), NcclHostPort(), NcclHcaList(),
                                   NcclInterfaces(), NcclAlgo(), NcclSubsystems(), NcclDevicesPolicy(), OWN])
def test_what_is_legal_is_said_and_typed(value):
    assert len(value.describe()) > 15 and value.argument["type"] in ("str", "dict") and value.offers("x") is None


def test_further_variables_are_checked_by_name_and_as_integers():
    assert OWN.parse({"NCCL_P2P_LEVEL": "NVL", "NCCL_PXN_DISABLE": "0x1", "NCCL_SHARP_DISABLE": 1,
                      "NCCL_NVB_DISABLE": None}) == {
        "NCCL_P2P_LEVEL": "NVL", "NCCL_PXN_DISABLE": "1", "NCCL_SHARP_DISABLE": "1"}
    assert OWN.parse({}) == {}


@pytest.mark.parametrize("raw, words", [
    ({"NCCL_IB_HCA": "=mlx5_0"}, "NCCL_IB_HCA has a variable of its own: nccl_env_ib_hca"),
    ({"NCCL_PXN_DISABEL": 1}, "NCCL has no variable NCCL_PXN_DISABEL; did you mean NCCL_PXN_DISABLE"),
    ({"pxn_disable": 1}, "pxn_disable is no variable of NCCL.*did you mean NCCL_PXN_DISABLE"),
    ({"LD_PRELOAD": "/x"}, "LD_PRELOAD is no variable of NCCL: their names begin with NCCL_"),
    ({"NCCL_PXN_DISABLE": "auto"}, "NCCL_PXN_DISABLE: 'auto' is not an integer: NCCL would take it for 0"),
    ({"NCCL_PXN_DISABLE": True}, "NCCL_PXN_DISABLE: True is not an integer"),
    ({"NCCL_P2P_LEVEL": "NVL # c"}, "NCCL_P2P_LEVEL: 'NVL # c' has a comment"),
    ({"NCCL_P2P_LEVEL": "a\nNCCL_ALGO=Tree"}, "plain ASCII on one line"), ("NCCL_P2P_LEVEL=NVL", "is not a dict of"),
])
def test_further_variables_that_are_wrong(raw, words):
    with pytest.raises(ValueError, match=words):
        OWN.parse(raw)


def test_a_plugin_is_switched_off_by_the_word_none():
    assert NcclExtra().parse({"NCCL_NET_PLUGIN": "none"}) == {"NCCL_NET_PLUGIN": "none"}
    with pytest.raises(ValueError, match="null as such is said in YAML"):
        NcclExtra().parse({"NCCL_NET_PLUGIN": "null"})


def test_each_further_variable_is_picked_by_its_name():
    assert NcclExtra.pick({"NCCL_A": "1"}, {"variable": "NCCL_A"}) == "1"
    assert NcclExtra.pick({"NCCL_A": "1"}, {"variable": "NCCL_B"}) is None
    assert NcclExtra.check({"NCCL_A": "1"}, []) is None
