# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the verdict on a run: what fails, what passes, and all that was not measured."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive.nccl_tests import parse
from ansible_collections.gpuwright.node.plugins.module_utils._derive.nccl_verdict import LARGE, size_words, verdict

from .test_nccl_evidence import group, run, transport
from tests.conftest import CHECKOUT

EXPECTED = {"bus_bandwidth": 340.0, "why": "network ...", "warnings": []}
UNKNOWN = {"bus_bandwidth": None, "why": "nothing is known of: network", "warnings": []}


def row(size, out, into=None):
    return {"size": size, "out_of_place": group(out, out / 1.875), "in_place": into and group(into, into / 1.875)}


def judged(*rows, expectation=EXPECTED, **options):
    return verdict(run(rows=list(rows)), expectation, ranks_expected=16, **options)


def test_what_reaches_its_share_passes_with_the_numbers():
    found = judged(row(LARGE, 250, 251), row(8 * LARGE, 330, 335))
    assert found["verdict"] == "pass" and (found["measured"], found["size"]) == (330, 8 * LARGE)
    assert found["reasons"] == [
        "at 8G the bus bandwidth is 330.0 GB/s, 97% of the 340.0 GB/s expected; at least 70% are wanted"]
    assert (found["expected"], found["warnings"], found["sibling_median"]) == (340, [], None)


@pytest.mark.parametrize("out, into, expected", [
    (238.1, 300.0, "pass"), (237.9, 300.0, "fail"), (300.0, 237.9, "fail"), (238.1, None, "pass")])
def test_the_lower_of_both_groups_counts(out, into, expected):
    assert judged(row(LARGE, out, into))["verdict"] == expected


def test_the_share_is_the_callers():
    assert judged(row(LARGE, 300), minimum=0.9)["verdict"] == "fail"
    assert judged(row(LARGE, 310), minimum=0.9)["verdict"] == "pass"


