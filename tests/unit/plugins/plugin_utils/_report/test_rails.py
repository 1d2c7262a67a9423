# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rails in the report (R11): hosts that differ from most are told, those that agree are not."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import rails, summary


def host(order=(0, 1, 2, 3), subnets=None, product="HGX", gpus=4):
    devices = [{"name": "mlx5_%d" % name, "pci_address": "0000:%02x:00.0" % (16 + place), "ports": [
        {"port": 1, "netdev": "rail%d" % name, "link_layer": "Ethernet", "rate": 400}]}
        for place, name in enumerate(order)]
    nics = [{"name": "rail%d" % name, "rdma_device": "mlx5_%d" % name,
             "addresses": subnets and ["10.0.%d.7/24" % subnets[place], "fe80::1/64"]}
            for place, name in enumerate(order)]
    return {"status": "answered", "message": None, "classes": [], "reboot_required": False, "changed": False,
            "roles": {}, "settings": [], "rules": [],
            "topology": {"system": {"vendor": "V", "product": product}, "gpus": [{}] * gpus, "rdma_devices": devices,
                         "nics": nics, "gpu_nics": {str(name): ["mlx5_%d" % name] for name in order}}}


def shown(hosts):
    found = rails.none()
    for name, one in hosts:
        rails.add(found, name, one)
    return [text for text, _kind in rails.lines(found, 200)]


def fleet(odd, **common):
    return [("n%d" % number, host(**common)) for number in range(3)] + [("x", odd)]


@pytest.mark.parametrize("odd", [host(), dict(host(), topology=None), host(gpus=0, order=()),
                                 dict(host(), topology={"gpus": [{}]})])
def test_hosts_that_agree_or_have_nothing_to_say_are_not_mentioned(odd):
    assert shown(fleet(odd)) == []


def test_the_same_names_at_other_places_are_r11():
    lines = shown(fleet(host(order=(1, 0, 2, 3))))
    assert lines[1] == "Rails that are not those of most nodes"
    assert lines[2].startswith("  x: R11: NIC 0 is mlx5_1 at 0000:10:00.0, not mlx5_0 at 0000:10:00.0 and 1 more")


def test_fewer_nics_are_r11_across_models_too():
    lines = shown(fleet(host(order=(0, 1), product="other")))
    assert lines[2].startswith("  x: R11: 2 NICs serve its GPUs, while most")


def test_a_rail_in_another_rails_subnet_is_r11():
    lines = shown(fleet(host(subnets=(2, 1, 3, 4)), subnets=(1, 2, 3, 4)))
    assert lines[2].startswith("  x: R11: rail 0 (rail0) is in 10.0.2.0/24, while on most nodes it is in 10.0.1.0/24")


def test_the_screen_has_room_for_few():
    hosts = [("n%02d" % number, host()) for number in range(30)]
    hosts += [("x%02d" % number, host(order=(1, 0, 2, 3))) for number in range(14)]
    lines = shown(hosts)
    assert len(lines) == 13 and lines[-1] == "  and 4 more"


def test_few_and_many_hosts_show_it():
    hosts = fleet(host(order=(1, 0, 2, 3)))
    assert any("R11" in text for text, _kind in summary.of_few(hosts, 100))
    merged = summary.empty_merge()
    for name, one in hosts:
        summary.merge(merged, name, one)
    assert any("R11" in text for text, _kind in summary.of_many(merged, 100))
