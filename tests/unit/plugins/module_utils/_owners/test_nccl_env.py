# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of who sets NCCL's variables: NCCL's own order of files, units, logins and what processes really have."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import nccl_env

from tests.sysroots import plain_node, roce_node
from tests.sysroots.plain_node import put


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return plain_node.build(tmp_path)


def scopes(root):
    return {one["who"]: {name: told["value"] for name, told in one["values"].items()}
            for one in nccl_env.read(Host(str(root)))}


def test_a_conf_is_taken_to_the_letter_and_the_first_line_counts(root):
    roce_node.conf(root, "# NCCL_IB_TC=1", "NCCL_IB_TC=106", "NCCL_IB_TC=96", 'NCCL_IB_HCA="mlx5_0"',
                   "export NCCL_DEBUG=INFO", "", "LD_PRELOAD=x")
    assert scopes(root) == {"any job": {"NCCL_IB_TC": "106", "NCCL_IB_HCA": '"mlx5_0"'}}
    assert nccl_env.read(Host(str(root)))[0]["values"]["NCCL_IB_TC"]["where"] == "/etc/nccl.conf:2"


def test_a_home_file_wins_over_etc(root):
    put(root, "/etc/passwd", "root:x:0:0::/root:/bin/sh\nsys:x:9:9::/var/sys:/bin/sh\n"
        "ann:x:1000:1000::/home/ann:/bin/sh")
    roce_node.conf(root, "NCCL_IB_TC=106", "NCCL_DEBUG=WARN")
    roce_node.conf(root, "NCCL_IB_TC=0", path="/home/ann/.nccl.conf")
    roce_node.conf(root, "NCCL_IB_TC=9", path="/var/sys/.nccl.conf")
    assert scopes(root) == {"any job": {"NCCL_IB_TC": "106", "NCCL_DEBUG": "WARN"},
                            "jobs of ann": {"NCCL_IB_TC": "0", "NCCL_DEBUG": "WARN"}}


def test_units_and_their_drop_ins_win_over_files(root):
    roce_node.conf(root, "NCCL_IB_TC=106")
    put(root, "/etc/systemd/system/vllm.service", "[Service]\nEnvironment=NCCL_IB_TC=1 HF_TOKEN=secret\n"
        "EnvironmentFile=/etc/vllm.env")
    put(root, "/etc/systemd/system/vllm.service.d/x.conf", "[Service]\nEnvironment=NCCL_IB_TC=96")
    put(root, "/etc/vllm.env", "UCX_IB_TRAFFIC_CLASS=104")
    put(root, "/etc/systemd/system/other.service", "[Service]\nExecStart=/bin/true")
    assert scopes(root)["vllm.service"] == {"NCCL_IB_TC": "96", "UCX_IB_TRAFFIC_CLASS": "104"}
    assert "other.service" not in scopes(root)


def test_logins_export(root):
    put(root, "/etc/environment", "NCCL_IB_TC=160")
    put(root, "/etc/profile.d/nccl.sh", "#!/bin/sh\nexport NCCL_IB_HCA='mlx5'  # all\nexport PATH=/x")
    assert scopes(root)["logins"] == {"NCCL_IB_TC": "160", "NCCL_IB_HCA": "mlx5"}


def test_processes_have_what_they_were_started_with_and_no_secrets_are_kept(root):
    roce_node.conf(root, "NCCL_IB_TC=106")
    roce_node.job(root, 70, NCCL_IB_SL="5", HF_TOKEN="secret")
    roce_node.job(root, 71, NCCL_IB_SL="5", HF_TOKEN="secret")
    roce_node.job(root, 72, comm="node_exporter", NCCL_IB_SL="7")
    assert scopes(root) == {"any job": {"NCCL_IB_TC": "106"},
                            "process 70 (python3)": {"NCCL_IB_TC": "106", "NCCL_IB_SL": "5"}}


def test_a_container_has_files_of_its_own(root):
    roce_node.conf(root, "NCCL_IB_TC=106")
    roce_node.job(root, 70)
    for pid, name in ((1, "mnt:[1]"), (70, "mnt:[2]")):
        (root / "proc" / str(pid) / "ns").mkdir(parents=True, exist_ok=True)
        os.symlink(name, root / "proc" / str(pid) / "ns/mnt")
    assert nccl_env.is_contained(Host(str(root)), 70)
    assert scopes(root)["process 70 (python3)"] == {}
    put(root, "/proc/70/root/etc/nccl.conf", "NCCL_IB_TC=0")
    assert scopes(root)["process 70 (python3)"] == {"NCCL_IB_TC": "0"}
