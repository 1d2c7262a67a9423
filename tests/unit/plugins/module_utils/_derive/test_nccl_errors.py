# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the lines that report an error, and of those that look like it."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_errors


@pytest.mark.parametrize("line", [
    "node1: Test NCCL failure common.cu:1005 'unhandled system error (run with NCCL_DEBUG=INFO for details) / '",
    "node1: Test CUDA failure common.cu:894 'out of memory'",
    " .. node1 pid 2113: Test failure common.cu:1005",
    "node1: Test timeout (30s) common.cu:380",
    "node1:33:49 [0] transport/net_ib.cc:94 NCCL WARN NET/IB : Got async event",
    "node1:33:49 [0] NCCL INFO transport/net.cc:23 -> 2",
    "CUDA driver version is insufficient for CUDA runtime version",
    "[node1:00021] *** Process received signal ***\n[node1:00021] Signal: Segmentation fault (11)",
    "mpirun noticed that process rank 3 with PID 0 on node node2 exited on signal 9 (Killed).",
    "slurmstepd: error: *** STEP 551.0 ON node1 CANCELLED AT 2026-01-02T03:04:05 DUE TO TIME LIMIT ***",
    "srun: error: Unable to create step for job 551: More processors requested than permitted",
    "MPI_ABORT was invoked on rank 0 in communicator MPI_COMM_WORLD",
    "ssh: Could not resolve hostname node3: Name or",
    "There are not enough slots available in the system",
    "bash: all_reduce_perf: command not found",
    "./all_reduce_perf: error while loading shared libraries: libmpi.so.40: cannot open shared object file",
    "Invalid number of GPUs: 8 requested but only 4 were found.",
    "# error: internal error",
    "Permission denied (publickey).",
    "# Out of bounds values : 4 FAILED",
    "# Avg bus bandwidth    : 2.5 FAILED",
    "Connection to node2 timed out",
    "[node1:348287] PMIX ERROR: ERROR in file gds_ds12_lock_pthread.c at line 168",
    "/bin/sh: 1: all_reduce_perf: not found",
    "mpirun was unable to launch the specified application as it could not access a node",
    "ssh: connect to host node2 port 22: No route to host",
    "pod node-worker-0 OOMKilled",
    "command terminated with exit code 137",
    "nRanks 6 is not a power of 2, skipping",
    "Memory cgroup out of memory: Killed process 1",
    "Incompatible NCCL versions. nccl-tests was compiled with NCCL 2.28"])
def test_lines_that_report_an_error(line):
    assert nccl_errors.errors(line.splitlines()) == [line.splitlines()[-1].strip()]


@pytest.mark.parametrize("line", [
    "",
    "#       size         count    type     time   algbw   busbw  error     time   algbw   busbw  error",
    "# Errors with asterisks indicate errors that have exceeded the maximum threshold.",
    "# Out of bounds values : 0 OK",
    "node1:1:2 [0] NCCL INFO NET/Plugin: Could not find: libnccl-net.so. dlerror=x: cannot open shared object",
    "node1:1:2 [0] NCCL INFO NET/IB : No device found.",
    "+ timeout 600 mpirun -x NCCL_DEBUG=WARN ./all_reduce_perf",
    "mpirun -x NCCL_IB_TIMEOUT=22 --timeout 600 ./all_reduce_perf",
    "WARNING: No preset parameters were found",
    "Warning: Permanently added '[node1]:2222' (ED25519) to the list of known hosts.",
    "0 errors",
    "rc=0, exit code 0",
    "NCCL version 2.25.1",
    "node1:1:2 [0] NCCL INFO NCCL_DEBUG set by environment to INFO",
    "#  Rank  0 Group  0 Pid 1 on error1 device  0 [0x0f] A"])
def test_lines_that_do_not(line):
    assert nccl_errors.errors([line]) == []


def test_each_line_once_and_not_too_many():
    lines = ["x"] + ["node%d: Test failure" % (at % 300) for at in range(900)]
    got = nccl_errors.errors(lines)
    assert len(got) == 201
    assert (got[0], got[199], got[200]) == ("node0: Test failure", "node199: Test failure",
                                            "and 100 more lines that report errors")
