# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action topology_facts: passes on what the node says, and keeps it for the report."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import topology_facts
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts


@pytest.fixture
def ask(tmp_path, monkeypatch):
    """Run the action with an answer of the module."""

    def run(execute):
        task = types.SimpleNamespace(args={"sysroot": "/"}, async_val=0, check_mode=True, diff=False)
        templar = types.SimpleNamespace(template=lambda value: value)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        action = topology_facts.ActionModule(task, connection, None, None, templar, None)
        monkeypatch.setattr(action, "_execute_module", execute)
        variables = {"inventory_hostname": "node1", "gpuwright_report_dir": str(tmp_path)}
        return action.run(task_vars=variables), parts.of_host("node1", str(tmp_path)).get("topology")

    return run


class Frozen(dict):
    """A lazy container, which the templating of ansible-core makes of a fact."""

    def _non_lazy_copy(self):
        return {"thawed": True}


def test_the_topology_is_returned_and_kept(ask):
    result, kept = ask(lambda **_asked: {"changed": False, "ansible_facts": {"topology": {"schema": 1}}})
    assert result["ansible_facts"]["topology"] == {"schema": 1}
    assert kept == {"topology": {"schema": 1}, "failed": None}


def test_a_lazy_topology_is_thawed_first(ask):
    _result, kept = ask(lambda **_asked: {"ansible_facts": {"topology": Frozen()}})
    assert kept["topology"] == {"thawed": True}


def test_a_node_that_cannot_be_reached_is_kept_as_that(ask):
    def execute(**_asked):
        raise AnsibleConnectionFailure("no route to host")

    result, kept = ask(execute)
    assert result["failed"] is True
    assert kept["no_answer"] is True
    assert "no route to host" in kept["failed"]
