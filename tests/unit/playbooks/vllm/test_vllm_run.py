# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""vllm.yml with the real ansible-playbook, role and action; the nodes are files, and a stand-in is their module."""

from __future__ import annotations

import json
import re

ONE = {"name": "one", "model": "/models/one"}
TWO = {"name": "two", "model": "/models/two", "port": 8001}
THREE_NODES = {"n1": {}, "n2": {}, "n3": {}}
PAIR = {"name": "pair", "model": "/models/pair", "port": 8002, "nodes": ["n1", "n2"]}


def addressed(*names):
    return {name: {"vllm_service_address": "192.0.2.%d" % number} for number, name in enumerate(names, 1)}


def stages(played, *wanted):
    return [line for line in played.ran if line.split()[0] in wanted]


def recap(played):
    """{host: {changed, failed, ...}} of the last lines that ansible prints."""
    lines = played.said.partition("PLAY RECAP")[2].splitlines()[1:]
    return {line.split(":")[0].strip(): dict(word.split("=") for word in line.split(":")[1].split())
            for line in lines if " : " in line or "ok=" in line}


def test_one_instance_after_the_other_and_a_second_run_changes_nothing(serve, world):
    played = serve({"n1": {}}, vllm_service_instances=[ONE, TWO])
    assert played.rc == 0, played.said
    assert stages(played, "switch", "verify", "keep") == [
        "switch n1 one", "verify n1 one", "keep n1 one", "switch n1 two", "verify n1 two", "keep n1 two"]
    assert set(world.get("n1")["serves"]) == {"one", "two"}
    assert {name: told["result"] for name, told in played.nodes["n1"].items()} == {"one": "kept", "two": "kept"}
    again = serve({"n1": {}}, vllm_service_instances=[ONE, TWO])
    assert again.rc == 0 and stages(again, "switch") == []
    assert recap(again)["n1"]["changed"] == "0"
    changed = serve({"n1": {}}, vllm_service_instances=[ONE, dict(TWO, arguments={"max-model-len": 4096})])
    assert stages(changed, "switch") == ["switch n1 two"]


def test_check_shows_the_command_and_the_difference_and_writes_nothing(serve, world):
    before = json.dumps(world.get("n1")) if (world.folder / "n1.json").exists() else None
    played = serve({"n1": {}}, "--check", "--diff", vllm_service_instances=[ONE])
    assert played.rc == 0, played.said
    assert "/opt/engine/bin/vllm serve --config /etc/vllm/one.yaml" in played.said
    assert "vllm@one on n1: would start" in played.said and "two sentences on one" in played.said
    assert '+ "name": "one"' in played.said
    assert world.get("n1") == {"serves": {}} and before is None
    assert stages(played, "switch", "verify", "keep", "put_back") == []


def test_a_node_that_fails_is_put_back_and_the_others_are_not_touched(serve, world):
    assert serve(THREE_NODES, vllm_service_instances=[ONE]).rc == 0
    old = world.get("n1")["serves"]["one"]
    world.put("n1", serves={"one": old}, looks={"one": ["wait", "differs"]})
    played = serve(THREE_NODES, vllm_service_instances=[dict(ONE, arguments={"max-model-len": 4096})])
    assert played.rc != 0
    assert stages(played, "switch", "put_back", "keep") == ["switch n1 one", "put_back n1 one"]
    assert all(world.get(host)["serves"]["one"] == old for host in THREE_NODES)
    assert re.search(r"n1: planted: differs; the old one serves again; it was down for \d+ s", played.said), played.said
    assert {host: told["one"]["result"] for host, told in played.nodes.items()} == {
        "n1": "put_back", "n2": "not_reached", "n3": "not_reached"}
    assert "0 of 3 done" in played.said and "Stopped: one failed: n1: planted: differs" in played.said
    assert played.audit["hosts"]["n1"]["status"] == "failed"


