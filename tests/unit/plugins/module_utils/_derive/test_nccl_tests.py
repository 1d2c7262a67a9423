# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the output of nccl-tests: real ones, cut at every line, with log lines in every place, and any text."""

from __future__ import annotations

import json
import pathlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_tests

CAPTURES = pathlib.Path(__file__).parents[4] / "captures" / "nccl-tests"
FACTS = {path.parent.name: json.loads(path.read_text())["facts"] for path in sorted(CAPTURES.glob("*/expected.json"))}
TABLES = [case for case, facts in FACTS.items() if "out_of_bounds" in facts]
KEYS = {"#wrong": "wrong", "error": "wrong"}
LOG = "node1:166:207 [0] NCCL INFO Channel 03/0 : 3[3] -> 2[2] via P2P/CUMEM/read"
WHOLE = """\
+ mpirun -np 2 ./build/all_gather_perf_mpi -b 8 -e 16
# nThread 1 nGpus 1 minBytes 8 maxBytes 16 step: 2(factor) warmup iters: 1 iters: 20 agg iters: 1 validation: 1 graph: 0
#
# Using devices
#  Rank  0 Group  0 Pid   2574 on node1 device  0 [0000:0f:00] NVIDIA H100 80GB HBM3
#  Rank  1 Group  0 Pid   2087 on node2 device  0 [0000:da:00] NVIDIA H100 80GB HBM3
#
#                                                              out-of-place                       in-place
#       size         count      type   redop    root     time   algbw   busbw #wrong     time   algbw   busbw #wrong
#        (B)    (elements)                               (us)  (GB/s)  (GB/s)            (us)  (GB/s)  (GB/s)
           8             2     float    none      -1    35.59    0.03    0.03      0    30.61    0.03    0.03      0
          16             4     float    none      -1    31.80    0.06    0.06      0    31.90    0.06    0.06    N/A
# Out of bounds values : 0 OK
# Avg bus bandwidth    : 0.045
#
"""


def output(case):
    return (CAPTURES / case / "output.txt").read_text()


def number(text):
    return None if text == "N/A" else float(text)


def as_printed(row, header):
    """A row as a list of numbers and words in the order of the header."""
    start = header.index("time")
    width = (len(header) - start) // 2
    groups = [row["out_of_place"], row["in_place"]]
    return [row[name] for name in header[:start]] + [
        groups[place // width][KEYS.get(name, name)] for place, name in enumerate(header[start:])]


def expected_row(texts, header):
    start = header.index("time")
    return [text if name in ("type", "redop") else int(text) for text, name in zip(texts, header[:start])] + [
        number(text) for text in texts[start:]]


@pytest.mark.parametrize("case", FACTS)
def test_a_real_output_is_read_as_it_is_expected(case):
    want, got = FACTS[case], nccl_tests.parse(output(case))
    header = want.get("column_header")
    assert (got["columns"], got["ranks"], got["hosts"]) == (header, want["ranks"], want["hosts"])
    assert got["errors"] == want.get("error_lines", [])
    assert len(got["rows"]) == want["data_rows"]
    assert got["avg_bus_bandwidth"] == (float(want["avg_bus_bandwidth"]) if "avg_bus_bandwidth" in want else None)
    if header:
        assert "%d %s" % (got["out_of_bounds"], got["out_of_bounds_verdict"]) == want["out_of_bounds"]
        assert as_printed(got["rows"][0], header) == expected_row(want["first_row"], header)
        assert as_printed(got["rows"][-1], header) == expected_row(want["last_row"], header)
    assert got["complete"] is bool(header)
    assert len(got["tests"]) == 1


@pytest.mark.parametrize("case", TABLES)
def test_of_a_cut_output_the_rows_so_far_are_kept(case):
    text = output(case)
    whole, lines = nccl_tests.parse(text)["rows"], text.splitlines(keepends=True)
    seen = set()
    for end in range(len(lines)):
        got = nccl_tests.parse("".join(lines[:end]))
        assert got["rows"] == whole[:len(got["rows"])]
        seen.add(len(got["rows"]))
        assert got["complete"] is ("Out of bounds" in "".join(lines[:end]))
    assert seen == set(range(len(whole) + 1))


@pytest.mark.parametrize("case", ["dranet-mpi-0", "superbench-nccl_allgather", "deepops-slurm-0"])
@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_log_lines_anywhere_change_no_row(case, data):
    text = output(case)
    lines = text.splitlines()
    for place in data.draw(st.lists(st.integers(0, len(lines)), max_size=30)):
        lines.insert(place, data.draw(st.sampled_from([
            LOG, "", "12", "[node1:0] 3 warnings", "node2:1:2 [1] NCCL WARN x 1 2 3", "Warning: added '[a]:22'"])))
    assert nccl_tests.parse("\n".join(lines))["rows"] == nccl_tests.parse(text)["rows"]


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=300), st.lists(st.sampled_from(
    WHOLE.split() + WHOLE.splitlines() + ["\n", " ", "{", '{"results":[', '{"size":8', ",", "\x1b[1m", "NCCL INFO"]),
    max_size=60).map(" ".join)))
