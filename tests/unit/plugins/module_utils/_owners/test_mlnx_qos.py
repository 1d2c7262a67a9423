# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of reading and changing by mlnx_qos: outputs as the tool prints them, and a stand-in for the rest."""

from __future__ import annotations

import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import mlnx_qos

from tests.sysroots import dcb_node, plain_node
from tests.sysroots.dcb_node import Nics, fresh, nic

MAP = "".join("\tprio:%d dscp:%s\n" % (priority, "".join("%02d," % (8 * priority + 7 - place) for place in range(8)))
              for priority in range(8))
CLASSES = "tc: 0 ratelimit: unlimited, tsa: vendor\n\t priority:  1\ntc: 1 ratelimit: unlimited, tsa: vendor\n" \
    "\t priority:  0\n" + "".join("tc: %d ratelimit: unlimited, tsa: vendor\n\t priority:  %d\n" % (tc, tc)
                                  for tc in range(2, 8))
WHOLE = ("DCBX mode: OS controlled\nPriority trust state: dscp\ndscp2prio mapping:\n" + MAP +
         "Receive buffer size (bytes): 20016,156096,0,0,0,0,0,0,max_buffer_size=262016\nCable len: 7\n"
         "PFC configuration:\n\tpriority    0   1   2   3   4   5   6   7\n"
         "\tenabled     0   0   0   1   0   0   0   0   \n\tbuffer      0   0   0   1   0   0   0   0   \n" + CLASSES)
STATE = {"dcbx": "os", "trust": "dscp", "dscp": {dscp: dscp >> 3 for dscp in range(64)}, "pfc": [3],
         "tsa": ["vendor"] * 8, "bandwidth": [0] * 8, "prio_tc": [1, 0, 2, 3, 4, 5, 6, 7]}
NOT_SERVED = ("Priority trust state is not supported on your system\n"
              "Buffers commands are not supported on your system\n"
              "Rate limit is not supported on your system!\nETS features are not supported on your system\n")


class Said:
    """A host whose mlnx_qos gives this answer, with Linux's own driver."""

    def __init__(self, output, status=0):
        self.given = status, output, ""

    def exists(self, path):
        return False

    def run(self, argv, changes=True):
        assert not changes
        assert argv == ["mlnx_qos", "-i", "ens1", "-a"]
        return self.given


@pytest.mark.parametrize("output", [
    WHOLE,
    "****** WARNING: lldpad service is running and may overwrite your settings ******\n\n" + WHOLE,
    "Buffers commands are not supported on your system\n" + re.sub("(?m)^(Receive|\tbuffer).*\n", "", WHOLE),
    "Rate limit is not supported on your system!\n" + re.sub("(?m)^tc: .*tsa: ", "", WHOLE),
    WHOLE.replace("unlimited", "25.0 Gbps"), WHOLE.replace("\n", "\r\n").replace("\r", "")])
def test_the_whole_output_is_read_whatever_precedes_or_is_left_out(output):
    assert mlnx_qos.state(Said(output), "ens1") == STATE


def test_pcp_fw_and_shares_are_read():
    classes = "".join("tc: %d ratelimit: unlimited, tsa: %s\n" % (tc, kind) for tc, kind in enumerate(
        ["ets, bw: 30%", "ets, bw: 70%", "strict", "strict", "unknown", "vendor", "vendor"]))
    output = ("DCBX mode: Firmware controlled\nPriority trust state: pcp\nCable len: 7\nPFC configuration:\n"
              "\tpriority    0   1   2   3   4   5   6   7\n\tenabled     1   0   0   0   0   0   0   1   \n" +
              classes + "tc: 7 ratelimit: unlimited, tsa: strict\n" +
              "".join("\t priority:  %d\n" % number for number in range(8)))
    assert mlnx_qos.state(Said(output), "ens1") == {
        "dcbx": "fw", "trust": "pcp", "dscp": {}, "pfc": [0, 7], "prio_tc": [7] * 8,
        "tsa": ["ets", "ets", "strict", "strict", "unknown", "vendor", "vendor", "strict"],
        "bandwidth": [30, 70, 0, 0, 0, 0, 0, 0]}


