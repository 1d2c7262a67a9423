# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What /proc tells of an engine's processes: titles of a real one, and this very process."""

from __future__ import annotations

import os
import resource
import socket

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import processes

from tests.sysroots.plain_node import put

# Of a real worker: its own memory, a file of the model, a file that it wrote over, shared memory, huge pages, a stack.
NUMA_MAPS = """55665b1e0000 bind:0 file=/usr/bin/python3.11 mapped=1 mapmax=5 N0=1 kernelpagesize_kB=4
55665b1e3000 bind:0 file=/usr/bin/python3.11 anon=1 dirty=1 active=0 N0=1 kernelpagesize_kB=4
5566734d3000 bind:0 heap anon=43688 dirty=43688 active=0 N0=43688 kernelpagesize_kB=4
7f6e37fff000 bind:0 anon=262145 dirty=262145 active=0 N0=262100 N1=45 kernelpagesize_kB=4
7f6e78022000 bind:0
7f6e7cfff000 bind:0 file=/dev/shm/psm_b95a1fbe dirty=9 mapmax=2 active=0 N0=9 kernelpagesize_kB=4
7f6e80000000 prefer:1 file=/anon_hugepage huge anon=4 dirty=4 N1=4 kernelpagesize_kB=2048
7ffd0b5a2000 default stack anon=12 dirty=12 N0=12 kernelpagesize_kB=4"""


@pytest.mark.parametrize("title, role, ranks", [
    ("VLLM::EngineCore", "engine", {}), ("VLLM::EngineCore_DP3", "engine", {"DP": 3}),
    ("VLLM::Worker", "worker", {}), ("VLLM::Worker_TP0", "worker", {"TP": 0}),
    ("VLLM::Worker_DP1_PP2_PCP0_TP13_DCP1_EP13", "worker", {"DP": 1, "PP": 2, "PCP": 0, "TP": 13, "DCP": 1, "EP": 13}),
    ("VLLM::APIServer_1", "api", {"": 1}), ("VLLM::DPCoordinator", "coordinator", {}),
    ("my-fleet::Worker_TP1", "worker", {"TP": 1}),
    ("ray::RayWorkerWrapper", "worker", {}), ("ray::RayWorkerProc.execute_method", "worker", {}),
    ("ray::IDLE", "other", {}),
    ("/opt/x/bin/python3 /opt/x/bin/vllm serve --config /etc/vllm/a.yaml", "other", {}),
    ("grep VLLM::Worker_TP0", "other", {})])
def test_titles_of_processes(title, role, ranks):
    assert processes.of_title(title) == (role, ranks)


def test_this_very_process():
    found = processes.tell(Host("/"), os.getpid())
    assert found["parent"] == os.getppid() and found["role"] == "other" and found["threads"] >= 1
    assert set(_cpulist.parse(found["cpus"])) == os.sched_getaffinity(0)
    limits = processes.limits(Host("/"), os.getpid())
    for name, pair in limits.items():
        wanted = resource.getrlimit(getattr(resource, "RLIMIT_" + name.upper()))
        assert pair == tuple(float("inf") if limit == resource.RLIM_INFINITY else limit for limit in wanted)
    assert set(limits) == {"memlock", "nofile", "stack"}
    assert processes.command(Host("/"), os.getpid())[0].endswith(("python", "python3", "python3.11", "python3.13"))


def test_a_process_that_is_gone_or_dead(tmp_path):
    host = Host("/")
    for found in (processes.tell, processes.limits, processes.pages, processes.command):
        assert found(host, 1 << 30) is None
    assert processes.variables(host, 1 << 30, {"HOME"}) is None
    put(tmp_path, "/proc/7/cmdline", "x")
    put(tmp_path, "/proc/7/status", "Name:\tx\nState:\tZ (zombie)\nPPid:\t1")
    assert processes.tell(Host(str(tmp_path)), 7) is None


def test_only_the_variables_that_are_asked_for(tmp_path):
    put(tmp_path, "/proc/7/environ", "CUDA_VISIBLE_DEVICES=0,1\0HF_TOKEN=MINE\0EMPTY=\0A=b=c\0")
    assert processes.variables(Host(str(tmp_path)), 7, {"CUDA_VISIBLE_DEVICES", "A", "NONE"}) == {
        "CUDA_VISIBLE_DEVICES": "0,1", "A": "b=c"}


def test_a_title_keeps_no_words_of_a_stranger(tmp_path):
    put(tmp_path, "/proc/7/cmdline", "/usr/bin/mysql\0-pMINE")
    put(tmp_path, "/proc/7/status", "State:\tS (sleeping)\nPPid:\t1\nThreads:\t3\nCpus_allowed_list:\t0-3")
    found = processes.tell(Host(str(tmp_path)), 7)
    assert found["title"] == "/usr/bin/mysql" and found["cpus"] == "0-3" and found["mems"] == ""


def test_own_memory_by_numa_node(tmp_path):
    put(tmp_path, "/proc/7/numa_maps", NUMA_MAPS)
    assert processes.pages(Host(str(tmp_path)), 7) == {
        "nodes": {0: (43688 + 262100 + 12) * 4096, 1: 45 * 4096 + 4 * (2 << 20)},
        "policies": ["bind:0", "default", "prefer:1"]}


@pytest.mark.parametrize("mount", ["/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd"])
def test_all_processes_of_a_group_and_below(tmp_path, mount):
    group = "/ai.slice/vllm@a.service"
    put(tmp_path, mount + group + "/cgroup.procs", "9\n7")
    put(tmp_path, mount + group + "/libpod-payload-1/cgroup.procs", "11")
    put(tmp_path, mount + "/ai.slice/other.service/cgroup.procs", "13")
    assert processes.of_group(Host(str(tmp_path)), group) == [7, 9, 11]


def test_a_group_that_is_not_there_or_is_the_whole_machine(tmp_path):
    put(tmp_path, "/sys/fs/cgroup/cgroup.procs", "1")
    for group in ("", None, "/", "/gone.service"):
        assert processes.of_group(Host(str(tmp_path)), group) is None


@pytest.mark.parametrize("family, address", [(socket.AF_INET, "127.0.0.1"), (socket.AF_INET6, "::1")])
def test_who_has_a_port(family, address):
    host = Host("/")
    with socket.socket(family) as listener:
        try:
            listener.bind((address, 0))
        except OSError:
            assert family == socket.AF_INET6  # A machine without IPv6.
            return
        port = listener.getsockname()[1]
        assert processes.listens(host, (address, port), [os.getpid()]) is None
        listener.listen()
        assert processes.listens(host, (address, port), [os.getpid()]) is True
        assert processes.listens(host, (address, port), [os.getppid()]) in (False, None)
        assert processes.listens(host, (address, port), []) is None
    assert processes.listens(host, (address, port), [os.getpid()]) is None


def test_isolated_cpus(tmp_path):
    assert processes.isolated(Host(str(tmp_path))) == set()
    put(tmp_path, "/sys/devices/system/cpu/isolated", "2-3")
    assert processes.isolated(Host(str(tmp_path))) == {2, 3}
