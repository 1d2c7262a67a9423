# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind dcb on a stand-in for NICs, dcb and mlnx_qos: no real one was at hand, so its steps are unverified."""

from __future__ import annotations

import functools
import os
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _input, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import dcb
from ansible_collections.gpuwright.node.plugins.module_utils._qos_values import DscpMap, Eight, Priorities
from ansible_collections.gpuwright.node.plugins.module_utils._row import dcb as row
from ansible_collections.gpuwright.node.plugins.module_utils._runner import boot
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Word

from tests.sysroots import dcb_node, plain_node
from tests.sysroots.dcb_node import Nics, fresh, nic

WORDS = {"variable": "v", "doc": "A row.", "source": "https://example.org/", "devices": "rdma_roce_interfaces"}
CATALOGUE = types.SimpleNamespace(
    ROWS=(row("dcb/dcbx", Word("os", "fw"), **WORDS), row("dcb/trust", Word("dscp", "pcp"), **WORDS),
          row("dcb/dscp-prio", DscpMap(), **WORDS),
          row("dcb/ets-tsa", Eight(Word("strict", "ets", "vendor")), **WORDS),
          row("dcb/tc-bw", Eight(Int(0, 100), total=100), **WORDS), row("dcb/prio-tc", Eight(Int(0, 7)), **WORDS),
          row("dcb/prio-pfc", Priorities(), **WORDS)),
    OPTIONS=({"name": "rdma_roce_interfaces", "type": "list", "doc": "Names."},
             {"name": "rdma_roce_apply", "type": "bool", "doc": "Do it."}), RULES=())
VALUES = {"dcb/dcbx": "os", "dcb/trust": "dscp", "dcb/dscp-prio": {26: 4, 48: 6}, "dcb/prio-pfc": 4,
          "dcb/ets-tsa": ["ets"] * 6 + ["strict"] * 2, "dcb/tc-bw": [10, 10, 10, 10, 50, 10, 0, 0],
          "dcb/prio-tc": [0, 0, 0, 3, 4, 5, 6, 7]}
OPTIONS = {"rdma_roce_interfaces": ["ens1", "ens2"], "rdma_roce_apply": True}
CUSTOM = {"pfc": [2, 5], "app": [[10, 7], [26, 1]], "tsa": ["ets", "ets"] + ["strict"] * 6,
          "bandwidth": [30, 70] + [100] * 6, "prio_tc": [1, 0, 2, 3, 4, 5, 6, 7]}
WAYS = [("dcb", False), ("mlnx_qos", False), ("mlnx_qos", True)]


@pytest.fixture(autouse=True)
def _role(monkeypatch):
    monkeypatch.setitem(ROLES, "rdma_roce", CATALOGUE)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # Slow, and nothing here is about power cuts.


def plan(host, values=None, options=None, absent_ok=False):
    request = {"origins": {}, "take_over": [], "allow": [], "options": OPTIONS if options is None else options,
               "absent_ok": absent_ok}
    return _plan.build(host, "rdma_roce", CATALOGUE, VALUES if values is None else values, request)


def apply(root, values=None, options=None):
    host = Nics(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, values, options), {"what": "test"})


def check(root, values=None, options=None):
    return plan(Nics(str(root)), values, options)


