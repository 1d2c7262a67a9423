# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of kind pci_config: only the field changes, it comes back, and a kernel that forbids it is understood."""

from __future__ import annotations

import errno
import functools
import types

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan, _rollback
from ansible_collections.gpuwright.node.plugins.module_utils._device_values import PerDevice
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._input import BadInput
from ansible_collections.gpuwright.node.plugins.module_utils._kinds import pci_config
from ansible_collections.gpuwright.node.plugins.module_utils._row import pci_config as row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Word

from tests.sysroots import pci_node, plain_node, sysfs
from tests.sysroots.eight_gpu import NIC_ADDRESSES, RAILS
from tests.sysroots.engine import statuses, steps
from tests.sysroots.pci_node import Pci

WORDS = {"variable": "x", "doc": "A row.", "source": "https://example.org/"}
READ_REQUEST = row("pci/MaxReadReq", PerDevice(Word("128", "256", "512", "1024", "2048", "4096")),
                   devices="gpudirect_nics", **WORDS)
ACS = row("pci/ACSCtl", Word("redirect-off"), **WORDS)
OPTIONS = tuple({"name": "gpudirect_" + name, "type": "raw", "doc": "A list."}
                for name in ("nics", "compute_nics", "storage_nics"))
CATALOGUE = types.SimpleNamespace(ROWS=(READ_REQUEST, ACS), OPTIONS=OPTIONS, RULES=())
ONE = {"pci/MaxReadReq": 4096}
OFF = {"pci/ACSCtl": "redirect-off"}
PORTS = ["0000:99:00.0", "0000:99:01.0", "0000:9a:10.0", "0000:9a:11.0", "0000:9f:10.0", "0000:9f:11.0"]


def plan(host, values, **options):
    asked = {"origins": {}, "take_over": [], "allow": [], "options": options}
    return _plan.build(host, "gpudirect", CATALOGUE, values, asked)


def apply(root, values, error=None, **options):
    host = Pci(str(root), read_only=False, error=error)
    return _apply.apply(functools.partial(plan, host, values, **options), {"what": "test"})


def roll_back(root):
    host = Pci(str(root), read_only=False)
    return _rollback.carry_out(functools.partial(_rollback.plan_rollback, host))


def test_both_fields_go_round(tmp_path):
    root = pci_node.build(tmp_path, "acs_redirect")
    before = plain_node.snapshot(root)
    checked = plan(Pci(str(root)), dict(ONE, **OFF))
    assert plain_node.snapshot(root) == before
    made = apply(root, dict(ONE, **OFF))
    assert [step.get("error") for step in made.steps] == [None] * len(made.steps)
    assert statuses(checked) == statuses(made)
    assert statuses(made)["mlx5_0/pci/MaxReadReq"] == "drift"
    assert [step["target"].partition("/")[0] for step in made.steps if step["running"] == "SV RR CR UF"] == PORTS
    assert sysfs.config_space(None, 0, 256, 4096) == pci_node.config(root, NIC_ADDRESSES[0])
    assert sysfs.config_space(0x11, 6) == pci_node.config(root, "0000:9a:10.0")
    assert len(made.host.writes) == 14 and all(len(data) == 2 for _address, _offset, data in made.host.writes)
    again = apply(root, dict(ONE, **OFF))
    assert not again.due and again.host.writes == [] and set(statuses(again).values()) == {"ok"}
    assert roll_back(root).errors == []
    assert plain_node.snapshot(root) == before


