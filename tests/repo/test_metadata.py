# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""galaxy.yml, meta/ and the requirements say what is there."""

from __future__ import annotations

import re

import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES


def _load(path):
    return yaml.safe_load(path.read_text())


def test_the_action_group_holds_every_module(checkout):
    modules = {path.stem for path in (checkout / "plugins" / "modules").glob("*.py")}
    assert set(_load(checkout / "meta/runtime.yml")["action_groups"]["node"]) == modules


def test_every_action_has_its_module(checkout):
    modules = {path.stem for path in (checkout / "plugins" / "modules").glob("*.py")}
    assert {path.stem for path in (checkout / "plugins" / "action").glob("*.py")} <= modules


def test_requirements_are_pinned(checkout):
    for name in ("requirements.txt", "requirements-dev.txt", "tests/bench/requirements.txt"):
        for line in (checkout / name).read_text().splitlines():
            assert re.match(r"#|-r |[\w-]+==[\d.]+( ; python_version .*)?$", line), "%s: %s" % (name, line)


def test_the_execution_environment_names_files_that_are_there(checkout):
    for name in _load(checkout / "meta/execution-environment.yml")["dependencies"].values():
        assert (checkout / name).is_file()


def test_collections_named_in_tasks_are_declared(checkout):
    declared = set(_load(checkout / "galaxy.yml")["dependencies"]) | {"ansible.builtin", "gpuwright.node"}
    settings = {row.name for role in ROLES.values() for row in role.ROWS}
    found = set()
    for path in [*checkout.glob("roles/**/*.yml"), *checkout.glob("playbooks/*.yml")]:
        found |= set(re.findall(r"^\s*-?\s*([a-z_]+\.[a-z_]+\.[a-z_]+):", path.read_text(), re.M)) - settings
    assert {name.rpartition(".")[0] for name in found} - declared == set()


def test_the_least_ansible_is_the_one_that_is_tested(checkout):
    least = re.search(r">=(\d+\.\d+)", _load(checkout / "meta/runtime.yml")["requires_ansible"]).group(1)
    assert "ansible-core==%s." % least in (checkout / "requirements.txt").read_text()