def test_no_text_raises_and_all_of_it_is_json(text):
    got = nccl_tests.parse(text)
    json.dumps(got, allow_nan=False)
    assert got["tests"] and set(got) - set(got["tests"][0]) == {"tests"}


def test_the_whole_of_a_run_is_told():
    got = nccl_tests.parse(WHOLE)
    assert (got["operation"], got["hosts"], got["rank_count"]) == ("all_gather", ["node1", "node2"], 2)
    assert got["rows"][1] == {
        "size": 16, "count": 4, "type": "float", "redop": "none", "root": -1,
        "out_of_place": {"time": 31.8, "algbw": 0.06, "busbw": 0.06, "wrong": 0},
        "in_place": {"time": 31.9, "algbw": 0.06, "busbw": 0.06, "wrong": None}}
    assert (got["validated"], got["failed_check"], got["wrong_values"], got["transport"]) == (True, False, 0, None)
    assert got["errors"] == []


def test_wrong_values_are_kept_and_seen():
    text = WHOLE.replace("0.03      0    30.61", "0.03  1e+06    30.61").replace("0 OK", "4 FAILED")
    got = nccl_tests.parse(text)
    assert got["rows"][0]["out_of_place"]["wrong"] == 1000000
    assert (got["out_of_bounds"], got["out_of_bounds_verdict"]) == (4, "FAILED")
    assert (got["failed_check"], got["wrong_values"]) == (True, 1000000)
    assert got["errors"] == ["# Out of bounds values : 4 FAILED"]
    # A test that was killed has no footer; what it printed is enough to fail it.
    assert nccl_tests.parse(text[:text.index("# Out")])["failed_check"] is True


def test_what_was_not_checked_is_not_right():
    got = nccl_tests.parse(WHOLE.replace("validation: 1", "validation: 0"))
    assert (got["validated"], got["failed_check"]) == (False, None)
    assert nccl_tests.parse(WHOLE[:WHOLE.index("# Out")])["failed_check"] is None


def test_where_nothing_was_measured_nobody_knows_whether_it_was_checked():
    assert nccl_tests.parse("bash: all_reduce_perf: command not found")["validated"] is None
    assert nccl_tests.parse("# nThread 1 nGpus 8 validation: 0")["validated"] is False


def test_a_mean_below_what_was_asked_for_is_told():
    got = nccl_tests.parse(WHOLE.replace(": 0.045", ": 0.045 FAILED"))
    assert (got["avg_bus_bandwidth"], got["avg_bus_bandwidth_verdict"]) == (0.045, "FAILED")
    assert got["errors"] == ["# Avg bus bandwidth    : 0.045 FAILED"]


