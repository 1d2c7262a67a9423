# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of module runner: it installs the command, says what it would do, and sends the same bytes as a checkout."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle, install
from ansible_collections.gpuwright.node.plugins.modules import runner, settings

from tests.sysroots import plain_node

DIR = "/var/lib/node_exporter"


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    root = plain_node.build(tmp_path / "host")
    (root / DIR[1:]).mkdir(parents=True)
    return root


@pytest.fixture(name="built")
def fixture_built(checkout):
    """built(folder) -> the zipapp that a process of its own makes of what lies in a folder, or in a zipapp."""
    code = ("import sys; sys.path[:0] = sys.argv[1].split(':'); from ansible_collections.gpuwright.node.plugins."
            "module_utils._runner import bundle; sys.stdout.buffer.write(bundle.build())")

    def build(place=None):
        paths = str(place or "%s:%s" % (checkout / ".cache/collections", checkout))
        return subprocess.run([sys.executable, "-I", "-c", code, paths], check=True, capture_output=True).stdout
    return build


def test_check_mode_says_what_a_run_does_and_writes_nothing(root, run_module):
    before = plain_node.snapshot(root)
    checked = run_module(runner, check_mode=True, sysroot=str(root), metrics_dir=DIR)
    assert plain_node.snapshot(root) == before
    made = run_module(runner, sysroot=str(root), metrics_dir=DIR)
    parts = ("changed", "files", "given_back", "kept_for", "diff")
    assert {part: checked[part] for part in parts} == {part: made[part] for part in parts}
    assert made["changed"] and "# %s: " % install.LAUNCHER in made["diff"]["after"]
    again = run_module(runner, sysroot=str(root), metrics_dir=DIR)
    assert (again["changed"], again["files"], again["diff"]["after"]) == (False, [], "")
    gone = run_module(runner, sysroot=str(root), state="absent")
    assert gone["changed"] and sorted(made["files"]) == gone["given_back"]
    assert plain_node.snapshot(root) == before
    assert run_module(runner, sysroot=str(root), state="absent")["changed"] is False


@pytest.mark.parametrize("asked, words", [({"metrics_dir": "/nowhere"}, "no folder on this node"),
                                          ({"audit_interval": "soon"}, "no interval from 1min to 7d"),
                                          ({"state": "gone"}, "value of state must be one of")])
def test_what_cannot_be_is_said_before_anything_is_written(root, run_module, asked, words):
    before = plain_node.snapshot(root)
    result = run_module(runner, sysroot=str(root), **asked)
    assert result["failed"] and words in result["msg"]
    assert plain_node.snapshot(root) == before


def test_a_foreign_journal_is_an_error(root, run_module):
    plain_node.put(root, "/var/lib/gpuwright/journal.json", "{")
    assert "journal.json is damaged" in run_module(runner, sysroot=str(root))["msg"]


def test_without_root_nothing_is_tried(root, run_module, monkeypatch):
    monkeypatch.setattr(Host, "is_root", lambda host: False)
    before = plain_node.snapshot(root)
    assert "needs root" in run_module(runner, sysroot=str(root))["msg"]
    assert plain_node.snapshot(root) == before


def test_another_run_is_named(root, run_module):
    with Host(str(root), read_only=False).only_one("/run/gpuwright.lock", {"what": "role vm"}):
        assert "another run is changing this node" in run_module(runner, sysroot=str(root))["msg"]


def test_a_node_where_it_is_switched_off_gets_it_with_a_warning(root, run_module, monkeypatch):
    warned = []
    monkeypatch.setattr(runner.AnsibleModule, "warn", lambda module, text: warned.append(text))
    plain_node.put(root, "/etc/gpuwright/disabled", "")
    run_module(runner, sysroot=str(root))
    assert warned == ["the node runner is installed, and switched off on this node: /etc/gpuwright/disabled exists"]


def test_a_role_that_needs_it_keeps_it_and_is_named(root, run_module, monkeypatch):
    warned = []
    monkeypatch.setattr(runner.AnsibleModule, "warn", lambda module, text: warned.append(text))
    run_module(runner, sysroot=str(root))
    place = root / "var/lib/gpuwright/journal.json"
    place.write_text(place.read_text().replace('"needed_by": []', '"needed_by": ["vm"]'))
    run_module(settings, role="vm", values={"vm.swappiness": 10}, sysroot=str(root), check_mode=True)
    plain_node.put(root, "/etc/gpuwright/desired/vm.json", "{}")
    gone = run_module(runner, sysroot=str(root), state="absent")
    assert gone["kept_for"] == ["vm"] and (root / install.ZIPAPP[1:]).exists()
    assert "for role vm needs it" in warned[0]


def test_what_ansible_sends_holds_the_bytes_of_the_checkout(root, checkout, built):
    """By ansible itself: the module as it is packed for a node, and what it installs."""
    done = subprocess.run(
        [sys.executable, "-m", "ansible", "adhoc", "-i", "localhost,", "-c", "local", "localhost",
         "-e", json.dumps({"ansible_python_interpreter": sys.executable}), "-m", "gpuwright.node.runner",
         "-a", "sysroot=%s" % root],
        cwd=checkout, env=dict(os.environ, ANSIBLE_CONFIG=str(checkout / "ansible.cfg"), HOME=str(root)),
        capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert (root / install.ZIPAPP[1:]).read_bytes() == built()


def test_make_runner_writes_the_same_bytes(tmp_path, checkout, built):
    place = tmp_path / "dist/gpuwright.pyz"
    subprocess.run([sys.executable, checkout / "tests/setup/runner.py", place], check=True, capture_output=True)
    assert place.read_bytes() == built() and os.access(place, os.X_OK)
    assert "tests/setup/runner.py dist/gpuwright.pyz" in (checkout / "Makefile").read_text()


def test_what_the_zipapp_on_a_node_makes_of_itself_is_itself(root, run_module, built):
    run_module(runner, sysroot=str(root))
    place = root / install.ZIPAPP[1:]
    assert built(place) == place.read_bytes() == bundle.build()
