# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Module nccl_benchmark: what its documentation says is what its action takes and the role hands over."""

from __future__ import annotations

import ast
import inspect

import yaml

from ansible_collections.gpuwright.node.plugins.action import nccl_benchmark as action
from ansible_collections.gpuwright.node.plugins.modules import nccl_benchmark

CHECKED = ("type", "required", "choices", "elements", "default")


def test_every_stage_is_documented_and_carried_out():
    stage = yaml.safe_load(nccl_benchmark.DOCUMENTATION)["options"]["stage"]
    for name in stage["choices"]:
        assert callable(getattr(action.ActionModule, "_" + name))
        assert any("V(%s)" % name in line for line in stage["description"])


def test_the_documentation_says_what_the_action_takes():
    calls = [node for node in ast.walk(ast.parse(inspect.getsource(action)))
             if isinstance(node, ast.Call) and getattr(node.func, "attr", "") == "validate_argument_spec"]
    documented = {name: {key: option[key] for key in CHECKED if key in option}
                  for name, option in yaml.safe_load(nccl_benchmark.DOCUMENTATION)["options"].items()}
    assert documented == ast.literal_eval(calls[0].args[0])
    assert not hasattr(nccl_benchmark, "main")


def test_the_role_uses_every_option(checkout):
    text = "".join(path.read_text() for path in (checkout / "roles" / "nccl_benchmark" / "tasks").iterdir())
    for name in yaml.safe_load(nccl_benchmark.DOCUMENTATION)["options"]:
        assert "    %s:" % name in text


def test_examples_and_return_values_are_yaml():
    assert yaml.safe_load(nccl_benchmark.EXAMPLES)
    assert {"ready", "rounds", "summary", "blame"} <= set(yaml.safe_load(nccl_benchmark.RETURN))
