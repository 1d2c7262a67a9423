# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of ibnetdiscover's text: which switch port a channel adapter hangs at."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun, Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import fabric

from tests.sysroots.plain_node import put

TEXT = """#
# Topology file: generated on Sat Nov 21 08:00:00 2026
#
# Initiated from node a088c20300aa0001 port a088c20300aa0001

vendid=0x2c9
devid=0xd2f2
sysimgguid=0xb8cef60300000001
switchguid=0xb8cef60300000001(b8cef60300000001)
Switch\t65 "S-b8cef60300000001"\t\t# "MF0;leaf1:MQM9700/U1" enhanced port 0 lid 1 lmc 0
[1]\t"H-a088c20300aa0001"[1](a088c20300aa0001) \t\t# "gpu-node-1 mlx5_0" lid 12 4xNDR
[33]\t"S-b8cef60300000009"[4]\t\t# "MF0;spine1:MQM9700/U1" lid 9 4xNDR

vendid=0x2c9
devid=0x1021
sysimgguid=0xa088c20300aa0001
caguid=0xa088c20300aa0001
Ca\t1 "H-a088c20300aa0001"\t\t# "gpu-node-1 mlx5_0"
[1](a088c20300aa0001) \t"S-b8cef60300000001"[1]\t\t# lid 12 lmc 0 "MF0;leaf1:MQM9700/U1" lid 1 4xNDR

caguid=0xa088c20300aa0002
Ca\t2 "H-a088c20300aa0002"\t\t# "gpu-node-1 mlx5_1"
[2](a088c20300aa0003) \t"S-b8cef60300000002"[7]\t\t# lid 13 lmc 0 "MF0;leaf2:MQM9700/U1" lid 2 4xNDR
"""


def test_adapters_and_their_switches():
    assert fabric.parse(TEXT) == {
        "a088c20300aa0001": [{"port": 1, "switch": "MF0;leaf1:MQM9700/U1", "switch_port": "1"}],
        "a088c20300aa0002": [{"port": 2, "switch": "MF0;leaf2:MQM9700/U1", "switch_port": "7"}]}
    assert fabric.parse("ibwarn: [1] mad_rpc_open_port: can't open UMAD port") == {}


class Fabric(Host):
    """A host with an ibnetdiscover."""

    reply = (0, TEXT, "")

    def run(self, argv, seconds=10, changes=True):
        assert argv == ["ibnetdiscover"] and not changes
        if self.reply is None:
            raise CommandNotRun("ibnetdiscover: No such file or directory")
        return self.reply


@pytest.mark.parametrize("reply", [(1, "", "no"), None])
def test_without_an_answer_nothing_is_known(tmp_path, monkeypatch, reply):
    monkeypatch.setattr(Fabric, "reply", reply)
    assert fabric.neighbours(Fabric(str(tmp_path))) is None


def test_devices_are_known_by_their_guid(tmp_path):
    put(tmp_path, "/sys/class/infiniband/mlx5_0/node_guid", "a088:c203:00aa:0001")
    put(tmp_path, "/sys/class/infiniband/mlx5_9/node_guid", "a088:c203:00aa:0009")
    assert list(fabric.neighbours(Fabric(str(tmp_path)))) == ["mlx5_0"]