def test_a_replica_on_two_nodes_restarts_as_one_and_is_put_back_as_one(serve, world):
    hosts = addressed("n1", "n2", "n3")
    first = serve(hosts, vllm_service_instances=[PAIR, ONE])
    assert first.rc == 0, first.said
    assert first.ran.index("switch n2 pair") < first.ran.index("verify n1 pair")
    several = world.get("n2")["serves"]["pair"]["several"]
    assert several["node_rank"] == 1 and several["master_addr"] == "192.0.2.1" and several["nnodes"] == 2
    old = {host: world.get(host) for host in hosts}
    world.put("n2", serves=old["n2"]["serves"], looks={"pair": ["differs"]})
    played = serve(hosts, vllm_service_instances=[dict(PAIR, arguments={"max-model-len": 4096}), ONE])
    assert played.rc != 0
    assert sorted(stages(played, "switch", "put_back", "keep")) == [
        "put_back n1 pair", "put_back n2 pair", "switch n1 pair", "switch n2 pair"]
    assert {host: world.get(host)["serves"] for host in hosts} == {host: node["serves"] for host, node in old.items()}


def test_a_replica_of_which_one_node_is_due_restarts_on_both(serve, world):
    hosts = addressed("n1", "n2")
    assert serve(hosts, vllm_service_instances=[PAIR]).rc == 0
    world.put("n2", serves={})
    played = serve(hosts, vllm_service_instances=[PAIR])
    assert played.rc == 0, played.said
    assert sorted(stages(played, "switch")) == ["switch n1 pair", "switch n2 pair"]
    limited = serve(hosts, "--limit", "n1", vllm_service_instances=[dict(PAIR, served_name="x")])
    assert limited.rc != 0 and "not in this run: n2: leave --limit off" in limited.said
    assert stages(limited, "switch") == []


def test_what_could_not_be_brought_is_in_the_report_and_nothing_restarts(serve, world):
    played = serve({"n1": {}, "n2": {"no_model": "the hub\nis away"}}, vllm_service_instances=[ONE])
    assert played.rc != 0 and stages(played, "switch") == []
    assert played.audit["hosts"]["n2"]["status"] == "failed"
    said = json.dumps(played.audit["hosts"]["n2"])
    assert "no instance was touched: Bring the model files: the hub is away" in said, said
    assert world.get("n1")["serves"] == {} and "undefined" not in played.said
    assert played.audit["hosts"]["n1"]["status"] != "failed"


def test_wrong_input_is_said_before_any_node_is_asked(serve):
    hosts = dict(addressed("n1", "n2"), n2={"vllm_service_address": "192.0.2.1", "vllm_service_instance": []},
                 n3={"vllm_service_instances": [ONE, dict(TWO, port=8000)]},
                 n4={"vllm_service_instances": [dict(PAIR, nodes=["n4", "n22"])]})
    played = serve(hosts, vllm_service_instances=[PAIR])
    assert played.rc != 0 and played.ran == []
    told = {host: played.audit["hosts"][host]["message"] for host in hosts}
    assert "n1 and n2 have the same address 192.0.2.1" in told["n1"]
    assert "vllm_service_instance: after vllm_service_, did you mean instances?" in told["n2"]
    assert "instances one and two both want port 8000" in told["n3"]
    assert "n22 is not in the inventory; did you mean n2?" in told["n4"] or "known: n1, n2" in told["n4"]


def test_a_problem_on_one_node_stops_all_before_the_first_restart(serve, world):
    world.put("n2", problems=["instance one: no-such-flag: no such flag"])
    played = serve(THREE_NODES, vllm_service_instances=[ONE])
    assert played.rc != 0 and "no-such-flag" in played.said
    assert stages(played, "switch") == []


def test_two_versions_in_one_replica_are_refused(serve, world):
    world.put("n1", versions={"pair": "0.33.0"})
    world.put("n2", versions={"pair": "0.32.0"})
    played = serve(addressed("n1", "n2"), vllm_service_instances=[PAIR])
    assert played.rc != 0 and "vLLM is 0.33.0 on n1 and 0.32.0 on n2" in played.said
    assert stages(played, "switch") == []


