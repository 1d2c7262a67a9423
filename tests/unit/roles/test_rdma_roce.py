# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role rdma_roce's defaults as Ansible evaluates them: all follows from the class and the topology."""

from __future__ import annotations

import pytest
import yaml

from tests.conftest import CHECKOUT
from tests.sysroots import evaluated_role

DEFAULTS = CHECKOUT / "roles/rdma_roce/defaults/main.yml"
TASKS = CHECKOUT / "roles/rdma_roce/tasks/main.yml"


def device(name, address, netdev, layer="Ethernet"):
    return {"name": name, "pci_address": address, "ports": [
        {"port": 1, "netdev": netdev, "link_layer": layer, "state": "ACTIVE", "rate": 400}]}


def nic(name, address, rdma, **more):
    return dict({"name": name, "pci_address": address, "rdma_device": rdma, "mtu": 9000}, **more)


NODE = {"numa_nodes": [], "gpu_nics": {"0": ["mlx5_0"]},
        "rdma_devices": [device("mlx5_0", "0000:16:00.0", "rail0"), device("mlx5_1", "0000:51:00.0", "stor0"),
                         device("mlx5_2", "0000:99:00.0", "eno1")],
        "nics": [nic("rail0", "0000:16:00.0", "mlx5_0"), nic("stor0", "0000:51:00.0", "mlx5_1"),
                 nic("eno1", "0000:99:00.0", "mlx5_2", default_route=True)]}
NONE = {"numa_nodes": [], "gpu_nics": {}, "rdma_devices": [], "nics": []}
HOSTS = {
    "node": {"topology": NODE, "rdma_roce_apply": True},
    "checked": {"topology": NODE},
    "none": {"topology": NONE},
    "named": {"topology": NODE, "gpuwright_compute_nics": ["rail0"], "gpuwright_storage_nics": []},
    "other": {"topology": NODE, "rdma_roce_apply": "yes", "rdma_roce_priority": 5, "rdma_roce_dscp": 34,
              "rdma_roce_infiniband_sl": 1},
    "unmanaged": {"topology": NODE, "rdma_roce_cnp_dscp": None, "rdma_roce_cnp_priority": None},
    "text": {"topology": NODE, "rdma_roce_dscp": "26", "rdma_roce_priority": "3"},
}


@pytest.fixture(name="values", scope="module")
def fixture_values(tmp_path_factory):
    """Host to the values of the role's variables."""
    return evaluated_role.variables(tmp_path_factory.mktemp("rdma_roce"), "rdma_roce", HOSTS)


def test_one_class_is_carried_through_all_values(values):
    given = values["node"]
    assert (given["rdma_roce_trust"], given["rdma_roce_pfc"], given["rdma_roce_dscp_prio"]) == ("dscp", [3], None)
    assert given["rdma_roce_ecn_np"] == given["rdma_roce_ecn_rp"] == [3]
    assert given["rdma_roce_tos"] == given["rdma_roce_published"]["link_layers"]["Ethernet"]["NCCL_IB_TC"] == 106
    assert "DSCP 26" in given["rdma_roce_fabric_report"]
    assert given["rdma_roce_remove_ipc"] == "no"


def test_what_is_only_checked_moves_no_storage_into_a_class_that_nothing_protects(values):
    assert values["checked"]["rdma_roce_apply"] is False and values["checked"]["rdma_roce_tos"] is None


def test_another_class_too(values):
    given = values["other"]
    assert (given["rdma_roce_pfc"], given["rdma_roce_tos"]) == ([5], 138)
    assert given["rdma_roce_dscp_prio"] == {"34": 5}
    assert given["rdma_roce_published"]["link_layers"]["InfiniBand"]["NCCL_IB_SL"] == 1
    assert "DSCP 34" in given["rdma_roce_fabric_report"]


def test_numbers_as_text_and_a_notification_that_is_not_managed_are_the_same_class(values):
    for name in ("text", "unmanaged"):
        assert values[name]["rdma_roce_class"] == values["node"]["rdma_roce_class"]


def test_the_nics_are_those_of_the_topology_or_of_the_operator(values):
    assert values["node"]["rdma_roce_interfaces"] == ["rail0", "stor0"]
    assert values["node"]["rdma_roce_rdma_devices"] == ["mlx5_0", "mlx5_1"]
    assert values["named"]["rdma_roce_rdma_devices"] == ["mlx5_0"]


def test_a_node_without_rdma_has_a_class_and_nobody_to_give_it_to(values):
    given = values["none"]
    assert given["rdma_roce_interfaces"] == given["rdma_roce_rdma_devices"] == []
    assert given["rdma_roce_class"]["devices"] == {}


def test_every_option_is_handed_over():
    task = yaml.safe_load(TASKS.read_text())[0]["gpuwright.node.settings"]
    handed = {name: str(text).replace(" | bool", "") for name, text in task["options"].items()}
    assert handed == {name: "{{ %s }}" % name for name in handed}
    settings = {str(text).strip("{} ") for text in task["values"].values()}
    assert settings | set(handed) == set(yaml.safe_load(DEFAULTS.read_text()))


def test_queues_and_shares_are_the_drivers(values):
    given = values["node"]
    assert (given["rdma_roce_ets_tsa"], given["rdma_roce_tc_bw"], given["rdma_roce_prio_tc"]) == (None, None, None)
