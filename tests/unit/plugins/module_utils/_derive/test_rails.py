# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rails by subnets: who shares one, whose table is which, and who is in the wrong place."""

from __future__ import annotations

import ipaddress
import zlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import rails


def nic(name, *addresses, **more):
    return dict({"name": name, "rdma_device": "mlx5_0", "default_route": False, "addresses": list(addresses)}, **more)


def network_of(address):
    return str(ipaddress.ip_interface(address).network)


@pytest.mark.parametrize("more", [{"rdma_device": None}, {"default_route": True}, {"addresses": None}])
def test_an_interface_that_is_no_rail_shares_nothing(more):
    nics = [nic("a", "10.0.0.1/24"), nic("b", "10.0.0.2/24"), nic("c", "10.0.0.3/24", **more)]
    assert rails.shared_subnet_rails(nics, network_of) == ["a", "b"]
    assert rails.shared_subnet_rails(nics[1:], network_of) == []


def test_two_groups_are_rails_and_the_one_between_is_not():
    nics = [nic("a", "10.0.0.1/24"), nic("b", "10.1.0.1/24"), nic("c", "10.2.0.1/24"), nic("d", "10.0.0.2/24"),
            nic("e", "10.2.0.9/24")]
    assert rails.shared_subnet_rails(nics, network_of) == ["a", "c", "d", "e"]


def test_a_table_follows_from_the_name_alone():
    many = rails.rail_routes(["rail%d" % number for number in range(8)], 52000)
    assert len(set(many.values())) == 8
    assert rails.rail_routes(["rail3"], 52000) == {"rail3": many["rail3"]} == rails.rail_routes("rail3", 52000)
    assert rails.rail_routes(["rail3"], 62000)["rail3"] == "table %d" % (int(many["rail3"].split()[1]) + 10000)


def test_two_names_of_one_number_get_two_tables_in_any_order():
    first = "eth0"
    number = zlib.crc32(first.encode()) % rails.TABLES
    second = next(name for name in ("eth%d" % count for count in range(1, 10 ** 6))
                  if zlib.crc32(name.encode()) % rails.TABLES == number)
    one, other = rails.rail_routes([first, second], 0), rails.rail_routes([second, first], 0)
    assert one == other == {first: "table %d" % number, second: "table %d" % ((number + 1) % rails.TABLES)}


def test_gateways_are_one_or_several():
    made = rails.rail_routes(["a", "b", "c"], 0, {"a": "10.0.0.254", "b": ["10.0.0.254", "fd00::1"], "c": None})
    assert [text.partition(" via ")[2] for text in made.values()] == ["10.0.0.254", "10.0.0.254 via fd00::1", ""]


@pytest.mark.parametrize("names", [None, []])
def test_no_rails_no_tables_and_a_gateway_for_nobody_is_an_error(names):
    assert rails.rail_routes(names, 52000, None) == {}
    with pytest.raises(ValueError, match="a gateway for a, which is none of the rails; there are none"):
        rails.rail_routes(names, 52000, {"a": "10.0.0.254"})


def fleet(**changed):
    """Four hosts whose rail k is in subnet k; {host: its rails} for those that are other."""
    usual = [("rail%d" % number, ["10.%d.0.0/16" % number]) for number in range(3)]
    return dict({"host%d" % number: list(usual) for number in range(4)}, **changed)


def test_a_fleet_that_agrees_has_nothing_to_say():
    assert rails.compare_subnets(fleet()) == rails.compare_subnets({}) == []
    one = {"a": [("r0", ["10.0.0.0/8"]), ("r1", ["10.0.0.0/8"])], "b": [("r0", ["10.0.0.0/8"])]}
    assert rails.compare_subnets(one) == []
    assert rails.compare_subnets({"a": [("ib0", [])], "b": [("ib0", [])]}) == []


def test_two_cables_that_were_swapped_are_named_with_the_rail_that_they_are_in():
    swapped = [("rail0", ["10.1.0.0/16"]), ("rail1", ["10.0.0.0/16"]), ("rail2", ["10.2.0.0/16"])]
    assert rails.compare_subnets(fleet(host2=swapped)) == [
        ("host2", "rail 0 (rail0) is in 10.1.0.0/16, while on most nodes it is in 10.0.0.0/16: that is the subnet of "
                  "rail 1"),
        ("host2", "rail 1 (rail1) is in 10.0.0.0/16, while on most nodes it is in 10.1.0.0/16: that is the subnet of "
                  "rail 0")]


def test_a_rail_elsewhere_or_without_an_address_is_said():
    odd = [("rail0", []), ("rail1", ["10.1.0.0/16", "192.168.0.0/24"]), ("rail2", ["10.9.0.0/16"])]
    assert rails.compare_subnets(fleet(host0=odd)) == [
        ("host0", "rail 0 (rail0) has no address, while on most nodes it is in 10.0.0.0/16"),
        ("host0", "rail 2 (rail2) is in 10.9.0.0/16, while on most nodes it is in 10.2.0.0/16")]
