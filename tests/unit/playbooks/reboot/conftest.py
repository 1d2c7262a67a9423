# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plays reboot.yml on nodes that are files: stand-ins answer for them, take them down, and drain them."""

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
WAITS = {"role": "cpu_isolation", "name": "isolcpus", "target": "isolcpus", "running": "", "desired": "4-7"}
NODE = {"pending": [WAITS], "boot": 1, "jobs": [], "schedulers": [],
        "health": {"schema": 1, "boot_id": "x", "unreadable": {}},
        "topology": {"schema": 1, "cpu": {"online": "0-7"}, "numa_nodes": [{"id": 0, "memory": 64 << 30}]}}


@pytest.fixture(scope="session")
def collections(checkout, tmp_path_factory):
    """The collection with stand-ins for what asks a node, and reboot.yml with one for what takes it down."""
    folder = tmp_path_factory.mktemp("collections")
    node = folder / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "playbooks", "meta"):
        shutil.copytree(checkout / part, node / part, ignore=shutil.ignore_patterns("__pycache__"))
    for module in ("pending_reboot", "health_facts", "topology_facts"):
        shutil.copy(STANDINS / (module + ".py"), node / "plugins" / "modules")
    standin = folder / "ansible_collections" / "gpuwright" / "standin" / "plugins"
    (standin / "connection").mkdir(parents=True)
    (standin / "action").mkdir()
    (standin / "modules").mkdir()
    shutil.copy(STANDINS.parent.with_name("standins") / "dead.py", standin / "connection")
    shutil.copy(STANDINS / "reboot.py", standin / "action")
    shutil.copy(STANDINS / "health_facts.py", standin / "modules" / "reboot.py")
    playbook = node / "playbooks" / "reboot.yml"
    text = playbook.read_text()
    assert text.count("ansible.builtin.reboot:") == 1
    assert text.count("delay: 15\n") == 1
    playbook.write_text(text.replace("ansible.builtin.reboot:", "gpuwright.standin.reboot:")
                        .replace("delay: 15\n", "delay: 0\n"))
    return folder


@pytest.fixture
def world(tmp_path):
    """The folder of the nodes' files, with `put` and `get`."""
    folder = tmp_path / "world"
    for part in ("slurm", "kubernetes", "bin"):
        (folder / part).mkdir(parents=True)
    for command in ("scontrol", "kubectl"):
        shutil.copy(STANDINS / command, folder / "bin")

    def put(host, **changed):
        (folder / (host + ".json")).write_text(json.dumps(dict(NODE, **changed)))

    def get(host):
        return json.loads((folder / (host + ".json")).read_text())

    return types.SimpleNamespace(folder=folder, put=put, get=get)


@pytest.fixture
def reboot(collections, world, tmp_path):
    """Play reboot.yml on `{host: variables}`, each of whose files says what it is."""

    def run(hosts, *arguments, group="inference", **variables):
        members = {}
        for name, values in hosts.items():
            python = world.folder / "bin" / ("python-" + name)
            python.write_text('#!/bin/sh\nNODE=%s exec "%s" "$@"\n' % (name, sys.executable))
            python.chmod(0o755)
            members[name] = dict({"ansible_connection": "ansible.legacy.local", "ansible_become": False,
                                  "ansible_python_interpreter": str(python)}, **values)
            if not (world.folder / (name + ".json")).exists():
                world.put(name)
        settled = {"gpuwright_reboot_settle": 0, "gpuwright_drain_poll": 0, "gpuwright_drain_timeout": 3}
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {
            "children": {group: {"hosts": members}}, "vars": dict(settled, **variables)}}))
        log = tmp_path / "log"
        log.write_text("")
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.json"), "gpuwright.node.reboot",
             *arguments], cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
            env=dict(kept, ANSIBLE_COLLECTIONS_PATH=str(collections), HOME=str(tmp_path), GPUWRIGHT_TEST_LOG=str(log),
                     GPUWRIGHT_TEST_WORLD=str(world.folder), PATH="%s:%s" % (world.folder / "bin", kept["PATH"])))
        report = tmp_path / "report" / "reboot.json"
        return types.SimpleNamespace(
            rc=answer.returncode, output=answer.stdout, said=answer.stdout + answer.stderr,
            results={host: told["result"] for host, told in _plan(report).get("outcome", {}).items()},
            ran=[line for line in log.read_text().splitlines() if not line.startswith("show ")],
            plan=_plan(report))

    return run


def _plan(report):
    return json.loads(report.read_text()) if report.exists() else {}
