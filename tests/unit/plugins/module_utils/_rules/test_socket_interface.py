# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rule on NCCL_SOCKET_IFNAME."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules import socket_interface as rules

from tests.sysroots import plain_node
from tests.sysroots.plain_node import put

STATES = {"eth0": "up", "eth1": "down", "eth10": "up", "lo": "unknown", "docker0": "up", "br-0123456789ab": "up",
          "ib0": "unknown"}


@pytest.fixture(name="root", scope="module")
def fixture_root(tmp_path_factory):
    root = plain_node.build(tmp_path_factory.mktemp("socket_interface"))
    for name, state in STATES.items():
        put(root, "/sys/class/net/%s/operstate" % name, state + "\n")
    return root


@pytest.fixture(autouse=True)
def fixture_clean(root):
    yield
    (root / "etc/nccl.conf").unlink(missing_ok=True)


def told(root, value, ours=True):
    """What is said of a value of this role's, or of a line that somebody else wrote."""
    steps = [{"name": "NCCL_SOCKET_IFNAME", "kind": "nccl_conf", "target": "NCCL_SOCKET_IFNAME", "desired": value,
              "status": "drift", "_row": types.SimpleNamespace(variable="nccl_env_socket_ifname")}] if ours else []
    if not ours:
        put(root, "/etc/nccl.conf", "NCCL_SOCKET_IFNAME=%s\n" % value)
    made = types.SimpleNamespace(steps=steps, host=Host(str(root)), journal={"entries": {}})
    found = rules.socket_interface(View(made, {}))
    assert all(one["rule"] == "ifname" for one in found)
    return [(one["severity"], one["setting"], one["message"]) for one in found]


@pytest.mark.parametrize("value", ["=eth0", "=eth0,eth10", "eth0", "ib", "^docker0", "^=eth0"])
def test_what_is_here_and_up_says_nothing(root, value):
    assert told(root, value) == []


def test_what_is_not_here_is_refused(root):
    (severity, setting, message), = told(root, "=eht0")
    assert (severity, setting) == ("E", "NCCL_SOCKET_IFNAME")
    assert message.startswith("nccl_env_socket_ifname: NCCL_SOCKET_IFNAME=eht0".replace("=eht0", "==eht0"))
    assert "there is no interface eht0 here" in message and message.endswith("did you mean eth0?")


def test_what_somebody_else_wrote_is_told(root):
    (severity, setting, message), = told(root, "bond", ours=False)
    assert (severity, setting) == ("W", None) and message.startswith("/etc/nccl.conf:1: NCCL_SOCKET_IFNAME=bond: ")


@pytest.mark.parametrize("value, words", [
    ("=eth1", "eth1 is down"), ("=eth0,eth7", "eth7 is not here"), ("eth", "eth1 is down"),
    ("=docker0", "docker0 leads to no other node"), ("br-", "br-0123456789ab leads to no other node"),
    ("=lo", "lo leads to no other node")])
def test_what_leads_nowhere_is_a_warning(root, value, words):
    (severity, setting, message), = told(root, value)
    assert (severity, setting) == ("W", "NCCL_SOCKET_IFNAME") and message.endswith(": " + words)


def test_a_node_that_shows_no_interfaces_is_not_judged(tmp_path):
    assert told(plain_node.build(tmp_path), "=eth7") == []
