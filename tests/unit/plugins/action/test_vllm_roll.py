# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action vllm_roll: its stages, what each refuses, and what it asks the node."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import vllm_roll
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import kept

GIVEN = {"instances": [{"name": "a", "model": "/m"}], "engine": "venv", "version": "0.33.0", "prompt": "x",
         "distributed": "native", "address": "192.0.2.1"}
PLAN = {"due": ["a"], "settings": [{"name": "vllm@a.service", "status": "drift"}], "diff": [{"after": "x"}],
        "commands": {"a": ["vllm"]}, "problems": []}


@pytest.fixture
def act(tmp_path, monkeypatch):
    """Enter a stage on host n1, which answers as `node` says; returns the result."""
    monkeypatch.setattr(parts, "current_run", lambda: "1-a")
    asked = []

    def run(stage, node=None, check=False, hosts=("n1",), variables=None, **arguments):
        task = types.SimpleNamespace(args=dict(arguments, stage=stage), async_val=0, check_mode=check, diff=False)
        action = vllm_roll.ActionModule(
            task, types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere")), None, None,
            types.SimpleNamespace(template=lambda value: value), None)

        def execute(module_name, module_args, task_vars):
            asked.append(dict(module_args, module=module_name))
            if node == "dead":
                raise AnsibleConnectionFailure("no route")
            return dict(node or {})

        action._execute_module = execute
        return action.run(task_vars=dict({
            "inventory_hostname": "n1", "hostvars": {host: {} for host in hosts}, "groups": {"all": list(hosts)},
            "ansible_play_hosts": list(hosts), "ansible_play_hosts_all": list(hosts),
            "ansible_play_batch": list(hosts), "gpuwright_report_dir": place}, **(variables or {})))

    place = str(tmp_path / "report")
    run.asked, run.place = asked, place
    return run


def test_a_check_asks_nobody_and_keeps_no_secret(act, tmp_path):
    result = act("check", options=GIVEN, secrets={"a": {"api_key": "sk-1"}})
    assert result["names"] == ["a"] and act.asked == []
    assert kept.one(act.place, "instances", "n1")["secrets"] == ["a"]
    assert not [path for path in tmp_path.rglob("*.json") if "sk-1" in path.read_text()]


@pytest.mark.parametrize("options, secrets, words", [
    (dict(GIVEN, instances=[{"name": "a", "model": "/m", "modle": 1}]), None, "modle: did you mean model"),
    (GIVEN, {"a": {"key": "sk-1"}}, "no such key: key")])
def test_what_is_wrong_is_said_and_is_in_the_report(act, options, secrets, words):
    result = act("check", options=options, secrets=secrets)
    assert result["failed"] and "nothing was changed" in result["msg"] and words in result["msg"]
    assert words in parts.of_host("n1", act.place)["vllm_service"]["failed"]


def test_a_plan_asks_the_node_with_the_secrets_of_its_instances(act):
    secrets = {"a": {"api_key": "sk-1"}, "other": {"api_key": "sk-2"}}
    there = {"hostvars": {"n1": {}, "n2": {"vllm_service_instances": [{"name": "other"}]}}}
    act("check", options=GIVEN, secrets=secrets, variables=there)
    result = act("plan", PLAN, secrets=secrets, take_over=["vllm@a.service"])
    (asked,) = act.asked
    assert asked["module"] == "gpuwright.node.vllm_service" and asked["secrets"] == {"a": {"api_key": "sk-1"}}
    assert asked["stage"] == "plan" and asked["take_over"] == ["vllm@a.service"]
    assert result["due"] == ["a"] and result["changed"] is False and "failed" not in result
    assert act("plan", PLAN, check=True)["changed"] is True


def test_a_plan_after_staging_shows_no_difference_twice_and_does_not_say_that_nothing_was_changed(act):
    act("check", options=GIVEN)
    assert "diff" in act("plan", dict(PLAN, diff=[{"before": "x", "after": "y"}]), check=True)
    again = act("plan", dict(PLAN, diff=[{"before": "x", "after": "y"}]), check=True, options={"staged": True})
    assert "diff" not in again and again["changed"] is False
    wrong = dict(PLAN, problems=["a: no such flag"])
    assert act("plan", wrong, options={"staged": True})["msg"] == "no instance was touched: a: no such flag"
    assert act("plan", wrong)["msg"] == "nothing was changed: a: no such flag"


@pytest.mark.parametrize("serial", [0, "abc", [1, "0%"], True, -1])
def test_a_serial_that_is_none_is_said_before_engines_and_models_are_brought(act, serial):
    told = act("check", options=dict(GIVEN, serial=serial))
    assert "is neither a number of nodes nor a percentage" in told["msg"]
    assert "failed" not in act("check", options=dict(GIVEN, serial=None))


