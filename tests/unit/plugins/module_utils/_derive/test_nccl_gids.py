# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the GIDs of RoCE: what NCCL takes by itself, and what it is told where that would be another."""

from __future__ import annotations

import ipaddress

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_gids

MAPPED = "0000:0000:0000:0000:0000:ffff:"
LOCAL = "fe80:0000:0000:0000:a288:c2ff:fe00:0001"
OWN, VLAN, V6 = MAPPED + "0a00:0102", MAPPED + "0ac8:0002", "fd00:0010:0000:0000:0000:0000:0000:0002"


def gid(index, text, kind="RoCE v2", netdev="rail0"):
    return {"index": index, "gid": text, "type": kind, "netdev": netdev}


def port(*gids, name="mlx5_0", netdev="rail0", ipv4=None, ipv6=None):
    return {"device": name, "port": 1, "netdev": netdev, "gids": list(gids),
            "roce_v2_gid": {"ipv4": ipv4, "ipv6": ipv6}}


PLAIN = port(gid(0, LOCAL, "IB/RoCE v1"), gid(1, LOCAL), gid(2, OWN, "IB/RoCE v1"), gid(3, OWN), ipv4=3, ipv6=1)
TAGGED = dict(PLAIN, gids=PLAIN["gids"] + [gid(5, VLAN, netdev="rail0.100")])
ONLY_V6 = port(gid(0, LOCAL, "IB/RoCE v1"), gid(1, LOCAL), gid(4, V6, "IB/RoCE v1"), gid(5, V6), ipv6=5)
FACT = {"nics": [{"name": "rail0", "addresses": ["10.0.1.2/24", "fd00:10::2/64"]},
                 {"name": "rail1", "addresses": ["10.0.2.2/24"]}]}
INDEX, FAMILY, RANGE, VERSION = ("NCCL_IB_GID_INDEX", "NCCL_IB_ADDR_FAMILY", "NCCL_IB_ADDR_RANGE",
                                 "NCCL_IB_ROCE_VERSION_NUM")


def values(*ports, version=(2, 21), **options):
    return {name: value for name, (value, _why) in nccl_gids.derive(FACT, ports, version, **options).items()
            if value is not None}


def test_of_one_address_a_port_nothing_is_told():
    assert values(PLAIN) == {}
    assert values(PLAIN, version=None) == {}
    assert "not declared (min_version)" in nccl_gids.derive(FACT, [PLAIN], None)[INDEX][1]


def test_an_old_nccl_is_told_the_index_that_is_right_everywhere():
    assert values(PLAIN, PLAIN, version=(2, 20, 5)) == {INDEX: "3"}
    assert values(PLAIN, ONLY_V6, version=(2, 20, 5)) == {}
    assert "mlx5_0:1 3, mlx5_0:1 none" in nccl_gids.derive(FACT, [PLAIN, ONLY_V6], (2, 20))[INDEX][1]
    assert values(ONLY_V6, version=(2, 19), wanted="IPv6") == {INDEX: "5"}


def test_the_family_follows_the_inventory_or_the_only_one_there_is():
    assert values(PLAIN, wanted="IPv6") == {FAMILY: "AF_INET6"}
    assert values(ONLY_V6) == {FAMILY: "AF_INET6"}
    assert values(PLAIN, ONLY_V6) == {}
    assert "mlx5_0:1 has no RoCE v2 GID with an IPv4" in nccl_gids.derive(FACT, [PLAIN, ONLY_V6], (2, 21))[FAMILY][1]


def test_link_local_addresses_are_no_reason_for_ipv6():
    local = port(gid(0, LOCAL, "IB/RoCE v1"), gid(1, LOCAL), ipv6=1)
    assert values(local) == {}
    assert values(port()) == {}


