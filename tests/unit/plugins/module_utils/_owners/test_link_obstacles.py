# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what stands in the way of a .link file of ours, each with words that say what to do."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import link_obstacles

from tests.sysroots import link_node, plain_node
from tests.sysroots.link_node import DEFAULT, NET, Links

ETC = "/etc/systemd/network/"
ANY = "[Match]\nOriginalName=*\n[Link]\n"


def found(root, *devices, **words):
    items = link_obstacles.found(Links(str(root), **words), devices or ("eth1",))
    return [(item["device"], item["row"], item["value"], item["words"]) for item in items]


def test_nothing_stands_in_the_way_of_a_plain_interface(tmp_path):
    assert found(link_node.build(tmp_path), "eth0", "eth1", "eth2") == []


@pytest.mark.parametrize("version, rows", [
    ("239 (239-82.el8)", {"ring/rx", "ring/tx", "coalesce/adaptive-rx", "coalesce/adaptive-tx", "coalesce/rx-usecs",
                          "coalesce/tx-usecs", "coalesce/rx-frames", "coalesce/tx-frames"}),
    ("249 (249.11-0ubuntu3)", {"coalesce/adaptive-rx", "coalesce/adaptive-tx", "coalesce/rx-usecs",
                               "coalesce/tx-usecs", "coalesce/rx-frames", "coalesce/tx-frames"}),
    ("250", set())])
def test_an_old_systemd_does_not_know_every_option(tmp_path, version, rows):
    items = found(link_node.build(tmp_path), systemd=version)
    assert {row for device, row, value, _words in items if device is None and value is None} == rows
    for _device, row, _value, words in items:
        if row == "coalesce/rx-usecs":
            assert words == ("systemd %s here has no RxCoalesceSec= in .link files, which came with 250: it would be "
                             "lost at the next boot" % version[:3])


def test_a_bond_is_made_elsewhere_and_its_port_has_its_mtu(tmp_path):
    root = link_node.build(tmp_path)
    link_node.bond(root)
    assert found(root, "bond0", "eth1") == [
        ("bond0", None, None, "bond0 is no device, but made by software over eth1, eth2, whose rings and channels it "
                              "uses: set its MTU where it is made"),
        ("eth1", "link/mtu", None, "eth1 is a port of bond0, which gives it its own MTU: set it where that is made")]


def words(root):
    (item,) = found(root)
    assert item[:3] == ("eth1", None, None)
    return item[3]


def test_an_interface_that_udev_does_not_know(tmp_path):
    root = link_node.build(tmp_path, **{"/run/udev/data/n3": None})
    assert words(root) == "udev knows nothing of eth1, so no .link file is ever read for it"


def test_an_interface_without_anything_of_its_own(tmp_path):
    root = link_node.build(tmp_path, **{"/run/udev/data/n3": link_node.udev({"ID_NET_DRIVER": "x"}),
                                        NET + "/eth1/addr_assign_type": "1"})
    assert words(root) == "eth1 has neither a path nor an address of its own that a .link file could know it by"


def test_a_file_that_sorts_before_ours(tmp_path):
    root = link_node.build(tmp_path, **{ETC + "00-a.link": ANY + "Name=eth1"})
    assert words(root) == ETC + "00-a.link matches eth1 and sorts before ours, which would never be read: rename it"


def test_a_name_that_changes_at_the_next_boot_anyway(tmp_path):
    root = link_node.build(tmp_path, **{ETC + "10-a.link": ANY + "Name=rail0"})
    assert words(root) == ("the next boot would call eth1 rail0, by " + ETC + "10-a.link: bring its name and the .link "
                           "files together first")


def test_what_an_administrators_file_says_is_theirs_and_what_the_systems_says_is_not(tmp_path):
    root = link_node.build(tmp_path / "a", **{ETC + "10-a.link": ANY + "Name=eth1\nMTUBytes=4K\nRxBufferSize=max"})
    assert found(root) == [
        ("eth1", "link/mtu", "4096", ETC + "10-a.link:5 sets MTUBytes = 4K for eth1: change it there"),
        ("eth1", "ring/rx", "max", ETC + "10-a.link:6 sets RxBufferSize = max for eth1: change it there")]
    system = link_node.build(tmp_path / "b", **{DEFAULT: ANY + "NamePolicy=keep\nMTUBytes=4K"})
    assert found(system) == []
    plain_node.put(system, "/etc/systemd/network/99-default.link.d/a.conf", "[Link]\nMTUBytes=1500")
    assert [item[3] for item in found(system)] == [
        ETC + "99-default.link.d/a.conf:2 sets MTUBytes = 1500 for eth1: change it there"]


def test_what_its_manager_says(tmp_path):
    root = link_node.build(tmp_path, **{"/etc/network/interfaces": "iface eth1 inet static\n  mtu 1500"})
    assert found(root) == [("eth1", "link/mtu", "1500", "/etc/network/interfaces:2 sets mtu = 1500 for eth1: change "
                                                        "it there")]


def test_of_a_link_file_that_netplan_makes_its_own_is_named(tmp_path):
    made = "/run/systemd/network/10-netplan-eth1.link"
    root = link_node.build(tmp_path, **{made: "[Match]\nMACAddress=0c:42:a1:00:00:01\n[Link]\nMTUBytes=4200",
                                        "/etc/netplan/a.yaml": "network:\n ethernets:\n  eth1:\n   mtu: 4200"})
    assert found(root) == [("eth1", "link/mtu", "4200", "/etc/netplan/a.yaml:4, from which netplan makes %s, sets "
                                                        "MTUBytes = 4200 for eth1: change it there" % made)]
