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
from ansible_collections.gpuwright.node.plugins.plugin_utils._monitoring import thresholds
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import instances
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import options as vllm_options

from tests.sysroots import engine, evaluated_role, ten_faults

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
          "rdma_roce_infiniband_sl": 5, "rdma_roce_expected_rate": 400, "nccl_env_cross_nic": 1,
          "nccl_env_net_gdr_level": "SYS", "nccl_env_ib_sl": 5, "nccl_env_ib_tc": 160, "nccl_env_ib_disable": 0,
          "nccl_env_ib_pci_relaxed_ordering": 1, "nccl_env_ib_gid_index": 3, "nccl_env_debug": "INFO",
          "nccl_env_debug_subsys": "INIT,COLL,ENV,NET",
          "nccl_env_topo_file": "/var/run/nvidia-topologyd/virtualTopology.xml", "nccl_env_debugging": True,
          "nccl_benchmark_sizes": "guide", "nccl_benchmark_iterations": 100, "nccl_benchmark_warmup": 20,
          "vllm_benchmark_dataset": "sharegpt", "vllm_benchmark_requests": 1000, "vllm_benchmark_request_rate": 10,
          "vllm_benchmark_profile_delay": 30, "vllm_benchmark_profile_duration": 60, "monitoring_kv_cache_usage": 0.9,
          "monitoring_waiting_requests": 100, "monitoring_baseline_factor": 2, "monitoring_error_share": 0.01}
# What they start: name, and its arguments.
SERVED = {"mixtral": {"tensor_parallel_size": 2, "gpu_memory_utilization": 0.95, "block_size": 16,
                      "max_num_seqs": 256},
          "llama": {"tensor_parallel_size": 4, "gpu_memory_utilization": 0.95, "max_num_batched_tokens": 16384,
                    "max_num_seqs": 512, "max_model_len": 8192, "enable_chunked_prefill": True}}
# What they say of one class of nodes only.
OF_CLASS = {
    "inference": {"nccl_env_algo": "Ring", "nccl_env_proto": "Simple", "nccl_env_buffsize": 2097152,
                  "nccl_env_nthreads": 256, "nccl_env_min_nchannels": 2, "nccl_env_max_nchannels": 4,
                  "nccl_env_nvls_enable": 1},
    # "auto" for the first two, which NCCL does not know.
    "training": {"nccl_env_algo": None, "nccl_env_proto": None, "nccl_env_buffsize": 4194304,
                 "nccl_env_nthreads": 512, "nccl_env_min_nchannels": 8, "nccl_env_max_nchannels": 16,
                 "nccl_env_nvls_enable": None}}
DOCUMENTED = "inventories/as_documented/group_vars/"


@pytest.fixture(scope="module")
def load(checkout):
    """What ansible makes of an inventory."""

    def run(name):
        folder = checkout / "inventories" / name
        kept = {key: value for key, value in os.environ.items() if not key.startswith("ANSIBLE_")}
        answer = subprocess.run([sys.executable, "-m", "ansible", "inventory", "-i", str(folder), "--list"], check=True,
                                capture_output=True, text=True, timeout=600,
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


def of_plain_roles(checkout):
    """The variables of roles that set nothing."""
    return {name for path in (checkout / "roles").glob("*/defaults/main.yml") if path.parts[-3] not in ROLES
            for name in yaml.safe_load(path.read_text())}


@pytest.mark.parametrize("name", ["local", "example", "as_documented"])
def test_every_variable_is_read_somewhere_and_every_node_has_one_class(name, load, checkout):
    inventory = load(name)
    known = set(options(checkout)) | OTHERS | of_plain_roles(checkout) | {
        thresholds.PREFIX + name for name in thresholds.DEFAULTS}
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
    wanted = dict(GUIDES, **OF_CLASS["inference"])
    assert {name: variables[name] for name in wanted} == wanted
    assert set(options(checkout)) <= set(variables)


@pytest.mark.parametrize("name, host", [("as_documented", "localhost"), ("example", "gpu-inf-01")])
def test_the_instances_of_an_inventory_are_legal(name, host, load):
    hosts = load(name)["_meta"]["hostvars"]
    given = dict({"engine": "venv", "version": "0.33.0"}, **{
        key.removeprefix("vllm_service_"): value for key, value in hosts[host].items()})
    found = instances.of_host(host, given, vllm_options.defaults(given), hosts)
    assert set(found) == {one["name"] for one in hosts[host]["vllm_service_instances"]}


def test_as_documented_has_what_the_guides_start_and_starts_nothing(load, checkout):
    (variables,) = load("as_documented")["_meta"]["hostvars"].values()
    assert {one["name"]: one["arguments"] for one in variables["vllm_service_instances"]} == SERVED
    assert {one["state"] for one in variables["vllm_service_instances"]} == {"absent"}
    text = (checkout / DOCUMENTED / "all.yml").read_text()
    assert [name for one in SERVED.values() for name in one if "%s: " % name not in text.partition(
        "# ---- vllm_service")[2].partition("vllm_service_instances")[0]] == []


def test_as_documented_has_what_the_guides_say_of_each_class(checkout):
    held = {name: yaml.safe_load((checkout / DOCUMENTED / (name + ".yml")).read_text()) for name in OF_CLASS}
    assert {name: {key: held[name][key] for key in wanted} for name, wanted in OF_CLASS.items()} == OF_CLASS
    assert set(held["inference"]) == set(held["training"])


@pytest.mark.parametrize("name", ["all", *OF_CLASS])
def test_every_value_of_as_documented_has_a_comment_on_ours(name, checkout):
    lines = (checkout / DOCUMENTED / (name + ".yml")).read_text().splitlines()
    commented = False
    for line in lines[1:]:
        if line.startswith("#"):
            commented = True
        elif not line:
            commented = False
        else:
            assert commented, line


@pytest.mark.parametrize("group", sorted(OF_CLASS))
def test_each_value_of_as_documented_for_nccl_is_legal_and_says_what_is_wrong_with_it(group, checkout, tmp_path):
    """On the node of eight GPUs nothing is refused but what NVIDIA or the fabric speaks against."""
    folders = [checkout / DOCUMENTED / (name + ".yml") for name in ("all", group)]
    given = {key: value for path in folders for key, value in yaml.safe_load(path.read_text()).items()}
    given.pop("nccl_env_workload")
    root = ten_faults.build(tmp_path / "node")
    (root / "etc/nccl.conf").unlink()
    hosts = {"node": dict(given, topology=ten_faults.fact(root))}
    asked = evaluated_role.arguments(tmp_path, ["nccl_env"], hosts)["node"]["nccl_env"]
    made = engine.plan(root, "nccl_env", asked["values"], kernel=ten_faults.Node, options=asked["options"])
    statuses = {step["target"]: step["status"] for step in made.steps}
    assert set(statuses) == {"NCCL_" + key[len("nccl_env_"):].upper() for key, value in dict(
        GUIDES, **OF_CLASS[group]).items() if key.startswith("nccl_env_") and key != "nccl_env_debugging"
        and value is not None} | {"NCCL_IB_HCA", "NCCL_SOCKET_IFNAME"}
    assert set(statuses.values()) <= {"drift", "refused"} and statuses["NCCL_IB_HCA"] == "drift"
    assert asked["values"]["NCCL_IB_HCA"].startswith("=mlx5_0:1,")
