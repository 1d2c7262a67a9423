# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action report: needs no node, shows what is new, and says what is missing."""

from __future__ import annotations

import json
import types

import pytest
from ansible.errors import AnsibleActionFail

from ansible_collections.gpuwright.node.plugins.action import report
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts, show

VM = {"settings": [{"name": "vm.swappiness", "target": "vm.swappiness", "status": "ok", "running": "10",
                    "desired": "10", "why": "default", "reason": ""}],
      "rules": [], "reboot_required": False, "changed": False, "failed": None}


@pytest.fixture
def shown(monkeypatch):
    """The lines that were displayed."""
    lines = []
    monkeypatch.setattr(show.Display, "display",
                        lambda self, text, color=None, stderr=False: lines.append((text, stderr)))
    return lines


@pytest.fixture
def act(tmp_path):
    """Run the action for a play of some hosts; nothing of a connection is there to be used."""

    def run(arguments, hosts=("a",), groups=None, check_mode=True):
        task = types.SimpleNamespace(args=arguments, async_val=0, check_mode=check_mode, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = report.ActionModule(task, connection, None, None, templar, None)
        return action.run(task_vars={
            "inventory_hostname": hosts[0], "gpuwright_report_dir": str(tmp_path), "groups": groups or {},
            "ansible_play_hosts_all": list(hosts), "ansible_play_hosts": list(hosts),
            "ansible_play_batch": list(hosts)})

    return run


def audit(tmp_path):
    return json.loads((tmp_path / "audit.json").read_text())


def test_the_beginning_lists_every_host_as_not_reached_and_shows_nothing(act, shown, tmp_path):
    act({"begin": True}, ("a", "b"))
    assert {name: host["status"] for name, host in audit(tmp_path)["hosts"].items()} == {
        "a": "not_reached", "b": "not_reached"}
    assert shown == []


def test_a_host_is_shown_once(act, shown, tmp_path):
    parts.keep("a", "vm", VM, str(tmp_path))
    result = act({})
    assert result["path"] == str(tmp_path / "audit.json")
    assert sum("vm.swappiness" in text for text, _stderr in shown) == 1
    assert any("Check mode, nothing was changed" in text for text, _stderr in shown)
    del shown[:]
    act({}, check_mode=False)
    assert not any("vm.swappiness" in text for text, _stderr in shown)
    assert not any("nothing was changed" in text for text, _stderr in shown)


def test_the_first_hosts_of_many_are_not_lost_when_they_are_merged(act, shown, tmp_path):
    hosts = tuple("n%d" % number for number in range(6))
    for host in hosts:
        parts.keep(host, "vm", VM, str(tmp_path))
    act({}, hosts)
    assert any(text == "vm: 6 hosts, 6 settings ok" for text, _stderr in shown)
    assert any("6 of 6 hosts answered" in text for text, _stderr in shown)


def test_the_screen_is_left_to_a_program_that_reads_it(act, shown, tmp_path, monkeypatch):
    parts.keep("a", "vm", VM, str(tmp_path))
    monkeypatch.setattr(show.C, "DEFAULT_STDOUT_CALLBACK", "ansible.posix.json", raising=False)
    act({})
    assert shown
    assert all(stderr for _text, stderr in shown)


def test_a_node_in_two_classes_is_an_error_that_names_it(act, tmp_path):
    groups = {"inference": ["a", "b", "c"], "cpu": ["b", "c"]}
    with pytest.raises(AnsibleActionFail, match=r"b \(inference, cpu\)"):
        act({"begin": True, "classes": ["inference", "cpu"]}, ("a", "b"), groups)
    act({"begin": True, "classes": ["inference", "cpu"]}, ("a",), groups)
    assert list(audit(tmp_path)["hosts"]) == ["a"]


def test_a_failure_is_remembered(act, tmp_path):
    act({"failed": "Virtual memory: planted"})
    result = act({"must_be_complete": True})
    assert audit(tmp_path)["hosts"]["a"]["message"] == "Virtual memory: planted"
    assert result["failed"] is True
    assert result["msg"] == "1 of 1 nodes gave no whole answer"


def test_a_whole_report_does_not_fail(act, tmp_path):
    parts.keep("a", "vm", VM, str(tmp_path))
    assert not act({"must_be_complete": True}).get("failed")


def test_a_folder_that_cannot_be_written_fails_no_host(act, tmp_path, monkeypatch):
    said = []
    monkeypatch.setattr(parts.Display, "warning", lambda self, text: said.append(text))
    (tmp_path / ".parts").write_text("in the way")
    result = act({})
    assert not result.get("failed")
    assert "there is no report" in result["msg"]
    assert said
    assert act({"must_be_complete": True})["failed"] is True
