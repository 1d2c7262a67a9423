# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the action plugin of settings, by real plays: where values were set, and misspelt names."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from tests.conftest import COLLECTIONS
from tests.sysroots import plain_node

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - gpuwright.node.settings:
        role: vm
        values:
          vm.swappiness: "{{ vm_swappiness }}"
          vm.max_map_count: "{{ vm_max_map_count }}"
          kernel.panic: "{{ vm_kernel_panic }}"
        options: "{{ options | default({}) }}"
        sysroot: "{{ root }}"
"""


@pytest.fixture(name="play")
def fixture_play(tmp_path):
    """play(**extra variables) -> (exit status, output, steps by target as kept for the report)."""
    root = plain_node.build(tmp_path / "root")
    (tmp_path / "play.yml").write_text(PLAY)
    (tmp_path / "hosts.yml").write_text(
        "all:\n  hosts:\n    node1:\n      ansible_connection: local\n      ansible_python_interpreter: %s\n"
        "      root: %s\n      vm_swappiness: 10\n" % (sys.executable, root))
    (tmp_path / "group_vars").mkdir()
    (tmp_path / "group_vars/all.yml").write_text("---\n# site policy\nvm_max_map_count: 1048576\nvm_kernel_panic: 10\n")

    def run(*arguments, **extra):
        environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        environment.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_NOCOLOR="1", COLUMNS="400")
        answer = subprocess.run(
            [sys.executable, "-m", "ansible", "playbook", "-i", "hosts.yml", "play.yml", "-e", json.dumps(extra),
             *arguments], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
        kept = sorted(tmp_path.glob("report/.parts/*/node1/vm.json"), key=os.path.getmtime)
        data = json.loads(kept[-1].read_text())["data"] if kept else {"settings": []}
        return answer.returncode, answer.stdout + answer.stderr, {
            step["target"]: step for step in data["settings"] or []}, root
    return run


def test_every_step_says_where_its_value_was_set(play):
    status, output, steps, _root = play("--check", vm_kernel_panic="20")
    assert status == 0, output
    assert steps["vm.swappiness"]["why"] == "vm_swappiness, hosts.yml:7"
    assert steps["vm.max_map_count"]["why"] == "vm_max_map_count, group_vars/all.yml:3"
    assert steps["kernel.panic"]["why"] == "vm_kernel_panic, <CLI option '-e'>"
    assert steps["kernel.panic"]["desired"] == "20"


def test_a_misspelt_variable_is_named_with_its_nearest_match_and_nothing_is_written(play, tmp_path):
    status, output, _steps, root = play(vm_swapiness=1, vm_image="debian.qcow2")
    assert status == 2
    assert "vm_swapiness, <CLI option '-e'>: did you mean vm_swappiness?" in output and "vm_image" not in output
    kept = json.loads(next(tmp_path.glob("report/.parts/*/node1/vm.json")).read_text())["data"]
    assert "did you mean vm_swappiness?" in kept["failed"], "the report has it too"
    assert (root / "proc/sys/vm/swappiness").read_text() == "60\n"


def test_a_misspelt_variable_of_every_role_is_named_too(play):
    status, output, _steps, _root = play("--check", gpuwright_take_ovr=["tuned"])
    assert status == 2
    assert "gpuwright_take_ovr, <CLI option '-e'>: did you mean gpuwright_take_over?" in output


def test_a_variable_of_ones_own_that_looks_alike_can_be_kept(play):
    status, output, steps, root = play(vm_swapiness=1, gpuwright_ignore_variables=["vm_swapiness"])
    assert status == 0, output
    assert steps["vm.swappiness"]["changed"] is True and (root / "proc/sys/vm/swappiness").read_text() == "10"


def test_a_bad_value_names_its_place(play):
    status, output, _steps, root = play("-e", "vm_swappiness=lots")
    assert status == 2
    assert "vm_swappiness, <CLI option '-e'>: 'lots' is not an integer from 0 to 200" in output
    assert (root / "proc/sys/vm/swappiness").read_text() == "60\n"


def test_the_partition_that_the_task_was_given_is_kept_for_the_report(play, tmp_path):
    partition = {"housekeeping": "0-1", "workload": "2-3", "gpus": {}, "numa_nodes": {}, "refused": None}
    given = dict(partition, housekeeping="{{ '0-' ~ 1 }}")
    _status, output, _steps, _root = play("--check", options={"cpu_isolation_partition": given})
    kept = json.loads(next(tmp_path.glob("report/.parts/*/node1/vm.json")).read_text())["data"]
    assert kept["partition"] == partition, output