@pytest.mark.parametrize("tag", [
    "[1,0]<stdout>:", "[1,0]<stdout>: ", "[prterun-node1-77@1,0]<stdout>: ", "0: ", "node1: ", "\x1b[0;32m", "\t",
    "2026-01-02T03:04:05.678901234Z ", "2026-01-02T03:04:05Z stdout F "])
@pytest.mark.parametrize("end", ["\n", "\r\n", "\x1b[0m\n"])
def test_tags_of_launchers_and_colours_do_not_matter(tag, end):
    text = "".join(tag + line + end for line in WHOLE.splitlines())
    assert nccl_tests.parse(text)["tests"] == nccl_tests.parse(WHOLE)["tests"]


def test_a_tag_is_no_part_of_an_error():
    got = nccl_tests.parse("[1,3]<stderr>:node1: Test CUDA failure common.cu:1 'x'\n[node1:3] ERROR")
    assert got["errors"] == ["node1: Test CUDA failure common.cu:1 'x'", "[node1:3] ERROR"]


def test_a_header_that_comes_again_begins_no_other_test():
    lines = WHOLE.splitlines()
    again = "\n".join(lines[:11] + lines[7:10] + lines[11:])
    assert nccl_tests.parse(again) == nccl_tests.parse(WHOLE)


def test_a_test_that_crashed_in_its_table_ends_where_the_next_begins():
    crashed = WHOLE[:WHOLE.index("          16 ")] + "node1: Test CUDA failure common.cu:1 'x'\n"
    got = nccl_tests.parse(crashed + WHOLE[WHOLE.index("# nThread"):])["tests"]
    assert [(len(test["rows"]), test["complete"], len(test["errors"])) for test in got] == [(1, False, 1), (2, True, 0)]


def test_the_deviation_that_old_releases_print_is_no_wrong_value():
    got = nccl_tests.parse(output("deepops-slurm-0"))
    assert got["rows"][0]["out_of_place"]["wrong"] == 7e-07
    assert (got["wrong_values"], got["failed_check"], got["validated"]) == (None, False, True)
    failed = nccl_tests.parse(output("deepops-slurm-0").replace(": 0 OK", ": 3 FAILED"))
    assert (failed["failed_check"], failed["out_of_bounds"]) == (True, 3)


def test_columns_with_one_space_between_them_and_a_mean_that_is_missing():
    text = "\n".join(" ".join(line.split()) for line in WHOLE.splitlines() if "Avg" not in line)
    got, want = nccl_tests.parse(text), nccl_tests.parse(WHOLE)
    assert (got["rows"], got["ranks"]) == (want["rows"], want["ranks"])
    assert (got["avg_bus_bandwidth"], got["complete"]) == (None, True)


def test_ranks_whose_gpu_has_no_name_are_told_apart():
    got = nccl_tests.parse(WHOLE.replace(" NVIDIA H100 80GB HBM3", ""))
    assert (got["ranks"], got["hosts"], got["rank_count"]) == ([], [], 2)
    assert got["unnamed_ranks"][1] == {"rank": 1, "host": "node2", "device": 0, "bus": "0000:da:00", "name": None}


@pytest.mark.parametrize("line", ["#   Rank  3 Pid 112372 on host-1.a device  7 [0x00] A100-SXM4-40GB",
                                  "#   Rank  3 on host-1.a device  7 [0x00] A100-SXM4-40GB  ",
                                  "0: #  Rank  3 Group  1 Pid 2 on host-1.a device  7 [0x00] A100-SXM4-40GB"])
def test_ranks_of_every_release(line):
    assert nccl_tests.parse(line)["ranks"] == [
        {"rank": 3, "host": "host-1.a", "device": 7, "bus": "0x00", "name": "A100-SXM4-40GB"}]


@pytest.mark.parametrize("more", [
    "n-1:12:13 [0] NCCL INFO Bootstrap : Using eth0:10.0.0.1<0>", "NCCL version 2.25.1", "[1,1]<stdout>:", "\\n"])
