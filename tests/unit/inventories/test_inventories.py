# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The inventories load, every variable in them is one that is read somewhere, and as_documented leaves none out."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

CLASSES = {"inference", "training", "cpu"}
# Variables of the collection that belong to no role, and those of the inventory itself.
OTHERS = {"gpuwright_take_over", "gpuwright_allow", "gpuwright_workload", "rack", "nvlink_domain", "ansible_host",
          "ansible_user", "ansible_connection", "ansible_python_interpreter", "ansible_become"}
# What the guides say, in their own words; where they say nothing the value is null or the role's default.
GUIDES = {"vm_swappiness": 1, "vm_max_map_count": 1048576, "vm_dirty_background_ratio": 3, "vm_dirty_ratio": 10,
          "vm_panic_on_oom": 1, "thp_enabled": "madvise", "thp_defrag": "madvise", "numa_zone_reclaim_mode": 0,
          "numa_balancing": 0, "cpu_isolation_isolcpus": "2-23", "cpu_isolation_nohz_full": "2-23",
          "cpu_isolation_rcu_nocbs": "2-23", "network_file_max": 2097152, "network_rmem_max": 134217728,
          "network_wmem_max": 134217728, "network_tcp_rmem": "4096 87380 134217728",
          "network_tcp_wmem": "4096 65536 134217728", "network_netdev_max_backlog": 250000, "network_somaxconn": 65535,
          "network_default_qdisc": "fq", "network_tcp_congestion_control": "bbr", "nvme_scheduler": "none",
          "nvme_max_sectors_kb": 1024, "nvme_read_ahead_kb": 4096, "nvme_wbt_lat_usec": 0, "rdma_roce_pfc": 3,
          "rdma_roce_infiniband_sl": 5, "rdma_roce_expected_rate": 400}


@pytest.fixture(scope="module")
def load(checkout):
    """What ansible makes of an inventory."""

    def run(name):
        folder = checkout / "inventories" / name
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        answer = subprocess.run([sys.executable, "-m", "ansible", "inventory", "-i", str(folder), "--list"], check=True,
                                capture_output=True, text=True, timeout=120,
                                env=dict(kept, ANSIBLE_INVENTORY_ANY_UNPARSED_IS_FAILED="1"))
        assert "WARNING" not in answer.stderr
        return json.loads(answer.stdout)

    return run


def options(checkout):
    found = {}
    for role in ROLES:
        spec = yaml.safe_load((checkout / "roles" / role / "meta" / "argument_specs.yml").read_text())
        found.update(spec["argument_specs"]["main"]["options"])
    return found


@pytest.mark.parametrize("name", ["local", "example", "as_documented"])
def test_every_variable_is_read_somewhere_and_every_node_has_one_class(name, load, checkout):
    inventory = load(name)
    known = set(options(checkout)) | OTHERS
    for host, variables in inventory["_meta"]["hostvars"].items():
        assert set(variables) <= known, host
        assert sum(host in inventory.get(group, {}).get("hosts", ()) for group in CLASSES) == 1, host


def test_the_local_inventory_is_this_machine_and_sets_nothing(load):
    assert list(load("local")["_meta"]["hostvars"].values()) == [
        {"ansible_connection": "local", "ansible_python_interpreter": "{{ ansible_playbook_python }}"}]


def test_the_example_has_every_class_racks_and_overrides(load):
    inventory = load("example")
    variables = inventory["_meta"]["hostvars"]
    assert all(inventory[group]["hosts"] for group in CLASSES)
    assert all("rack" in of_host for of_host in variables.values())
    assert {of_host.get("nvlink_domain") for of_host in variables.values()} == {None, "nvl72-a"}
    assert variables["head-01"]["vm_swappiness"] == 150
    assert variables["gpu-trn-01"]["vm_dirty_ratio"] is None


def test_as_documented_has_the_guides_values_and_every_variable(load, checkout):
    (variables,) = load("as_documented")["_meta"]["hostvars"].values()
    assert {name: variables[name] for name in GUIDES} == GUIDES
    assert set(options(checkout)) <= set(variables)


def test_every_value_of_as_documented_has_a_comment_on_ours(checkout):
    lines = (checkout / "inventories" / "as_documented" / "group_vars" / "all.yml").read_text().splitlines()
    commented = False
    for line in lines[1:]:
        if line.startswith("#"):
            commented = True
        elif not line:
            commented = False
        else:
            assert commented, line
