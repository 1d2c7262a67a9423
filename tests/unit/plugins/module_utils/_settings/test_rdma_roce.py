# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role rdma_roce on the training node: it goes round, is checked only unless told, and has no place without RoCE.

PFC, trust, DSCP map and ECN are those of a stand-in for dcb, mlnx_qos and OFED's files: no such NIC was at hand.
"""

from __future__ import annotations

import collections
import functools
import json
import shutil
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._rules import rdma_node
from ansible_collections.gpuwright.node.plugins.module_utils._settings import rdma_roce

from tests.sysroots import dcb_node, plain_node, roce_node, service_node, sysfs
from tests.sysroots.plain_node import put

NAMES = [row.name for row in rdma_roce.ROWS]
LINK = [name for name in NAMES if name.startswith(("dcb/", "ecn/"))]


def by_row(made):
    """{row: {status: steps}}"""
    found = collections.defaultdict(collections.Counter)
    for step in made.steps:
        found[step["name"]][step["status"]] += 1
    return {name: dict(counted) for name, counted in found.items()}


def roll_back(root):
    host = roce_node.Node(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def test_the_rules_know_the_rows():
    named = {value for key, value in vars(rdma_node).items() if key.isupper() and "/" in str(value)
             and isinstance(value, str)}
    assert named <= set(NAMES) and {"dcb/trust", "dcb/prio-pfc", "ecn/roce_np/enable"} <= named


@pytest.mark.parametrize("ofed", [False, True])
def test_the_role_goes_round_on_a_stand_in_for_the_nics(tmp_path, ofed):
    root = roce_node.build_whole(tmp_path, ofed)
    before = service_node.snapshot(root)
    made = roce_node.apply(root, rdma_roce_apply=True)
    assert _result.failures(made) == []
    assert [dcb_node.nic(root, name)["pfc"] for name in roce_node.RAILS] == [[3]] * 8
    assert json.loads((root / "etc/gpuwright/traffic_class.json").read_text())["traffic_class"] == 106
    assert "nv set qos roce mode lossless" in (root / "etc/gpuwright/fabric.txt").read_text()
    again = roce_node.apply(root, rdma_roce_apply=True)
    assert not again.due
    statuses = by_row(again)
    assert statuses["dcb/trust"] == statuses["dcb/prio-pfc"] == statuses["rdma_cm/default_roce_tos"] == {"ok": 10}
    assert statuses["ecn/roce_np/enable"] == {"ok" if ofed else "not_applicable": 10}
    for name in ("memlock", "RemoveIPC", "traffic_class.json", "fabric.txt"):
        assert statuses[name] == {"ok": 1}, name
    assert statuses["LimitMEMLOCK"] == {"ok": 2}
    roll_back(root)
    after = service_node.snapshot(root)
    assert {name: text for name, text in after.items() if before.get(name) != text} == {}
    assert set(before) == set(after)


def test_a_link_is_checked_only_unless_the_operator_lets_it_through(tmp_path):
    root = roce_node.build_whole(tmp_path, ofed=True)
    made = roce_node.apply(root)
    statuses = by_row(made)
    for name in ("dcb/trust", "dcb/prio-pfc", "ecn/roce_np/enable"):
        assert statuses[name] == {"refused": 10}
    assert _result.failures(made) == []
    assert [dcb_node.nic(root, name)["pfc"] for name in roce_node.RAILS] == [[]] * 8
    assert statuses["traffic_class.json"] == {"drift": 1} and (root / "etc/gpuwright/traffic_class.json").exists()
    told = [one["message"] for one in made.findings if one["rule"] == "R6"]
    assert len(told) == 2 and "PFC is on for no priority, not for priority 3" in told[0] and "trust is pcp" in told[1]


def test_a_link_that_is_right_already_is_not_called_kept_where_nothing_would_put_it_back(tmp_path):
    root = roce_node.build_whole(tmp_path, ofed=True)
    roce_node.apply(root, rdma_roce_apply=True)
    for folder in ("etc/gpuwright", "var/lib/gpuwright"):
        shutil.rmtree(root / folder)
    for _time in ("first", "second"):
        made = roce_node.apply(root)
        step = next(step for step in made.steps if step["name"] == "dcb/trust")
        assert by_row(made)["dcb/trust"] == by_row(made)["ecn/roce_np/enable"] == {"refused": 10}
        assert step["reason"].startswith("as wanted now, and not put back at boot: ")
        assert step["reason"].endswith("; rdma_roce_apply: true lets it through")
    assert by_row(roce_node.apply(root, rdma_roce_apply=True))["dcb/trust"] == {"drift": 10}
    assert by_row(roce_node.apply(root, rdma_roce_apply=True))["dcb/trust"] == {"ok": 10}


ETS = {"dcb/ets-tsa": ["ets", "ets", "ets", "ets", "ets", "ets", "strict", "ets"],
       "dcb/tc-bw": [10, 5, 5, 50, 10, 10, 0, 10], "dcb/prio-tc": [1, 0, 2, 3, 4, 5, 6, 7]}


def test_queues_and_shares_are_set_where_they_are_asked_for(tmp_path):
    root = roce_node.build_whole(tmp_path)
    made = roce_node.apply(root, ETS, rdma_roce_apply=True, rdma_roce_interfaces=["rail0"])
    assert _result.failures(made) == []
    nic = dcb_node.nic(root, "rail0")
    assert (nic["tsa"], nic["prio_tc"]) == (ETS["dcb/ets-tsa"], ETS["dcb/prio-tc"])
    assert [share for share, kind in zip(nic["bandwidth"], nic["tsa"]) if kind == "ets"] == [10, 5, 5, 50, 10, 10, 10]
    again = roce_node.apply(root, ETS, rdma_roce_apply=True, rdma_roce_interfaces=["rail0"])
    assert by_row(again) == dict.fromkeys(ETS, {"ok": 1})


def test_a_job_that_runs_keeps_the_link_as_it_is(tmp_path):
    root = roce_node.build_whole(tmp_path)
    roce_node.job(root, 70)
    made = roce_node.plan(root, rdma_roce_apply=True)
    assert by_row(made)["dcb/prio-pfc"] == {"refused": 10}
    assert "a job is running: process 70 (python3)" in next(
        step["reason"] for step in made.steps if step["name"] == "dcb/prio-pfc")


def test_a_setting_that_is_let_go_comes_back(tmp_path):
    root = roce_node.build_whole(tmp_path)
    roce_node.apply(root, rdma_roce_apply=True)
    made = roce_node.apply(root, dict.fromkeys(NAMES), rdma_roce_apply=True)
    assert _result.failures(made) == []
    assert [dcb_node.nic(root, name)["pfc"] for name in roce_node.RAILS] == [[]] * 8
    assert not (root / "etc/gpuwright/fabric.txt").exists()


def withheld(root, names=tuple(NAMES)):
    return rdma_roce.withhold(roce_node.view(root), {}, list(names))


def test_a_node_without_rdma_is_left_alone(tmp_path):
    root = plain_node.build(tmp_path)
    assert withheld(root) == dict.fromkeys(NAMES, "there is no RDMA device here")
    made = roce_node.plan(root)
    assert {status for counted in by_row(made).values() for status in counted} == {"not_applicable"}
    assert made.findings == [] and not made.changing


def test_gpus_that_talk_over_shared_memory_need_no_rdma_to_keep_it(tmp_path):
    root = roce_node.build_whole(tmp_path)
    for name in list((root / "sys/class/infiniband").iterdir()):
        name.unlink()
    assert set(NAMES) - set(withheld(root)) == {"RemoveIPC"}


def test_infiniband_is_left_to_the_subnet_manager(tmp_path):
    root = roce_node.build(tmp_path)
    for name in roce_node.options(root)["rdma_roce_rdma_devices"]:
        put(root, "/sys/class/infiniband/%s/ports/1/link_layer" % name, "InfiniBand")
    found = withheld(root)
    assert set(found) == set(LINK) | {"rdma_cm/default_roce_tos"}
    assert set(found.values()) == {
        "all RDMA ports here are InfiniBand: priorities and service levels are the subnet manager's"}
    assert withheld(root, ["LimitMEMLOCK"]) == {}
    assert [one for one in roce_node.plan(root).findings if one["severity"] == "E"] == []


def test_roce_that_serves_nobody_is_left_alone(tmp_path):
    seen = roce_node.view(roce_node.build(tmp_path))
    nobody = {"rdma_roce_interfaces": [], "rdma_roce_rdma_devices": []}
    found = rdma_roce.withhold(seen, nobody, list(NAMES))
    assert set(found) == set(LINK) | {"rdma_cm/default_roce_tos"}
    assert set(found.values()) == {"no RoCE port here serves GPUs or storage: name those that do in "
                                   "rdma_roce_compute_nics"}
    assert rdma_roce.withhold(seen, dict(nobody, rdma_roce_rdma_devices=["mlx5_0"]), list(NAMES)) == {}


def test_what_is_neither_is_no_roce(tmp_path):
    sysfs.rdma(tmp_path, "sys/devices/virtual/x", "siw0", {}, {1: {"link_layer": "Unspecified"}})
    plain_node.build(tmp_path)
    assert set(withheld(tmp_path).values()) == {"no RDMA port here is RoCE"}


def test_soft_roce_is_roce_without_priorities(tmp_path):
    root = plain_node.build(tmp_path)
    put(root, "/sys/class/net/eth0/mtu", "9000")
    for name, text in (("link_layer", "Ethernet"), ("state", "4: ACTIVE"), ("phys_state", "5: LinkUp"),
                       ("rate", "2.5 Gb/sec (1X SDR)"), ("gids/0", "0000:0000:0000:0000:0000:ffff:0a00:0002"),
                       ("gid_attrs/types/0", "RoCE v2"), ("gid_attrs/ndevs/0", "eth0")):
        put(root, "/sys/class/infiniband/rxe0/ports/1/" + name, text)
    assert roce_node.options(root)["rdma_roce_interfaces"] == []
    made = roce_node.plan(root)
    statuses = by_row(made)
    assert {name: statuses[name] for name in LINK if name in statuses} == {
        name: {"not_applicable": 1} for name in LINK if name in statuses}
    assert withheld(root) == {}
    assert [one for one in made.findings if one["severity"] != "I"] == []


def test_a_misspelt_interface_is_refused_before_anything_is_written(tmp_path):
    root = roce_node.build(tmp_path)
    with pytest.raises(Exception, match="rdma_roce_interfaces: there is no rail9 here; did you mean rail"):
        roce_node.plan(root, rdma_roce_interfaces=["rail9"])


def test_every_variable_has_a_home():
    """The options that only rules read, by name: a misspelt one would be read as unset."""
    assert {option["name"] for option in rdma_roce.OPTIONS} == {
        "rdma_roce_priority", "rdma_roce_dscp", "rdma_roce_class", "rdma_roce_infiniband_sl", "rdma_roce_compute_nics",
        "rdma_roce_storage_nics", "rdma_roce_interfaces", "rdma_roce_rdma_devices", "rdma_roce_expected_rate",
        "rdma_roce_mtu", "rdma_roce_address_family", "rdma_roce_services", "rdma_roce_ibnetdiscover",
        "rdma_roce_apply"}
    assert isinstance(rdma_roce.RULES, tuple) and all(isinstance(rule, types.FunctionType) for rule in rdma_roce.RULES)
