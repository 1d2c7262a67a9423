# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the zipapp: the same bytes wherever it is built, and complete."""

from __future__ import annotations

import hashlib
import io
import subprocess
import sys
import zipfile

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle

PLUGINS = "ansible_collections.gpuwright.node.plugins."
BUILD = ("import hashlib, importlib, sys; sys.path[:0] = sys.argv[1].split(':'); "
         "[importlib.import_module(name) for name in sys.argv[2:]]; "
         "print(hashlib.sha256(sys.modules[sys.argv[-1]].build()).hexdigest())")


def built(path, *modules):
    """The hash of the zipapp that a fresh process makes which has imported `modules` before."""
    return subprocess.run([sys.executable, "-c", BUILD, path, *modules, PLUGINS + "module_utils._runner.bundle"],
                          check=True, capture_output=True, text=True).stdout.strip()


@pytest.mark.parametrize("first", [(), (PLUGINS + "modules.settings",), (PLUGINS + "modules.topology_facts",),
                                   (PLUGINS + "modules.report", PLUGINS + "filter.topology")])
def test_the_bytes_do_not_depend_on_what_else_is_loaded(first, checkout):
    paths = "%s:%s" % (checkout / ".cache/collections", checkout)
    assert built(paths, *first) == hashlib.sha256(bundle.build()).hexdigest()


def test_a_zipapp_makes_itself_again(zipapp):
    assert built(str(zipapp.place)) == hashlib.sha256(bundle.build()).hexdigest()


def test_it_holds_the_sources_as_they_are_and_no_date(checkout):
    with zipfile.ZipFile(io.BytesIO(bundle.build())) as archive:
        entries = archive.infolist()
        texts = {entry.filename: archive.read(entry).decode() for entry in entries}
    names = [entry.filename for entry in entries]
    assert names == sorted(names)
    assert {(entry.date_time, entry.external_attr >> 16, entry.compress_type) for entry in entries} == {
        ((1980, 1, 1, 0, 0, 0), 0o100644, zipfile.ZIP_STORED)}
    sources = {name: text for name, text in texts.items() if not name.endswith(("/__init__.py", "__main__.py"))}
    top = "ansible_collections/gpuwright/node/"
    assert {name: (checkout / name.removeprefix(top)).read_text() for name in sources} == sources
    assert {"_plan", "_apply", "_host", "_settings/vm", "_kinds/sysctl", "_runner/bundle"} <= {
        name.removeprefix(top + "plugins/module_utils/").removesuffix(".py") for name in sources}


def test_it_starts_without_ansible_and_without_a_checkout(zipapp):
    done = zipapp("--help")
    assert done.returncode == 0 and "boot" in done.stdout and done.stderr == ""


def test_a_module_is_told_from_what_a_module_defines():
    root = bundle.ROOT
    assert bundle._is_module(root + "._plan") and bundle._is_module(root + "._runner.desired")
    assert not bundle._is_module(root + "._plan.Plan")
    assert not bundle._is_module(root + "._runner")
    assert not bundle._is_module("json")
