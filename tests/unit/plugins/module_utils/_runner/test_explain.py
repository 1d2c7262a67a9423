# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of explain: the row's words, this node's values and why, for a setting by any of its names."""

from __future__ import annotations

import json
import re

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import block_node, engine, plain_node


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    root = plain_node.build(tmp_path / "node")
    engine.apply(root, "vm", engine.VM)
    return root


def field(said, name):
    """What a line of the text says."""
    return next((line.strip()[len(name):].strip() for line in said.splitlines() if line.strip().startswith(name)), None)


@pytest.mark.parametrize("name", ["vm.swappiness", "vm_swappiness"])
def test_a_managed_setting_with_all_that_is_known(node, command, name):
    status, said, errors = command(node, "explain", name)
    row = next(row for row in ROLES["vm"].ROWS if row.name == "vm.swappiness")
    assert (status, errors) == (0, "") and row.doc in said and row.source in said and row.value.describe() in said
    assert field(said, "variable") == "vm_swappiness, of role vm"
    assert (field(said, "running"), field(said, "asked for"), field(said, "status")) == ("10", "10", "ok")
    assert field(said, "file") == "/etc/sysctl.d/90-gpuwright-vm.conf"
    assert field(said, "before us").startswith("60, until 20")


def test_drift_and_who_else_sets_it(node, command):
    plain_node.put(node, "/proc/sys/vm/swappiness", "60")
    plain_node.put(node, "/etc/sysctl.d/10-theirs.conf", "vm.swappiness = 60")
    status, said, _errors = command(node, "explain", "vm.swappiness")
    assert status == 1 and field(said, "status") == "drift: running 60"
    assert field(said, "also") == "/etc/sysctl.d/10-theirs.conf:1 sets it to 60"


def test_what_nobody_asked_for_has_its_running_value_and_no_verdict(node, command):
    plain_node.put(node, "/etc/sysctl.d/10-theirs.conf", "kernel.numa_balancing = 1")
    status, said, _errors = command(node, "explain", "kernel.numa_balancing")
    assert status == 0 and "not managed on this node" in said and field(said, "running") == "1"
    assert "10-theirs.conf" in field(said, "also") and field(said, "status") is None


def test_every_place_of_a_setting_is_named(node, command):
    said = command(node, "explain", "nr_hugepages")[1]
    assert said.count("on this node: ") == 4 and "on this node: node1/hugepages-2048kB" in said
    assert command(node, "explain", "node1/hugepages-2048kB")[1] == said


def test_what_this_node_has_not_got_says_so(tmp_path, command):
    status, said, _errors = command(tmp_path, "explain", "vm.swappiness")
    assert status == 0 and "nowhere on this node: this kernel has no such setting" in said


@pytest.mark.parametrize("word, words", [("vm.swapines", "did you mean vm.swappiness?"),
                                         ("dirty", "vm.dirty_ratio"),
                                         ("zzzzzz", "READMEs of the roles")])
def test_a_name_that_is_none_is_an_error_with_the_nearest(node, command, word, words):
    status, said, errors = command(node, "explain", word)
    assert (status, said) == (2, "") and "there is no setting %s; " % word in errors and words in errors


def test_json_holds_the_same(node, command):
    status, said, _errors = command(node, "explain", "vm.swappiness", "--json")
    told = json.loads(said)["settings"][0]
    assert status == 0 and told["managed"] and told["role"] == "vm" and told["legal"] == "an integer from 0 to 200"
    assert (told["here"][0]["original"], told["here"][0]["status"]) == ("60", "ok")


def test_a_role_that_cannot_be_judged_is_said(node, command):
    plain_node.put(node, "/etc/gpuwright/desired/vm.json", "{")
    said = command(node, "explain", "vm.swappiness")[1]
    assert "role vm cannot be judged: /etc/gpuwright/desired/vm.json is damaged" in said
    assert field(said, "running") == "10"


@pytest.mark.parametrize("role, name", [(role, row.name) for role in ROLES for row in ROLES[role].ROWS])
def test_every_row_can_be_explained_on_a_node_without_its_devices(node, command, role, name):
    status, said, _errors = command(node, "explain", name)
    row = next(row for row in ROLES[role].ROWS if row.name == name)
    assert status in (0, 1) and row.variable in said and re.sub(r"\b[A-Z]\(([^()]*)\)", r"\1", row.doc) in said


def test_a_drive_is_explained_beside_network_interfaces_which_the_same_kind_serves(tmp_path, command):
    root = block_node.build(tmp_path / "node")
    plain_node.put(root, "/sys/class/net/eth0/gro_flush_timeout", "0")
    status, said, _errors = command(root, "explain", "nvme_scheduler")
    assert status == 0 and "on this node: nvme0n1/queue/scheduler" in said and "eth0" not in said
    assert "on this node: eth0/net/gro_flush_timeout" in command(root, "explain", "network_gro_flush_timeout")[1]


def test_a_variable_that_is_no_setting_is_explained_too(node, command):
    status, said, _errors = command(node, "explain", "rdma_roce_apply")
    assert status == 0 and "Without it they are only checked." in said
    assert field(said, "variable").startswith("rdma_roce_apply, of role rdma_roce")
    assert (field(said, "legal"), field(said, "given")) == ("bool", "nothing on this node")
    engine.apply(node, "vm", engine.VM, options={"vm_workload": "training"})
    (told,) = json.loads(command(node, "explain", "vm_workload", "--json")[1])["options"]
    assert (told["role"], told["given"]) == ("vm", "training") and "C(" not in told["doc"]


def test_a_variable_of_nccl_says_from_which_fact_it_follows_and_who_wins_over_it(node, command):
    for name, text in (("state", "4: ACTIVE"), ("link_layer", "InfiniBand")):
        plain_node.put(node, "/sys/class/infiniband/mlx5_0/ports/1/" + name, text)
    derived = {"NCCL_IB_HCA": {"value": "=mlx5_0:1", "why": "1 RDMA port that serves GPU 0 (gpu_nics)"}}
    engine.apply(node, "nccl_env", {"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_DEBUG": "WARN", "NCCL_*": {"NCCL_NET": "IB"}},
                 options={"nccl_env_derived": derived, "nccl_env_further_names": ["NCCL_NET"]})
    status, said, _errors = command(node, "explain", "NCCL_IB_HCA")
    assert status == 0 and command(node, "explain", "nccl_env_ib_hca")[1] == said
    assert (field(said, "running"), field(said, "asked for"), field(said, "file"), field(said, "status")) == (
        "=mlx5_0:1", "=mlx5_0:1", "/etc/nccl.conf", "ok")
    assert field(said, "why") == "as it was applied: 1 RDMA port that serves GPU 0 (gpu_nics)"
    assert field(command(node, "explain", "NCCL_DEBUG")[1], "why") == "as it was applied"
    said = command(node, "explain", "NCCL_NET")[1]
    assert field(said, "variable") == "nccl_env_further, of role nccl_env" and field(said, "running") == "IB"
    plain_node.put(node, "/root/.nccl.conf", "NCCL_IB_HCA=mlx5_1")
    status, said, _errors = command(node, "explain", "NCCL_IB_HCA")
    assert status == 1 and "jobs of root get NCCL_IB_HCA=mlx5_1 (/root/.nccl.conf:1)" in field(said, "status")
    assert field(said, "also") == "/root/.nccl.conf:1 sets it to mlx5_1"
