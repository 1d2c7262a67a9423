# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of ethtool's answers, as real ones of several versions are worded, and of its refusals."""

from __future__ import annotations

import errno

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import ethtool

from tests.conftest import CHECKOUT

CAPTURES = CHECKOUT / "tests" / "captures" / "links"


class Says(Host):
    """A host whose ethtool gives one answer."""

    runs_commands = True

    def __init__(self, *answer):
        super().__init__("/nowhere", read_only=False)
        self.answer = answer
        self.asked = []

    def run(self, argv, seconds=10, changes=True):
        """The answer."""
        self.asked.append(" ".join(argv))
        if isinstance(self.answer[0], Exception):
            raise self.answer[0]
        return self.answer


@pytest.mark.parametrize("name, now, most", [
    ("TEST_ETHTOOL_G_DOCS", {"rx": "200", "tx": "511"}, {"rx": "2047", "tx": "511"}),
    ("TEST_ETHTOOL_G_5", {"rx": "1024", "rx mini": "128", "rx jumbo": "512", "tx": "512"},
     {"rx": "4096", "rx mini": "2048", "rx jumbo": "4096", "tx": "4096"}),
    ("virtio-g", {"rx": "256", "tx": "256"}, {"rx": "256", "tx": "256"}),
    ("virtio-l", {"combined": "1"}, {"combined": "1"})])
def test_rings_and_channels_and_what_the_hardware_has(name, now, most):
    assert ethtool.parse((CAPTURES / (name + ".txt")).read_text()) == {"now": now, "most": most}


def test_coalescing_of_an_old_version_names_all():
    found = ethtool.parse((CAPTURES / "TEST_ETHTOOL_C_DOCS.txt").read_text())
    assert found["most"] == {}
    assert {name: found["now"][name] for name in ("adaptive-rx", "adaptive-tx", "rx-usecs", "rx-frames", "tx-usecs",
                                                  "tx-frames")} == {
        "adaptive-rx": "0", "adaptive-tx": "0", "rx-usecs": "20", "rx-frames": "5", "tx-usecs": "72", "tx-frames": "53"}


def test_coalescing_of_a_new_version_leaves_out_what_is_not_there():
    assert ethtool.parse((CAPTURES / "virtio-c.txt").read_text())["now"] == {
        "rx-usecs": "0", "rx-frames": "1", "tx-usecs": "0", "tx-frames": "1"}


def test_adaptive_each_way():
    assert ethtool.parse("Coalesce parameters for e:\nAdaptive RX: on  TX: n/a\nrx-usecs:\t8\n")["now"] == {
        "adaptive-rx": "1", "rx-usecs": "8"}


@pytest.mark.parametrize("errors", [
    "Cannot get device ring settings: Operation not supported\n", "netlink error: Operation not supported\n"])
def test_what_is_not_supported_is_empty(errors):
    assert ethtool.read(Says(1, "Ring parameters for e:\n", errors), "e", "ring") == {"now": {}, "most": {}}


@pytest.mark.parametrize("answer, number, words", [
    ((1, "", "netlink error: no device matches name (offset 24)\nnetlink error: No such device\n"), errno.ENOENT,
     "no device matches name"),
    ((1, "", "ethtool: bad command line argument(s)\nFor more information run ethtool -h\n"), errno.EIO, "bad command"),
    ((75, "", ""), errno.EIO, "exit status 75"),
    ((CommandNotRun("ethtool: No such file or directory"),), errno.ENOPKG, "it comes with the package ethtool"),
    ((CommandNotRun("ethtool: no answer after 30 s"),), errno.ENOPKG, "no answer after 30 s")])
def test_what_cannot_be_read_is_said(answer, number, words):
    with pytest.raises(OSError, match=words.replace("(", ".")) as caught:
        ethtool.read(Says(*answer), "e", "coalesce")
    assert caught.value.errno == number


def test_one_call_sets_all():
    host = Says(0, "", "")
    ethtool.write(host, "e", "coalesce", {"adaptive-rx": "0", "rx-usecs": "3"})
    assert host.asked == ["ethtool -C e adaptive-rx off rx-usecs 3"]


@pytest.mark.parametrize("errors, number", [
    ("netlink error: requested ring size exceeds maximum (offset 36)\nnetlink error: Invalid argument\n", errno.EINVAL),
    ("Cannot set device ring parameters: Invalid argument\n", errno.EINVAL),
    ("netlink error: Operation not supported\n", errno.EINVAL),
    ("Cannot set device ring parameters: Operation not permitted\n", errno.EPERM),
    ("netlink error: Device or resource busy\n", errno.EBUSY)])
def test_a_refusal_has_its_number(errors, number):
    with pytest.raises(OSError, match="error|Cannot") as caught:
        ethtool.write(Says(81, "", errors), "e", "ring", {"rx": "9"})
    assert caught.value.errno == number


def test_what_is_so_already_is_no_failure():
    ethtool.write(Says(80, "", "rx unmodified, ignoring\nno ring parameters changed, aborting\n"), "e", "ring",
                  {"rx": "9"})


def test_it_is_asked_once_between_two_changes():
    host = Says(0, "Ring parameters for eth1:\nPre-set maximums:\nRX: 9\nCurrent hardware settings:\nRX: 5\n", "")
    for _time in range(3):
        assert ethtool.read(host, "eth1", "ring") == {"now": {"rx": "5"}, "most": {"rx": "9"}}
    assert host.asked == ["ethtool -g eth1"]
    ethtool.read(host, "eth2", "ring")
    host.facts.clear()  # As any change does.
    ethtool.read(host, "eth1", "ring")
    assert host.asked == ["ethtool -g eth1", "ethtool -g eth2", "ethtool -g eth1"]
