# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is found before several nodes start together: names, routes, ports, and what is not the same on all."""

from __future__ import annotations

import hashlib
import json
import socket

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import preflight

from tests.sysroots.plain_node import put

PORT = "   0: 0A000001:733D 00000000:0000 0A 0:0 00:0 0 0 0 4711 1 0 100"


class Node(Host):
    """A folder of files whose getent and ip answer as they are told."""

    def __init__(self, root, name="10.0.0.1", dev="eth1", source="10.0.0.1", error=None):
        super().__init__(str(root))
        self.name, self.said, self.error = name, {"dev": dev, "prefsrc": source}, error
        put(root, "/proc/sys/kernel/hostname", "n1")

    def run(self, argv, seconds=10, changes=True):
        """The two commands."""
        assert not changes
        if self.error == "gone":
            raise CommandNotRun("%s: No such file or directory" % argv[0])
        if argv[0] == "getent":
            assert argv[1:] == ["ahosts", "n1"]
            return (0, "%s STREAM n1\n%s DGRAM\n" % (self.name, self.name), "") if self.name else (2, "", "")
        assert argv == ["ip", "-j", "route", "get", "10.0.0.2"]
        if self.error:
            return 2, "", self.error
        return 0, json.dumps([dict(self.said, dst="10.0.0.2")]), ""


def deployment(rank=0, interface="eth1", **changed):
    several = {"nnodes": 2, "node_rank": rank, "address": "10.0.0.1", "addresses": ["10.0.0.1", "10.0.0.2"],
               "master_addr": "10.0.0.1", "master_port": 29501}
    return {"instance": {"name": "a", "several": several, "model_path": "/models/a"}, "engine": {"version": "0.33.0"},
            "environment": {"GLOO_SOCKET_IFNAME": interface} if interface else {},
            "arguments": {"tensor-parallel-size": 8, "node-rank": rank, "headless": bool(rank)}, **changed}


def test_all_is_well(tmp_path):
    put(tmp_path, "/models/a/config.json", "{}")
    found = preflight.look(Node(tmp_path), deployment())
    assert found["problems"] == found["warnings"] == []
    assert found["facts"] == {
        "hostname": "n1", "resolves_to": ["10.0.0.1"], "address": "10.0.0.1", "interface": "eth1",
        "routes": {"10.0.0.2": {"dev": "eth1", "source": "10.0.0.1", "why": None}}, "engine": {"version": "0.33.0"},
        "model": {"config.json": hashlib.sha256(b"{}\n").hexdigest()}, "arguments": {"tensor-parallel-size": 8}}


def test_one_node_alone_needs_nothing(tmp_path):
    made = deployment()
    made["instance"]["several"] = None
    assert preflight.look(Node(tmp_path, error="gone"), made) == {"facts": {}, "problems": [], "warnings": []}


@pytest.mark.parametrize("name, words", [
    ("127.0.1.1", "the name of this node, n1, gives 127.0.1.1 here: other nodes would be told that address; 10.0.0.1 "
                  "is wanted"),
    ("192.168.0.1", "the name of this node, n1, gives 192.168.0.1 here: 10.0.0.1 is wanted"),
    (None, "the name of this node, n1, gives no address here: torch.distributed looks it up; 10.0.0.1 is wanted")])
def test_the_name_of_the_node(tmp_path, name, words):
    """It stops a start only where no interface is named: Gloo then goes by the name."""
    assert preflight.look(Node(tmp_path, name), deployment())["warnings"] == [words]
    found = preflight.look(Node(tmp_path, name), deployment(interface=None))
    assert (found["problems"], found["warnings"]) == ([words], [])


@pytest.mark.parametrize("changed, words", [
    ({"dev": "eth0"}, "10.0.0.2 is reached by eth0, and eth1 is wanted"),
    ({"dev": "lo"}, "10.0.0.2 is an address of this node itself: two nodes have it"),
    ({"source": "10.0.0.9"}, "10.0.0.2 is reached from 10.0.0.9, and the other nodes know this one as 10.0.0.1"),
    ({"error": "RTNETLINK answers: Network is unreachable"},
     "10.0.0.2 cannot be reached: RTNETLINK answers: Network is unreachable"),
    ({"error": "gone"}, "10.0.0.2 cannot be reached: ip: No such file or directory")])
def test_the_way_to_a_peer(tmp_path, changed, words):
    assert preflight.look(Node(tmp_path, **changed), deployment())["problems"] == [words]


def test_the_port_of_the_first_node(tmp_path):
    put(tmp_path, "/proc/net/tcp", "head\n" + PORT)
    assert preflight.look(Node(tmp_path), deployment())["problems"] == [
        "master_port 29501 is taken: a process that cannot be told without root listens there"]
    assert preflight.look(Node(tmp_path), deployment(rank=1))["problems"] == []


def test_what_is_the_same_on_all_nodes_is_not_named():
    told = {"engine": {"version": "0.33.0"}, "model": {"config.json": "a" * 64}, "arguments": {"max-model-len": 8192}}
    assert preflight.compare({"n1": told, "n2": json.loads(json.dumps(told))}) == []


@pytest.mark.parametrize("key, other, words", [
    ("engine", {"version": "0.32.0"}, "engine version is not the same on all nodes: 0.32.0 on n2; 0.33.0 on n1"),
    ("model", {"config.json": "b" * 64},
     "model file config.json is not the same on all nodes: aaaaaaaaaaaa on n1; bbbbbbbbbbbb on n2"),
    ("model", {}, "model file config.json is not the same on all nodes: aaaaaaaaaaaa on n1; none on n2"),
    ("arguments", {"max-model-len": 4096},
     "argument max-model-len is not the same on all nodes: 4096 on n2; 8192 on n1")])
def test_what_is_not_the_same_on_all_nodes(key, other, words):
    told = {"engine": {"version": "0.33.0"}, "model": {"config.json": "a" * 64}, "arguments": {"max-model-len": 8192}}
    assert preflight.compare({"n1": told, "n2": dict(told, **{key: other})}) == [words]


def test_the_commands_of_this_machine_are_understood():
    """The real ip and getent; an address of loopback stands for a peer."""
    made = deployment(interface="lo")
    made["instance"]["several"].update(address="127.0.0.1", addresses=["127.0.0.1", "127.0.0.2"], master_port=1)
    found = preflight.look(Host("/"), made)
    assert found["facts"]["routes"]["127.0.0.2"]["dev"] == "lo" and found["problems"] == []
    assert found["facts"]["hostname"] == socket.gethostname()
