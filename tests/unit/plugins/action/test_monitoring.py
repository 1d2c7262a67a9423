# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action monitoring: what is written where, twice, in check mode, and nothing at all after a wrong variable."""

from __future__ import annotations

import json
import types

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.action import monitoring

HOSTS = {"n1": {"ansible_host": "10.0.0.1", "vllm_service_instances": [{"name": "llama", "port": 8001}]},
         "n2": {"monitoring_address": "n2.example"}}


@pytest.fixture(name="act")
def fixture_act(tmp_path):
    """Run the action with the variables of the play."""
    def run(check_mode=False, args=None, **more):
        task = types.SimpleNamespace(args=args or {}, async_val=0, check_mode=check_mode, diff=True)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = monitoring.ActionModule(task, connection, None, None, templar, None)
        return action.run(task_vars=dict({"inventory_hostname": "n1", "ansible_play_hosts_all": list(HOSTS),
                                          "gpuwright_report_dir": str(tmp_path / "report"), "hostvars": HOSTS}, **more))
    return run


def test_every_file_is_written_once(act, tmp_path, capsys):
    result = act(monitoring_queue_seconds="3")
    place = tmp_path / "report" / "monitoring"
    assert result["changed"] and result["directory"] == str(place) and result["targets"] == {
        "vllm": 1, "node": 2, "dcgm": 0}
    there = {str(path.relative_to(place)) for path in place.rglob("*") if path.is_file()}
    assert there == set(result["written"]) and len(there) == 7
    assert json.loads((place / "targets/vllm.json").read_text())[0]["targets"] == ["10.0.0.1:8001"]
    assert json.loads((place / "targets/node.json").read_text())[1]["targets"] == ["n2.example:9100"]
    rules = {rule["alert"]: rule for group in yaml.safe_load((place / "alerts.yml").read_text())["groups"]
             for rule in group["rules"]}
    assert rules["VllmQueue"]["expr"].endswith(" > 3")
    said = " ".join(capsys.readouterr().out.split())
    assert "%s: 7 files were written; targets: 1 of job vllm, 2 of job node." % place in said
    again = act(monitoring_queue_seconds="3")
    assert ": all as it was; targets: " in " ".join(capsys.readouterr().out.split())
    assert (again["changed"], again["written"], again["diff"]) == (False, [], [])


def test_replicas_of_a_placement_are_targets_too(act, tmp_path, monkeypatch):
    placement = {"n2": [{"name": "replica-0", "nodes": ["n2"]}]}
    monkeypatch.setitem(HOSTS, "n2", {"vllm_service_placement": placement, "vllm_service_placed": {"port": 9000}})
    assert act()["targets"]["vllm"] == 2
    assert "n2:9000" in (tmp_path / "report/monitoring/targets/vllm.json").read_text()


def test_null_and_the_tasks_own_thresholds(act, tmp_path):
    act(args={"directory": str(tmp_path / "here"), "thresholds": {"queue_seconds": 9}}, monitoring_kv_cache_usage=None,
        monitoring_queue_seconds=3)
    text = (tmp_path / "here/alerts.yml").read_text()
    assert "VllmKvPressure" not in text and " > 9" in text


def test_check_mode_says_the_same_and_writes_nothing(act, tmp_path):
    result = act(check_mode=True)
    assert result["changed"] and "alerts.yml" in result["written"] and not (tmp_path / "report").exists()
    assert any("VllmDown" in one["after"] for one in result["diff"])


def test_a_wrong_variable_writes_nothing(act, tmp_path):
    for more in ({"monitoring_kv_cache_usage": 90}, {"monitoring_queue": 1}):
        result = act(**more)
        assert result["failed"] and result["msg"].startswith("nothing was written: ")
    assert not (tmp_path / "report").exists()


def test_a_place_that_cannot_be_written_is_named(act, tmp_path):
    (tmp_path / "file").write_text("")
    result = act(args={"directory": str(tmp_path / "file" / "below")})
    assert result["failed"] and "set monitoring_directory" in result["msg"]