def test_the_nics_that_serve_gpus_unless_others_are_named(tmp_path):
    root = pci_node.build(tmp_path)
    assert set(statuses(plan(Pci(str(root)), ONE))) == {name + "/pci/MaxReadReq" for name in RAILS}
    named = statuses(plan(Pci(str(root)), ONE, gpudirect_nics=["mlx5_4"]))
    assert named == {"mlx5_4/pci/MaxReadReq": "drift"}
    each = plan(Pci(str(root)), {"pci/MaxReadReq": {"mlx5_0": 1024, "mlx5_1": 512}})
    assert [(name, step["status"], step["running"], step["desired"]) for name, step in steps(each).items()] == [
        ("mlx5_0/pci/MaxReadReq", "drift", "512", "1024"), ("mlx5_1/pci/MaxReadReq", "drift", "512", "512")]
    assert steps(each)["mlx5_1/pci/MaxReadReq"]["reason"] == "not persisted"


@pytest.mark.parametrize("values, options, words", [
    (ONE, {"gpudirect_nics": ["mlx5_44"]}, "there is no mlx5_44 here; did you mean mlx5_4"),
    ({"pci/MaxReadReq": 3000}, {}, "3000 is not one of 128, 256"),
    ({"pci/MaxReadReq": {"mlx5_00": 512}}, {}, "mlx5_00 is none of its devices here"),
    (ONE, {"gpudirect_storage_nics": ["mlx5_x"]}, "no RDMA device 'mlx5_x'"),
])
def test_what_cannot_be_is_said_before_anything_is_written(tmp_path, values, options, words):
    root = pci_node.build(tmp_path)
    before = plain_node.snapshot(root)
    with pytest.raises(BadInput, match=words):
        apply(root, values, **options)
    assert plain_node.snapshot(root) == before


def test_only_the_ports_on_the_way_to_nics_that_serve_gpus_are_asked(tmp_path):
    root = pci_node.build(tmp_path, "acs_redirect")
    made = plan(Pci(str(root)), OFF, gpudirect_compute_nics=["mlx5_0"])
    assert {target.partition("/")[0] for target in statuses(made)} == {
        "0000:17:00.0", "0000:17:01.0", "0000:18:10.0", "0000:18:11.0", "0000:1d:10.0"}
    assert {(step["running"], step["reason"]) for step in made.steps} == {("none", "not persisted")}


def test_a_node_without_such_devices_has_nothing_to_set(tmp_path):
    root = plain_node.build(tmp_path)
    made = plan(Host(str(root)), dict(ONE, **OFF))
    assert {step["status"] for step in made.steps} == {"not_applicable"}
    assert {step["reason"] for step in made.steps} == {"no PCI function here has it"}


def test_a_virtual_function_is_left_to_its_physical_one(tmp_path):
    root = pci_node.build(tmp_path)
    (root / pci_node.DEVICES / NIC_ADDRESSES[0] / "physfn").symlink_to("../" + NIC_ADDRESSES[1])
    assert "mlx5_0/pci/MaxReadReq" not in statuses(plan(Pci(str(root)), ONE, gpudirect_nics=["mlx5_0", "mlx5_1"]))


def test_lockdown_is_no_failure_and_nothing_is_tried(tmp_path):
    root = pci_node.build(tmp_path, **{"/sys/kernel/security/lockdown": "none [integrity] confidentiality"})
    made = apply(root, ONE)
    assert set(statuses(made).values()) == {"refused"} and made.host.writes == []
    assert "kernel lockdown (integrity)" in made.steps[0]["reason"] and "pci=config_acs=" in made.steps[0]["reason"]
    plain_node.put(root, "/sys/kernel/security/lockdown", "[none] integrity confidentiality")
    assert set(statuses(plan(Pci(str(root)), ONE)).values()) == {"drift"}


@pytest.mark.parametrize("error, words", [
    (errno.EPERM, "forbids writing to PCI configuration space"), (errno.EIO, "Input/output error")])
def test_what_the_kernel_answers_is_said(tmp_path, error, words):
    root = pci_node.build(tmp_path)
    made = apply(root, ONE, error=error)
    assert all(words in step["error"] for step in made.steps)
    assert sysfs.config_space(None, 0) == pci_node.config(root, NIC_ADDRESSES[0])


