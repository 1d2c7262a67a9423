# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""benchmark.yml --tags vllm as an installed collection; the engine, systemd and nsys are stand-ins on this machine."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import time
import types
import urllib.request

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.change import state

from tests.sysroots import nsys_tool, vllm_bench_tool, vllm_instances
from tests.sysroots.held_port import held_port

STANDINS = pathlib.Path(__file__).with_name("standins")
KEY = "sesame-of-a-test"
LEASE = 5000  # Longer than the hour that a test lets pass.


@pytest.fixture
def node(checkout, tmp_path):
    """The folder of the node: state, secrets, cache, units, and the collection that takes it for the machine."""
    root = tmp_path / "node"
    for name in ("state", "etc", "cache/llama", "units", "runs", "bin", "tools"):
        (root / name).mkdir(parents=True)
    there = tmp_path / "collections" / "ansible_collections" / "gpuwright" / "node"
    for part in ("plugins", "playbooks", "meta", "roles"):
        shutil.copytree(checkout / part, there / part, ignore=shutil.ignore_patterns("__pycache__"))
    utils = there / "plugins" / "module_utils"
    _replace(utils / "_kinds/vllm_instance.py", 'FOLDER = "/var/lib/gpuwright/vllm"',
             'FOLDER = "%s"' % (root / "state"))
    _append(utils / "_kinds/vllm_instance.py", STANDINS / "systemd.py")
    _append(utils / "_supervise.py", STANDINS.parent.with_name("standins") / "supervise.py")
    places = utils / "_vllm/rendered/secret_files.py"
    _replace(places, '"/etc/vllm/%s.secret.env"', '"%s/%%s.secret.env"' % (root / "etc"))
    _replace(places, 'CACHE = "/var/cache/vllm/%s"', 'CACHE = "%s/%%s"' % (root / "cache"))
    _replace(utils / "_benchmark/run.py", 'PLACE = "/var/tmp"', 'PLACE = "%s"' % (root / "runs"))
    _replace(utils / "_vllm_bench/run.py", "if not host.is_root() or", "if True or")
    profile = utils / "_vllm_bench/profile.py"
    _replace(profile, 'DROP_IN = "/run/systemd/system/', 'DROP_IN = "%s/' % (root / "units"))
    _replace(profile, '_PATH = "/usr/local/sbin', '_PATH = "%s:/usr/local/sbin' % (root / "tools"))
    execute = there / "plugins/plugin_utils/_vllm_benchmark"
    _replace(execute / "execute.py", "LEASE_SECONDS = 60", "LEASE_SECONDS = %d" % LEASE)
    _replace(execute / "execute.py", "_WAIT_SECONDS = 10", "_WAIT_SECONDS = 1")
    _replace(execute / "profile.py", "_STEP_SECONDS = 3", "_STEP_SECONDS = 0.2")
    # What requests take is said by those who send them, so that a slow machine has as many before the window closes.
    (root / "clock").write_text("")
    _replace(execute / "profile.py", "clock=time.monotonic", 'clock=lambda: os.path.getsize("%s")' % (root / "clock"))
    shutil.copy(STANDINS / "vllm_service.py", there / "plugins" / "modules")
    tool = root / "tools" / "systemctl"
    tool.write_text('#!/bin/sh\necho "$@" >> %s\n' % (root / "systemctl.log"))
    tool.chmod(0o755)
    return root


def _replace(path, old, new):
    text = path.read_text()
    assert text.count(old) == 1, (path, old)
    path.write_text(text.replace(old, new))


def _append(path, more):
    path.write_text(path.read_text() + more.read_text().partition("import annotations\n")[2])


@pytest.fixture
def engine(node):
    """An instance that runs: `put` changes what the stand-in does, `started` are its starts."""
    port, folder = held_port(), node / "bin"
    world = {"port": port, "key": KEY, "clock": str(node / "clock"), "later": str(node / "later")}
    program = vllm_bench_tool.install(folder, world)
    nsys_tool.install(folder)
    instance = vllm_instances.made(kind="existing", path=str(program), model="/models/tiny", served_name="tiny",
                                   port=port, listen="127.0.0.1")
    instance["engine"]["program"] = str(program)
    deployment = {"name": "llama", "unit": "vllm@llama.service", "instance": instance, "arguments": {}, "files": {},
                  "environment": {}, "command": [str(program), "serve"], "summary": "tiny",
                  "engine": {"version": "0.33.0", "source": "a stand-in"}, "placed": {}}
    kept = dict(state._EMPTY, phase="kept", since=1, instance=instance, deployment=deployment,
                invocations={"vllm@llama.service": "1"})
    (node / "state" / "llama.json").write_text(json.dumps(kept))
    (node / "etc" / "llama.secret.env").write_text("# ours\nVLLM_API_KEY=%s\n" % KEY)
    (node / "plain").write_text("%s serve --config x" % program)
    process = subprocess.Popen([str(program), "serve"], start_new_session=True)
    (node / "pid").write_text(str(process.pid))
    _answers(port, process)
    yield types.SimpleNamespace(
        folder=folder, started=lambda: [one for one in vllm_bench_tool.started(folder) if one["words"][0] == "bench"],
        put=lambda **what: vllm_bench_tool.put(folder, dict(world, **what)))
    for pid in {int((node / "pid").read_text()), process.pid}:
        with contextlib.suppress(OSError):
            os.killpg(pid, signal.SIGKILL)
    process.wait()


def _answers(port, process):
    """Wait until an engine serves."""
    while True:
        with contextlib.suppress(OSError), urllib.request.urlopen("http://127.0.0.1:%d/health" % port):
            return
        assert process.poll() is None
        time.sleep(0.05)


@pytest.fixture
def benchmark(node, engine, tmp_path):
    """Play it to its end, with few requests."""

    def run(*arguments, tags=("--tags", "vllm"), **variables):
        member = {"ansible_connection": "local", "ansible_become": False,
                  "ansible_python_interpreter": sys.executable}
        few = {"vllm_benchmark_requests": 30, "vllm_benchmark_warmup": 2, "vllm_benchmark_runs": 2}
        (tmp_path / "hosts.json").write_text(json.dumps({"all": {
            "children": {"inference": {"hosts": {"n1": member}}}, "vars": dict(few, **variables)}}))
        kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", str(tmp_path / "hosts.json"),
             "gpuwright.node.benchmark", *tags, *arguments],
            cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600,
            env=dict(kept, ANSIBLE_COLLECTIONS_PATH=str(tmp_path / "collections"), HOME=str(tmp_path), COLUMNS="160",
                     GPUWRIGHT_TEST_NODE=str(node), GPUWRIGHT_TEST_LATER=str(node / "later")))
        report = tmp_path / "report" / "vllm_benchmark.json"
        told = json.loads(report.read_text()) if report.exists() else None
        return types.SimpleNamespace(
            rc=answer.returncode, said=answer.stdout + answer.stderr, report=told, folder=tmp_path / "report",
            one=(told or {}).get("hosts", {}).get("n1", {}).get("instances", {}).get("llama"),
            left=sorted(path.name for path in [*(node / "runs").iterdir(), *(node / "cache/llama").iterdir()]))

    return run
