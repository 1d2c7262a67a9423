# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Form of the Python files: head, size, and that the oldest Python of a node can compile what runs there."""

from __future__ import annotations

import ast

import pytest

HEAD = """# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""
# The budgets are 250 and 30 lines, to notice by; what is past these bounds needs to be split.
FILE_LINES = 340
FUNCTION_LINES = 45
VAGUE = {"utils.py", "util.py", "helper.py", "helpers.py", "common.py", "base.py", "misc.py"}
ON_THE_NODE = ("plugins/modules/", "plugins/module_utils/")


@pytest.fixture
def python_files(files, checkout):
    return {name: (checkout / name).read_text() for name in files if name.endswith(".py")}


def test_every_file_says_what_it_is(python_files):
    assert [name for name, text in python_files.items() if not ast.get_docstring(ast.parse(text))] == []


def test_every_plugin_says_who_may_use_it(python_files):
    wrong = [name for name, text in python_files.items()
             if name.startswith("plugins/") and not text.removeprefix("#!/usr/bin/python\n").startswith(HEAD)]
    assert wrong == []


def test_every_file_postpones_annotations(python_files):
    assert [name for name, text in python_files.items() if "\nfrom __future__ import annotations\n" not in text] == []


def test_private_files_say_so(python_files):
    wrong = [name for name, text in python_files.items()
             if name.startswith("plugins/module_utils/") and "PRIVATE to the collection." not in text]
    assert wrong == []


def test_no_file_is_too_long(python_files):
    assert {name: text.count("\n") for name, text in python_files.items() if text.count("\n") > FILE_LINES} == {}


def test_no_function_is_too_long(python_files):
    found = {}
    for name, text in python_files.items():
        for node in ast.walk(ast.parse(text)):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
                length = node.end_lineno - node.lineno + 1
                if length > FUNCTION_LINES:
                    found["%s: %s" % (name, node.name)] = length
    assert found == {}


def test_no_file_has_a_vague_name(python_files):
    assert [name for name in python_files if name.rsplit("/", 1)[-1] in VAGUE] == []


def test_what_runs_on_a_node_compiles_on_old_pythons(python_files):
    checked = [name for name in python_files if name.startswith(ON_THE_NODE)]
    for name in checked:
        ast.parse(python_files[name], filename=name, feature_version=(3, 8))
    assert checked


def test_plugins_do_not_print(python_files):
    found = ["%s:%d" % (name, node.lineno) for name, text in python_files.items() if name.startswith("plugins/")
             for node in ast.walk(ast.parse(text))
             if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print"]
    assert found == []


def test_plugin_folders_are_namespace_packages(files):
    assert [name for name in files if name.startswith("plugins/") and name.endswith("__init__.py")] == []


def test_no_test_is_skipped(python_files):
    words = ("pytest." + "skip", "mark." + "skip", "import" + "orskip", "mark." + "xfail")
    assert [name for name, text in python_files.items() if any(word in text for word in words)] == []
