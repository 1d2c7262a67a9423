# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of reading and changing by dcb(8): answers as iproute2 prints them, and a stand-in for the rest."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._owners import dcb

from tests.sysroots import dcb_node
from tests.sysroots.dcb_node import Nics, fresh, nic

PFC = '{"pfc_cap":8,"macsec_bypass":false,"delay":0,"prio_pfc":[false,false,false,true,false,false,false,false]}'
OLD_PFC = '{"pfc_cap":8,"macsec_bypass":"off","delay":0,"prio_pfc":["off","off","off","on","off","off","off","off"]}'
ETS = json.dumps({
    "willing": False, "ets_cap": 8, "cbs": False, "tc_bw": [100, 100, 60, 40, 100, 100, 100, 100], "pg_bw": [0] * 8,
    "tc_tsa": ["vendor", "strict", "ets", "ets", "strict", "strict", "strict", "vendor"],
    "prio_tc": [1, 0, 2, 3, 4, 5, 6, 7], "reco_tc_bw": [0] * 8, "reco_tc_tsa": ["strict"] * 8, "reco_prio_tc": [0] * 8})
DCBX = '{"host":true,"cee":true,"ieee":true}'


class Said:
    """A host whose dcb gives these answers by topic."""

    def __init__(self, **answers):
        self.answers = answers

    def run(self, argv, changes=True):
        assert not changes
        assert argv[:3] == ["dcb", "-j", "-N"] and argv[4:] == ["show", "dev", "ens1"]
        if argv[3] not in self.answers:
            return 1, "", "Attribute read: Operation not supported\n"
        return 0, self.answers[argv[3]] + "\n", ""


@pytest.mark.parametrize("pfc", [PFC, OLD_PFC])
@pytest.mark.parametrize("app, entries", [
    ("{}", {}), ('{"dscp_prio":[[26,3],[48,6]]}', {26: 3, 48: 6}),
    ('{"ethtype_prio":[[35078,3," "]],"default_prio":[0],"dscp_prio":[[8,0," "],[16,1," "]]}', {8: 0, 16: 1})])
def test_all_answers_are_read_as_any_version_gives_them(pfc, app, entries):
    assert dcb.state(Said(pfc=pfc, ets=ETS, app=app, dcbx=DCBX), "ens1") == {
        "pfc": [3], "tsa": ["vendor", "strict", "ets", "ets", "strict", "strict", "strict", "vendor"],
        "bandwidth": [0, 0, 60, 40, 0, 0, 0, 0], "prio_tc": [1, 0, 2, 3, 4, 5, 6, 7], "dscp": entries,
        "trust": "dscp" if entries else "pcp", "dcbx": "os"}


@pytest.mark.parametrize("answers, parts", [
    ({}, set()), ({"app": "{}"}, set()), ({"pfc": PFC}, {"pfc"}), ({"pfc": PFC, "app": "{}"}, {"pfc", "dscp", "trust"}),
    ({"pfc": "", "ets": "[]", "dcbx": "nonsense"}, set()), ({"pfc": '{"prio_pfc":[true]}'}, set())])
def test_a_part_that_is_not_served_is_not_there(answers, parts):
    assert set(dcb.state(Said(**answers), "ens1")) == parts


@pytest.mark.parametrize("answer, who", [('{"host":true,"ieee":true}', "os"), ('{"cee":true,"ieee":true}', "fw"),
                                         ("{}", "fw"), ('{"lld_managed":true,"ieee":true}', "fw")])
def test_who_decides(answer, who):
    assert dcb.state(Said(dcbx=answer), "ens1") == {"dcbx": who}


def writable(tmp_path, **state):
    root = dcb_node.build(tmp_path, {"ens1": fresh(**state)})
    host = Nics(str(root), read_only=False)
    return root, host, dcb.state(host, "ens1")


def test_what_a_replace_leaves_undone_is_noticed_though_it_exits_with_0(tmp_path, monkeypatch):
    _root, host, now = writable(tmp_path, app=[[26, 1]])
    dcb.set_dscp(host, "ens1", now, {26: 3})  # mlx5 has deleted the old entry itself, and dcb complains.
    monkeypatch.setattr(host, "run", lambda argv, **words: (0, "", "Attribute write: Invalid argument\nCould not\n"))
    with pytest.raises(OSError, match="Invalid argument; Could not") as caught:
        dcb.set_dscp(host, "ens1", now, {26: 4})
    assert caught.value.errno == dcb.errno.EINVAL


def test_a_change_on_a_stand_in_nic_touches_what_it_names(tmp_path):
    root, host, now = writable(tmp_path, pfc=[1], app=[[8, 1], [9, 1]])
    dcb.set_pfc(host, "ens1", now, [3, 4])
    dcb.set_dscp(host, "ens1", now, {9: 2})
    dcb.remove_dscp(host, "ens1", now, {8: 1})
    dcb.set_ets(host, "ens1", now, {"tsa": ["ets"] + ["strict"] * 7, "bandwidth": [100] + [0] * 7,
                                    "prio_tc": [0] * 8})
    state = nic(root, "ens1")
    assert (state["pfc"], state["app"], state["tsa"][:2]) == ([3, 4], [[9, 2]], ["ets", "strict"])
    dcb.set_trust(host, "ens1", dcb.state(host, "ens1"), "pcp")
    assert nic(root, "ens1")["app"] == []


def test_dcbx_keeps_its_versions_when_the_host_takes_over(tmp_path):
    root, host, now = writable(tmp_path, flags=["cee", "ieee"])
    dcb.set_dcbx(host, "ens1", now, "os")
    assert nic(root, "ens1")["flags"] == ["host", "cee", "ieee"]


@pytest.mark.parametrize("ets, words", [
    ({"tsa": ["ets"] * 8, "bandwidth": [0] * 8, "prio_tc": [0] * 8}, "tc-bw sum to 0%, expected 100%"),
    ({"tsa": ["best"] * 8, "bandwidth": [0] * 8, "prio_tc": [0] * 8}, "Invalid tc-tsa mapping 0:best")])
def test_what_dcb_refuses_is_told_in_its_words(tmp_path, ets, words):
    _root, host, now = writable(tmp_path)
    with pytest.raises(OSError, match=words):
        dcb.set_ets(host, "ens1", now, ets)


def test_a_dcb_that_is_gone_is_an_error_in_words(tmp_path):
    root, host, now = writable(tmp_path)
    dcb_node.save(root, dict(dcb_node.load(root), tools=[]))
    with pytest.raises(OSError, match="dcb: No such file or directory"):
        dcb.set_pfc(host, "ens1", now, [3])
