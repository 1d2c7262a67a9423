# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After the roles every setting is right in the node's files and in the report, which also says what the node is."""

from __future__ import annotations

import json
import os
import pathlib

import pytest

EPHEMERAL = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])

THP = "sys/kernel/mm/transparent_hugepage/enabled"

# Both nodes, written down by hand and not asked of the roles.
VALUES = {
    "proc/sys/vm/swappiness": "10",
    "proc/sys/vm/max_map_count": "1048576",
    "proc/sys/vm/panic_on_oom": "0",
    "proc/sys/vm/zone_reclaim_mode": "0",
    "proc/sys/kernel/panic": "10",
    "proc/sys/kernel/numa_balancing": "0",
    "proc/sys/fs/nr_open": "1048576",
    "proc/sys/net/core/rmem_max": "67108864",
    "proc/sys/net/core/wmem_max": "67108864",
    "proc/sys/net/ipv4/tcp_rmem": "4096 131072 67108864",
    "proc/sys/net/ipv4/tcp_wmem": "4096 65536 67108864",
    "proc/sys/net/core/somaxconn": "4096",
    "proc/sys/net/ipv4/tcp_max_syn_backlog": "4096",
}

# Dirty memory by the size of memory: percentages on the small node, bytes of the training class on the large one.
# Huge pages: a folder keeps the word that is written; the large node was right before. Only the small one has a volume
# on a drive, and only the large one RDMA, whose connections get the class of priority 3, DSCP 26: traffic class 106.
OF_ONE_NODE = {
    "plain-node": {"proc/sys/vm/dirty_ratio": "10", "proc/sys/vm/dirty_background_ratio": "3", THP: "madvise",
                   "sys/class/block/nvme0n1/queue/read_ahead_kb": "4096",
                   "sys/class/block/nvme1n1/queue/read_ahead_kb": "128"},
    "gpu-node": {"proc/sys/vm/dirty_bytes": str(32 << 30), "proc/sys/vm/dirty_background_bytes": str(4 << 30),
                 THP: "always [madvise] never",
                 **{"sys/kernel/config/rdma_cm/mlx5_%d/ports/1/default_roce_tos" % number: "106"
                    for number in range(10)}},
}

# NCCL's environment: without GPUs what molecule.yml gives, with them what follows from devices, class and default
# route.
NCCL = {
    "plain-node": {"NCCL_DEBUG": "WARN", "NCCL_NET_PLUGIN": "none"},
    "gpu-node": {"NCCL_IB_HCA": "=mlx5_0:1,mlx5_1:1,mlx5_2:1,mlx5_3:1,mlx5_5:1,mlx5_6:1,mlx5_7:1,mlx5_8:1",
                 "NCCL_SOCKET_IFNAME": "=eno1", "NCCL_IB_TC": "106", "NCCL_GIN_IB_TC": "106", "NCCL_DEBUG": "WARN"},
}

# What has no place on a node: settings by the reason in the report. Exact.
NO_RAILS = "no interfaces of this node share a subnet: network_rails is empty"
NO_RDMA = "there is no RDMA device here"
NO_GPU = "no NVIDIA GPU is here"
NO_SERVICE = "none of these services is installed here"
OFED = "no device is named for it, or the driver of this one has no such file: that of OFED or DOCA alone has it"
NO_TOOL = ("no interface is named for it, or neither dcb (package iproute2 or iproute) nor mlnx_qos (package "
           "mlnx-tools or OFED or DOCA) serves this one for it; to take DCBX from the firmware and give it back needs "
           "mlnx_qos")
RAILS = {"net.ipv4.conf.{device}.arp_ignore", "net.ipv4.conf.{device}.arp_announce",
         "net.ipv4.conf.{device}.rp_filter", "rail/route"}
