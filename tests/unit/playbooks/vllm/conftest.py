# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays vllm.yml on nodes that are files: a stand-in answers for module vllm_service, all else is real."""

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
# What reaches the net or the system; what it does is tested with its own module.
NOTHING = "---\n- name: Nothing\n  ansible.builtin.meta: noop\n"
MODEL = """---
- name: Bring the model files
  ansible.builtin.fail:
    msg: "{{ no_model }}"
  when: no_model is defined
"""


@pytest.fixture(scope="session")
def collections(checkout, tmp_path_factory):
    """The collection with a stand-in for the node's side, and with nothing to install."""
    folder = tmp_path_factory.mktemp("collections")
    node = folder / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "roles", "playbooks", "meta"):
        shutil.copytree(checkout / part, node / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(STANDINS / "vllm_service.py", node / "plugins" / "modules")
    for part, tasks in (("user", NOTHING), ("engine", NOTHING), ("model", MODEL)):
        (node / "roles/vllm_service/tasks" / (part + ".yml")).write_text(tasks)
    dead = folder / "ansible_collections" / "gpuwright" / "standin" / "plugins" / "connection"
    dead.mkdir(parents=True)
    shutil.copy(STANDINS.parent.with_name("standins") / "dead.py", dead)
    return folder


@pytest.fixture
def world(tmp_path):
    """The folder of the nodes' files, with `put` and `get`."""
    folder = tmp_path / "world"
    folder.mkdir()

    def put(host, **changed):
        (folder / (host + ".json")).write_text(json.dumps(dict({"serves": {}}, **changed)))

    def get(host):
        return json.loads((folder / (host + ".json")).read_text())

    return types.SimpleNamespace(folder=folder, put=put, get=get)


@pytest.fixture
def serve(collections, world, tmp_path):
    """Play vllm.yml, or another playbook, on `{host: variables}`, each of whose files says what it is."""

    def run(hosts, *arguments, playbook="gpuwright.node.vllm", **variables):
        members = {}
        for name, values in hosts.items():
            python = world.folder / ("python-" + name)
            python.write_text('#!/bin/sh\nNODE=%s exec "%s" "$@"\n' % (name, sys.executable))
            python.chmod(0o755)
            members[name] = dict({"ansible_connection": "ansible.legacy.local", "ansible_become": False,
                                  "ansible_python_interpreter": str(python)}, **values)
            if not (world.folder / (name + ".json")).exists():
                world.put(name)
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {
            "children": {"inference": {"hosts": members}}, "vars": variables}}))
        log = tmp_path / "log"
        log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.json"), playbook, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
            env=dict(kept, ANSIBLE_COLLECTIONS_PATH=str(collections), HOME=str(tmp_path), GPUWRIGHT_TEST_LOG=str(log),
                     GPUWRIGHT_TEST_WORLD=str(world.folder), COLUMNS="160"))
        report = tmp_path / "report"
        told = {name: json.loads((report / name).read_text()) if (report / name).exists() else {}
                for name in ("vllm_service.json", "audit.json")}
        return types.SimpleNamespace(
            rc=answer.returncode, said=answer.stdout + answer.stderr, ran=log.read_text().splitlines(),
            nodes=told["vllm_service.json"].get("nodes", {}), audit=told["audit.json"], report=report)

    return run