def test_hardware_that_keeps_its_own_value_is_an_error(tmp_path, monkeypatch):
    root = pci_node.build(tmp_path)
    monkeypatch.setattr(Pci, "write_bytes_at", lambda *_words: None)
    made = apply(root, ONE)
    assert made.steps[0]["error"].endswith("/config: wrote 4096, the kernel keeps 512")


def test_without_root_it_is_unreadable_in_words(tmp_path):
    root = pci_node.build(tmp_path, "acs_unreadable")
    pci_node.put_config(root, NIC_ADDRESSES[0], sysfs.config_space(None, 0)[:64])
    found = steps(plan(Pci(str(root)), dict(ONE, **OFF)))
    assert found["mlx5_0/pci/MaxReadReq"]["status"] == "unreadable"
    assert {step["status"] for target, step in found.items() if "ACS" in target} == {"unreadable"}
    assert "beyond its first 64 bytes takes root" in found["mlx5_0/pci/MaxReadReq"]["reason"]


def test_a_function_without_the_capability_is_unreadable_in_words(tmp_path):
    root = pci_node.build(tmp_path)
    pci_node.put_config(root, NIC_ADDRESSES[0], bytes(256))
    found = steps(plan(Pci(str(root)), ONE))["mlx5_0/pci/MaxReadReq"]
    assert (found["status"], found["reason"].rpartition(": ")[2]) == (
        "unreadable", "the function has no such capability")


def test_a_device_that_is_gone_keeps_nothing_from_coming_back(tmp_path):
    root = pci_node.build(tmp_path)
    apply(root, ONE)
    (root / pci_node.DEVICES / NIC_ADDRESSES[0]).unlink()
    made = roll_back(root)
    assert made.errors == []
    assert statuses(made)["mlx5_0/pci/MaxReadReq"] == "not_applicable"
    assert sysfs.config_space(None, 0) == pci_node.config(root, NIC_ADDRESSES[1])


def test_of_access_control_only_what_redirects_counts(tmp_path):
    assert pci_config.satisfied("SV UF", "redirect-off") and not pci_config.satisfied("SV EC", "redirect-off")
    assert pci_config.satisfied("SV UF RR", "RR") and not pci_config.satisfied("SV", "SV RR")
    assert pci_config.satisfied("none", "none")


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 0x7FFF), st.integers(0, 0x7F), st.sampled_from(("128", "512", "4096")))
def test_no_other_bit_of_any_function_changes(tmp_path_factory, control, acs, size):
    root = tmp_path_factory.mktemp("bits")
    space = bytearray(sysfs.config_space(acs, 6))
    space[0x68:0x6A] = control.to_bytes(2, "little")
    sysfs.write(root, "sys/bus/pci/devices/0000:17:00.0/config", bytes(space))
    path = "/" + pci_node.DEVICES + "/0000:17:00.0/config"
    host = Pci(str(root), read_only=False)
    original = pci_config.in_force(host, None, "x/pci/MaxReadReq", path)[1]
    redirects = pci_config.in_force(host, None, "x/pci/ACSCtl", path)[1]
    pci_config.write(host, "x/pci/MaxReadReq", path, size)
    pci_config.write(host, "x/pci/ACSCtl", path, "redirect-off")
    mask = bytearray(4096)
    mask[0x68:0x6A], mask[0x14E:0x150] = (0x7000).to_bytes(2, "little"), (0x2C).to_bytes(2, "little")
    after = host.read_bytes(path)
    assert all((old ^ new) & ~bits == 0 for old, new, bits in zip(space, after, mask))
    assert after[0x14E] & 0x2C == 0 and pci_config.read(host, "x/pci/MaxReadReq", path) == size
    pci_config.write(host, "x/pci/MaxReadReq", path, original)
    pci_config.write(host, "x/pci/ACSCtl", path, redirects)
    assert host.read_bytes(path) == bytes(space)
