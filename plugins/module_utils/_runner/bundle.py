# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The engine as one file: a zipapp of the modules that the runner's command needs, the same bytes wherever it is built.

PRIVATE to the collection. The sources come from whatever loaded this module: a checkout, what Ansible sent to a node,
or a zipapp made here. Which modules travel follows from the import statements alone, never from what else is loaded.
"""

from __future__ import annotations

import ast
import functools
import importlib.util
import io
import sys
import zipfile

from .._host import Host

_HERE = __name__.rpartition(".")[0]
ROOT = _HERE.rpartition(".")[0]  # The package module_utils, under the name that it has here and in the zipapp.
ENTRY = _HERE + ".main"
_SHEBANG = b"#!/usr/bin/env python3\n"
_MAIN = """# Written by gpuwright.node: the node runner. Changes made here are overwritten.
import sys

from %s import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
""" % ENTRY


@functools.lru_cache(maxsize=1)
def build():
    """The bytes of the zipapp; where one runs, its own."""
    archive = getattr(sys.modules[__name__].__spec__.loader, "archive", "")
    if archive.endswith(".pyz"):
        return Host().read_bytes(archive)
    from . import main  # Here, not above: what it imports imports us.
    sources = _closure(main.__name__)
    # A folder is a package by its own __init__.py: any other ansible_collections on the path stays out.
    entries = {folder + "/__init__.py": "" for name in sources for folder in _folders(name)}
    entries.update({name.replace(".", "/") + ".py": source for name, source in sources.items()})
    entries["__main__.py"] = _MAIN
    return _pack(entries)


def _folders(name):
    """The folders around a module, outermost first."""
    parts = name.split(".")
    return ["/".join(parts[:count]) for count in range(1, len(parts))]


def _closure(entry):
    """{module: source} of `entry` and of all below our root that it imports, directly or not."""
    sources, open_names = {}, [entry]
    while open_names:
        name = open_names.pop()
        if name not in sources:
            sources[name] = _source(name)
            open_names.extend(_imported(name, ast.parse(sources[name])))
    return sources


def _source(name):
    loaded = sys.modules.get(name)
    spec = loaded.__spec__ if loaded else importlib.util.find_spec(name)
    return spec.loader.get_source(name)


def _imported(name, tree):
    """The modules below our root that a module names in its import statements."""
    for node in _statements(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if _is_module(alias.name))
        elif isinstance(node, ast.ImportFrom):
            around = ".".join(name.split(".")[:-node.level]) if node.level else ""
            base = ".".join(part for part in (around, node.module) if part)
            for found in [base] + ["%s.%s" % (base, alias.name) for alias in node.names]:
                if _is_module(found):
                    yield found


def _statements(tree):
    """Every statement below a node; expressions, most of any tree, hold none."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.stmt, ast.excepthandler)):
            yield node
            yield from _statements(node)


def _is_module(name):
    """Whether a name below our root is a module: no package, and nothing that a module defines."""
    if not name.startswith(ROOT + "."):
        return False
    around = sys.modules.get(name.rpartition(".")[0])
    if around is not None and not hasattr(around, "__path__"):
        return False
    spec = importlib.util.find_spec(name)
    return spec is not None and spec.submodule_search_locations is None


def _pack(entries):
    """A zip file with nothing in it of when, where or by whom it was made."""
    stream = io.BytesIO()
    stream.write(_SHEBANG)
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_STORED) as archive:
        for name in sorted(entries):
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.create_system = 3
            entry.external_attr = 0o100644 << 16
            archive.writestr(entry, entries[name].encode())
    return stream.getvalue()