def test_secrets_of_an_instance_that_no_node_has_are_refused(act):
    secrets = {"aa": {"api_key": "sk-1"}}
    told = act("check", options=GIVEN, secrets=secrets)
    assert "vllm_service_secrets: no node has an instance aa; did you mean a?" in told["msg"]
    assert "sk-1" not in str(told)
    assert "failed" not in act("check", options=dict(GIVEN, placement={"n1": []}), secrets=secrets, variables={
        "hostvars": {"n1": {}, "n2": {"vllm_service_instances": [{"name": "aa"}]}}})


def test_problems_of_a_node_fail_it_and_so_does_silence(act):
    act("check", options=GIVEN)
    assert "no such flag" in act("plan", dict(PLAN, problems=["a: no such flag"]))["msg"]
    assert "cannot be reached" in act("plan", "dead")["msg"]
    assert parts.of_host("n1", act.place)["vllm_service"]["no_answer"] is True


def test_a_node_without_instances_is_asked_once_and_has_answered(act):
    act("check", options=dict(GIVEN, instances=[]))
    result = act("plan", {"due": [], "settings": [], "rules": []})
    assert result["instances"] == [] and len(act.asked) == 1
    assert parts.of_host("n1", act.place)["vllm_service"]["failed"] is None
    assert act("order")["ansible_facts"] == {"vllm_order": [], "vllm_serial": []}


def test_what_is_left_of_an_earlier_list_goes(act):
    act("check", options=dict(GIVEN, instances=[]))
    act("plan", {"due": ["old"], "settings": []})
    assert act("order")["ansible_facts"] == {"vllm_order": ["n1"], "vllm_serial": [1]}


def test_the_order_is_empty_in_check_mode_and_refused_where_a_node_has_no_plan(act):
    act("check", options=GIVEN)
    act("plan", PLAN)
    assert act("order", check=True)["ansible_facts"]["vllm_order"] == []
    assert act("order", check=True)["batches"] == [["n1"]]
    lost = act("order", hosts=("n1", "n2"), variables={"ansible_play_hosts": ["n1"]})
    assert "no plan of n2" in lost["msg"]
    assert "vllm_service_serial: 'x'" in act("order", options={"serial": ["x"]})["msg"]


def test_a_round_from_switch_to_keep(act):
    act("check", options=GIVEN)
    act("plan", PLAN)
    act("order")
    assert act("rounds")["rounds"] == ["0.0"]
    switched = act("switch", round="0.0")
    assert switched["changed"] is True and switched["diff"] == PLAN["diff"]
    act("verify", {"verified": {"a": {"ok": True}}}, round="0.0")
    assert "failed" not in act("settle", round="0.0")
    assert [(one["stage"], one.get("only")) for one in act.asked] == [
        ("plan", None), ("switch", ["a"]), ("verify", ["a"]), ("keep", ["a"])]
    assert act("end")["path"].endswith("vllm_service.json")
    assert parts.of_host("n1", act.place)["vllm_service"]["settings"][0]["changed"] is True


def test_a_run_that_is_stopped_leaves_no_outcome_of_an_earlier_one(act, tmp_path):
    told = tmp_path / "report" / "vllm_service.json"
    told.parent.mkdir()
    told.write_text("of an earlier run")
    act("check", check=True, options=GIVEN)
    act("check", options=GIVEN, variables={"ansible_play_hosts_all": ["n0", "n1"]})
    assert told.exists()
    act("check", options=GIVEN)
    assert not told.exists()


def test_what_does_not_serve_fails_the_node_and_later_rounds_touch_nothing(act):
    act("check", options=GIVEN)
    act("plan", PLAN)
    act("order")
    act("switch", {"errors": {"a": "no such unit"}}, round="0.0")
    result = act("settle", {"put_back": {"a": {"ok": True, "down_seconds": 0, "words": "removed"}}}, round="0.0")
    assert result["failed"] and result["msg"] == "a: n1: no such unit; removed"
    before = len(act.asked)
    assert act("switch", round="0.0")["changed"] is False and len(act.asked) == before


def test_nodes_that_restart_together_are_not_split_by_the_play_s_own_serial(act):
    kept.keep(act.place, "roll", "roll", {"batches": [{"hosts": ["n1", "n2"], "rounds": [[]]}]})
    assert "n1, n2" in act("rounds")["msg"]
    assert act("rounds", hosts=("n1", "n2"))["rounds"] == ["0.0"]


def test_a_node_without_a_part_in_a_round_is_skipped(act):
    for stage in ("switch", "verify", "settle"):
        assert act(stage, round="0.0")["skipped"] is True
    assert act.asked == []


def test_a_replica_whose_other_node_is_not_in_the_run_is_refused_before_it_restarts(act):
    pair = dict(GIVEN, instances=[{"name": "a", "model": "/m", "nodes": ["n1", "n2"]}])
    there = {"hostvars": {"n1": {}, "n2": {"vllm_service_address": "192.0.2.2"}}}
    act("check", options=pair, variables=there)
    act("plan", PLAN)
    assert "not in this run: n2" in act("agree", variables=there)["msg"]