def test_gids_of_version_1_alone_are_told():
    old = port(gid(0, LOCAL, "IB/RoCE v1"))
    assert "mlx5_0:1 has RoCE v1 GIDs alone" in nccl_gids.derive(FACT, [old], (2, 21))[VERSION][1]
    assert "and 1 more have RoCE v1" in nccl_gids.derive(FACT, [old, old], (2, 21))[VERSION][1]


def test_an_address_of_another_subnet_makes_the_range_that_of_the_rails():
    assert values(TAGGED) == {RANGE: "10.0.1.0/24"}
    second = port(gid(3, MAPPED + "0a00:0202", netdev="rail1"), name="mlx5_1", netdev="rail1", ipv4=3)
    assert values(TAGGED, second) == {RANGE: "10.0.0.0/22"}
    near = {"nics": FACT["nics"][:1] + [{"name": "rail1", "addresses": ["10.0.0.9/24"]}]}
    first = port(gid(3, MAPPED + "0a00:0009", netdev="rail1"), name="mlx5_1", netdev="rail1", ipv4=3)
    assert nccl_gids.derive(near, [TAGGED, first], (2, 21))[RANGE][0] == "10.0.0.0/23"


def test_the_range_picks_the_right_one_with_nccls_own_choice():
    cover = ipaddress.ip_network(values(TAGGED)[RANGE])
    before = [gid(2, VLAN, netdev="rail0.100"), *PLAIN["gids"][3:]]
    assert nccl_gids.choice(before, "ipv4") == 2
    assert nccl_gids.choice(before, "ipv4", cover) == 3
    assert nccl_gids.choice(PLAIN["gids"], "ipv4", ipaddress.ip_network("172.16.0.0/12")) is None
    assert nccl_gids.choice(ONLY_V6["gids"], "ipv6") == 5


def test_where_no_range_parts_them_the_inventory_is_asked():
    inside = dict(PLAIN, gids=PLAIN["gids"] + [gid(5, MAPPED + "0a00:0302")])
    second = port(gid(3, MAPPED + "0a00:0202", netdev="rail1"), name="mlx5_1", netdev="rail1", ipv4=3)
    value, why = nccl_gids.derive(FACT, [inside, second], (2, 21))[RANGE]
    assert value is None
    assert "no one range" in why
    value, why = nccl_gids.derive({"nics": []}, [TAGGED], (2, 21))[RANGE]
    assert value is None
    assert "declare address_range" in why


def test_more_addresses_of_the_own_subnet_are_all_right():
    assert values(dict(PLAIN, gids=PLAIN["gids"] + [gid(5, MAPPED + "0a00:0109")])) == {}


def test_a_declared_range_is_told_and_checked():
    assert values(PLAIN, address_range="10.0.0.0/16") == {RANGE: "10.0.0.0/16"}
    assert "mlx5_0:1 has no RoCE v2 GID in it" in nccl_gids.derive(
        FACT, [PLAIN], (2, 21), address_range="172.16.0.0/12")[RANGE][1]
    assert values(ONLY_V6, address_range="fd00:10::/32") == {FAMILY: "AF_INET6", RANGE: "fd00:10::/32"}
    assert values(PLAIN, address_range="fd00:10::/32") == {FAMILY: "AF_INET6", RANGE: "fd00:10::/32"}
    assert values(ONLY_V6, address_range="10.0.0.0/8") == {RANGE: "10.0.0.0/8"}
    with pytest.raises(ValueError, match="10.0.0.0/8 is of IPv4, but address_family is IPv6"):
        values(PLAIN, address_range="10.0.0.0/8", wanted="IPv6")


@pytest.mark.parametrize("given, words", [
    ("10.0.0.1/16", "has host bits set"), ("rails", "address_range: 'rails'"), ("10.0.0.0", "has no prefix"),
    (True, "address_range"), ("10.0.0.0/33", "address_range")])
def test_a_range_that_nccl_would_ignore_is_refused(given, words):
    with pytest.raises(ValueError, match=words):
        nccl_gids.derive(FACT, [PLAIN], (2, 21), address_range=given)
