# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Asking a node: whatever happens becomes an answer, and a node that cannot be reached is a failure."""

from __future__ import annotations

import types

import pytest
from ansible.errors import AnsibleConnectionFailure

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import ask


def test_a_result_is_passed_on():
    action = types.SimpleNamespace(_execute_module=lambda **asked: asked)
    assert ask.ask(action, "a.b.c", {"x": 1}, {"y": 2}) == {
        "module_name": "a.b.c", "module_args": {"x": 1}, "task_vars": {"y": 2}}


def test_a_node_that_cannot_be_reached_has_failed():
    def execute(**_asked):
        raise AnsibleConnectionFailure("no route to host")

    result = ask.ask(types.SimpleNamespace(_execute_module=execute), "a.b.c", {}, {})
    assert result["failed"] is True
    assert "no route to host" in result["msg"]
    assert "unreachable" not in result
    assert ask.failure(result)["no_answer"] is True


CRASH = types.SimpleNamespace(event=types.SimpleNamespace(msg="No module named 'x'"))


@pytest.mark.parametrize(("result", "words"), [
    ({"failed": True, "msg": "planted"}, "planted"),
    ({"failed": True, "exception": CRASH}, "No module named 'x'"),
    ({"failed": True, "exception": "Traceback", "module_stderr": "segv"}, "segv"),
    ({"failed": True}, "failed without a message"),
    ({"failed": False, "msg": "fine"}, None),
    ({}, None),
])
def test_why_there_was_no_answer(result, words):
    assert ask.failure(result)["failed"] == words


def test_an_answer_has_what_the_report_shows_and_no_more():
    result = {"settings": [], "rules": [], "reboot_required": False, "changed": True, "diff": {"before": "x"},
              "invocation": {}}
    assert ask.answer(result, True) == {"settings": [], "rules": [], "reboot_required": False, "changed": True,
                                        "notes": None, "check_mode": True, "failed": None}


def test_what_python_said_before_it_died_is_told():
    result = {"failed": True, "msg": "no JSON", "module_stderr": "pyenv: python3.13: command not found\r\n"}
    assert ask.failure(result)["failed"] == "no JSON: pyenv: python3.13: command not found"
