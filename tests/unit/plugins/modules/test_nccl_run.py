# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module nccl_run, run as Ansible runs it: arguments in JSON on its input, one JSON answer on its output."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.modules import nccl_run

from tests.sysroots import nccl_tests_tool


@pytest.fixture
def run(checkout, tmp_path):
    """A function from arguments to the module's answer."""
    tools = nccl_tests_tool.install(tmp_path / "tools", {})
    environment = dict(os.environ, PYTHONPATH=str(checkout / ".cache" / "collections"))

    def answer(check=False, **arguments):
        given = dict({"path": str(tools)}, **arguments, _ansible_check_mode=check)
        done = subprocess.run([sys.executable, "-m", nccl_run.__name__], input=json.dumps(
            {"ANSIBLE_MODULE_ARGS": given}), capture_output=True, text=True, timeout=300, env=environment, check=False)
        return json.loads(done.stdout)
    return answer


START = {"do": "start", "operation": "all_reduce", "begin": 8, "end": 1024, "gpus": 2, "hosts": ["a"],
         "allow": ["busy"]}


def test_a_run_from_its_start_to_its_end(run):
    begun = run(**START)
    text, offset, ended = "", 0, False
    while not ended:
        said = run(do="poll", id=begun["id"], offset=offset, wait=5)
        text, offset, ended = text + said["output"], said["offset"], said["ended"]
    assert said["status"] == 0
    assert text.count("\n") > 10 and "# Avg bus bandwidth" in text
    stopped = run(do="stop", id=begun["id"])
    assert (stopped["changed"], stopped["ran"]) == (False, False)
    assert not os.path.exists(begun["id"])


def test_check_mode_starts_nothing(run, tmp_path):
    said = run(check=True, **START)
    assert said["id"] is None
    assert said["command"][1:3] == ["-b", "8"]
    assert nccl_tests_tool.started(tmp_path / "tools") == []


def test_a_look(run, tmp_path):
    said = run(do="look", operations=["alltoall"], allow=["busy"])
    assert said["programs"] == {"alltoall": str(tmp_path / "tools" / "alltoall_perf")}
    assert set(yaml.safe_load(nccl_run.RETURN)) >= {"programs", "for_mpi", "jobs", "complete", "left", "conf"}


@pytest.mark.parametrize(("arguments", "words"), [
    ({"do": "look", "operations": ["all_reduce"], "path": "/nowhere/at/all", "allow": ["busy"]}, "/nowhere/at/all"),
    ({"do": "stop", "id": "/etc"}, "no run of a benchmark"), ({"do": "poll"}, "id"),
    ({"do": "start", "operation": "all_reduce"}, "begin"), ({"do": "begin"}, "look, start, poll, stop")])
def test_what_cannot_be_fails_in_words(run, arguments, words):
    said = run(**arguments)
    assert said["failed"] is True
    assert words in said["msg"]


def test_the_documentation_names_every_answer(run):
    told = set(yaml.safe_load(nccl_run.RETURN))
    said = [run(check=True, **START), run(do="look", operations=["all_reduce"], allow=["busy"])]
    assert {name for one in said for name in one} - {"changed", "invocation"} - told == set()