def roll_back(root):
    host = Nics(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def statuses(made):
    return {step["target"]: step["status"] for step in made.steps}


def errors(made):
    return {step["target"]: step["error"] for step in made.steps if "error" in step}


def shows_wanted(state):
    return (state["pfc"] == [4] and [26, 4] in state["app"] and [48, 6] in state["app"]
            and state["tsa"] == VALUES["dcb/ets-tsa"] and state["bandwidth"] == [10, 10, 10, 10, 50, 10, 100, 100]
            and state["prio_tc"] == VALUES["dcb/prio-tc"])


@pytest.mark.parametrize("tool, ofed", WAYS)
@pytest.mark.parametrize("state", [{}, CUSTOM], ids=["fresh", "custom"])
def test_all_of_it_goes_round_on_a_stand_in_nic(tmp_path, tool, ofed, state):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**state), "ens2": fresh()}, tools=[tool], ofed=ofed)
    before = plain_node.snapshot(root)
    checked = check(root)
    assert plain_node.snapshot(root) == before
    made = apply(root)
    assert errors(made) == {} and made.errors == []
    assert statuses(made) == statuses(checked)
    assert set(statuses(made).values()) <= {"ok", "drift"} and statuses(made)["ens1/dcb/prio-pfc"] == "drift"
    if not ofed:
        assert shows_wanted(nic(root, "ens1")) and shows_wanted(nic(root, "ens2"))
    assert set(statuses(check(root)).values()) == {"ok"} and not apply(root).due
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_on_a_stand_in_with_files_of_ofed_trust_and_map_are_in_those(tmp_path):
    root = dcb_node.build(tmp_path, tools=["dcb", "mlnx_qos"], ofed=True)
    apply(root)
    folder = root / "sys/class/net/ens1/qos"
    assert (folder / "trust").read_text() == "dscp\n" and "\n26\t4\n27\t3\n" in (folder / "dscp2prio").read_text()
    assert nic(root, "ens1")["app"] == [] and nic(root, "ens1")["pfc"] == [4]


@pytest.mark.parametrize("tool", ["dcb", "mlnx_qos"])
@pytest.mark.parametrize("then_apply", [False, True])
def test_ended_between_two_commands_the_stand_in_nic_still_comes_back(tmp_path, monkeypatch, tool, then_apply):
    real, moments = Nics.run, 0
    for count in range(100):
        root = dcb_node.build(tmp_path / str(count), {"ens1": fresh(**CUSTOM)}, tools=[tool])
        before, options = plain_node.snapshot(root), dict(OPTIONS, rdma_roce_interfaces=["ens1"])
        left = [count]

        def run(host, argv, seconds=10, changes=True, left=left):
            left[0] -= changes and argv[0] in dcb_node.TOOLS
            if left[0] < 0:
                raise KeyboardInterrupt
            return real(host, argv, seconds, changes)
        monkeypatch.setattr(Nics, "run", run)
        try:
            apply(root, options=options)
            ended = True
        except KeyboardInterrupt:
            ended = False
        monkeypatch.setattr(Nics, "run", real)
        if then_apply:
            assert errors(apply(root, options=options)) == {} and shows_wanted(nic(root, "ens1")), count
        assert roll_back(root).errors == [], count
        assert plain_node.snapshot(root) == before, count
        if ended:
            break
        moments += 1
    assert moments == 5  # Map, three times ETS, PFC: trust and DCBX are right before.


@pytest.mark.parametrize("tool, ofed", WAYS)
def test_after_a_boot_or_a_reload_of_its_driver_the_runner_sets_the_stand_in_nic_again(tmp_path, tool, ofed):
    root = dcb_node.build(tmp_path, tools=[tool], ofed=ofed)
    apply(root)
    wanted = plain_node.snapshot(root)
    for name in ("ens1", "ens2"):
        dcb_node.plug(root, name, ofed=ofed)
    (root / "sys/class/net/ens2").rename(root / "ens2")  # Not there yet, as early in a boot.
    said = []
    assert boot.put_back(Nics(str(root), read_only=False), said.append) == 0
    assert not [line for line in said if "ens2" in line] and len(said) > 4
    assert nic(root, "ens1")["pfc"] == [4] and nic(root, "ens2")["pfc"] == []
    (root / "ens2").rename(root / "sys/class/net/ens2")
    assert boot.put_back(Nics(str(root), read_only=False), said.append) == 0
    assert plain_node.snapshot(root) == wanted


def test_unverified_steps_are_marked_and_are_check_only_without_a_word_of_the_operators(tmp_path):
    root = dcb_node.build(tmp_path)
    before = plain_node.snapshot(root)
    made = apply(root, options=dict(OPTIONS, rdma_roce_apply=False))
    assert {step["status"] for step in made.steps if step["name"] != "dcb/dcbx"} == {"refused"}
    assert all("stand-in" in step["unverified"] for step in made.steps)
    assert plain_node.snapshot(root) == before


