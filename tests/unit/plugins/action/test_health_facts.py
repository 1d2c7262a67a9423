# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action health_facts: passes on what the node says, and fails for one that cannot be reached."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import health_facts
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts


class Templar:
    """A templar for what holds no template."""

    @staticmethod
    def template(value):
        return value


@pytest.fixture
def ask(monkeypatch, tmp_path):
    """Run the action with an answer of the module."""

    def run(execute, **given):
        task = types.SimpleNamespace(args=dict(given, gather=["gpus"]), async_val=0, check_mode=True, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = health_facts.ActionModule(task, connection, None, None, Templar(), None)
        monkeypatch.setattr(action, "_execute_module", execute)
        return action.run(task_vars={"inventory_hostname": "node1", "gpuwright_report_dir": str(tmp_path)})

    return run


def test_the_health_is_returned(ask):
    asked = {}

    def execute(**arguments):
        asked.update(arguments)
        return {"changed": False, "ansible_facts": {"health": {"schema": 1}}}

    assert ask(execute)["ansible_facts"] == {"health": {"schema": 1}}
    assert asked["module_name"] == "gpuwright.node.health_facts"
    assert asked["module_args"] == {"gather": ["gpus"]}


def test_a_node_that_cannot_be_reached_fails(ask):
    def execute(**_asked):
        raise AnsibleConnectionFailure("no route to host")

    result = ask(execute)
    assert result["failed"] is True and "unreachable" not in result
    assert "no route to host" in result["msg"]


def test_the_verdict_goes_into_the_report(ask, tmp_path):
    found = [{"severity": "E", "device": "0000:19:00.0", "what": "xid_79", "message": "Xid 79: fallen off the bus"}]
    answer = {"failed": True, "msg": "worse than before", "health": {"verdict": found}}
    ask(lambda **_asked: answer, before={"schema": 1})
    kept = parts.of_host("node1", str(tmp_path))["health"]
    assert kept["failed"] == "worse than before"
    assert kept["rules"] == [{"rule": "health", "severity": "E", "setting": None,
                              "message": "0000:19:00.0: Xid 79: fallen off the bus"}]
