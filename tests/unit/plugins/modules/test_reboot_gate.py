# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module reboot_gate: its documentation is that of its action, and there is no more to it."""

from __future__ import annotations

import ast
import inspect

import yaml

from ansible_collections.gpuwright.node.plugins.action import reboot_gate as action
from ansible_collections.gpuwright.node.plugins.modules import reboot_gate as module

CHECKED = ("type", "required", "choices", "elements", "default")


def taken():
    """The options that the action validates."""
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(action)))
             if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "validate_argument_spec"]
    return ast.literal_eval(calls[0].args[0])


def test_the_documentation_says_what_the_action_takes():
    documented = {name: {key: option[key] for key in CHECKED if key in option}
                  for name, option in yaml.safe_load(module.DOCUMENTATION).get("options", {}).items()}
    assert documented == taken()


def test_there_is_nothing_in_it_that_could_run_on_a_node():
    assert not hasattr(module, "main")