def test_what_is_glued_to_a_rank_is_no_part_of_the_name(more):
    line = "#  Rank  %d Group  0 Pid 1 on n-%d device  0 [0000:0f:00] NVIDIA H100 80GB HBM3"
    told = nccl_tests.parse(line % (0, 0) + more + line % (1, 1))["ranks"] + nccl_tests.parse(
        line % (0, 0) + "\n" + line % (1, 1) + more)["ranks"]
    assert [(rank["rank"], rank["name"]) for rank in told] == [(0, "NVIDIA H100 80GB HBM3"),
                                                               (1, "NVIDIA H100 80GB HBM3")] * 2


def test_processes_that_ran_apart_are_an_error():
    alone = WHOLE.replace("Rank  1", "Rank  0")
    assert "rank 0 is listed 2 times: the processes ran apart" in nccl_tests.parse(alone)["errors"][0]


def test_several_tests_in_one_text():
    other = WHOLE.replace("all_gather", "reduce_scatter").replace("0.045", "7")
    banner = other.replace("# nThread", "# Collective test starting: alltoall_perf\n# nThread").partition("\n")[2]
    failure = "node1: Test CUDA failure common.cu:1 'x'"
    crashed = WHOLE[:WHOLE.index("# Using")].replace("all_gather", "sendrecv") + failure + "\n"
    got = nccl_tests.parse(WHOLE + other + banner + crashed)
    assert [test["operation"] for test in got["tests"]] == ["all_gather", "reduce_scatter", "alltoall", "sendrecv"]
    assert [test["avg_bus_bandwidth"] for test in got["tests"]] == [0.045, 7, 7, None]
    assert [len(test["rows"]) for test in got["tests"]] == [2, 2, 2, 0]
    assert [test["errors"] for test in got["tests"]] == [[], [], [], [failure]]
    assert {name: got[name] for name in got["tests"][0]} == got["tests"][0]


@pytest.mark.parametrize("text, operation", [
    ("# Collective test starting: alltoall_perf_mpi", "alltoall"),
    ("EXEC_CMD=/opt/nccl-tests/bin/all_reduce_perf", "all_reduce"),
    ("run_nccl_tests.sh -t all_gather -b 1K", "all_gather"), ("$ ./reduce_perf -b 8\n", "reduce"),
    ("srun all_reduce_performance", None), ("my_all_reduce_perf_log", None), ("", None)])
def test_the_operation_is_what_the_text_names(text, operation):
    assert nccl_tests.parse(text)["operation"] == operation


def test_text_without_a_table_says_so():
    for text in ("", "\n\n", "hello", "{}", "{not json"):
        got = nccl_tests.parse(text)
        assert (got["rows"], got["columns"], got["complete"]) == ([], None, False)
        assert got["errors"] == ["no table of nccl-tests in this text"]
    beheaded = "\n".join(line for line in WHOLE.splitlines() if "size" not in line)
    assert nccl_tests.parse(beheaded)["rows"] == []
    assert nccl_tests.parse(beheaded)["errors"] == [
        "2 lines look like rows of a table, but no header line names their columns"]


def test_log_between_the_rows_gives_transport_and_environment():
    log = LOG + "\nnode1:1:2 [0] NCCL INFO comm 0x1 rank 0 nranks 9\n"
    log += "node1:1:2 [0] NCCL INFO NCCL_ALGO set by environment to Ring\n"
    text = WHOLE.replace("           8 ", log + "           8 ")
    got = nccl_tests.parse(text)
    assert (got["transport"]["kinds"], got["environment"]) == (["P2P"], {"NCCL_ALGO": "Ring"})
    assert got["rows"] == nccl_tests.parse(WHOLE)["rows"]
    assert (got["rank_count"], nccl_tests.parse(text.replace("#  Rank", "# "))["rank_count"]) == (2, 9)


def test_a_text_without_line_ends_takes_no_minutes():
    got = nccl_tests.parse("8 " * 200000 + "x" * 1000000)
    assert got["rows"] == []