def test_small_sizes_are_not_judged():
    found = judged(row(8, 0.1), row(LARGE // 2, 10))
    assert found["verdict"] == "not_measured" and found["measured"] is None
    assert found["reasons"] == ["the largest size is 512M; bandwidth is judged from 1G on"]
    assert judged(row(8, 0.1), row(LARGE, 330), row(LARGE // 2, 10))["measured"] == 330


def test_a_size_that_ran_twice_counts_with_its_worse_run():
    assert judged(row(LARGE, 330), row(LARGE, 100))["verdict"] == "fail"
    assert judged(row(LARGE, 100), row(LARGE, 330))["verdict"] == "fail"


@pytest.mark.parametrize("operation", ["alltoall", "sendrecv"])
def test_what_is_printed_in_place_of_alltoall_is_not_counted(operation):
    result = run(operation=operation, rows=[row(LARGE, 330, 1)])
    assert verdict(result, EXPECTED)["measured"] == 330


@pytest.mark.parametrize("result, why", [
    (None, "nothing was run"), ({"refused": "GPU 3 is busy: python (4711)"}, "GPU 3 is busy: python (4711)"),
    ({}, "no results were printed"),
    (run(rows=[], errors=["mpirun: command not found"]), "no results were printed: mpirun: command not found"),
    (run(rows=[row(LARGE, 330)], complete=False, errors=["Test timeout"]),
     "the output ends at size 1G, before the footer of nccl-tests: Test timeout"),
    (run(rows=[row(LARGE, 100)], complete=False),
     "the output ends at size 1G, before the footer of nccl-tests"),
    (run(rows=[{"size": LARGE, "out_of_place": group(busbw=None), "in_place": None}]),
     "no bus bandwidth was printed for any size from 1G on")])
def test_what_does_not_show_a_bandwidth_was_not_measured(result, why):
    found = verdict(result, EXPECTED)
    assert (found["verdict"], found["reasons"]) == ("not_measured", [why])


def test_a_proof_fails_even_a_run_that_was_cut_off():
    found = verdict(run(rows=[row(8, 0.1)], complete=False, transport=transport(net="Socket")), EXPECTED,
                    rdma_expected=True)
    assert found["verdict"] == "fail" and "NET/Socket" in found["reasons"][0]
    assert found["warnings"] == ["the output ends at size 8, before the footer of nccl-tests"]


@pytest.mark.parametrize("changed", [
    {"out_of_bounds": 1}, {"transport": transport(net="Socket")}, {"ranks": [{"rank": 0, "host": "n0"}] * 16},
    {"transport": transport(net="IB", gdrdma=False)}])
def test_a_fast_run_fails_on_a_proof(changed):
    result = run(rows=[row(LARGE, 330)], **changed)
    assert verdict(result, EXPECTED, [330, 330], True, 16, gdr_expected=True)["verdict"] == "fail"


def test_without_anything_to_compare_with_it_was_not_measured():
    found = judged(row(LARGE, 330), expectation=UNKNOWN)
    assert found["verdict"] == "not_measured"
    assert found["reasons"] == ["at 1G the bus bandwidth is 330.0 GB/s, and nothing says what it should be: nothing is "
                                "known of: network, and it has no siblings to compare with"]
    assert judged(row(LARGE, 330), expectation=None)["verdict"] == "not_measured"
    assert judged(row(LARGE, 330), expectation=UNKNOWN, siblings=[330])["verdict"] == "not_measured"


def test_a_rank_alone_is_no_pass_because_its_siblings_measure_nothing_either():
    found = judged(row(LARGE, 0.0), expectation=UNKNOWN, siblings=[0.0, 0.0, 0.0])
    assert (found["verdict"], found["reasons"][0][-35:]) == ("not_measured", "and its 3 siblings measure 0.0 GB/s")


def test_siblings_judge_where_nothing_else_does_and_beside_it():
    assert judged(row(LARGE, 330), expectation=UNKNOWN, siblings=[340, 335])["verdict"] == "pass"
    slow = judged(row(LARGE, 250), siblings=[340, 335, 338])
    assert slow["verdict"] == "fail" and slow["sibling_median"] == 338
    assert slow["reasons"] == ["at 1G 250.0 GB/s are 74% of the median of 3 siblings, 338.0 GB/s; at least 90% are "
                               "wanted"]
    assert judged(row(LARGE, 250), siblings=[340, 335, 338], sibling_minimum=0.7)["verdict"] == "pass"


def test_more_than_the_machine_can_do_is_said():
    found = judged(row(LARGE, 600))
    assert found["verdict"] == "pass"
    assert found["warnings"][0].startswith("600.0 GB/s are 1.8 times what the topology lets expect")
    assert judged(row(LARGE, 440))["warnings"] == []


def test_warnings_of_the_expectation_come_along():
    assert judged(row(LARGE, 330), expectation=dict(EXPECTED, warnings=["mlx5_2 is at no rate"]))["warnings"] == [
        "mlx5_2 is at no rate"]


@pytest.mark.parametrize("size, words", [
    (8, "8"), (1536, "1.5K"), (1 << 20, "1M"), (LARGE, "1G"), (LARGE * 3 // 2, "1.5G")])
def test_sizes_in_words(size, words):
    assert size_words(size) == words


# Outputs of real machines: what is expected of them (test_nccl_expectation.py has the machines), how many ranks ran.
@pytest.mark.parametrize("name, expected, ranks, judgement, words", [
    ("superbench-nccl_allreduce", 240.0, 8, "pass", "at 8G the bus bandwidth is 235.0 GB/s, 98% of the 240.0"),
    ("superbench-nccl_allgather", 240.0, 8, "pass", "at 8G the bus bandwidth is 223.4 GB/s, 93% of the 240.0"),
    ("superbench-nccl_reduce", 240.0, 8, "pass", "at 8G the bus bandwidth is 228.4 GB/s, 95% of the 240.0"),
    ("deepops-netop-0", 170.0, 16, "pass", "at 4G the bus bandwidth is 188.5 GB/s, 111% of the 170.0"),
    ("deepops-slurm-0", 170.0, 32, "pass", "at 4G the bus bandwidth is 191.1 GB/s, 112% of the 170.0"),
    ("deepops-slurm-0", 340.0, 32, "fail", "at 4G the bus bandwidth is 191.1 GB/s, 56% of the 340.0"),
    ("deepops-slurm-0", 170.0, 16, "fail", "that of 16 ranks would be 1.875: others took part"),
    ("dranet-demo-0", 42.5, 2, "pass", "at 8G the bus bandwidth is 32.2 GB/s, 76% of the 42.5"),
    ("dranet-mpi-0", 42.5, 2, "pass", "at 8G the bus bandwidth is 31.9 GB/s, 75% of the 42.5"),
    ("dranet-mpi-0", 42.5, 16, "fail", "R33: 2 ranks took part, not 16"),
    ("gcp-dws-0", 340.0, 16, "pass", "at 8G the bus bandwidth is 328.9 GB/s, 97% of the 340.0"),
    ("aws-adt-0", 340.0, 16, "pass", "at 2G the bus bandwidth is 437.8 GB/s, 129% of the 340.0"),
    ("aws-topoaware-0", 340.0, 128, "pass", "at 16G the bus bandwidth is 369.4 GB/s, 109% of the 340.0"),
    ("gcp-a3high-0", 85.0, 16, "not_measured", "512M"),
    ("mlperf40-oracle-422959", 476.0, 8, "not_measured", "no results were printed: "),
    ("mlperf40-oracle-460797", 476.0, 8, "not_measured", "the largest size is 51.2M; bandwidth is judged from 1G on"),
    # Its bus bandwidth is below its algorithm bandwidth, which no number of ranks gives: an example typed by hand.
    ("azure-ai-0", 800.0, 8, "fail", "R33: bus over algorithm bandwidth is 0.997")])
def test_outputs_of_real_machines(name, expected, ranks, judgement, words):
    text = (CHECKOUT / "tests/captures/nccl-tests" / name / "output.txt").read_text()
    # For those that do not print what they are.
    operation = "all_gather" if name.startswith("gcp-") else "all_reduce"
    expectation = {"bus_bandwidth": expected, "why": "x", "operation": operation}
    found = verdict(parse(text), expectation, ranks_expected=ranks)
    assert found["verdict"] == judgement and any(words in reason for reason in found["reasons"]), found


@given(st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1000), st.booleans()), max_size=12), st.booleans(),
       st.one_of(st.none(), st.floats(1, 1000)), st.lists(st.floats(0, 1000), max_size=4))
def test_only_a_whole_run_with_a_large_size_and_a_comparison_passes(rows, complete, expected, siblings):
    result = run(rows=[row(1 << power, value, value if both else None) for power, value, both in rows],
                 complete=complete)
    found = verdict(result, {"bus_bandwidth": expected, "why": "x"}, siblings)
    assert found["reasons"] and all(isinstance(reason, str) for reason in found["reasons"])
    if found["verdict"] == "pass":
        assert complete and max(power for power, _value, _both in rows) >= 30
        assert expected is not None or len(siblings) > 1
        assert expected is None or found["measured"] >= 0.7 * expected
