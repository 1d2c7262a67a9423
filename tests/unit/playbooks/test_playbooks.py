# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What comes out of the playbooks when nodes are well, fail, cannot be reached, or are never come to."""

from __future__ import annotations

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

FAILS = {"vm_swappiness": 200}
NCCL = {"nccl_env_debug": "WARN"}  # Nothing is derived for a node without GPUs.
DEAD = {"ansible_connection": "gpuwright.standin.dead"}


def statuses(result):
    return {name: host["status"] for name, host in result.report["hosts"].items()}


def of(result, name):
    return result.report["hosts"][name]


def tables(result):
    """The number of tables of role vm, one of which is shown for each host that has its own."""
    return sum(line.split()[:2] == ["setting", "running"] for line in result.output.splitlines())


def test_one_host_in_check_mode_is_shown_once_and_written_down(play):
    result = play("gpuwright.node.site", {"inference": {"a": dict(NCCL, vm_swappiness=1)}}, "--check", "--diff")
    assert result.rc == 0, result.output
    assert tables(result) == len(ROLES)
    assert result.output.count("vm.swappiness") == 1
    assert "a: " in result.output
    host = of(result, "a")
    assert host["status"] == "answered"
    assert host["reboot_required"] is False
    assert host["rules"] == []
    assert host["topology"]["numa_nodes"][0]["id"] == 0
    drift = [step for step in host["settings"] if step["status"] == "drift"]
    assert [(step["name"], step["running"], step["desired"], step["role"]) for step in drift] == [
        ("vm.swappiness", "60", "1", "vm")]
    assert "vm_swappiness" in drift[0]["why"]
    assert result.report["check_mode"] is True
    assert set(result.ran) == {"%s check" % role for role in ROLES}


def test_an_apply_shows_what_was_changed(play):
    result = play("gpuwright.node.site", {"cpu": {"a": {"vm_swappiness": 1}}})
    assert result.rc == 0, result.output
    line = next(line for line in result.output.splitlines() if "vm.swappiness" in line)
    assert "60 -> 1" in line
    assert "changed" in line
    assert "Check mode" not in result.output
    assert result.report["summary"]["changed"] == 1
    assert "vm apply" in result.ran


@pytest.mark.parametrize(("bad", "status"), [(FAILS, "failed"), (DEAD, "unreachable")])
def test_a_first_node_that_fails_ends_the_rollout_with_a_report(play, bad, status):
    result = play("gpuwright.node.site", {"inference": {"a": bad, "b": {}}, "training": {"c": {}}})
    assert result.rc != 0
    assert statuses(result) == {"a": status, "b": "not_reached", "c": "not_reached"}
    assert "a: %s" % status.upper() in result.output
    assert "0 of 3 hosts answered" in result.output
    assert result.output.count("TASK [Report]") == 1
    assert of(result, "b")["reboot_required"] is None


@pytest.mark.parametrize(("bad", "status"), [(FAILS, "failed"), (DEAD, "unreachable")])
def test_a_failure_in_a_later_batch_ends_the_rollout_with_a_report(play, bad, status):
    inventory = {"inference": {"a": {}, "b": {}, "c": bad, "d": {}}, "cpu": {"e": {}}}
    result = play("gpuwright.node.site", inventory, "-e", '{"gpuwright_serial": [1, 2]}')
    assert result.rc != 0
    found = statuses(result)
    assert found["a"] == "answered"
    assert found["b"] == "stopped"
    assert found["c"] == status
    assert found["d"] == found["e"] == "not_reached"
    assert result.output.count("\na (inference)") == 1


def test_all_nodes_of_a_batch_unreachable_ends_the_rollout_with_a_report(play):
    result = play("gpuwright.node.site", {"inference": {"a": DEAD, "b": DEAD}, "training": {"c": {}}},
                  "-e", "gpuwright_serial=100%")
    assert result.rc != 0
    assert statuses(result) == {"a": "unreachable", "b": "unreachable", "c": "not_reached"}
    assert result.ran == []


def test_a_node_lost_half_way_ends_the_rollout_with_a_report(play):
    dies = {"ansible_connection": "{{ 'gpuwright.standin.dead' if ansible_facts.topology is defined else 'local' }}"}
    inventory = {"inference": {"a": {}, "b": dies, "c": {}, "d": {}}, "cpu": {"e": {}}}
    result = play("gpuwright.node.site", inventory, "-e", '{"gpuwright_serial": [1, 2]}')
    assert result.rc != 0
    assert statuses(result) == {"a": "answered", "b": "unreachable", "c": "stopped", "d": "not_reached",
                                "e": "not_reached"}
    assert of(result, "b")["topology"] is not None


def test_a_node_that_is_worse_after_its_settings_ends_the_rollout(play):
    hosts = {"inference": {"a": {}, "b": {}}}
    result = play("gpuwright.node.site", hosts, GPUWRIGHT_TEST_SICK="1")
    assert result.rc != 0
    assert statuses(result) == {"a": "failed", "b": "not_reached"}
    assert "health: worse than before: planted" in of(result, "a")["message"]
    assert play("gpuwright.node.site", hosts, "--check", GPUWRIGHT_TEST_SICK="1").rc == 0


def test_every_variable_can_be_null(play, checkout):
    specs = [yaml.safe_load((checkout / "roles" / role / "meta" / "argument_specs.yml").read_text())
             for role in ROLES]
    options = {option["name"] for role in ROLES.values() for option in role.OPTIONS} | {"vm_workload"}
    nulls = {name: None for spec in specs for name in spec["argument_specs"]["main"]["options"] if name not in options}
    result = play("gpuwright.node.site", {"inference": {"a": nulls}}, "--check")
    assert result.rc == 0, result.output
    assert of(result, "a")["settings"] == []
    assert "a: no setting was checked" in result.output


