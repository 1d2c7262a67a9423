# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the roles' defaults as Ansible evaluates them: what depends on the workload and on the node does."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.conftest import CHECKOUT, COLLECTIONS

GIB = 1 << 30
SMALL = {"numa_nodes": [{"id": 0, "memory": 64 * GIB, "kind": "cpu"}]}
LARGE = {"numa_nodes": [{"id": 0, "memory": 2048 * GIB, "kind": "cpu"}]}
HOSTS = {
    "training": {"trainer": LARGE, "told": LARGE},
    "inference": {"server": LARGE, "workstation": SMALL},
    "cpu": {"gateway": SMALL},
}
LEFT_TO_THE_KERNEL = ["thp_shmem_enabled", "thp_khugepaged_defrag", "thp_khugepaged_pages_to_scan",
                      "thp_khugepaged_scan_sleep_millisecs", "thp_khugepaged_max_ptes_none"]


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """Host to the values of role vm's variables."""
    folder = tmp_path_factory.mktemp("defaults")
    groups = {group: {"hosts": {host: {"fact": fact} for host, fact in hosts.items()}}
              for group, hosts in HOSTS.items()}
    groups["training"]["hosts"]["told"]["gpuwright_workload"] = "inference"
    (folder / "hosts.json").write_text(json.dumps({"all": {"children": groups}}))
    names = sorted(yaml.safe_load((CHECKOUT / "roles/vm/defaults/main.yml").read_text()))
    play = [{"hosts": "all", "gather_facts": False, "connection": "local",
             "vars_files": [str(CHECKOUT / "roles/vm/defaults/main.yml")],
             "vars": {"ansible_facts": {"topology": "{{ fact }}"}},
             "tasks": [{"ansible.builtin.copy": {
                 "dest": str(folder) + "/{{ inventory_hostname }}.out",
                 "content": "{{ %s | to_json }}" % json.dumps(dict.fromkeys(names, "@"))}}]}]
    text = yaml.safe_dump(play, width=10000)
    for name in names:
        text = text.replace('"%s": "@"' % name, '"%s": %s' % (name, name))
    (folder / "play.yml").write_text(text)
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_PYTHON_INTERPRETER=sys.executable)
    answer = subprocess.run([sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "play.yml"], cwd=folder,
                            env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return {host: json.loads((folder / (host + ".out")).read_text()) for hosts in HOSTS.values() for host in hosts}


def test_the_workload_comes_from_the_group_unless_it_is_told(values):
    assert {host: given["vm_workload"] for host, given in values.items()} == {
        "trainer": "training", "told": "inference", "server": "inference", "workstation": "inference",
        "gateway": "cpu"}


@pytest.mark.parametrize("host, ratio, size", [
    ("trainer", [None, None], [32 * GIB, 4 * GIB]), ("told", [None, None], [16 * GIB, 2 * GIB]),
    ("server", [None, None], [16 * GIB, 2 * GIB]), ("workstation", [10, 3], [None, None]),
    ("gateway", [10, 3], [None, None]),
])
def test_dirty_limits_follow_memory_and_workload(values, host, ratio, size):
    given = values[host]
    assert [given["vm_dirty_ratio"], given["vm_dirty_background_ratio"]] == ratio
    assert [given["vm_dirty_bytes"], given["vm_dirty_background_bytes"]] == size


def test_what_is_left_to_the_kernel_is_null():
    defaults = yaml.safe_load((CHECKOUT / "roles/thp/defaults/main.yml").read_text())
    assert [name for name, value in defaults.items() if value is None] == LEFT_TO_THE_KERNEL
