# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles: defaults, specifications and rows agree; tasks stay what they are, one call a role."""

from __future__ import annotations

import re

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES, variables

FORBIDDEN = {"ignore_errors", "loop", "until", "with_items", "with_dict", "set_fact", "shell", "command", "raw"}
FORBIDDEN |= {"ansible.builtin.%s" % name for name in ("set_fact", "shell", "command", "raw")}
ROLE_NAMES = sorted(ROLES)


def _load(checkout, role, name):
    return yaml.safe_load((checkout / "roles" / role / name).read_text())


# Roles that do something instead of setting it: no rows, and an action that checks their variables.
PLAIN_ROLES = ["nccl_benchmark", "vllm_benchmark", "vllm_service"]


def test_every_role_is_in_the_catalogue_or_sets_nothing(checkout):
    assert sorted(path.name for path in (checkout / "roles").iterdir()) == sorted(ROLE_NAMES + PLAIN_ROLES)
    for role in PLAIN_ROLES:
        text = "".join(path.read_text() for path in (checkout / "roles" / role / "tasks").iterdir())
        assert "gpuwright.node.settings" not in text


@pytest.mark.parametrize("role", PLAIN_ROLES)
def test_every_variable_of_a_plain_role_has_its_prefix_a_default_and_a_reader(role, checkout):
    names = sorted(_load(checkout, role, "defaults/main.yml"))
    assert [name for name in names if not name.startswith(role + "_")] == []
    assert names == sorted(_load(checkout, role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"])
    tasks = "".join(path.read_text() for path in (checkout / "roles" / role / "tasks").iterdir())
    assert [name for name in names if not re.search(r"\b%s\b" % name, tasks)] == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_defaults_are_the_variables_of_the_rows(role, checkout):
    assert sorted(_load(checkout, role, "defaults/main.yml")) == sorted(variables(role))


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_variable_has_the_prefix_of_its_role(role):
    assert [name for name in variables(role) if not name.startswith(role + "_")] == []


@pytest.mark.parametrize("role", ROLE_NAMES + PLAIN_ROLES)
def test_specifications_equal_defaults(role, checkout):
    options = _load(checkout, role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    specified = {name: option.get("default") for name, option in options.items()}
    assert specified == _load(checkout, role, "defaults/main.yml")


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_setting_may_be_null(role, checkout):
    options = _load(checkout, role, "meta/argument_specs.yml")["argument_specs"]["main"]["options"]
    settings = {row.variable: options[row.variable] for row in ROLES[role].ROWS}
    assert ArgumentSpecValidator(settings).validate(dict.fromkeys(settings)).error_messages == []


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_plain_defaults_are_legal_values_of_their_rows(role, checkout):
    defaults = _load(checkout, role, "defaults/main.yml")
    for row in ROLES[role].ROWS:
        value = defaults[row.variable]
        if value is not None and "{{" not in str(value):
            row.value.parse(value)


@pytest.mark.parametrize("role", ROLE_NAMES)
def test_every_row_is_handed_to_the_module(role, checkout):
    tasks = _load(checkout, role, "tasks/main.yml")
    handed = {}
    for task in tasks:
        handed.update(task.get("gpuwright.node.settings", {}).get("values", {}))
    assert handed == {row.name: "{{ %s }}" % row.variable for row in ROLES[role].ROWS}


@pytest.mark.parametrize("role", ROLE_NAMES + PLAIN_ROLES)
def test_tasks_are_few_and_plain(role, checkout):
    tasks = _load(checkout, role, "tasks/main.yml")
    assert len(tasks) <= 4
    assert [sorted(set(task) & FORBIDDEN) for task in tasks if set(task) & FORBIDDEN] == []


def test_modules_and_roles_are_named_in_full(checkout):
    found = []
    for path in [*checkout.glob("roles/*/tasks/*.yml"), *checkout.glob("playbooks/*.yml")]:
        text = path.read_text()
        for name in re.findall(r"(?:import_role|include_role):\s*\{?\s*name:\s*([\w.]+)", text):
            if not name.startswith("gpuwright.node."):
                found.append("%s: %s" % (path.name, name))
        for key in _task_modules(yaml.safe_load(text)):
            found.append("%s: %s" % (path.name, key)) if key.count(".") < 2 else None
    assert found == []


_WORDS = {"name", "become", "tags", "when", "run_once", "check_mode", "delegate_to", "register", "changed_when", "vars",
          "failed_when", "no_log", "block", "always", "rescue", "any_errors_fatal", "ignore_unreachable", "timeout",
          "diff", "connection", "until", "retries", "delay", "throttle", "environment", "module_defaults",
          "delegate_facts", "loop", "loop_control"}


def _task_modules(items):
    """The module of every task in a list of tasks or plays."""
    for item in items or ():
        if "hosts" in item:
            for part in ("pre_tasks", "tasks", "post_tasks", "handlers"):
                yield from _task_modules(item.get(part))
            continue
        if "import_playbook" in item or "ansible.builtin.import_playbook" in item:
            continue
        for part in ("block", "always", "rescue"):
            yield from _task_modules(item.get(part))
        if "block" not in item:
            yield from (key for key in item if key not in _WORDS)
