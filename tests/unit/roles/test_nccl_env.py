# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of role nccl_env's defaults as Ansible evaluates them: NCCL's environment follows from node and fabric."""

from __future__ import annotations

import copy

import pytest
import yaml

from tests.conftest import CHECKOUT
from tests.sysroots import eight_gpu, evaluated_role, flat_vm, plain_node, ten_faults

DEFAULTS = CHECKOUT / "roles/nccl_env/defaults/main.yml"
TASKS = CHECKOUT / "roles/nccl_env/tasks/main.yml"
CLOUD = CHECKOUT / "tests/captures/nccl-topo-xml/aws-p4d-24xl-topo/topo.xml"
RAILS = "=" + ",".join(name + ":1" for name in eight_gpu.RAILS)
SWITCHES = [{"gpus": [2 * number, 2 * number + 1], "nics": ["rdma%d" % number]} for number in range(4)]
# What a plain training node of this kind has; the rest is left to NCCL.
OF_ROCE = {"ib_hca": RAILS, "socket_ifname": "=login0", "ib_tc": "106", "gin_ib_tc": "106", "debug": "WARN"}


def infiniband(fact):
    """The same node with its rails and its storage on the other fabric."""
    fact = copy.deepcopy(fact)
    for device in (one for one in fact["rdma_devices"] if one["name"] not in ("mlx5_10", "mlx5_11")):
        for port in device["ports"]:
            port.update(link_layer="InfiniBand", netdev=None, gids=[], roce_v2_gid={"ipv4": None, "ipv6": None})
    return fact


@pytest.fixture(name="told", scope="module")
def fixture_told(tmp_path_factory):
    """Host to what its node is given: {variable without the role's name: value} of all that is not null."""
    folder = tmp_path_factory.mktemp("nccl_env")
    node = ten_faults.fact(ten_faults.build(folder / "node"))
    plain = ten_faults.fact(plain_node.build(folder / "plain"))
    cloud = flat_vm.fact(flat_vm.build(folder / "cloud", CLOUD.read_text()))
    hosts = {
        "roce": {"topology": node}, "infiniband": {"topology": infiniband(node), "rdma_roce_infiniband_sl": 1},
        "no GPU": {"topology": plain}, "cloud": {"topology": cloud},
        "declared": {"topology": cloud, "nccl_env_pcie_switches": SWITCHES},
        "own tree": {"topology": cloud, "nccl_env_topology": "<system version='1'/>"},
        "bare metal": {"topology": node, "nccl_env_pcie_switches": None},
        "named": {"topology": node, "gpuwright_compute_nics": ["rail1", "rail0"],
                  "gpuwright_storage_nics": ["mlx5_4"], "nccl_env_socket_interfaces": ["stor0", "stor1"]},
        "rail": {"topology": node, "nccl_env_fabric": "rail"},
        "rails apart": {"topology": node, "nccl_env_fabric": "rail", "nccl_env_inter_rail_path": "false",
                        "nccl_env_cluster_gpus": "2048"},
        "one switch": {"topology": node, "nccl_env_fabric": "single_switch"},
        "old": {"topology": node, "nccl_env_min_version": "2.20.5"},
        "one node": {"topology": node, "nccl_env_multi_node": False},
        "other class": {"topology": node, "rdma_roce_priority": "5", "rdma_roce_dscp": "40"},
        "text": {"topology": node, "nccl_env_ib_tc": "104", "nccl_env_debugging": "yes", "nccl_env_algo": "Ring",
                 "nccl_env_debug": None},
        "further": {"topology": node, "nccl_env_further": {"NCCL_P2P_LEVEL": "NVL", "NCCL_IB_AR_THRESHOLD": 0}}}
    given = evaluated_role.variables(tmp_path_factory.mktemp("play"), "nccl_env", hosts, "training")
    return {host: {name[len("nccl_env_"):]: value for name, value in values.items()} for host, values in given.items()}


def environment(told, host):
    """What the host's file would have, by the variables of the role."""
    rows = {str(text).strip("{} ")[len("nccl_env_"):] for text in task()["values"].values()}
    return {name: value for name, value in told[host].items() if name in rows and value not in (None, "")}


def task():
    return yaml.safe_load(TASKS.read_text())[0]["gpuwright.node.settings"]


def test_a_node_with_rails_is_told_its_devices_its_class_and_its_way_to_the_others(told):
    assert environment(told, "roce") == OF_ROCE
    assert (told["roce"]["workload"], told["roce"]["min_version"]) == ("training", "2.21")


