# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is scraped: instances that run, each at one place, in the form of file_sd."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import targets, thresholds

SAID = thresholds.read({})


def test_an_instance_is_scraped_at_its_port_and_its_first_node():
    both = targets.instances([{"name": "llama", "port": 8001}, {"name": "big", "nodes": ["n2", "n1"]},
                              {"name": "off", "state": "stopped"}, "rubbish", {"model": "x"}])
    hosts = {"n1": {"address": "10.0.0.1", "rack": 7, "instances": both},
             "n2": {"address": "fd00::2", "rack": None, "instances": both[1:2]}}
    found = targets.targets(hosts, SAID)
    assert found["vllm"] == [
        {"targets": ["10.0.0.1:8001"], "labels": {"node": "n1", "rack": "7", "vllm_instance": "llama"}},
        {"targets": ["[fd00::2]:8000"], "labels": {"node": "n2", "vllm_instance": "big"}}]
    assert [one["targets"] for one in found["node"]] == [["10.0.0.1:9100"], ["[fd00::2]:9100"]]
    assert found["dcgm"] == []


def test_replicas_of_a_placement_are_scraped_one_port_after_the_other():
    entries = [{"name": "replica-0", "nodes": ["n1", "n2"]}, {"name": "replica-1", "nodes": ["n1"]}]
    found = targets.instances([{"name": "own", "nodes": "n1", "port": "7000"}], entries, {"model": "/m", "port": 9000})
    assert [(one["name"], one["port"], one["nodes"]) for one in found] == [
        ("own", 7000, ["n1"]), ("replica-0", 9000, ["n1", "n2"]), ("replica-1", 9001, ["n1"])]
    hosts = {"n1": {"address": "a", "instances": found}, "n2": {"address": "b", "instances": targets.instances(
        [], entries[:1], {"model": "/m", "port": 9000})}}
    assert [one["targets"] for one in targets.targets(hosts, SAID)["vllm"]] == [["a:7000"], ["a:9000"], ["a:9001"]]
    stopped = targets.instances([], entries, {"state": "stopped", "port": "eight"})
    assert [(one["port"], one["state"]) for one in stopped] == [(8000, "stopped"), (8001, "stopped")]


def test_what_was_never_said_is_nothing():
    assert targets.instances(None) == []


def test_a_job_is_there_where_something_is_scraped():
    jobs = [job["job_name"] for job in targets.scrape_configs(SAID)["scrape_configs"]]
    assert jobs == ["vllm", "node"]
    assert len(targets.scrape_configs(thresholds.read({"dcgm_port": 9400, "node_port": None}))["scrape_configs"]) == 2