@pytest.mark.parametrize("tools, state", [([], {}), (["dcb"], {"dcb": False}), (["dcb", "mlnx_qos"], {"dcb": False})])
def test_where_neither_tool_serves_an_interface_each_step_says_so(tmp_path, tools, state):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**state), "ens2": fresh()}, tools=tools)
    made = check(root, {"dcb/prio-pfc": 3, "dcb/trust": "dscp"})
    steps = {step["target"]: step for step in made.steps}
    assert {steps["ens1/dcb/prio-pfc"]["status"], steps["ens1/dcb/trust"]["status"]} == {"not_applicable"}
    assert "iproute2" in steps["ens1/dcb/trust"]["reason"] and "mlnx-tools" in steps["ens1/dcb/trust"]["reason"]
    assert steps["ens2/dcb/trust"]["status"] == ("drift" if tools else "not_applicable")


def test_a_capture_starts_no_tool(tmp_path):
    root = dcb_node.build(tmp_path)
    assert set(statuses(plan(Host(str(root)))).values()) == {"not_applicable"}


def test_a_misspelt_interface_is_refused_with_the_nearest(tmp_path):
    root = dcb_node.build(tmp_path)
    with pytest.raises(_input.BadInput, match="there is no ens11 here; did you mean ens1"):
        check(root, options={"rdma_roce_interfaces": ["ens11"]})
    made = plan(Nics(str(root)), options={"rdma_roce_interfaces": ["ens11"]}, absent_ok=True)
    assert set(statuses(made).values()) == {"not_applicable"}
    made = plan(Nics(str(root)), {"dcb/trust": "dscp"}, {"rdma_roce_interfaces": ["ens1", "ens11"]}, absent_ok=True)
    assert set(statuses(made)) == {"ens1/dcb/trust"}


@pytest.mark.parametrize("tool", ["dcb", "mlnx_qos"])
def test_a_map_never_switches_trust_by_itself(tmp_path, tool):
    root = dcb_node.build(tmp_path, tools=[tool])
    made = apply(root, {"dcb/dscp-prio": {26: 4}})
    assert "set dcb/trust" in errors(made)["ens1/dcb/dscp-prio"]
    assert nic(root, "ens1")["app"] == []


@pytest.mark.parametrize("tool", ["dcb", "mlnx_qos"])
def test_a_map_that_nobody_asks_for_any_more_goes_back_while_trust_stays(tmp_path, tool):
    root = dcb_node.build(tmp_path, tools=[tool])
    before = plain_node.snapshot(root)
    apply(root, {"dcb/trust": "dscp", "dcb/dscp-prio": {26: 4}})
    apply(root, {"dcb/trust": "dscp"})
    assert nic(root, "ens1")["app"] == [[dscp, dscp >> 3] for dscp in range(64)]
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("tool", ["dcb", "mlnx_qos"])
def test_a_map_that_was_there_comes_back_though_trust_changed_after_it(tmp_path, tool):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**CUSTOM), "ens2": fresh(**CUSTOM)}, tools=[tool])
    before = plain_node.snapshot(root)
    apply(root, {"dcb/dscp-prio": {26: 4}})
    assert nic(root, "ens1")["app"] == [[10, 7], [26, 4]]
    made = apply(root, {"dcb/trust": "pcp", "dcb/dscp-prio": {26: 4}})
    assert nic(root, "ens1")["app"] == [] and made.steps
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


@pytest.mark.parametrize("tool", ["dcb", "mlnx_qos"])
def test_trust_that_goes_takes_its_map_along_and_brings_it_back(tmp_path, tool):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**CUSTOM), "ens2": fresh()}, tools=[tool])
    before = plain_node.snapshot(root)
    assert errors(apply(root, {"dcb/trust": "pcp"})) == {} and nic(root, "ens1")["app"] == []
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_shares_from_before_there_was_ets_rest_while_ets_stays(tmp_path):
    root = dcb_node.build(tmp_path)
    before = plain_node.snapshot(root)
    values = {"dcb/ets-tsa": VALUES["dcb/ets-tsa"], "dcb/tc-bw": VALUES["dcb/tc-bw"]}
    apply(root, values)
    assert errors(apply(root, dict(values, **{"dcb/tc-bw": None}))) == {}
    assert nic(root, "ens1")["bandwidth"][4] == 50
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_new_kinds_of_ets_bring_their_shares_back(tmp_path):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**CUSTOM), "ens2": fresh()})
    before = plain_node.snapshot(root)
    made = apply(root, {"dcb/ets-tsa": "strict,ets,ets,ets,strict,strict,strict,strict"})
    assert errors(made) == {} and nic(root, "ens1")["bandwidth"][1:4] == [34, 33, 33]
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_a_share_for_a_class_that_is_not_ets_is_refused_in_words(tmp_path):
    root = dcb_node.build(tmp_path)
    made = apply(root, {"dcb/tc-bw": "0,0,0,100,0,0,0,0"})
    assert "traffic class 3 is vendor" in errors(made)["ens1/dcb/tc-bw"]


