# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of the nodes of a replica: which one counts, and which cannot be."""

from __future__ import annotations

import socket

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import addresses


def test_the_variable_wins_over_the_way_in_and_the_role_s_own_word_counts_for_this_node():
    inventory = {"n1": {"ansible_host": "192.0.2.1"}, "n2": {"vllm_service_address": "192.0.2.22",
                                                             "ansible_host": "192.0.2.2"}}
    assert addresses.of_nodes("x", ["n1", "n2"], "n1", "192.0.2.11", inventory) == ["192.0.2.11", "192.0.2.22"]
    assert addresses.of_nodes("x", ["n1", "n2"], "n2", "192.0.2.22", inventory) == ["192.0.2.1", "192.0.2.22"]


def test_a_name_is_resolved_and_ipv4_goes_first(monkeypatch):
    answers = [(None, None, None, None, ("2001:db8::1", 0)), (None, None, None, None, ("192.0.2.7", 0))]
    monkeypatch.setattr(socket, "getaddrinfo", lambda *_some, **_more: answers)
    assert addresses.of_nodes("x", ["n1", "n2"], "n1", "192.0.2.1", {"n1": {}, "n2": {}}) == ["192.0.2.1", "192.0.2.7"]


def test_a_name_that_nobody_knows_is_said(monkeypatch):
    def unknown(*_some, **_more):
        raise OSError("Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(BadInstance, match="x, n2: n2 is no IP address and no name .* vllm_service_address"):
        addresses.of_nodes("x", ["n1", "n2"], "n1", "192.0.2.1", {"n1": {}, "n2": {}})


@pytest.mark.parametrize("second, words", [
    ("192.0.2.1", "n1 and n2 have the same address"), ("127.0.0.1", "which no other node reaches"),
    ("0.0.0.0", "is no address by which"), ("fe80::1", "is no address by which"), ("2001:db8::1", "two families")])
def test_addresses_that_cannot_be(second, words):
    with pytest.raises(BadInstance, match=words):
        addresses.of_nodes("x", ["n1", "n2"], "n1", "192.0.2.1", {"n1": {}, "n2": {"vllm_service_address": second}})


def test_on_one_machine_all_are_loopback():
    assert addresses.checked("x", ["n1", "n2"], ["127.0.0.1", "127.0.0.2"]) == ["127.0.0.1", "127.0.0.2"]


def test_a_placement_that_lacks_an_entry_is_not_whole():
    entry = {"name": "replica0", "node_rank": 0, "address": "192.0.2.1"}
    with pytest.raises(BadInstance, match="n2 is its rank 1 and has no such entry"):
        addresses.of_placement(entry, ["n1", "n2"], "n1", {"n1": [entry]})