def test_on_infiniband_the_service_level_counts_and_no_byte_of_ethernet(told):
    assert environment(told, "infiniband") == {"ib_hca": RAILS, "socket_ifname": "=login0", "ib_sl": "1",
                                               "debug": "WARN"}


def test_a_node_without_gpus_is_told_nothing_and_why(told):
    assert environment(told, "no GPU") == {}
    assert {one["why"] for one in told["no GPU"]["derived"].values()} == {"this node has no GPU (gpus)"}


def test_a_virtual_machine_gets_a_file_only_once_its_switches_are_declared(told):
    assert "topo_file" not in environment(told, "cloud") and told["cloud"]["topology"] is None
    given = environment(told, "declared")
    assert given["topo_file"] == "/etc/gpuwright/nccl-topo.xml" and "<system version=" in given["topology"]
    given = environment(told, "own tree")
    assert (given["topo_file"], given["topology"]) == ("/etc/gpuwright/nccl-topo.xml", "<system version='1'/>")
    assert "topo_file" not in environment(told, "bare metal")


def test_the_nics_are_those_that_the_operator_names(told):
    given = told["named"]
    assert (given["compute_nics"], given["storage_nics"]) == (["rail1", "rail0"], ["mlx5_4"])
    assert given["ib_hca"] == "=mlx5_0:1,mlx5_1:1" and given["socket_ifname"] == "=stor0,stor1"


def test_what_only_the_fabric_can_answer_follows_from_what_is_declared(told):
    assert environment(told, "rail") == OF_ROCE
    assert environment(told, "rails apart") == dict(OF_ROCE, cross_nic="0", ib_timeout="22")
    assert environment(told, "one switch") == dict(OF_ROCE, cross_nic="1")


def test_an_nccl_that_finds_no_gid_is_given_its_index(told):
    assert environment(told, "old") == dict(OF_ROCE, ib_gid_index="3")


def test_jobs_that_stay_in_their_node_need_no_network(told):
    assert environment(told, "one node") == {"socket_ifname": "=login0", "debug": "WARN"}


def test_the_class_is_that_of_role_rdma_roce(told):
    assert (told["other class"]["ib_tc"], told["other class"]["gin_ib_tc"]) == ("162", "162")
    assert told["other class"]["traffic_class"]["link_layers"]["Ethernet"]["NCCL_IB_TC"] == 162


def test_values_given_as_text_are_taken_and_null_leaves_a_variable_alone(told):
    expected = {name: value for name, value in OF_ROCE.items() if name != "debug"}
    assert environment(told, "text") == dict(expected, ib_tc="104", algo="Ring")
    assert told["text"]["debugging"] == "yes" and "debugging: \"{{ nccl_env_debugging | bool }}\"" in TASKS.read_text()


def test_further_variables_bring_their_names(told):
    assert told["further"]["further_names"] == ["NCCL_P2P_LEVEL", "NCCL_IB_AR_THRESHOLD"]
    assert told["roce"]["further_names"] == [] and told["roce"]["further"] is None


def test_every_variable_is_handed_over():
    handed = {name: str(text).replace(" | bool", "") for name, text in task()["options"].items()}
    assert handed == {name: "{{ %s }}" % name for name in handed}
    settings = {str(text).strip("{} ") for text in task()["values"].values()}
    assert settings | set(handed) == set(yaml.safe_load(DEFAULTS.read_text()))


def test_what_nvidia_speaks_against_is_never_a_default(told):
    """Nor is what NCCL decides well by itself: each is a name that a person has to write down."""
    named = {"algo", "proto", "buffsize", "nthreads", "min_nchannels", "max_nchannels", "net_gdr_level", "ib_disable",
             "ib_pci_relaxed_ordering", "nvls_enable", "dmabuf_enable", "cumem_host_enable", "min_ctas", "max_ctas",
             "ignore_cpu_affinity", "ib_retry_cnt", "ib_split_data_on_qps", "ib_merge_nics", "ib_fifo_tc",
             "socket_family", "netdevs_policy", "ras_enable", "ras_addr", "debug_file", "debug_subsys"}
    assert {name: told[host][name] for host in told for name in named if told[host][name] is not None} == {
        "algo": "Ring"}
    assert {told[host]["debugging"] for host in told} == {False, "yes"}