def test_what_a_driver_refuses_is_told_and_changes_nothing_else(tmp_path):
    root = dcb_node.build(tmp_path)
    host = Nics(str(root), read_only=False)
    real = host.run
    host.run = lambda argv, seconds=10, changes=True: (
        (1, "", "Attribute write: Operation not supported\n") if argv[:3] == ["dcb", "pfc", "set"]
        else real(argv, seconds, changes))
    made = _apply.apply(functools.partial(plan, host, {"dcb/prio-pfc": [3], "dcb/trust": "dscp"}), {"what": "test"})
    assert errors(made)["ens1/dcb/prio-pfc"].endswith("Attribute write: Operation not supported")
    assert len(nic(root, "ens1")["app"]) == 64


def test_dcbx_is_taken_from_the_firmware_only_where_it_can_be_given_back(tmp_path):
    state = fresh(flags=["cee", "ieee"])
    root = dcb_node.build(tmp_path / "dcb", {"ens1": state, "ens2": fresh()})
    assert statuses(check(root, {"dcb/dcbx": "os"})) == {
        "ens1/dcb/dcbx": "not_applicable", "ens2/dcb/dcbx": "drift"}  # Right, but not persisted yet.
    root = dcb_node.build(tmp_path / "both", {"ens1": state, "ens2": fresh()}, tools=["dcb", "mlnx_qos"])
    before = plain_node.snapshot(root)
    assert errors(apply(root, {"dcb/dcbx": "os"})) == {} and "host" in nic(root, "ens1")["flags"]
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before
    root = dcb_node.build(tmp_path / "back")
    assert "cannot hand DCBX to the firmware" in errors(apply(root, {"dcb/dcbx": "fw"}))["ens1/dcb/dcbx"]


def test_an_interface_that_is_gone_gives_nothing_back_and_a_tool_that_is_gone_keeps_its_originals(tmp_path):
    root = dcb_node.build(tmp_path)
    apply(root, {"dcb/prio-pfc": 3})
    held = dcb_node.load(root)
    dcb_node.save(root, dict(held, tools=[]))
    (root / "sys/class/net/ens2").rename(root / "ens2")
    assert roll_back(root).errors == [
        "ens1/dcb/prio-pfc: /sys/class/net/ens1: neither dcb nor mlnx_qos serves it any more"]
    dcb_node.save(root, held)
    assert roll_back(root).errors == [] and nic(root, "ens1")["pfc"] == [] and nic(root, "ens2")["pfc"] == [3]


def test_one_question_is_asked_once_in_a_plan(tmp_path):
    root = dcb_node.build(tmp_path, tools=["mlnx_qos"])
    host = Nics(str(root))
    plan(host)
    assert sorted(asked for asked in host.asked if asked.startswith("mlnx_qos")) == [
        "mlnx_qos -i ens1 -a", "mlnx_qos -i ens2 -a"]


@pytest.mark.parametrize("running, wanted, good", [
    ("3", "3", True), ("3 4", "3", False), ("", "", True), ("3", "", False), ("0:0 26:3", "26:3", True),
    ("0:0 26:3", "26:4", False), ("dscp", "dscp 0:0", True), ("pcp", "dscp 0:0", False), ("pcp", "was", True),
    ("0,0", "none", True), ("ets,ets", "ets,ets 50,50", True), ("ets,ets", "ets,strict 50,50", False)])
def test_what_is_as_good(running, wanted, good):
    assert dcb.satisfied(running, wanted) is good
