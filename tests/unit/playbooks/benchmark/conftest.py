# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""benchmark.yml as an installed collection, on nodes that are this machine, with a stand-in of nccl-tests."""

from __future__ import annotations

import json
import os
import pathlib
import shutil
import subprocess
import sys
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

from tests.sysroots import eight_gpu, nccl_tests_tool

STANDINS = pathlib.Path(__file__).with_name("standins")
LEASE = 3000  # Shorter than the hour that a test lets pass.


@pytest.fixture(scope="session")
def topology(tmp_path_factory):
    """A training node of eight GPUs and eight rails."""
    return node.read_topology(Host(str(eight_gpu.build(tmp_path_factory.mktemp("sysroot")))))


@pytest.fixture(scope="session")
def installed(checkout, tmp_path_factory):
    """(the folder of collections, the folder that runs live in)."""
    folder, runs = tmp_path_factory.mktemp("collections"), tmp_path_factory.mktemp("runs")
    there = folder / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "playbooks", "meta", "roles/nccl_benchmark", "roles/vllm_benchmark"):
        shutil.copytree(checkout / part, there / part, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(STANDINS / "topology_facts.py", there / "plugins" / "modules")
    shutil.copy(STANDINS.parent.with_name("standins") / "health_facts.py", there / "plugins" / "modules")
    jobs = there / "plugins" / "module_utils" / "_owners" / "jobs.py"
    jobs.write_text(jobs.read_text() + (STANDINS / "jobs.py").read_text().partition("import annotations\n")[2])
    _replace(there / "plugins/module_utils/_benchmark/run.py", 'PLACE = "/var/tmp"', 'PLACE = "%s"' % runs)
    _replace(there / "plugins/plugin_utils/_benchmark/execute.py", "LEASE_SECONDS = 60", "LEASE_SECONDS = %d" % LEASE)
    supervise = there / "plugins" / "module_utils" / "_supervise.py"
    supervise.write_text(supervise.read_text() + (
        STANDINS.parent.with_name("standins") / "supervise.py").read_text().partition("import annotations\n")[2])
    dead = folder / "ansible_collections" / "gpuwright" / "standin" / "plugins" / "connection"
    dead.mkdir(parents=True)
    shutil.copy(STANDINS.parent.with_name("standins") / "dead.py", dead)
    return folder, runs


def _replace(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1
    path.write_text(text.replace(old, new))


@pytest.fixture
def world(tmp_path, topology):
    """The folder of the programs and of what they do; `put` changes it."""
    folder = nccl_tests_tool.install(tmp_path / "world", {})
    (folder / "topology.json").write_text(json.dumps(topology))
    return types.SimpleNamespace(folder=folder, put=lambda **what: nccl_tests_tool.put(folder, what),
                                 started=lambda: nccl_tests_tool.started(folder))


@pytest.fixture
def command(installed, world, tmp_path):
    """(argument list, environment) that play benchmark.yml on `hosts`, each two GPUs and one operation."""

    def make(hosts, *arguments, environment=None, **variables):
        members = {}
        for name, values in (hosts if isinstance(hosts, dict) else dict.fromkeys(hosts, {})).items():
            python = tmp_path / ("python-" + name)
            python.write_text('#!/bin/sh\nexport NODE=%s\nexec "%s" "$@"\n' % (name, sys.executable))
            python.chmod(0o755)
            members[name] = dict({"ansible_connection": "ansible.legacy.local", "ansible_become": False,
                                  "ansible_python_interpreter": str(python)}, **values)
        shared = {"nccl_benchmark_path": str(world.folder), "nccl_benchmark_gpus": 2, "nccl_benchmark_plot": "none",
                  "nccl_benchmark_operations": ["all_reduce"],
                  "nccl_benchmark_environment": {"PATH": "%s:%s" % (world.folder, os.environ["PATH"])}}
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {
            "children": {"training": {"hosts": members}}, "vars": dict(shared, **variables)}}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("ANSIBLE_", "NCCL_"))}
        return ([sys.executable, "-m", "ansible", "playbook", "-f", "10", "-i", str(tmp_path / "hosts.json"),
                 "gpuwright.node.benchmark", *arguments],
                dict(kept, ANSIBLE_COLLECTIONS_PATH=str(installed[0]), HOME=str(tmp_path), COLUMNS="160",
                     GPUWRIGHT_TEST_WORLD=str(world.folder), GPUWRIGHT_TEST_LOG=str(tmp_path / "log"),
                     GPUWRIGHT_TEST_LATER=str(world.folder / "later"),
                     **(environment or {})))

    return make


@pytest.fixture
def benchmark(command, installed, tmp_path):
    """Play it to its end."""

    def run(hosts, *arguments, **variables):
        argv, environment = command(hosts, *arguments, **variables)
        answer = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
                                env=environment)
        report = tmp_path / "report" / "benchmark.json"
        told = json.loads(report.read_text()) if report.exists() else None
        return types.SimpleNamespace(
            rc=answer.returncode, output=answer.stdout, said=answer.stdout + answer.stderr, report=told,
            left=sorted(path.name for path in installed[1].iterdir()),
            verdicts={(",".join(one["hosts"]), one["operation"]): one["verdict"] for one in told["runs"]
                      if not one["search"] and not one["variant"]} if told else None)

    return run
