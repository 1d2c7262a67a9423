# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which tool serves what of an interface, and who else decides over it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import dcb, dcbx, mlnx_qos

from tests.sysroots import dcb_node, plain_node
from tests.sysroots.dcb_node import Nics, fresh


@pytest.mark.parametrize("tools, ofed, pfc, trust", [
    (["dcb", "mlnx_qos"], False, dcb, dcb), (["mlnx_qos"], False, mlnx_qos, mlnx_qos), (["dcb"], True, dcb, None),
    (["dcb", "mlnx_qos"], True, dcb, mlnx_qos), ([], False, None, None)])
def test_dcb_goes_first_but_for_what_ofed_keeps_in_files(tmp_path, tools, ofed, pfc, trust):
    host = Nics(str(dcb_node.build(tmp_path, tools=tools, ofed=ofed)))
    assert dcbx.tool(host, "ens1", "pfc") is pfc
    assert dcbx.tool(host, "ens1", "trust") is dcbx.tool(host, "ens1", "dscp") is trust


def test_mlnx_qos_serves_what_dcb_does_not(tmp_path, monkeypatch):
    host = Nics(str(dcb_node.build(tmp_path, tools=["dcb", "mlnx_qos"])))
    real = host.run
    monkeypatch.setattr(host, "run", lambda argv, seconds=10, changes=True: (
        (1, "", "Attribute read: Operation not supported\n") if argv[0] == "dcb" else real(argv, seconds, changes)))
    assert dcbx.tool(host, "ens1", "pfc") is mlnx_qos
    assert set(dcbx.state(host, "ens1")) == {"pfc", "trust", "dscp", "tsa", "bandwidth", "prio_tc", "dcbx"}


@pytest.mark.parametrize("tools", [["dcb"], ["mlnx_qos"]])
def test_both_tools_tell_the_same(tmp_path, tools):
    nics = {"ens1": fresh(pfc=[3], app=[[26, 3]], tsa=["ets"] * 2 + ["strict"] * 6, bandwidth=[40, 60] + [100] * 6)}
    assert dcbx.state(Nics(str(dcb_node.build(tmp_path, nics, tools=tools))), "ens1") == {
        "pfc": [3], "trust": "dscp", "dscp": {26: 3}, "tsa": ["ets"] * 2 + ["strict"] * 6,
        "bandwidth": [40, 60] + [0] * 6, "prio_tc": list(range(8)), "dcbx": "os"}


def test_lldpad_and_firmware_are_named_as_owners(tmp_path):
    root = dcb_node.build(tmp_path, {"ens1": fresh(), "ens2": fresh(flags=["ieee"])})
    plain_node.process(root, 77, "lldpd")
    assert [dcbx.owner(Nics(str(root)), name) for name in ("ens1", "ens2")] == [None, "firmware"]
    plain_node.process(root, 78, "lldpad")
    assert dcbx.lldpad(Nics(str(root))) == 78
    assert [dcbx.owner(Nics(str(root)), name) for name in ("ens1", "ens2")] == ["lldpad", "lldpad"]


@pytest.mark.parametrize("text, number", [
    ("Global tclass=106", 106), ("Global tclass=106\nsrc_ip=10.0.0.1,tclass=96", 106), ("96", 96), ("", None),
    ("Global tclass=-1", None), (None, None), ("tclass=96,src_ip=10.0.0.1", None), ("Global tclass=0", 0)])
def test_a_forced_traffic_class_is_read_where_ofed_has_it(tmp_path, text, number):
    root = dcb_node.build(tmp_path)
    if text is not None:
        plain_node.put(root, "/sys/class/infiniband/mlx5_0/tc/1/traffic_class", text)
    assert dcbx.forced_traffic_class(Nics(str(root)), "mlx5_0") == number
