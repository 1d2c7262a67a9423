# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind device_attribute on plain files: no NIC with OFED's driver was at hand, so its steps are unverified."""

from __future__ import annotations

import functools
import os
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _input, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import device_attribute
from ansible_collections.gpuwright.node.plugins.module_utils._qos_values import Priorities
from ansible_collections.gpuwright.node.plugins.module_utils._row import device_attribute as row
from ansible_collections.gpuwright.node.plugins.module_utils._runner import boot
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

from tests.sysroots import plain_node, systemd_node
from tests.sysroots.systemd_node import Systemd

WORDS = {"variable": "v", "doc": "A row.", "source": "https://example.org/", "devices": "rdma_roce_interfaces"}
ECN = "/sys/class/net/{device}/ecn/"
CATALOGUE = types.SimpleNamespace(
    ROWS=(row("ecn/roce_np/enable", Priorities(), ECN + "roce_np/enable/*", **WORDS),
          row("ecn/roce_rp/enable", Priorities(), ECN + "roce_rp/enable/*", **WORDS),
          row("ecn/roce_np/cnp_dscp", Int(0, 63), ECN + "roce_np/cnp_dscp", **WORDS)),
    OPTIONS=({"name": "rdma_roce_interfaces", "type": "list", "doc": "Names."},
             {"name": "rdma_roce_apply", "type": "bool", "doc": "Do it."}), RULES=())
VALUES = {"ecn/roce_np/enable": [3], "ecn/roce_rp/enable": "3", "ecn/roce_np/cnp_dscp": 48}


@pytest.fixture(autouse=True)
def _role(monkeypatch):
    monkeypatch.setitem(ROLES, "rdma_roce", CATALOGUE)
    monkeypatch.setattr(os, "fsync", lambda handle: None)  # Slow, and nothing here is about power cuts.


def build(folder, enabled="11111111", ofed=("ens1", "ens2")):
    root = systemd_node.build(folder)
    for device in ("ens1", "ens2"):
        plain_node.put(root, "/sys/class/net/%s/mtu" % device, "9000")
    for device in ofed:
        nic(root, device, enabled)
    return root


def nic(root, device, enabled):
    for point in ("roce_np", "roce_rp"):
        for number, flag in enumerate(enabled):
            plain_node.put(root, "/sys/class/net/%s/ecn/%s/enable/%d" % (device, point, number), flag)
    plain_node.put(root, "/sys/class/net/%s/ecn/roce_np/cnp_dscp" % device, "0")


def plan(host, values=None, names=("ens1", "ens2"), apply_option=True):
    request = {"origins": {}, "take_over": [], "allow": [],
               "options": {"rdma_roce_interfaces": list(names), "rdma_roce_apply": apply_option}}
    return _plan.build(host, "rdma_roce", CATALOGUE, VALUES if values is None else values, request)


def apply(root, values=None, names=("ens1", "ens2"), apply_option=True):
    host = Systemd(str(root), read_only=False)
    return _apply.apply(functools.partial(plan, host, values, names, apply_option), {"what": "test"})


def roll_back(root):
    host = Systemd(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def statuses(made):
    return {step["target"]: step["status"] for step in made.steps}


def switches(root, device="ens1", point="roce_np"):
    return "".join((root / ("sys/class/net/%s/ecn/%s/enable/%d" % (device, point, number))).read_text().strip()
                   for number in range(8))


def test_ecn_switches_go_round_on_stand_in_files(tmp_path):
    root = build(tmp_path)
    before = plain_node.snapshot(root)
    made = apply(root)
    assert {step["running"] for step in made.steps} == {"0 1 2 3 4 5 6 7", "0"}
    assert made.errors == [] and not [step for step in made.steps if "error" in step]
    assert switches(root) == switches(root, "ens2", "roce_rp") == "00010000"
    assert set(statuses(plan(Systemd(str(root)))).values()) == {"ok"} and not apply(root).due
    assert roll_back(root).errors == [] and plain_node.snapshot(root) == before


def test_after_a_reload_of_its_driver_the_runner_sets_them_again(tmp_path):
    root = build(tmp_path)
    apply(root)
    wanted = plain_node.snapshot(root)
    nic(root, "ens1", "00000000")
    (root / "sys/class/net/ens2").rename(root / "ens2")
    said = []
    assert boot.put_back(Systemd(str(root), read_only=False), said.append) == 0
    assert not [line for line in said if "ens2" in line] and len(said) == 4
    (root / "ens2").rename(root / "sys/class/net/ens2")
    assert boot.put_back(Systemd(str(root), read_only=False), said.append) == 0
    assert plain_node.snapshot(root) == wanted


def test_only_switches_that_differ_are_written_and_on_comes_before_off(tmp_path, monkeypatch):
    root = build(tmp_path, "00000011")
    written = []
    real = Systemd.write_value
    monkeypatch.setattr(Systemd, "write_value", lambda host, path, text: (
        written.append((path.rpartition("/")[2], text)), real(host, path, text))[1])
    apply(root, {"ecn/roce_np/enable": [3, 7]}, ["ens1"])
    assert written == [("3", "1"), ("6", "0")]


def test_no_priority_at_all_is_a_value(tmp_path):
    root = build(tmp_path)
    apply(root, {"ecn/roce_np/enable": []}, ["ens1"])
    assert switches(root) == "00000000"
    assert statuses(plan(Systemd(str(root)), {"ecn/roce_np/enable": ""}, ["ens1"])) == {
        "ens1/ecn/roce_np/enable": "drift"}  # Asked for in other words: our file is written anew.


def test_without_ofeds_driver_the_step_says_so(tmp_path):
    root = build(tmp_path, ofed=["ens2"])
    made = plan(Systemd(str(root)))
    assert statuses(made)["ens1/ecn/roce_np/enable"] == statuses(made)["ens1/ecn/roce_np/cnp_dscp"] == "not_applicable"
    assert statuses(made)["ens2/ecn/roce_np/enable"] == "drift"
    assert "OFED or DOCA" in made.steps[0]["reason"]


def test_a_driver_with_fewer_switches_is_told_apart_from_one_that_took_it(tmp_path):
    root = build(tmp_path, "0000")
    made = apply(root, {"ecn/roce_np/enable": [6]}, ["ens1"])
    assert "there is no switch 6, only 0, 1, 2, 3" in made.steps[0]["error"]


def test_unverified_steps_are_check_only_without_a_word_of_the_operators(tmp_path):
    root = build(tmp_path)
    before = plain_node.snapshot(root)
    assert set(statuses(apply(root, apply_option=False)).values()) == {"refused"}
    assert plain_node.snapshot(root) == before


def test_a_misspelt_device_is_refused(tmp_path):
    root = build(tmp_path)
    with pytest.raises(_input.BadInput, match="there is no ens3 here"):
        plan(Systemd(str(root)), names=["ens3"])


def test_a_device_that_is_gone_gives_nothing_back(tmp_path):
    root = build(tmp_path)
    apply(root)
    (root / "sys/class/net/ens2").rename(root / "ens2")
    assert roll_back(root).errors == [] and switches(root) == "11111111"


def test_rdma_devices_may_be_named_too(tmp_path):
    root = build(tmp_path)
    plain_node.put(root, "/sys/class/infiniband/mlx5_0/node_guid", "1")
    assert set(device_attribute.devices(Systemd(str(root)))) == {"ens1", "ens2", "mlx5_0"}
