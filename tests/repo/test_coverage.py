# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every module, filter, action, rule and role variable has a test that names it."""

from __future__ import annotations

import re

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.filter.topology import FilterModule
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES, variables


@pytest.fixture(scope="module")
def tested(checkout):
    """The words of all tests but those of this folder."""
    texts = [path.read_text() for folder in ("tests/unit", "tests/lab", "molecule")
             for path in (checkout / folder).rglob("*") if path.suffix in (".py", ".yml")]
    return set(re.findall(r"[\w/]+(?:\.[\w/]+)*", "\n".join(texts)))


@pytest.mark.parametrize("kind", ["modules", "action", "filter"])
def test_every_plugin_has_a_file_of_tests(kind, checkout):
    missing = [path.name for path in (checkout / "plugins" / kind).glob("*.py")
               if not (checkout / "tests" / "unit" / "plugins" / kind / ("test_" + path.name)).exists()]
    assert missing == []


def test_every_filter_is_named_in_a_test(tested):
    assert [name for name in FilterModule().filters() if name not in tested and "filters." + name not in tested] == []


def test_every_rule_is_provoked_in_a_test(checkout):
    """By the name that its findings carry, in the file of tests of its topic."""
    untested = []
    for path in (checkout / "plugins/module_utils/_rules").glob("*.py"):
        names = set(re.findall(r'finding\("([^"]+)"', path.read_text()))
        tests = checkout / "tests/unit/plugins/module_utils/_rules" / ("test_" + path.name)
        text = tests.read_text() if names else ""
        untested += [name for name in names if '"%s"' % name not in text]
    assert untested == []


def test_every_variable_of_a_role_without_rows_is_named_in_a_test(checkout, tested):
    missing = []
    for path in (checkout / "roles").glob("*/defaults/main.yml"):
        role = path.parts[-3]
        if role not in ROLES:
            names = yaml.safe_load(path.read_text())
            missing += [name for name in names if not {name, name.removeprefix(role + "_")} & tested]
    assert missing == []


@pytest.mark.parametrize("role", sorted(ROLES))
def test_every_variable_is_named_in_a_test(role, tested):
    settings = {row.variable: row.name for row in ROLES[role].ROWS}
    missing = [name for name in variables(role) if not {name, settings.get(name, name)} & tested]
    assert missing == []
