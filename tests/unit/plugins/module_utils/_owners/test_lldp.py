# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of lldpcli's JSON, which is an object for one interface and a list for several."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import lldp

LEAF = {"chassis": {"leaf1": {"id": {"type": "mac", "value": "0c:42:a1:00:00:01"}, "descr": "Cumulus Linux 5.9"}},
        "port": {"id": {"type": "ifname", "value": "swp1"}, "descr": "gpu-node-1 rail0", "ttl": "120"}}
NAMELESS = {"chassis": {"id": {"type": "mac", "value": "0c:42:a1:00:00:02"}},
            "port": {"id": {"type": "mac", "value": "0c:42:a1:00:00:09"}, "descr": "Ethernet9"}}


def answer(interface):
    return json.dumps({"lldp": {"interface": interface}})


@pytest.mark.parametrize("interface, found", [
    ({"rail0": LEAF}, {"rail0": {"switch": "leaf1", "port": "swp1"}}),
    ([{"rail0": LEAF}, {"rail1": NAMELESS}], {"rail0": {"switch": "leaf1", "port": "swp1"},
                                              "rail1": {"switch": "0c:42:a1:00:00:02", "port": "Ethernet9"}}),
    ([{"rail0": [LEAF, NAMELESS]}], {"rail0": {"switch": "leaf1", "port": "swp1"}}),
    ([{"rail0": LEAF}, {"rail0": NAMELESS}], {"rail0": {"switch": "leaf1", "port": "swp1"}}),
    ([{"rail0": {"rid": "1"}}, "x"], {"rail0": {"switch": None, "port": None}}),
    ([], {})])
def test_neighbours_by_interface(interface, found):
    assert lldp.parse(answer(interface)) == found


def test_no_neighbour_is_not_the_same_as_no_answer():
    assert lldp.parse('{"lldp": {}}') == {}
    for text in ("", "[]", "{}", "lldpcli: unable to connect", '{"lldp": []}'):
        assert lldp.parse(text) is None


class Lldpd(Host):
    """A host with an lldpcli."""

    runs_commands = True
    reply = (0, answer({"rail0": LEAF}), "")

    def run(self, argv, seconds=10, changes=True):
        assert argv == ["lldpcli", "-f", "json", "show", "neighbors"] and not changes
        if self.reply is None:
            raise CommandNotRun("lldpcli: No such file or directory")
        return self.reply


@pytest.mark.parametrize("reply, found", [
    ((0, answer({"rail0": LEAF}), ""), {"rail0": {"switch": "leaf1", "port": "swp1"}}), ((1, "", "down"), None),
    (None, None)])
def test_where_lldpd_does_not_run_nothing_is_known(tmp_path, monkeypatch, reply, found):
    monkeypatch.setattr(Lldpd, "reply", reply)
    assert lldp.neighbours(Lldpd(str(tmp_path))) == found
    assert lldp.neighbours(Host(str(tmp_path))) is None
