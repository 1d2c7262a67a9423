# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which processes count as live jobs, on made-up /proc folders and on this machine."""

from __future__ import annotations

import os
import time

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._owners import jobs


def process(root, pid, comm, *files, cmdline=None):
    folder = root / "proc" / str(pid)
    (folder / "fd").mkdir(parents=True)
    (folder / "comm").write_text(comm[:15] + "\n")
    (folder / "cmdline").write_text(cmdline or comm + "\0")
    for number, target in enumerate(("/dev/null", "socket:[12]") + files):
        (folder / "fd" / str(number)).symlink_to(target)


def held(root):
    found, complete = jobs.live_jobs(Host(str(root)))
    assert complete
    return {job["comm"]: job["holds"] for job in found}


@pytest.mark.parametrize("device", [
    "/dev/nvidia0", "/dev/nvidia15", "/dev/nvidia-caps/nvidia-cap42", "/dev/nvidia-caps-imex-channels/channel0",
    "/dev/kfd", "/dev/dri/renderD128", "/dev/infiniband/uverbs3"])
def test_who_holds_a_device_is_a_job(tmp_path, device):
    process(tmp_path, 7, "python3", device)
    assert jobs.live_jobs(Host(str(tmp_path))) == ([{"pid": 7, "comm": "python3", "holds": device}], True)


@pytest.mark.parametrize("file", [
    "/dev/nvidiactl", "/dev/nvidia-modeset", "/dev/dri/card0", "/dev/infiniband/umad0", "/home/me/dev/nvidia0",
    "/dev/nvidia0.log", "/dev/infiniband/rdma_cm"])
def test_other_files_prove_nothing(tmp_path, file):
    process(tmp_path, 7, "python3", file)
    assert held(tmp_path) == {}


@pytest.mark.parametrize("comm", ["nvidia-persistenced", "nv-fabricmanager", "nv-hostengine", "dcgm-exporter",
                                  "nvidia-smi", "opensm", "ibacm", "Xorg", "nvidia-device-plugin"])
def test_daemons_that_always_hold_a_device_are_no_jobs(tmp_path, comm):
    process(tmp_path, 7, comm, "/dev/nvidia0", "/dev/infiniband/uverbs0")
    assert held(tmp_path) == {}


def test_slurm_steps_but_not_the_one_kept_ready(tmp_path):
    process(tmp_path, 7, "slurmstepd", cmdline="slurmstepd: [1234.extern]\0")
    assert held(tmp_path) == {"slurmstepd": "slurm step"}
    process(tmp_path, 8, "python", "/dev/nvidia1")
    (tmp_path / "proc/7/cmdline").write_text("/usr/sbin/slurmstepd\0infinity\0")
    assert held(tmp_path) == {"python": "/dev/nvidia1"}


def test_jobs_come_in_the_order_of_their_pids(tmp_path):
    process(tmp_path, 100, "b", "/dev/nvidia0")
    process(tmp_path, 20, "a", "/dev/nvidia0")
    assert [job["pid"] for job in jobs.live_jobs(Host(str(tmp_path)))[0]] == [20, 100]


def test_a_process_that_vanishes_is_no_job(tmp_path):
    process(tmp_path, 7, "python3", "/dev/nvidia0")
    process(tmp_path, 8, "python3", "/dev/nvidia0")
    (tmp_path / "proc/9").mkdir()
    (tmp_path / "proc/8/comm").unlink()
    process(tmp_path, 10, "late", "/dev/nvidia0")
    host = Host(str(tmp_path))
    listing = host.listing

    def gone(folder):
        if folder == "/proc/7/fd":
            raise FileNotFoundError(2, "No such file or directory", folder)
        return listing(folder)
    host.listing = gone
    assert jobs.live_jobs(host) == ([{"pid": 10, "comm": "late", "holds": "/dev/nvidia0"}], True)
    assert host.notes == []


def test_folders_of_others_make_the_answer_incomplete_with_one_note(tmp_path):
    for pid in (7, 8):
        process(tmp_path, pid, "python3", "/dev/nvidia0")
    process(tmp_path, 9, "mine", "/dev/nvidia0")
    host = Host(str(tmp_path))
    listing = host.listing

    def denied(folder):
        if folder in ("/proc/7/fd", "/proc/8/fd"):
            raise PermissionError(13, "Permission denied", folder)
        return listing(folder)
    host.listing = denied
    found, complete = jobs.live_jobs(host)
    assert ([job["comm"] for job in found], complete, len(host.notes)) == (["mine"], False, 1)


def test_start_of_a_process(tmp_path):
    process(tmp_path, 7, "python3")
    (tmp_path / "proc/stat").write_text("cpu  1 2 3\nbtime 1700000000\nprocesses 5\n")
    (tmp_path / "proc/7/stat").write_text("7 (a) b (c)) S 1 7 7 0 -1 4194560 0 0 0 0 0 0 0 0 20 0 1 0 12345 0 0\n")
    assert jobs.started_at(Host(str(tmp_path)), 7) == 1700000123
    assert jobs.started_at(Host(str(tmp_path)), 8) is None


def test_start_of_this_process():
    assert abs(time.time() - jobs.started_at(Host(), os.getpid())) < 86400


def test_this_process_is_no_job():
    assert os.getpid() not in [job["pid"] for job in jobs.live_jobs(Host())[0]]
