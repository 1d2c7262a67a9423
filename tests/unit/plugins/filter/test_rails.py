# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the filters for rails: which interfaces share a subnet, their tables, and clear errors."""

from __future__ import annotations

import pathlib

import pytest
import yaml
from ansible.errors import AnsibleFilterError

from ansible_collections.gpuwright.node.plugins.filter import rails as filters


def topology(**addresses):
    """A topology with an RDMA interface for each name, with these addresses."""
    return {"nics": [{"name": name, "rdma_device": "mlx5_%d" % number, "default_route": False, "addresses": given}
                     for number, (name, given) in enumerate(addresses.items())]}


def test_interfaces_of_one_subnet_are_found():
    found = filters.shared_subnet_rails(topology(
        rail0=["10.0.0.1/16"], rail1=["10.0.255.9/16"], storage0=["10.1.0.1/16"], ib0=None, ib1=[]))
    assert found == ["rail0", "rail1"]


@pytest.mark.parametrize("addresses", [
    {"rail0": ["10.0.0.1/24"], "rail1": ["10.0.1.1/24"]},
    {"rail0": ["10.0.0.0/31"], "rail1": ["10.0.0.2/31"]},
    {"rail0": ["10.0.0.1/24", "10.0.0.2/24"]},
    {}])
def test_no_rails_where_each_has_a_subnet_of_its_own(addresses):
    assert filters.shared_subnet_rails(topology(**addresses)) == []


def test_ipv6_counts_too():
    assert filters.shared_subnet_rails(topology(a=["fd00::1/64"], b=["10.0.0.1/24", "fd00:0::2/64"])) == ["a", "b"]


@pytest.mark.parametrize("fact", [None, {}, {"numa_nodes": []}])
def test_without_the_section_the_error_says_what_to_run(fact):
    with pytest.raises(AnsibleFilterError, match="needs the section nics .*: run that module first in the play"):
        filters.shared_subnet_rails(fact)


def test_an_address_that_is_none_is_named():
    with pytest.raises(AnsibleFilterError, match="'10.0.0/x'"):
        filters.shared_subnet_rails(topology(a=["10.0.0/x"]))


def test_without_netaddr_the_error_names_the_package(monkeypatch):
    monkeypatch.setattr(filters, "netaddr", None)
    with pytest.raises(AnsibleFilterError, match="needs the Python package netaddr on the controller"):
        filters.shared_subnet_rails(topology(a=["10.0.0.1/24"], b=["10.0.0.2/24"]))


def test_the_example_of_the_documentation_is_true():
    text = (pathlib.Path(filters.__file__).parent / "rail_routes.yml").read_text()
    example = yaml.safe_load(yaml.safe_load(text)["EXAMPLES"].split("# ")[1])
    assert filters.rail_routes(["rail0", "rail1"], 52000, {"rail0": "10.0.0.254"}) == example


def test_a_lazy_fact_is_thawed_before_it_is_walked():
    class Lazy(dict):
        """Stands for ansible-core's lazy container."""

        def _non_lazy_copy(self):
            return dict.copy(self)

        def __getitem__(self, key):
            raise AssertionError("walked without thawing")

    assert filters.shared_subnet_rails(Lazy(topology(a=["10.0.0.1/24"], b=["10.0.0.2/24"]))) == ["a", "b"]


def test_bad_input_is_an_error_in_words():
    with pytest.raises(AnsibleFilterError, match="gateway for rail9, .*did you mean rail0"):
        filters.rail_routes(["rail0"], 52000, {"rail9": "10.0.0.254"})
    with pytest.raises(AnsibleFilterError, match="gpuwright.node.rail_routes: .*'many'"):
        filters.FilterModule().filters()["rail_routes"](["rail0"], "many")
    assert filters.FilterModule().filters()["shared_subnet_rails"](topology()) == []
