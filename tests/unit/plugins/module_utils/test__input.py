# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the check of what is asked for: rows that repeat over devices which an option names."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _input, _plan
from ansible_collections.gpuwright.node.plugins.module_utils._device_values import PerDevice
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._row import Row
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int

ROW = Row("stand_in", "link/mtu", PerDevice(Int(68, 65535)), variable="network_mtu", paths=(), doc="A stand-in.",
          source="https://example.org/", devices="network_interfaces")
NAMES = {"network_interfaces": ["eth0", "eth1"]}


@pytest.fixture(autouse=True)
def kind(monkeypatch):
    """A kind with two devices; a third that an option may name is away."""
    def places(host, row, options):
        return [("%s/%s" % (name, row.name), "/" + name, {"device": name})
                for name in options.get(row.devices) or () if name in ("eth0", "eth1")]
    made = types.SimpleNamespace(places=places, devices=lambda host: {"eth0": "a NIC", "eth1": "a NIC"},
                                 turn=lambda target, path: (target.startswith("late"),))
    monkeypatch.setitem(_input.KINDS, "stand_in", made)
    return made


def check(value, options=None, **request):
    """What is wanted of the row."""
    return _input.check(Host("/nowhere"), (ROW,), {ROW.name: value}, dict({"origins": {}}, **request),
                        NAMES if options is None else options)


def test_a_row_repeats_over_the_devices_that_the_option_names():
    assert [(target, desired) for _row, target, _path, _fields, desired in check(9000)] == [
        ("eth0/link/mtu", "9000"), ("eth1/link/mtu", "9000")]


def test_a_device_that_the_value_leaves_out_has_no_step():
    assert [place[1] for place in check({"eth1": 9000})] == ["eth1/link/mtu"]


def test_without_any_device_there_is_one_place_that_is_nowhere():
    (_row, target, path, _fields, desired), = check(9000, {"network_interfaces": None})
    assert (target, path, desired) == ("link/mtu", None, "9000")


def test_a_device_that_is_not_here_is_refused_by_the_name_of_its_option():
    with pytest.raises(_input.BadInput, match="network_interfaces: there is no eth11 here; did you mean eth1"):
        check(9000, {"network_interfaces": ["eth0", "eth11"]})


def test_at_boot_a_device_may_be_late_and_the_others_go_on():
    wanted = check({"eth0": 9000, "eth2": 1500}, {"network_interfaces": ["eth0", "eth2"]}, absent_ok=True)
    assert [place[1] for place in wanted] == ["eth0/link/mtu"]


def test_a_row_that_nobody_asks_for_names_no_missing_device():
    assert check(None, {"network_interfaces": ["eth11"]}) == []


def test_originals_come_back_in_the_turn_that_their_kind_says():
    entries = {key: {"kind": "stand_in", "target": key, "path": "/"} for key in ("late one", "one", "zero")}
    assert [key for key, _entry in _plan.in_order(entries)] == ["one", "zero", "late one"]


OPTIONS = ({"name": "network_interfaces", "type": "list"}, {"name": "network_touch_management", "type": "bool"},
           {"name": "network_rail_gateways", "type": "dict"})


def test_a_list_of_devices_that_arrives_as_text_is_one_name_and_not_its_letters():
    given = {"network_interfaces": "eth0,eth1", "network_touch_management": "yes", "network_rail_gateways": {"a": "b"}}
    assert _input.check_options(OPTIONS, given) == {
        "network_interfaces": ["eth0", "eth1"], "network_touch_management": True, "network_rail_gateways": {"a": "b"}}
    assert _input.check_options(OPTIONS, {"network_interfaces": None}) == {"network_interfaces": None}


def test_an_option_of_another_type_is_refused_by_its_name():
    with pytest.raises(_input.BadInput, match="network_interfaces: 7 is not a list of names; .*neither true nor false"):
        _input.check_options(OPTIONS, {"network_interfaces": 7, "network_touch_management": "perhaps"})


def test_what_is_known_is_of_the_same_sort_as_what_was_asked_for(kind):
    kind.devices = lambda host: dict.fromkeys(["/", "/data", "/proc", "/sys/fs/cgroup", "eth0", "vda"], "")
    with pytest.raises(_input.BadInput, match="no /models here; known: /, /data$"):
        check(9000, {"network_interfaces": ["/models"]})
    with pytest.raises(_input.BadInput, match="no nvme7n1 here; known: eth0, vda$"):
        check(9000, {"network_interfaces": ["nvme7n1"]})
