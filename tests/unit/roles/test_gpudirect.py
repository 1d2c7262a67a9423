# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role gpudirect's defaults as Ansible evaluates them: what is asked of every node, and what of none."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from tests.conftest import CHECKOUT, COLLECTIONS

DEFAULTS = CHECKOUT / "roles/gpudirect/defaults/main.yml"
ASKED = {"gpudirect_peermem": "loaded", "gpudirect_persistenced": "enabled", "gpudirect_fabricmanager": "enabled"}
# What takes a boot, stalls traffic or takes isolation away is the operator's to ask for.
LEFT = ["gpudirect_iommu", "gpudirect_max_read_request", "gpudirect_acs", "gpudirect_relaxed_ordering",
        "gpudirect_pci_topo_check_override", "gpudirect_coherent_memory_mode", "gpudirect_nics"]


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """Host to the values of the role's variables."""
    folder = tmp_path_factory.mktemp("gpudirect")
    groups = {"training": {"hosts": {"trainer": {}, "told": {"gpuwright_workload": "inference"}}},
              "inference": {"hosts": {"server": {"gpuwright_compute_nics": ["mlx5_0"]}}}}
    (folder / "hosts.json").write_text(json.dumps({"all": {"children": groups}}))
    names = sorted(yaml.safe_load(DEFAULTS.read_text()))
    content = "{{ {%s} | to_json }}" % ", ".join("'%s': %s" % (name, name) for name in names)
    (folder / "play.yml").write_text(yaml.safe_dump([{
        "hosts": "all", "gather_facts": False, "connection": "local", "vars_files": [str(DEFAULTS)], "tasks": [
            {"ansible.builtin.copy": {"dest": str(folder) + "/{{ inventory_hostname }}.out", "content": content}}]}],
        width=10000))
    environment = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
    environment.update(ANSIBLE_COLLECTIONS_PATH=str(COLLECTIONS), ANSIBLE_PYTHON_INTERPRETER=sys.executable)
    answer = subprocess.run([sys.executable, "-m", "ansible", "playbook", "-i", "hosts.json", "play.yml"], cwd=folder,
                            env=environment, capture_output=True, text=True, check=False)
    assert answer.returncode == 0, answer.stdout + answer.stderr
    return {host: json.loads((folder / (host + ".out")).read_text()) for host in ("trainer", "told", "server")}


def test_only_what_disturbs_nobody_is_asked_for(values):
    for given in values.values():
        assert {name: given[name] for name in ASKED} == ASKED
        assert {given[name] for name in LEFT} == {None}


def test_it_has_to_work_where_nodes_train(values):
    assert {host: given["gpudirect_expected"] for host, given in values.items()} == {
        "trainer": True, "told": False, "server": False}


def test_the_operators_nics_are_those_of_all_roles(values):
    assert values["server"]["gpudirect_compute_nics"] == ["mlx5_0"]
    assert values["trainer"]["gpudirect_compute_nics"] is values["trainer"]["gpudirect_storage_nics"] is None
