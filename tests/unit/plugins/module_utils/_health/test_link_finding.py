# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with links, and which became worse."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._health import gpu, link_finding

ADDRESS = "0000:19:00.0"


def _link(width=16, speed="32.0 GT/s PCIe", kind="nic", **more):
    return dict({"pci_address": ADDRESS, "kind": kind, "width": width, "max_width": 16, "expected_width": 16,
                 "speed": speed, "max_speed": "32.0 GT/s PCIe", "expected_speed": "32.0 GT/s PCIe"}, **more)


def _health(*links, state="P0", aer=()):
    record = dict(dict.fromkeys(gpu.EMPTY), pci_address=ADDRESS, performance_state=state)
    return {"pcie": {"links": list(links), "aer": list(aer)}, "gpus": [record]}


def _port(state="ACTIVE", phys_state="LinkUp", rate=400):
    return {"port": 1, "link_layer": "InfiniBand", "state": state, "phys_state": phys_state, "rate": rate, "errors": {}}


def _rdma(port, name="mlx5_0"):
    return {"rdma_devices": [{"name": name, "pci_address": ADDRESS, "ports": [port] if port else []}]}


def _what(health):
    return [(one["severity"], one["what"]) for one in link_finding.findings(health)]


@pytest.mark.parametrize(("link", "state", "found"), [
    (_link(), "P0", []), (_link(width=8), "P0", [("W", "pcie_width")]),
    (_link(width=8, expected_width=8), "P0", []),
    (_link(speed="16.0 GT/s PCIe"), "P0", [("W", "pcie_speed")]),
    (_link(speed="16.0 GT/s PCIe", expected_speed="16.0 GT/s PCIe"), "P0", []),
    (_link(speed="2.5 GT/s PCIe", kind="gpu"), "P8", []), (_link(speed="2.5 GT/s PCIe", kind="gpu"), None, []),
    (_link(speed="2.5 GT/s PCIe", kind="gpu"), "P0", [("W", "pcie_speed")]),
    (_link(width=8, kind="gpu"), "P8", [("W", "pcie_width")]),
    (_link(width=None, speed=None), "P0", []),
])
def test_pcie_links(link, state, found):
    assert _what(_health(link, state=state)) == found


def test_a_gpu_of_which_only_its_driver_told():
    record = dict(dict.fromkeys(gpu.EMPTY), pci_address=ADDRESS,
                  link={"width": 8, "max_width": 16, "speed": None, "max_speed": None})
    assert _what({"gpus": [record]}) == [("W", "pcie_width")]


def test_counted_errors():
    one = {"pci_address": ADDRESS, "correctable": 4, "nonfatal": 1, "fatal": 0, "errors": {}}
    assert _what(_health(aer=[one])) == [("W", "aer_count_nonfatal"), ("I", "aer_count_correctable")]


@pytest.mark.parametrize(("port", "found"), [
    (_port(), []), (_port("INIT"), [("W", "port_state")]), (_port("ARMED"), [("W", "port_state")]),
    (_port("DOWN", "Polling"), [("I", "port_down")]), (_port("DOWN", "Disabled"), [("I", "port_down")]),
    (_port(None, None), [("I", "port_down")])])
def test_ports(port, found):
    assert _what(_rdma(port)) == found


@pytest.mark.parametrize(("was", "now", "words"), [
    (_link(), _link(), []),
    (_link(), _link(width=8), ["PCIe link of %s: 8 lanes, 16 before" % ADDRESS]),
    (_link(width=8), _link(), []),
    (_link(), _link(speed="16.0 GT/s PCIe"),
     ["PCIe link of %s: 16.0 GT/s PCIe, 32.0 GT/s PCIe before" % ADDRESS]),
    (_link(kind="gpu"), _link(kind="gpu", speed="2.5 GT/s PCIe"), []),
    (_link(kind="gpu"), _link(kind="gpu", expected_speed="16.0 GT/s PCIe"),
     ["PCIe link of %s: 16.0 GT/s PCIe, 32.0 GT/s PCIe before" % ADDRESS]),
])
def test_links_that_became_worse(was, now, words):
    assert link_finding.worse(_health(was), _health(now), True) == words


def test_a_device_that_is_gone():
    assert link_finding.worse(_health(_link()), _health(), False) == ["PCIe device %s is gone" % ADDRESS]


@pytest.mark.parametrize(("was", "now", "words"), [
    (_port(), _port(), []), (_port("DOWN"), _port("DOWN"), []), (_port("DOWN"), _port(), []),
    (_port(), _port("DOWN"), ["RDMA port mlx5_0/1 (%s) was ACTIVE and is DOWN" % ADDRESS]),
    (_port(), _port(rate=200), ["RDMA port mlx5_0/1 (%s): 200 Gb/s, 400 before" % ADDRESS]),
    (_port(), None, ["RDMA port mlx5_0/1 (%s) is gone" % ADDRESS])])
def test_ports_that_became_worse(was, now, words):
    assert link_finding.worse(_rdma(was), _rdma(now, "renamed"), True) == words


def test_drives_are_known_by_serial_number():
    def health(*serials):
        return {"nvme": [{"name": "nvme%d" % number, "pci_address": None, "serial": serial, "model": "M"}
                         for number, serial in enumerate(serials)]}
    assert link_finding.worse(health("a", "b"), health("b", "a"), False) == []
    assert link_finding.worse(health("a", "b"), health("b"), False) == ["NVMe drive a (M) is gone"]


def _counter(**counted):
    return dict({"pci_address": ADDRESS, "correctable": 9, "nonfatal": 0, "fatal": 0, "errors": {}}, **counted)


@pytest.mark.parametrize(("same_boot", "name", "was", "now", "more"), [
    (True, "nonfatal", 1, 3, 2), (True, "fatal", 1, 1, 0), (True, "fatal", 0, 1, 1), (False, "fatal", 3, 2, 2),
    (False, "nonfatal", 0, 3, 3), (False, "nonfatal", 1, 3, 0)])
def test_counters_begin_anew_with_each_boot(same_boot, name, was, now, more):
    before, after = (_health(aer=[_counter(**{name: count})]) for count in (was, now))
    words = ["%s: %d more PCIe errors counted, %s" % (ADDRESS, more, name)] if more else []
    assert link_finding.worse(before, after, same_boot) == words


@pytest.mark.parametrize(("same_boot", "changes", "words"), [
    (True, 4, ["interface rail0: its carrier came or went 2 times more"]), (True, 2, []), (True, None, []),
    (False, 9, [])])
def test_a_carrier_that_came_and_went(same_boot, changes, words):
    def nic(name, count):
        return {"nics": [{"name": name, "pci_address": ADDRESS, "carrier_changes": count}]}
    assert link_finding.worse(nic("eth0", 2), nic("rail0", changes), same_boot) == words
