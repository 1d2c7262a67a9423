# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action nccl_benchmark: its stages, and what each leaves to the next one."""

from __future__ import annotations

import json
import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import nccl_benchmark
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import kept
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

OPTIONS = {"scope": "node", "operations": ["all_reduce"], "sizes": "1G", "launcher": None, "launcher_options": [],
           "host": "a", "path": "", "library_path": "", "command_prefix": [], "environment": {}, "gpus": None,
           "iterations": 20, "warmup": 5, "check": True, "timeout": 900, "allow": [], "compare": {}, "minimum": 0.7,
           "rounds": 4, "search": True, "may_be_unmeasured": False, "plot": "none"}
GPU = {"index": 0, "name": "NVIDIA H100 80GB HBM3", "links": {}, "link": {}, "pci_address": "0000:19:00.0"}
LOOK = {"programs": {"all_reduce": "/p"}, "for_mpi": {}, "jobs": [], "complete": True, "left": [], "conf": {"A": "1"}}
OUTPUT = """# nccl-tests version 2.17.9
# Collective test starting: all_reduce_perf
#  Rank  0 Group  0 Pid 1 on a device  0 [0000:19:00] NVIDIA H100 80GB HBM3
#  Rank  1 Group  0 Pid 1 on a device  1 [0000:1a:00] NVIDIA H100 80GB HBM3
#       size         count      type   redop    root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong
  1073741824     268435456     float     sum      -1  2705.31  396.90  396.90       0  2705.31  396.90  396.90       0
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 396.9
"""


@pytest.fixture
def act(tmp_path, monkeypatch):
    """Enter a stage on host a, which answers as `node` says."""
    asked = []

    def run(stage, node=None, check=False, gpus=2, variables=None, **arguments):
        task = types.SimpleNamespace(args=dict(arguments, stage=stage), async_val=0, check_mode=check, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = nccl_benchmark.ActionModule(task, connection, None, None,
                                             types.SimpleNamespace(template=lambda value: value), None)

        def execute(module_name, module_args, task_vars):
            asked.append((module_name, module_args["do"]))
            if (node or {}).get("dead"):
                raise AnsibleConnectionFailure("no route")
            answers = {"look": LOOK, "start": {"id": None if check else "x", "command": ["/p"]}, "stop": {"ran": False},
                       "poll": {"output": OUTPUT, "offset": 1, "ended": True, "status": 0, "timed_out": False}}
            return dict(answers[module_args["do"]], **(node or {}).get(module_args["do"], {}))

        monkeypatch.setattr(action, "_execute_module", execute)
        monkeypatch.setattr(nccl_benchmark.show, "lines", lambda lines: run.said.extend(text for text, _kind in lines))
        topology = {"gpus": [dict(GPU, index=index) for index in range(gpus)]} if gpus is not None else None
        return action.run(task_vars=dict({
            "inventory_hostname": "a", "gpuwright_report_dir": str(tmp_path), "ansible_facts": {"topology": topology},
            "ansible_play_batch": ["a"], "ansible_play_hosts": ["a"], "ansible_play_hosts_all": ["a", "gone"]},
            **(variables or {})))

    run.said, run.asked = [], asked
    return run


def whole(act, **more):
    """All stages up to the report."""
    assert act("look", options=dict(OPTIONS, may_be_unmeasured=True), **more)["ready"]
    planned = act("plan", **more)
    assert (planned["plan"], planned["rounds"]) == ("1", 1)
    assert "skipped" not in act("run", plan="1", round=0, **more)


def test_from_the_look_to_the_report(act, tmp_path):
    whole(act)
    assert act.asked == [("gpuwright.node.nccl_run", what) for what in ("look", "start", "poll", "stop")]
    assert act("plan", after="1")["rounds"] == 0
    said = act("report")
    assert said["summary"]["not_measured"] >= 1
    made = json.loads((tmp_path / "benchmark.json").read_text())
    assert made["runs"][0]["measured"] == 396.9
    assert made["lost"] == [{"host": "gone", "why": "it failed before, or could not be reached"}]
    assert (tmp_path / "benchmark" / "node-a.all_reduce.log").read_text() == OUTPUT
    assert "  a: all_reduce: 1G at 396.9 GB/s" in act.said


def test_what_was_not_measured_fails_the_play_unless_it_may_be(act):
    act("look", options=OPTIONS, gpus=0)
    act("plan")
    act("run", plan="1", round=0)
    said = act("report")
    assert said["failed"] and "no pass" in said["msg"]


def test_check_mode_measures_nothing_and_fails_nothing(act, tmp_path):
    whole(act, check=True)
    assert "failed" not in act("report", check=True)
    made = json.loads((tmp_path / "benchmark.json").read_text())
    assert made["runs"][0]["reasons"] == ["check mode: nothing was started"]
    assert ("gpuwright.node.nccl_run", "poll") not in act.asked


@pytest.mark.parametrize(("more", "options", "words"), [
    ({"gpus": None}, {}, "topology is not known"), ({"gpus": 0}, {}, "it has no GPU"),
    ({"gpus": 2}, {"gpus": 4}, "nccl_benchmark_gpus is 4, and it has 2"),
    ({"node": {"dead": True}}, {}, "cannot be reached"),
    ({"node": {"look": {"failed": True, "msg": "the node is busy: x"}}}, {}, "the node is busy: x")])
def test_a_node_that_cannot_take_part_says_why_and_fails_nothing_yet(act, more, options, words):
    said = act("look", options=dict(OPTIONS, **options), **more)
    assert "failed" not in said
    assert (said["ready"], words in said["why"]) == (False, True)


@pytest.mark.parametrize(("options", "variables", "words"), [
    ({"scope": "nodes"}, {}, "did you mean node"), ({}, {"nccl_benchmark_gpu": 1}, "did you mean nccl_benchmark_gpus")])
def test_bad_input_fails_before_a_node_is_asked(act, options, variables, words):
    said = act("look", options=dict(OPTIONS, **options), variables=variables)
    assert said["failed"] and words in said["msg"]
    assert act.asked == []


def test_a_host_on_which_no_run_begins_is_skipped(act, tmp_path):
    whole(act)
    said = act("run", plan="1", round=0, variables={"inventory_hostname": "b"})
    assert said["skipped"] is True


def test_of_many_runs_at_once_only_the_end_is_said(act, monkeypatch):
    monkeypatch.setattr(nccl_benchmark, "_MANY", 0)
    whole(act)
    assert [line for line in act.said if "all_reduce" in line] == ["  node-a.all_reduce: done in 0 s"]


def test_health_before_is_kept_for_the_report(act, tmp_path):
    found = [{"severity": "E", "message": "Xid 79"}, {"severity": "W", "message": "hot"}]
    parts.keep("a", "health", {"rules": found}, str(tmp_path))
    act("look", options=OPTIONS)
    assert kept.everything(str(tmp_path), "look")["a"]["health"] == ["Xid 79"]


def test_nothing_without_a_look(act):
    assert "no host of this play was looked at" in act("plan")["msg"]


def test_nothing_without_a_place_to_keep_it(act, tmp_path):
    (tmp_path / "file").write_text("")
    said = act("look", options=OPTIONS, variables={"gpuwright_report_dir": str(tmp_path / "file" / "x")})
    assert said["failed"] and "gpuwright_report_dir" in said["msg"]