def test_a_role_that_fails_before_its_module_is_not_an_answer(play):
    result = play("gpuwright.node.site", {"inference": {"a": {"vm_workload": "mining"}}})
    assert result.rc != 0
    assert statuses(result) == {"a": "stopped"}


def test_a_node_in_two_classes_is_named(play):
    result = play("gpuwright.node.site", {"inference": {"a": {}, "b": {}}, "cpu": {"b": {}}})
    assert result.rc != 0
    assert "b (inference, cpu)" in result.output + result.errors
    assert result.ran == []


def test_limit_leaves_the_others_out_of_the_report(play):
    result = play("gpuwright.node.site", {"inference": {"a": {}, "b": {}}, "cpu": {"c": {}}}, "--limit", "b")
    assert result.rc == 0, result.output
    assert statuses(result) == {"b": "answered"}


def test_tags_choose_roles(play):
    result = play("gpuwright.node.site", {"inference": {"a": {}}}, "--tags", "thp", "--check")
    assert result.rc == 0, result.output
    assert result.ran == ["thp check"]
    assert {step["role"] for step in of(result, "a")["settings"]} == {"thp"}


def test_many_hosts_are_merged(play):
    inventory = {"inference": {"n%d" % number: {"vm_swappiness": 1} for number in range(5)}}
    result = play("gpuwright.node.site", inventory, "--check", "-e", "gpuwright_serial=100%")
    assert result.rc == 0, result.output
    lines = [line for line in result.output.splitlines() if "vm.swappiness" in line]
    assert len(lines) == 1
    assert lines[0].split()[:6] == ["5", "hosts", "vm.swappiness", "60", "1", "drift"]
    assert "inference: 5 with drift" in result.output
    assert len(result.report["hosts"]) == 5


def test_the_audit_goes_on_after_failures_and_never_applies(play):
    inventory = {"inference": {"a": DEAD}, "training": {"b": FAILS, "c": {}}, "cpu": {"d": {"vm_workload": "mining"}}}
    result = play("gpuwright.node.audit", inventory)
    assert result.rc != 0
    assert statuses(result) == {"a": "unreachable", "b": "failed", "c": "answered", "d": "failed"}
    assert "'mining' is no workload" in of(result, "d")["message"]
    assert all(line.endswith(" check") for line in result.ran)
    assert result.ran
    assert "3 of 4 nodes gave no whole answer" in result.output + result.errors


def test_the_audit_of_well_nodes_shows_one_report(play):
    result = play("gpuwright.node.audit", {"inference": {"a": NCCL}, "cpu": {"b": {}}})
    assert result.rc == 0, result.output
    assert tables(result) == len(ROLES) + 5
    assert result.output.count("audit.json") == 1


def test_rollback_reports_what_came_back(play):
    result = play("gpuwright.node.rollback", {"inference": {"a": {}}, "training": {"b": {}}}, "--limit", "b")
    assert result.rc == 0, result.output
    assert result.ran == ["rollback apply"]
    assert "10 -> 60" in result.output
    assert "/etc/x" in result.output
    assert statuses(result) == {"b": "answered"}


def test_rollback_stops_at_a_node_that_cannot_be_reached(play):
    result = play("gpuwright.node.rollback", {"inference": {"a": DEAD, "b": {}}})
    assert result.rc != 0
    assert statuses(result) == {"a": "unreachable", "b": "not_reached"}
    assert result.ran == []


def test_a_report_folder_that_cannot_be_written_is_a_warning(play, tmp_path):
    (tmp_path / "file").write_text("")
    result = play("gpuwright.node.site", {"inference": {"a": {}}}, "--check",
                  "-e", "gpuwright_report_dir=%s/file/report" % tmp_path)
    assert result.rc == 0, result.output
    assert result.report is None
    assert "gpuwright_report_dir" in result.errors


def test_the_parts_of_an_older_run_are_not_mixed_in(play, tmp_path):
    play("gpuwright.node.site", {"inference": {"a": {}, "b": {}}}, "--check")
    result = play("gpuwright.node.site", {"inference": {"b": {}}}, "--check")
    assert statuses(result) == {"b": "answered"}
    assert len(list((tmp_path / "report" / ".parts").iterdir())) == 1


def test_another_strategy_in_the_configuration_changes_nothing(play):
    result = play("gpuwright.node.site", {"inference": {"a": FAILS, "b": {}}}, "-e", "gpuwright_serial=1",
                  ANSIBLE_STRATEGY="free")
    assert result.rc != 0
    assert statuses(result) == {"a": "failed", "b": "not_reached"}


def plays_of(checkout, name):
    return [play for play in yaml.safe_load((checkout / "playbooks" / name).read_text()) if "hosts" in play]


def roles_of(play):
    return [task["ansible.builtin.import_role"]["name"] for block in play["tasks"] for task in block.get("block", ())
            if "ansible.builtin.import_role" in task]


def test_site_and_audit_give_the_same_roles_to_the_same_classes(checkout):
    """Models come last and once all nodes are right: site.yml plays vllm.yml, which has batches of its own."""
    site, audit = ({play["hosts"]: roles_of(play) for play in plays_of(checkout, name) if roles_of(play)}
                   for name in ("site.yml", "audit.yml"))
    assert set(site) == {"inference", "training", "cpu"}
    last = yaml.safe_load((checkout / "playbooks" / "site.yml").read_text())[-1]
    assert last["ansible.builtin.import_playbook"] == "vllm.yml"
    site["inference"] += roles_of(plays_of(checkout, "vllm.yml")[0])
    assert site == audit


def test_every_play_of_the_audit_is_in_check_mode(checkout):
    assert all(play["check_mode"] is True for play in plays_of(checkout, "audit.yml"))
