# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of which interfaces a node is reached by: default routes and ssh connections, and what these are made of."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import management

from tests.sysroots import link_node, plain_node
from tests.sysroots.link_node import NET

HEAD = "Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT\n"
# 10.1.0.0/16 through eth1, 10.1.2.0/24 through eth2; nothing through eth0 but a default route that is down.
ROUTES = (HEAD + "eth1\t0000010A\t00000000\t0001\t0\t0\t0\t0000FFFF\t0\t0\t0\n"
          "eth2\t0002010A\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0\n"
          "eth0\t00000000\t0202000A\t0002\t0\t0\t0\t00000000\t0\t0\t0")
V6 = ("20010db8000000000000000000000000 20 00000000000000000000000000000000 00 00000000000000000000000000000000 "
      "00000100 00000001 00000000 00000001     eth2\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 fe800000000000000000000000000001 "
      "00000400 00000001 00000000 00000003     eth1\n"
      "00000000000000000000000000000000 00 00000000000000000000000000000000 00 00000000000000000000000000000000 "
      "ffffffff 00000001 00000000 00200200       lo")
TCP = ("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
       "   0: 00000000:0016 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 500 1 0 100\n"
       "   1: 0F02010A:0016 %s:C014 01 00000000:00000000 02:000AEAAC 00000000     0        0 501 2 0 20 4 30 10 -1")
SOCKET = "socket:[501]"


def carrying(root):
    return management.interfaces(Host(str(root)))


def test_the_default_route_of_either_family(tmp_path):
    assert carrying(link_node.build(tmp_path / "a")) == {"eth0": "the default route goes through eth0"}
    both = link_node.build(tmp_path / "b", **{"/proc/net/ipv6_route": V6})
    assert set(carrying(both)) == {"eth0", "eth1"}


def test_a_route_that_is_down_is_none(tmp_path):
    assert carrying(link_node.build(tmp_path, **{"/proc/net/route": ROUTES})) == {}


def test_the_peer_of_an_ssh_connection_by_the_longest_route(tmp_path):
    root = link_node.build(tmp_path, **{"/proc/net/route": ROUTES, "/proc/net/tcp": TCP % "0502010A"})
    plain_node.process(root, 700, "sshd", SOCKET)
    assert carrying(root) == {"eth2": "an ssh connection from 10.1.2.5 comes in through eth2"}


def test_the_own_end_counts_too_and_all_that_share_its_subnet(tmp_path):
    routes = ROUTES + "\n" + ROUTES.splitlines()[2].replace("eth2", "eth3")
    root = link_node.build(tmp_path, **{"/proc/net/route": routes, "/proc/net/tcp": TCP % "0503010A"})
    plain_node.process(root, 700, "sshd", SOCKET)
    assert carrying(root) == {name: "an ssh connection from 10.1.3.5 comes in through " + name
                              for name in ("eth1", "eth2", "eth3")}


def test_one_of_ipv4_in_the_other_table_and_one_of_ipv6(tmp_path):
    mapped = TCP.replace("0F02010A", "0" * 32) % "0000000000000000FFFF00000503010A"
    root = link_node.build(tmp_path / "a", **{"/proc/net/route": ROUTES, "/proc/net/tcp6": mapped})
    plain_node.process(root, 700, "sshd-session", SOCKET)
    assert carrying(root) == {"eth1": "an ssh connection from 10.1.3.5 comes in through eth1"}
    own = TCP.replace("0F02010A", "0" * 32) % "B80D0120000000000000000001000000"
    root = link_node.build(tmp_path / "b", **{"/proc/net/route": ROUTES, "/proc/net/ipv6_route": V6.split("\n")[0],
                                              "/proc/net/tcp6": own})
    plain_node.process(root, 700, "sshd", SOCKET)
    assert carrying(root) == {"eth2": "an ssh connection from 2001:db8::1 comes in through eth2"}


def test_other_programs_and_other_states_do_not_count(tmp_path):
    for number, (comm, tcp) in enumerate((("nginx", TCP), ("sshd", TCP.replace(" 01 ", " 06 ")))):
        root = link_node.build(tmp_path / str(number), **{"/proc/net/route": ROUTES, "/proc/net/tcp": tcp % "0502010A"})
        plain_node.process(root, 700, comm, SOCKET)
        assert carrying(root) == {}


def test_what_a_bond_and_a_vlan_over_it_are_made_of(tmp_path):
    root = link_node.build(tmp_path, **{"/proc/net/route": link_node.ROUTE.replace("eth0", "bond0.7")})
    link_node.bond(root)
    link_node.bond(root, "bond0.7", ())
    (root / link_node.NET[1:] / "bond0.7" / "lower_bond0").mkdir()
    assert set(carrying(root)) == {"bond0.7", "bond0", "eth1", "eth2"}
    assert carrying(root)["eth2"] == "the default route goes through bond0.7"


def test_a_port_of_open_vswitch_is_made_of_all_that_the_switch_has(tmp_path):
    routes = link_node.ROUTE.replace("eth0", "br-ex")
    root = link_node.build(tmp_path, **{"/proc/net/route": routes, NET + "/br-ex/mtu": "1500",
                                        NET + "/ovs-system/mtu": "1500"})
    (root / NET[1:] / "ovs-system" / "lower_eth1").mkdir()
    assert set(carrying(root)) == {"br-ex", "eth1"}
    plain_node.put(root, "/proc/net/route", link_node.ROUTE)
    assert set(carrying(root)) == {"eth0"}
