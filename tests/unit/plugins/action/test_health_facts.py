# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action health_facts: passes on what the node says, and fails for one that cannot be reached."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import health_facts


@pytest.fixture
def ask(monkeypatch):
    """Run the action with an answer of the module."""

    def run(execute):
        task = types.SimpleNamespace(args={"gather": ["gpus"]}, async_val=0, check_mode=True, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = health_facts.ActionModule(task, connection, None, None, None, None)
        monkeypatch.setattr(action, "_execute_module", execute)
        return action.run(task_vars={"inventory_hostname": "node1"})

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
