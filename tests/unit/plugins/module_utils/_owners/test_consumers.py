# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who computes on a node and in which control group, on made-up /proc folders."""

from __future__ import annotations

import os

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import consumers

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import enable, process

EMPTY = {"gpu": [], "starters": [], "storage": [], "servers": [], "members": [], "enabled": [], "mounts": {},
         "units": []}


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


def read(root):
    return consumers.read(Host(str(root)))


def pids(root, group):
    return [one["pid"] for one in read(root)[group]]


def test_an_idle_node_has_none(root):
    process(root, 1, "systemd", "/init.scope")
    process(root, 2, "sshd", "/system.slice/ssh.service")
    assert read(root) == dict(EMPTY, unified=True, complete=True)


def test_a_process_at_a_gpu_is_told_with_its_group(root):
    process(root, 7, "python3", "/user.slice/user-0.slice/session-1.scope", "/dev/null", "/dev/nvidia3")
    (one,) = read(root)["gpu"]
    assert one["holds"] == "/dev/nvidia3" and one["cgroup"] == "/user.slice/user-0.slice/session-1.scope"
    assert consumers.unit_of(one) == "user.slice"


@pytest.mark.parametrize("comm", ["slurmd", "slurmstepd", "dockerd", "containerd", "containerd-shim", "kubelet", "crio",
                                  "k3s-server", "podman", "conmon", "kubelite", "condor_startd"])
def test_what_starts_the_processes_of_others(root, comm):
    process(root, 8, comm, "/system.slice/x.service")
    assert pids(root, "starters") == [8]


@pytest.mark.parametrize("comm", ["mmfsd", "wekanode", "ptlrpcd_00_01", "beegfs-helperd"])
def test_clients_of_storage(root, comm):
    process(root, 9, comm, "/system.slice/x.service")
    assert pids(root, "storage") == [9]


@pytest.mark.parametrize("comm, command, is_one", [
    ("VLLM::EngineCor", None, True), ("python3.12", "python3.12 -m vllm.entrypoints.cli", True),
    ("pt_main_thread", "python3 -m sglang.launch_server", True), ("ollama", None, True),
    ("python3", "python3 train.py", False), ("vim", "vim /etc/vllm.yaml", False), ("bash", None, False)])
def test_inference_servers(root, comm, command, is_one):
    process(root, 10, comm, "/", command=command)
    assert pids(root, "servers") == [10] * is_one


@pytest.mark.parametrize("cgroup, is_one", [
    ("/gpuwright.slice/vllm.service", True), ("/gpuwright.slice/gpuwright-a.slice/x.service", True),
    ("/system.slice/gpuwright.slice.service", False), ("/", False)])
def test_members_of_our_slice(root, cgroup, is_one):
    process(root, 11, "worker", cgroup)
    assert pids(root, "members") == [11] * is_one


def test_a_hybrid_hierarchy_places_processes_but_is_not_unified(tmp_path):
    root = isolation_node.build(tmp_path, **{"/sys/fs/cgroup/cgroup.controllers": None})
    process(root, 12, "dockerd", "/")
    isolation_node.plain_node.put(root, "/proc/12/cgroup",
                                  "3:cpuset:/x\n1:name=systemd:/y\n0::/system.slice/docker.service")
    found = read(root)
    assert not found["unified"]
    assert found["starters"][0]["cgroup"] == "/system.slice/docker.service"
    isolation_node.plain_node.put(root, "/proc/12/cgroup", "3:cpuset:/x\n1:name=systemd:/y")
    assert read(root)["starters"][0]["cgroup"] is None
    assert consumers.unit_of(read(root)["starters"][0]) == ""


def test_a_process_that_ends_meanwhile_is_none(root):
    (root / "proc/13").mkdir()
    assert read(root)["complete"] and pids(root, "members") == []


def test_units_that_the_next_boot_starts(root):
    enable(root, "slurmd.service")
    enable(root, "ssh.service")
    folder = root / "etc/systemd/system/sockets.target.wants"
    folder.mkdir()
    os.symlink("/usr/lib/systemd/system/docker.socket", folder / "docker.socket")
    os.symlink("/usr/lib/systemd/system/podman.socket", folder / "podman.socket")
    assert read(root)["enabled"] == ["docker.socket", "slurmd.service"]


def test_mounts_of_storage_clients(tmp_path):
    root = isolation_node.build(tmp_path, **{"/proc/mounts": "proc /proc proc rw 0 0\n/dev/sda1 / ext4 rw 0 0\n"
                                             "10.0.0.1@o2ib:/a /a lustre rw 0 0\n10.0.0.1@o2ib:/b /b lustre rw 0 0"})
    assert read(root)["mounts"] == {"Lustre": "/a"}


def test_this_machine_can_be_asked():
    found = consumers.read(Host())
    assert set(found) == set(EMPTY) | {"unified", "complete"}
