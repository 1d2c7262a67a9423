# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what a run proves whatever its bandwidth (R33): wrong data, the wrong network, missing ranks."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_evidence


def group(busbw=340.0, algbw=181.33, wrong=0):
    return {"time": 1.0, "algbw": algbw, "busbw": busbw, "wrong": wrong}


def run(**changed):
    """A healthy run of 16 ranks on two hosts."""
    return dict({"operation": "all_reduce", "complete": True, "errors": [], "out_of_bounds": 0, "validated": True,
                 "rows": [{"size": 1 << 30, "out_of_place": group(), "in_place": group()}],
                 "ranks": [{"rank": rank, "host": "n%d" % (rank // 8)} for rank in range(16)],
                 "transport": {"kinds": ["NET/IB", "P2P"], "net": "IB", "gdrdma": True, "evidence": []}}, **changed)


def judge(result, rdma=True, gdr=False, ranks=16, intended=None):
    return nccl_evidence.judge(result, rdma, gdr, ranks, intended)


def transport(**told):
    return dict({"kinds": [], "net": None, "gdrdma": None, "hcas": [], "evidence": []}, **told)


def test_a_healthy_run_says_nothing():
    assert judge(run()) == ([], [])
    assert judge({}, False, False, None) == ([], [])


@pytest.mark.parametrize("rows", [
    [{"size": 8, "out_of_place": group(wrong=3), "in_place": group()}],
    [{"size": 8, "out_of_place": group(), "in_place": group(wrong=3)}]])
def test_wrong_values_fail_at_any_size(rows):
    (words,), _warnings = judge(run(rows=rows + run()["rows"]))
    assert words.startswith("R33: 3 wrong values in 1 results, first at 8 bytes ")


def test_the_footers_count_fails_where_rows_have_none():
    rows = [{"size": 8, "out_of_place": group(wrong=None), "in_place": None}]
    assert "2 values out of bounds" in judge(run(rows=rows, out_of_bounds=2))[0][0]
    assert "some values out of bounds" in judge(run(rows=rows, out_of_bounds_verdict="FAILED"))[0][0]
    assert judge(run(rows=[{"size": 8, "out_of_place": group(wrong=5e-07), "in_place": None}]))[0] == []


def test_data_that_nobody_checked_is_said():
    assert judge(run(validated=False))[1] == [
        "R33: the data was not checked (-c 0): a run with -c 1 tells whether it arrives whole"]


def test_what_nccl_tests_itself_fails_fails():
    assert judge(run(avg_bus_bandwidth_verdict="FAILED", avg_bus_bandwidth=3.0))[0] == [
        "nccl-tests itself says FAILED: its average of 3.0 GB/s is below NCCL_TESTS_MIN_BW"]


@pytest.mark.parametrize("told", [transport(net="Socket"), transport(kinds=["NET/Socket", "P2P"], net="IB")])
def test_sockets_where_rdma_is_expected_fail(told):
    told["evidence"] = ["n0: NCCL INFO NET/IB : No device found."]
    failures, _warnings = judge(run(transport=told))
    assert failures == ["R33: NCCL fell back to TCP sockets (NET/Socket) where RDMA is expected: "
                        "n0: NCCL INFO NET/IB : No device found."]
    assert judge(run(transport=told), rdma=False) == ([], [])


def test_libfabric_over_tcp_is_a_fallback_too():
    told = transport(net="AWS Libfabric", libfabric_providers=["efa", "tcp"],
                     evidence=["NET/OFI Selected provider is efa", "NET/OFI Selected provider is tcp"])
    assert judge(run(transport=told)) == ([
        "R33: libfabric fell back to its provider tcp where RDMA is expected: NET/OFI Selected provider is tcp"], [])
    assert judge(run(transport=dict(told, libfabric_providers=["efa"]))) == ([], [])


def test_within_one_host_no_network_is_used():
    alone = run(ranks=[{"rank": rank, "host": "n0"} for rank in range(16)], transport=transport(net="Socket"))
    assert judge(alone) == ([], [])


def test_staged_transfers_fail_where_gpudirect_is_expected_and_are_said_elsewhere():
    told = transport(net="IB", gdrdma=False, evidence=["Channel 00/0 : 0[0] -> 8[0] [send] via NET/IB/0"])
    words = "the network does not reach GPU memory by itself: no GDRDMA on IB: " + told["evidence"][0]
    assert judge(run(transport=told)) == ([], [words])
    assert judge(run(transport=told), gdr=True) == ([words], [])


def test_a_silent_log_is_said():
    assert judge(run(transport=transport())) == (
        [], ["the log does not say which network carried the data; NCCL_DEBUG=INFO does"])
    assert judge(run(transport=transport(net="IB")), gdr=True) == (
        [], ["the log does not say whether GPUDirect RDMA is in use; NCCL_DEBUG=INFO does"])
    assert judge(run(transport=transport(net="IB"))) == ([], [])


def test_processes_that_ran_alone_fail():
    apart = run(ranks=[{"rank": 0, "host": "n0"}] * 3)
    assert judge(apart)[0] == ["R33: rank 0 is there 3 times: each process ran alone; use nccl-tests built with MPI=1"]
    one = run(ranks=[{"rank": 0, "host": "n0"}])
    assert judge(one)[0] == ["R33: 1 ranks took part, not 16: without MPI each process runs alone"]
    assert judge(run(), ranks=8)[0] == ["R33: 16 ranks took part, not 8"]


def test_a_list_that_was_cut_short_counts_up_to_its_last_rank():
    few = [{"rank": rank, "host": "n%d" % (rank // 8)} for rank in (0, 7, 8, 15)]
    assert judge(run(ranks=few)) == ([], [])
    assert judge(run(ranks=[], unnamed_ranks=few)) == ([], [])
    assert judge(run(ranks=few[:1], rank_count=16), rdma=False) == ([], [])


def test_without_a_list_the_factor_tells_the_ranks():
    silent = run(ranks=[])
    assert judge(silent) == ([], [])
    assert judge(silent, ranks=8)[0] == ["R33: bus over algorithm bandwidth is 1.875, and that of 8 ranks would be "
                                         "1.750: others took part"]
    assert judge(dict(silent, operation="sendrecv")) == (
        [], ["R33: the output does not list its ranks: nobody knows whether all 16 took part"])
    assert judge(dict(silent, rows=[])) == judge(dict(silent, operation="sendrecv"))
    assert judge(silent, ranks=None) == ([], [])


def test_an_environment_of_its_own_is_said():
    given = {"NCCL_DEBUG": "INFO", "NCCL_ALGO": "Ring", "NCCL_IB_HCA": "=mlx5_0:1"}
    assert judge(run(environment=given))[1] == [
        "R33: the run had an environment of its own, so that it tells of that and not of the node: NCCL_ALGO=Ring, "
        "NCCL_IB_HCA==mlx5_0:1"]
    assert judge(run(environment=given), intended={"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_ALGO": "Ring"}) == ([], [])
    assert judge(run(environment=given), intended={"NCCL_IB_HCA": "=mlx5_0:1", "NCCL_ALGO": "Tree"})[1]


def test_errors_of_a_run_that_came_to_its_end_are_said():
    assert judge(run(errors=["a", "b", "c", "d"]))[1] == [
        "the run came to its end, but its output reports: a; b; c and 1 more"]
    assert judge(run(errors=["a"], complete=False)) == ([], [])


def test_noise_of_every_rank_does_not_hide_the_cause():
    noise = ["[n1:%d] PMIX ERROR: ERROR in file gds.c at line 168" % pid for pid in range(8)]
    cause = "n1: Test CUDA failure common.cu:893 'no CUDA-capable device is detected'"
    assert nccl_evidence.first(noise + [cause]) == "%s; %s and 7 more" % (noise[0], cause)
    assert nccl_evidence.first(None) == ""
