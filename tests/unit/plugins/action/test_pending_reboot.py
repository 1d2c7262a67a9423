# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action pending_reboot: passes on what the node says, and keeps it with the node's variables for the plan."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.action import pending_reboot
from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state
from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts

ANSWER = {"pending": [], "reboot_required": False, "settings": [{"name": "x"}], "boot_id": "one"}


@pytest.fixture
def act(tmp_path, monkeypatch):
    def run(answer, **variables):
        task = types.SimpleNamespace(args={"also": ["distribution"]}, async_val=0, check_mode=True, diff=False)
        connection = types.SimpleNamespace(_shell=types.SimpleNamespace(tmpdir="/nowhere"))
        templar = types.SimpleNamespace(template=lambda value: value)
        action = pending_reboot.ActionModule(task, connection, None, None, templar, None)

        def execute(module_name, module_args, task_vars):
            assert (module_name, module_args) == ("gpuwright.node.pending_reboot", {"also": ["distribution"]})
            if isinstance(answer, Exception):
                raise answer
            return dict(answer)

        monkeypatch.setattr(action, "_execute_module", execute)
        return action.run(task_vars=dict({"inventory_hostname": "a", "gpuwright_report_dir": str(tmp_path)},
                                         **variables))
    return run


def test_the_answer_is_kept_without_its_settings(act, tmp_path):
    assert act(ANSWER, rack="r1")["settings"] == [{"name": "x"}]
    kept = state.answer(str(tmp_path), "a", parts.current_run())
    assert kept["answer"] == {"pending": [], "reboot_required": False, "boot_id": "one"}
    assert kept["variables"]["rack"] == "r1"


def test_a_node_that_is_silent_has_failed_and_nothing_is_kept(act, tmp_path):
    result = act(AnsibleConnectionFailure("no route"))
    assert result["failed"] and "cannot be reached" in result["msg"] and "unreachable" not in result
    assert state.answer(str(tmp_path), "a", parts.current_run()) is None


def test_a_variable_that_is_wrong_asks_no_node(act):
    result = act(AssertionError("asked"), gpuwright_drain="slrum")
    assert result["failed"] and "slurm" in result["msg"]