@pytest.mark.parametrize("output, status", [(NOT_SERVED, 1), ("", 0), ("Interface name is required\n", 1)])
def test_what_is_not_served_is_not_there(output, status):
    assert mlnx_qos.state(Said(output, status), "ens1") == {}


def test_trust_that_the_driver_does_not_know_is_no_trust():
    output = WHOLE.replace("Priority trust state: dscp", "Priority trust state: none")
    assert not {"trust", "dscp"} & set(mlnx_qos.state(Said(output), "ens1"))


def writable(tmp_path, ofed=False, **state):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**state)}, tools=["mlnx_qos"], ofed=ofed)
    host = Nics(str(root), read_only=False)
    return root, host, mlnx_qos.state(host, "ens1")


def test_the_stand_in_prints_what_the_reader_reads(tmp_path):
    root, host, now = writable(tmp_path, app=[[dscp, dscp >> 3] for dscp in range(64)], pfc=[3],
                               prio_tc=[1, 0, 2, 3, 4, 5, 6, 7])
    assert now == STATE
    plain_node.put(root, "/proc/77/comm", "lldpad")
    _status, output, _errors = host.run(["mlnx_qos", "-i", "ens1", "-a"], changes=False)
    assert output.startswith("****** WARNING: lldpad")
    assert output.partition("\n\n")[2].replace("\tbuffer      0   0   0   0", "\tbuffer      0   0   0   1") == WHOLE


def test_the_map_is_read_from_files_where_the_tool_hides_it(tmp_path):
    _root, _host, now = writable(tmp_path, ofed=True)
    assert now["trust"] == "pcp" and now["dscp"] == {dscp: dscp >> 3 for dscp in range(64)}


def test_a_change_on_a_stand_in_nic_touches_what_it_names(tmp_path):
    root, host, now = writable(tmp_path, pfc=[1], app=[[8, 1], [9, 1]], flags=["cee", "ieee"])
    mlnx_qos.set_pfc(host, "ens1", now, [3, 4])
    mlnx_qos.set_dscp(host, "ens1", now, {9: 2, 10: 7})
    mlnx_qos.remove_dscp(host, "ens1", now, {8: 1})
    mlnx_qos.set_ets(host, "ens1", now, {"tsa": ["ets"] + ["strict"] * 7, "bandwidth": [100] + [0] * 7,
                                         "prio_tc": [0] * 8})
    mlnx_qos.set_dcbx(host, "ens1", now, "os")
    state = nic(root, "ens1")
    assert (state["pfc"], state["app"], state["tsa"][:2]) == ([3, 4], [[9, 2], [10, 7]], ["ets", "strict"])
    assert state["flags"] == ["host", "cee", "ieee"]
    mlnx_qos.set_trust(host, "ens1", now, "pcp")
    mlnx_qos.set_dcbx(host, "ens1", now, "fw")
    assert nic(root, "ens1")["app"] == [] and nic(root, "ens1")["flags"] == ["cee", "ieee"]


@pytest.mark.parametrize("words, said", [
    (["--pfc", "0,0,0,1"], "pfc list must have 8 items"), (["--pfc", "0,0,0,2,0,0,0,0"], "Bad value for PFC: 2"),
    (["--dscp2prio", "set,64,3"], "exit status 1"), (["--dscp2prio", "del,26,3"], "dscp2prio command failed"),
    (["--trust", "dscp", "--dscp2prio", "set,26,3"], "cannot be used at the same time"),
    (["--tcbw", "50,50,0,0,0,0,0,0"], "ETS BW for a strict/vendor TC must be 0"),
    (["--tsa", "ets,ets,ets,ets,ets,ets,ets,ets"], "Bad value. see dmesg")])
def test_what_the_tool_refuses_is_told_in_its_words(tmp_path, words, said):
    _root, host, _now = writable(tmp_path)
    with pytest.raises(OSError, match=said):
        mlnx_qos._set(host, "ens1", *words)


def test_a_tool_that_is_not_installed_serves_nothing(tmp_path):
    root, host, now = writable(tmp_path)
    dcb_node.save(root, dict(dcb_node.load(root), tools=[]))
    with pytest.raises(OSError, match="mlnx_qos: No such file or directory"):
        mlnx_qos.set_pfc(host, "ens1", now, [3])
    assert mlnx_qos.state(host, "ens1") == {}
