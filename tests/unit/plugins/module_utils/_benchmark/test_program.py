# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the programs of nccl-tests are found, and how a build with MPI is told from one without."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import program
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host


@pytest.fixture
def put(tmp_path):
    """A function that puts a program below the root."""
    def write(path, data=b"\x7fELF\2\1\1" + b"x" * 100, mode=0o755):
        place = tmp_path / path.lstrip("/")
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(data)
        place.chmod(mode)
    return write


def test_the_usual_folders_in_their_order(put, tmp_path):
    put("/opt/nccl-tests/build/all_reduce_perf")
    put("/usr/bin/all_reduce_perf_mpi", mode=0o644)
    assert program.find(Host(str(tmp_path)), "all_reduce", "", False)[0] == "/opt/nccl-tests/build/all_reduce_perf"
    put("/usr/bin/all_reduce_perf")
    assert program.find(Host(str(tmp_path)), "all_reduce", "", False)[0] == "/usr/bin/all_reduce_perf"


def test_several_processes_prefer_the_build_for_mpi(put, tmp_path):
    put("/usr/bin/alltoall_perf")
    put("/usr/bin/alltoall_perf_mpi")
    assert program.find(Host(str(tmp_path)), "alltoall", "", True)[0] == "/usr/bin/alltoall_perf_mpi"
    assert program.find(Host(str(tmp_path)), "alltoall", "", False)[0] == "/usr/bin/alltoall_perf"


def test_a_folder_or_a_program_may_be_named(put, tmp_path):
    put("/srv/tests/sendrecv_perf")
    assert program.find(Host(str(tmp_path)), "sendrecv", "/srv/tests", True)[0] == "/srv/tests/sendrecv_perf"
    assert program.find(Host(str(tmp_path)), "x", "/srv/tests/sendrecv_perf", True)[0] == "/srv/tests/sendrecv_perf"
    place, places = program.find(Host(str(tmp_path)), "all_reduce", "/srv/tests", False)
    assert place is None
    words = program.missing("all_reduce", places)
    assert "/srv/tests/all_reduce_perf, /srv/tests/all_reduce_perf_mpi" in words
    assert "nccl_benchmark_path" in words
    words = program.missing("all_reduce", program.find(Host(str(tmp_path)), "all_reduce", "", False)[1])
    assert "/opt/nccl-tests/build, " in words
    assert words.count("all_reduce_perf") == 1


@pytest.mark.parametrize(("data", "told"), [
    (b"\x7fELF\0libmpi.so.40\0MPI_Init\0", True), (b"\x7fELF\0libcudart.so\0", False), (b"#!/bin/sh\nMPI_Init", None)])
def test_whether_a_program_was_built_for_mpi(put, tmp_path, data, told):
    put("/usr/bin/all_reduce_perf", data)
    assert program.is_for_mpi(Host(str(tmp_path)), "/usr/bin/all_reduce_perf") is told
    assert program.is_for_mpi(Host(str(tmp_path)), "/usr/bin/gone") is None