def test_a_node_that_is_gone_stops_the_run_and_is_in_the_report(serve, world):
    hosts = dict(THREE_NODES, n2={"ansible_connection": "gpuwright.standin.dead"})
    played = serve(hosts, vllm_service_instances=[ONE])
    assert played.rc != 0 and stages(played, "switch") == []
    assert played.audit["hosts"]["n2"]["status"] == "unreachable"


def test_what_leaves_the_list_leaves_the_node_before_others_come(serve, world):
    assert serve({"n1": {}}, vllm_service_instances=[ONE]).rc == 0
    played = serve({"n1": {}}, vllm_service_instances=[TWO])
    assert played.rc == 0, played.said
    assert stages(played, "switch") == ["switch n1 one", "switch n1 two"]
    assert set(world.get("n1")["serves"]) == {"two"}


def test_a_placement_becomes_instances(serve, world, tmp_path):
    entry = {"name": "replica0", "nnodes": 2, "nodes": ["n1", "n2"], "gpus": [0, 1], "master_port": 29501,
             "tensor_parallel_size": 2, "pipeline_parallel_size": 2}
    placement = {"vllm_service_placement": {
        "n1": [dict(entry, node_rank=0, address="192.0.2.1")], "n2": [dict(entry, node_rank=1, address="192.0.2.2")]}}
    (tmp_path / "placement.yml").write_text(json.dumps(placement))
    hosts = {"n1": {}, "n2": {}, "n3": {}}
    assert "vllm_service_placed says what they serve" in serve(hosts, "-e", "@placement.yml").said
    played = serve(hosts, "-e", "@placement.yml", vllm_service_placed={"model": "/models/big"})
    assert played.rc == 0, played.said
    made = world.get("n2")["serves"]["replica0"]
    assert made["gpus"] == ["0", "1"] and made["several"]["address"] == "192.0.2.2"
    assert made["arguments"]["pipeline-parallel-size"] == 2 and world.get("n3")["serves"] == {}


def test_secrets_are_nowhere(serve, tmp_path):
    played = serve({"n1": {}}, "-vvv", "--diff", vllm_service_instances=[ONE],
                   vllm_service_secrets={"one": {"api_key": "sk-very-secret"}})
    assert played.rc == 0
    files = [path for path in played.report.rglob("*") if path.is_file()]
    assert files and not [path for path in files if "sk-very-secret" in path.read_text()]
    assert "sk-very-secret" not in played.said
    wrong = serve({"n1": {}}, vllm_service_instances=[ONE], vllm_service_secrets={"one": {"apikey": "sk-very-secret"}})
    assert "apikey: did you mean api_key?" in wrong.said and "sk-very-secret" not in wrong.said


def test_a_node_that_serves_nothing_has_answered_and_every_change_is_in_the_report(serve):
    hosts = {"n1": {"vllm_service_instances": [ONE]}, "n2": {"vllm_service_instances": [ONE]}, "n3": {}}
    played = serve(hosts)
    assert played.rc == 0 and {host: told["status"] for host, told in played.audit["hosts"].items()} == dict.fromkeys(
        hosts, "answered")
    assert "n1: 1 changed" in played.said and "n2: 1 changed" in played.said
    assert "3 of 3 hosts answered" in played.said


def test_a_play_of_one_s_own_with_serial_1_restarts_each_batch_by_itself(serve, tmp_path):
    own = tmp_path / "own.yml"
    own.write_text("- hosts: inference\n  gather_facts: false\n  serial: 1\n  roles: [gpuwright.node.vllm_service]\n")
    played = serve({"n1": {}, "n2": {}}, playbook=str(own), vllm_service_instances=[ONE])
    assert played.rc == 0, played.said
    assert played.said.count("1 of 1 done") == 2 and "2 of 2 done" not in played.said
