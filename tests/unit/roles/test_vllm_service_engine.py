# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Engines installed by the role's own tasks on this machine: the real pip and uv, a tiny stand-in of the wheel."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
import yaml

from tests.conftest import CHECKOUT
from tests.sysroots import vllm_wheel

VERSION = "9.8.7"
SITE = "lib/python%d.%d/site-packages" % sys.version_info[:2]
BIN = pathlib.Path(sys.executable).parent


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    """A folder with an index of wheels, and a PATH in which numactl is found."""
    vllm_wheel.build(tmp_path / "index", VERSION)
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "numactl").write_text("#!/bin/sh\n")
    (tools / "numactl").chmod(0o755)
    return tmp_path


def run(node, *options, **variables):
    """Run the role's engine.yml; returns (status, output, results by task)."""
    path = str(node / "opt" / ("vllm-" + VERSION))
    engine = {"kind": "venv", "version": VERSION, "path": path, "image": None}
    given = dict({"vllm_service_planned": {"instances": [
        {"name": name, "state": "started", "engine": engine, "user": "root"} for name in ("a", "b")]},
        "vllm_service_python": sys.executable, "vllm_service_engine_space": 1000, "ansible_python_interpreter":
        sys.executable, "vllm_service_pip_args": ["--no-index", "--find-links", str(node / "index")]}, **variables)
    play = node / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": given,
                                 "tasks": [{"ansible.builtin.include_role": {
                                     "name": "gpuwright.node.vllm_service", "tasks_from": "engine.yml"}},
                                     {"ansible.builtin.debug": {"var": "vllm_service_engines"}}]}]))
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "localhost,", str(play), *options],
        capture_output=True, text=True, check=False, timeout=600, cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), ANSIBLE_NOCOLOR="1",
                 PATH="%s:%s" % (node / "tools", os.environ["PATH"]), PIP_CONFIG_FILE="/dev/null"))
    return done.returncode, done.stdout + done.stderr, pathlib.Path(path)


def recap(output):
    """{"ok": count, "changed": count, ...} of the only host."""
    words = output.rpartition("localhost  ")[2].split()
    return {word.partition("=")[0]: int(word.partition("=")[2]) for word in words if "=" in word}


def test_check_mode_says_what_would_be_installed_and_makes_nothing(node):
    status, output, path = run(node, "--check")
    assert status == 0, output
    assert "vLLM %s is to be installed in %s with %s" % (VERSION, path, sys.executable) in output
    assert not path.exists() and not path.parent.exists()


def test_an_installation_once_then_nothing(node):
    status, output, path = run(node)
    assert status == 0, output
    assert '"found": "%s"' % VERSION in output and '"state": "ready"' in output
    assert json.loads((path / ".gpuwright.json").read_text()) == {"finished": True, "version": VERSION}
    assert {".gpuwright-begun.json", ".gpuwright-room"} & set(os.listdir(path)) == set()
    assert subprocess.run([path / "bin/vllm", "--version"], capture_output=True, text=True,
                          check=True).stdout == VERSION + "\n"
    before = sorted((str(one), one.stat().st_mtime_ns) for one in path.rglob("*"))
    status, output, path = run(node)
    assert (status, recap(output)["changed"]) == (0, 0), output
    status, output, path = run(node, "--check")
    assert (status, recap(output)["changed"]) == (0, 0), output
    assert sorted((str(one), one.stat().st_mtime_ns) for one in path.rglob("*")) == before
    (path / SITE / ("vllm-%s.dist-info" % VERSION) / "METADATA").write_text("Name: vllm\nVersion: 10.0\n")
    status, output, path = run(node)
    assert status == 2 and "holds 10.0 now: somebody changed it" in output