DCB = {"dcb/dcbx", "dcb/trust", "dcb/prio-pfc"}
ECN = {"ecn/roce_np/enable", "ecn/roce_rp/enable", "ecn/roce_np/cnp_dscp", "ecn/roce_np/cnp_802p_prio"}
NOT_APPLICABLE = {
    "plain-node": {
        NO_SERVICE: {"LimitNOFILE"}, NO_RAILS: RAILS,
        NO_RDMA: {*DCB, *ECN, "LimitMEMLOCK", "memlock", "RemoveIPC", "traffic_class.json", "fabric.txt"},
        NO_GPU: {"nvidia_peermem", "nvidia-persistenced.service", "nvidia-fabricmanager.service"}},
    "gpu-node": {
        NO_SERVICE: {"LimitNOFILE", "LimitMEMLOCK"}, NO_RAILS: RAILS, NO_TOOL: DCB, OFED: ECN,
        "systemd-logind is not installed here": {"RemoveIPC"},
        "no filesystem that is mounted here rests on an NVMe drive": {"queue/read_ahead_kb"},
        "DMA-BUF serves: kernel 6.8.0-60-generic, open kernel module, NIC driver mlx5_core; nvidia_peermem is not "
        "loaded (not needed with DMA-BUF)": {"nvidia_peermem"}},
}

# What persists it, and on the node with RDMA what puts back after a boot what nothing persists.
DESIRED = {"etc/gpuwright/desired/%s.json" % role for role in ("vm", "thp", "numa", "network", "nccl_env", "nvme")}
FILES = {
    "etc/sysctl.d/90-gpuwright-vm.conf", "etc/sysctl.d/90-gpuwright-numa.conf",
    "etc/sysctl.d/90-gpuwright-network.conf", "etc/tmpfiles.d/90-gpuwright-vm.conf",
    "etc/tmpfiles.d/90-gpuwright-thp.conf", "etc/udev/rules.d/90-gpuwright-nvme.rules",
    "etc/gpuwright/nccl.env",
}
UNITS = "etc/systemd/system/"
FILES_OF_ONE_NODE = {
    "plain-node": set(),
    "gpu-node": {
        "etc/security/limits.d/90-gpuwright-rdma_roce.conf", "etc/gpuwright/traffic_class.json",
        "etc/gpuwright/fabric.txt", "etc/udev/rules.d/90-gpuwright.rules", UNITS + "gpuwright-boot.service",
        UNITS + "gpuwright-device.service", UNITS + "gpuwright-device.timer",
        UNITS + "multi-user.target.d/90-gpuwright.conf", "usr/local/lib/gpuwright/gpuwright.pyz",
        "etc/gpuwright/desired/rdma_roce.json", "etc/gpuwright/desired/gpudirect.json"},
}
GPUS = {"plain-node": 0, "gpu-node": 8}


@pytest.fixture
def name(host):
    """The node's name, which is that of its folder."""
    return host.backend.get_hostname()


@pytest.fixture
def answer(name):
    """What the report says of the node."""
    return json.loads((EPHEMERAL / "report" / "audit.json").read_text())["hosts"][name]


def test_values(name):
    expected = {**VALUES, **OF_ONE_NODE[name]}
    assert {path: (EPHEMERAL / "nodes" / name / path).read_text().strip() for path in expected} == expected


@pytest.mark.parametrize("path", ["etc/nccl.conf", "etc/gpuwright/nccl.env"])
def test_nccl_reads_its_environment_and_each_line_has_its_reason(name, path):
    lines = (EPHEMERAL / "nodes" / name / path).read_text().splitlines()
    assert dict(line.split("=", 1) for line in lines if line and not line.startswith("#")) == NCCL[name]
    assert all(lines[number - 1].startswith("# ") for number, line in enumerate(lines) if line.startswith("NCCL_"))


def test_only_our_files_persist_them(name):
    root = EPHEMERAL / "nodes" / name
    found = {str(path.relative_to(root)) for top in ("etc", "usr") for path in (root / top).rglob("*")
             if "gpuwright" in str(path.relative_to(root)) and not path.is_dir()}
    assert found == FILES | DESIRED | FILES_OF_ONE_NODE[name]


def test_every_setting_is_ok_or_known_not_to_apply(name, answer):
    assert sum(step["status"] == "ok" for step in answer["settings"]) > 20
    assert {step["status"] for step in answer["settings"]} == {"ok", "not_applicable"}
    others = {}
    for step in answer["settings"]:
        if step["status"] != "ok":
            others.setdefault(step["reason"], set()).add(step["name"])
    assert others == NOT_APPLICABLE[name]


def test_the_report_says_what_the_node_is(name, answer):
    assert len(answer["topology"]["gpus"]) == GPUS[name]
    assert [node["id"] for node in answer["topology"]["numa_nodes"]] == [0, 1]


def test_a_second_run_changed_nothing(answer):
    assert answer["changed"] is False
