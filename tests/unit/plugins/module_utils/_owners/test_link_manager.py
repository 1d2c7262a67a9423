# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what managers of interfaces say of an MTU or of rings: each in its own files, with the line to change."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import link_files, link_manager

from tests.sysroots import link_node

NM = "/etc/NetworkManager/system-connections/a.nmconnection"
NETPLAN = ("network:\n  version: 2\n  ethernets:\n    eth0:\n      mtu: 1400\n    eth1:\n      dhcp4: false\n"
           "      mtu: 4200\n")


def stated(tmp_path, name="eth1", **files):
    host = Host(str(link_node.build(tmp_path, **files)))
    found = link_manager.stated(host, link_files.device(host, name))
    return [(item["property"], item["value"], "%s:%d" % (item["file"], item["line"])) for item in found]


@pytest.mark.parametrize("path, text, line", [
    (NM, "[connection]\ninterface-name=eth1\n[ethernet]\nmtu=4200", 4),
    (NM, "[connection]\nid=x\n[802-3-ethernet]\nmac-address=0C:42:A1:00:00:01\nmtu=4200", 5),
    ("/run/NetworkManager/system-connections/b", "[connection]\ninterface-name=eth1\n[ethernet]\nmtu=4200", 4),
    ("/etc/sysconfig/network-scripts/ifcfg-eth1", "DEVICE=eth1\nMTU=\"4200\"", 2),
    ("/etc/sysconfig/network/ifcfg-eth1", "STARTMODE=auto\nMTU='4200'", 2),
    ("/etc/network/interfaces", "auto eth0\niface eth0 inet dhcp\niface eth1 inet static\n  mtu 4200", 4),
    ("/etc/network/interfaces.d/rails", "allow-hotplug eth1\niface eth1 inet static\n\tmtu 4200\n", 3)])
def test_an_mtu_in_each_manager(tmp_path, path, text, line):
    assert stated(tmp_path, **{path: text}) == [("link/mtu", "4200", "%s:%d" % (path, line))]


@pytest.mark.parametrize("path, text", [
    (NM, "[connection]\ninterface-name=eth2\n[ethernet]\nmtu=4200"), (NM, "[connection]\nid=x\n[ethernet]\nmtu=4200"),
    (NM, "[connection]\ninterface-name=eth1\n[ethernet]\nmtu=0"), (NM, "[connection]\ninterface-name=eth1"),
    ("/etc/sysconfig/network-scripts/ifcfg-eth1", "#MTU=4200\nMTU="),
    ("/etc/network/interfaces", "iface eth1 inet dhcp\niface eth2 inet static\n  mtu 4200"),
    ("/etc/systemd/network/10-a.network", "[Match]\nName=eth1\n[Link]\nMTUBytes=4200")])
def test_what_says_nothing_of_this_interface(tmp_path, path, text):
    assert stated(tmp_path, **{path: text}) == []


def test_rings_in_profiles_and_in_ifupdown(tmp_path):
    assert stated(tmp_path, **{
        NM: "[connection]\ninterface-name=eth1\n[ethtool]\nring-rx=512\ncoalesce-adaptive-rx=1\nfeature-gro=true",
        "/etc/network/interfaces": "iface eth1 inet static\n  hardware-dma-ring-tx 256"}) == [
            ("ring/rx", "512", NM + ":4"), ("coalesce/adaptive-rx", "1", NM + ":5"),
            ("ring/tx", "256", "/etc/network/interfaces:2")]


def test_networkd_counts_where_it_runs_and_only_the_file_that_applies(tmp_path):
    files = {"/run/systemd/netif/state": "x",
             "/etc/systemd/network/10-a.network": "[Match]\nName=eth*\n[Link]\nMTUBytes=4K",
             "/etc/systemd/network/20-b.network": "[Match]\nName=eth1\n[Link]\nMTUBytes=1500"}
    assert stated(tmp_path, **files) == [("link/mtu", "4096", "/etc/systemd/network/10-a.network:4")]


@pytest.mark.parametrize("generated, text", [
    ("/run/systemd/network/10-netplan-eth1.network", "[Match]\nName=eth1\n[Link]\nMTUBytes=4200"),
    ("/run/NetworkManager/system-connections/netplan-eth1.nmconnection",
     "[connection]\ninterface-name=eth1\n[ethernet]\nmtu=4200")])
def test_netplans_own_file_is_named(tmp_path, generated, text):
    host = Host(str(link_node.build(tmp_path, **{
        "/run/systemd/netif/state": "x", generated: text, "/etc/netplan/50-cloud-init.yaml": NETPLAN})))
    found = link_manager.stated(host, link_files.device(host, "eth1"))
    assert [item["words"].partition(" sets ")[0] for item in found] == [
        "/etc/netplan/50-cloud-init.yaml:8, from which netplan makes %s," % generated]


def test_the_mtu_of_another_interface_is_not_taken_for_its_own(tmp_path):
    generated = "/run/NetworkManager/system-connections/netplan-eth1.nmconnection"
    host = Host(str(link_node.build(tmp_path, **{
        generated: "[connection]\ninterface-name=eth1\n[ethernet]\nmtu=4200",
        "/etc/netplan/a.yaml": "network:\n  ethernets:\n    eth1:\n      dhcp4: true\n    eth2:\n      mtu: 4200"})))
    (item,) = link_manager.stated(host, link_files.device(host, "eth1"))
    assert item["words"].startswith(generated + ":4 sets")