def test_what_a_killed_run_left_is_made_anew(node):
    path = node / "opt" / ("vllm-" + VERSION)
    site = path / SITE
    info = site / ("vllm-%s.dist-info" % VERSION)  # What pip leaves that was killed: installed, by the look of it.
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: vllm\nVersion: %s\n" % VERSION)
    (site / "left.py").write_text("")
    (path / ".gpuwright-room").mkdir()
    (path / ".gpuwright-begun.json").write_text("{}")
    status, output, path = run(node, "--check")
    assert status == 0 and "where a run was stopped before" in output, output
    assert (site / "left.py").exists()
    status, output, path = run(node)
    assert status == 0, output
    assert not (site / "left.py").exists() and (path / "bin/vllm").exists() and (path / ".gpuwright.json").exists()


def test_a_program_that_says_another_version_does_not_count(node):
    vllm_wheel.build(node / "index", VERSION, says="1.0")
    status, output, path = run(node)
    assert status == 2 and "--version says 1.0" in output, output
    assert not (path / ".gpuwright.json").exists()


def test_a_version_that_is_not_to_be_had(node):
    vllm_wheel.build(node / "index", VERSION, python=">=4")
    status, output, path = run(node)
    assert status == 2 and "requires a different Python" in output, output
    assert not (path / ".gpuwright.json").exists()


def test_an_installation_by_uv(node):
    asked = {"vllm_service_uv": str(BIN / "uv")}
    status, output, path = run(node, **asked)
    assert status == 0, output
    assert (path / ".gpuwright.json").exists() and not (path / ".gpuwright-room").exists()
    assert not (path / "bin/pip").exists()
    status, output, path = run(node, **asked)
    assert (status, recap(output)["changed"]) == (0, 0), output


def test_further_requirements_and_words_reach_pip(node):
    status, output, path = run(node, vllm_service_pip_extra=["not-to-be-had==1.5"])
    assert status == 2 and "No matching distribution found for not-to-be-had==1.5" in output, output
    assert not (path / ".gpuwright.json").exists()


def test_room_is_looked_for_first(node):
    status, output, path = run(node, vllm_service_engine_space=10 ** 18)
    assert status == 2 and "too few" in output and not path.exists(), output


def test_the_tasks_hand_over_every_variable():
    tasks = yaml.safe_load((CHECKOUT / "roles/vllm_service/tasks/engine.yml").read_text())
    looks = [task["gpuwright.node.vllm_engine"] for task in tasks if "gpuwright.node.vllm_engine" in task]
    assert [look["do"] for look in looks] == ["look", "check"]
    assert {look["auth_file"] for look in looks} == {"{{ vllm_service_registry_auth_file }}"}


@pytest.mark.parametrize("kind", ["podman", "docker"])
@pytest.mark.parametrize("status", [0, 1])
def test_an_image_is_pulled_by_the_command_that_was_planned(node, kind, status):
    """A stand-in of the tool, which notes its words."""
    tool = node / "tools" / kind
    tool.write_text("#!/bin/sh\necho \"$@\" >%s\nexit %d\n" % (node / "words", status))
    tool.chmod(0o755)
    play = node / "play.yml"
    play.write_text(json.dumps([{"hosts": "localhost", "connection": "local", "gather_facts": False, "vars": {
        "ansible_python_interpreter": sys.executable, "vllm_service_due": {"pull": [str(tool), "pull", "a b:v1"]}},
        "tasks": [{"ansible.builtin.include_role": {"name": "gpuwright.node.vllm_service",
                                                    "tasks_from": "engine_%s.yml" % kind}}]}]))
    done = subprocess.run(
        [str(BIN / "ansible-playbook"), "-i", "localhost,", str(play)], capture_output=True, text=True, check=False,
        timeout=600, cwd=CHECKOUT,
        env=dict(os.environ, ANSIBLE_CONFIG=str(CHECKOUT / "ansible.cfg"), ANSIBLE_NOCOLOR="1"))
    assert (node / "words").read_text() == "pull a b:v1\n"
    assert (done.returncode, recap(done.stdout)["changed"]) == ((0, 1) if status == 0 else (2, 0)), done.stdout
