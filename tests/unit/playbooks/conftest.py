# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real playbooks, roles and action plugins as an installed collection, with stand-ins for what touches a node."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest

STANDINS = pathlib.Path(__file__).with_name("standins")


@pytest.fixture(scope="session")
def collections(checkout, tmp_path_factory):
    """A folder of collections in which modules are stand-ins, and read-only as a system-wide installation is."""
    folder = tmp_path_factory.mktemp("collections")
    node = folder / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "roles", "playbooks", "meta"):
        shutil.copytree(checkout / part, node / part, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("settings", "topology_facts", "health_facts", "rollback", "vllm_service"):
        shutil.copy(STANDINS / (module + ".py"), node / "plugins" / "modules")
    dead = folder / "ansible_collections" / "gpuwright" / "standin" / "plugins" / "connection"
    dead.mkdir(parents=True)
    shutil.copy(STANDINS / "dead.py", dead)
    return folder


@pytest.fixture
def play(collections, tmp_path):
    """Play a playbook on an inventory `{group: {host: variables}}` from an empty folder without any ansible.cfg."""

    def run(playbook, inventory, *arguments, **environment):
        hosts = tmp_path / "hosts.json"
        local = {"ansible_connection": "local", "ansible_become": False,
                 "ansible_python_interpreter": sys.executable}
        groups = {group: {"hosts": {name: dict(local, **values) for name, values in members.items()}}
                  for group, members in inventory.items()}
        hosts.write_text(json.dumps({"all": {"children": groups}}))
        log = tmp_path / "log"
        log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", str(hosts), playbook, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
            env=dict(kept, ANSIBLE_COLLECTIONS_PATH=str(collections), HOME=str(tmp_path),
                     GPUWRIGHT_TEST_LOG=str(log), **environment))
        report = tmp_path / "report" / "audit.json"
        return types.SimpleNamespace(
            rc=answer.returncode, output=answer.stdout, errors=answer.stderr, ran=log.read_text().splitlines(),
            report=json.loads(report.read_text()) if report.exists() else None)

    return run
