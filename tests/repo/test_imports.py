# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports run downwards only, and one file alone touches the machine."""

from __future__ import annotations

import ast
import sys

import pytest

PACKAGE = "ansible_collections.gpuwright.node.plugins.module_utils"
MACHINE = {"os", "subprocess", "shutil", "socket", "pathlib", "tempfile", "glob", "fcntl", "signal", "stat", "time",
           "ctypes", "resource"}
# What reads the machine, what changes it, what holds a command that outlives a module, and what has files in it that
# are larger than memory.
HOST = ("plugins/module_utils/_files.py", "plugins/module_utils/_host.py", "plugins/module_utils/_supervise.py",
        "plugins/module_utils/_vllm/model/volume.py")
# What opens sockets: the downloads of model files, and the requests to an engine.
NETWORK = {"urllib.request", "urllib.error", "http.client", "ssl", "socket"}
SOCKETS = ("plugins/module_utils/_vllm/model/download.py", "plugins/module_utils/_vllm/verification/http.py")
# What each part may import of the parts below module_utils; a part is a folder or a file there.
BELOW = {
    "_files": set(),
    "_supervise": set(),
    "_host": {"_files", "_supervise"},
    "_cpulist": set(),
    "_cmdline": set(),
    "_process": {"_cpulist"},
    "_values": {"_cpulist"},
    "_cpu_values": {"_values", "_cpulist"},
    "_device_values": {"_values"},
    "_block_values": {"_device_values", "_values"},
    "_qos_values": {"_values"},
    "_limit_values": {"_values"},
    "_network_values": {"_values"},
    "_nccl_names": {"_values"},
    "_nccl_lists": {"_values"},
    "_nccl_text": {"_values"},
    "_nccl_values": {"_nccl_names", "_nccl_lists", "_nccl_text", "_values"},
    "_row": {"_values"},
    "_derive": {"_values", "_cpulist", "_nccl_names"},
    "_rules": {"_values", "_limit_values", "_nccl_names", "_nccl_text", "_nccl_lists", "_cpulist", "_cmdline",
               "_owners", "_topology", "_derive"},
    "_settings": {"_row", "_values", "_block_values", "_cpu_values", "_limit_values", "_network_values",
                  "_device_values", "_qos_values", "_nccl_names", "_nccl_text", "_nccl_values", "_rules"},
    "_topology": {"_host", "_cpulist"},
    "_health": {"_host", "_cpulist", "_topology"},
    "_owners": {"_host", "_values", "_limit_values", "_cpulist", "_cmdline", "_topology"},
    "_benchmark": {"_host", "_values", "_owners"},
    "_vllm_bench": {"_host", "_values", "_kinds", "_derive", "_benchmark", "_vllm"},
    "_boot": {"_host", "_values", "_cpulist", "_cmdline"},
    "_kinds": {"_host", "_values", "_limit_values", "_row", "_cpulist", "_cmdline", "_owners", "_topology",
               "_derive", "_boot"},
}
# The one changes nothing but the process that calls it; the other asks an engine and gives up after a while.
ALSO = {"plugins/module_utils/_process.py": {"os", "signal", "ctypes"},
        "plugins/module_utils/_vllm/verification/http.py": {"socket", "time"}}
TOP = {"_plan", "_drop_ins", "_apply", "_result", "_rollback", "_guard", "_conflicts", "_desired",
       "_runner", "_reboot"}  # Nothing below may import these.
USES_THE_ENGINE = {"_vllm"}  # Its instances are no rows, and share the journal, the lock and the rollback with them.


@pytest.fixture
def imports(files, checkout):
    """Every import below plugins: file -> full names of what it imports."""
    found = {}
    for name in files:
        if name.startswith("plugins/") and name.endswith(".py"):
            found[name] = set(_imported(name, ast.parse((checkout / name).read_text())))
    return found


def _imported(name, tree):
    here = ["ansible_collections", "gpuwright", "node"] + name.removesuffix(".py").split("/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            start = ".".join(here[:-node.level]) + "." if node.level else ""
            base = (start + (node.module or "")).rstrip(".")
            yield base
            yield from ("%s.%s" % (base, alias.name) for alias in node.names)


def _part(name):
    return name.removeprefix("plugins/module_utils/").removesuffix(".py").split("/")[0]


def _parts(names):
    """The parts of module_utils among some imported names."""
    return {name.removeprefix(PACKAGE + ".").split(".")[0] for name in names if name.startswith(PACKAGE + ".")}


def _module_utils(imports):
    return {name: names for name, names in imports.items() if name.startswith("plugins/module_utils/")}


def test_module_utils_know_nothing_of_ansible(imports):
    assert [name for name, names in _module_utils(imports).items()
            if any(word.split(".")[0] == "ansible" for word in names)] == []


def test_module_utils_import_only_the_standard_library_and_each_other(imports):
    known = set(sys.stdlib_module_names) | {"ansible_collections"}
    found = {name: sorted(outside) for name, names in _module_utils(imports).items()
             if (outside := {word.split(".")[0] for word in names} - known)}
    assert found == {}


def test_one_file_touches_the_machine(imports):
    found = {name: sorted(touching) for name, names in _module_utils(imports).items()
             if name not in HOST
             and (touching := {word.split(".")[0] for word in names} & MACHINE - ALSO.get(name, set()))}
    assert found == {}


def test_two_files_open_sockets(imports):
    found = {name: sorted(names & NETWORK) for name, names in _module_utils(imports).items()
             if name not in SOCKETS and names & NETWORK}
    assert found == {}
    missing = [name for name in SOCKETS if name in imports and not imports[name] & NETWORK]
    assert missing == []


def test_nothing_opens_files_past_the_host(files, checkout):
    found = []
    for name in files:
        if name.startswith("plugins/module_utils/") and name.endswith(".py") and name not in HOST:
            for node in ast.walk(ast.parse((checkout / name).read_text())):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "open":
                    found.append("%s:%d" % (name, node.lineno))
    assert found == []


@pytest.mark.parametrize("part", BELOW)
def test_a_part_imports_only_what_is_below_it(part, imports):
    found = {name: sorted(above) for name, names in _module_utils(imports).items()
             if _part(name) == part and (above := _parts(names) - BELOW[part] - {part})}
    assert found == {}


def test_no_part_below_the_plan_imports_it(imports):
    found = {name: sorted(above) for name, names in _module_utils(imports).items()
             if _part(name) not in TOP | USES_THE_ENGINE and (above := _parts(names) & TOP)}
    assert found == {}


def test_filters_use_pure_code_only(imports):
    found = {name: sorted(impure) for name, names in imports.items()
             if name.startswith("plugins/filter/")
             and (impure := _parts(names) & (TOP | {"_host", "_kinds", "_topology"}))}
    assert found == {}


def test_modules_leave_their_parts_to_what_is_shipped_by_name(imports):
    """AnsiballZ follows static imports by name: a star or a bare folder would not travel."""
    assert [name for name, names in imports.items() if any(word.endswith(".*") for word in names)] == []
