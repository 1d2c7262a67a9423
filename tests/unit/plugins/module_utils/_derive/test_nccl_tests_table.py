# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the table of nccl-tests: headers of every release, and rows that the log cuts in two or is glued to."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_tests_table as table

BOTH = "#                                       out-of-place                       in-place"
NEW = "#       size       count   type  redop   root     time   algbw   busbw  #wrong     time   algbw   busbw  #wrong"
ROW = "        1024         256  float    sum     -1    35.59    0.03    0.04       0    30.61    0.05    0.06       2"
# Behind the root, and behind the first group, the program may be interrupted.
ROOT, GROUP = ROW.index("-1") + 2, ROW.index("    30.61")
OUT = {"time": 35.59, "algbw": 0.03, "busbw": 0.04, "wrong": 0}
IN = {"time": 30.61, "algbw": 0.05, "busbw": 0.06, "wrong": 2}
WANT = {"size": 1024, "count": 256, "type": "float", "redop": "sum", "root": -1, "out_of_place": OUT, "in_place": IN}


def rows(*lines):
    return table.rows([BOTH, NEW, *lines])["rows"]


def test_a_row_of_thirteen_columns():
    assert table.rows([BOTH, NEW, ROW]) == {"columns": NEW.strip("# ").split(), "rows": [WANT], "unread": 0}


@pytest.mark.parametrize("header, row, want", [
    # Before 2022 each operation had the columns that it needs, and the largest deviation for #wrong.
    ("# size count type time algbw busbw error time algbw busbw error", "8 2 half 1.5 2 3 1e-06 4 5 6 N/A",
     {"type": "half", "redop": None, "root": None, "out_of_place": [1.5, 2, 3, 1e-06], "in_place": [4, 5, 6, None]}),
    ("# size count type root time algbw busbw error time algbw busbw error", "8 2 int8 3 1.5 2 3 0e+00 4 5 6 7e-07",
     {"type": "int8", "redop": None, "root": 3, "out_of_place": [1.5, 2, 3, 0], "in_place": [4, 5, 6, 7e-07]}),
    ("# size count type redop time algbw busbw error time algbw busbw error", "8 2 float max 1 2 3 1e+00* 4 5 6 5e-07",
     {"type": "float", "redop": "max", "root": None, "out_of_place": [1, 2, 3, 1], "in_place": [4, 5, 6, 5e-07]}),
    # Alltoall of 2020 prints nothing under redop.
    ("# size count type redop time algbw busbw error time algbw busbw error", "8 2 float       1.38 2 3 N/A 4 5 6 N/A",
     {"type": "float", "redop": None, "root": None, "out_of_place": [1.38, 2, 3, None], "in_place": [4, 5, 6, None]}),
    ("# size count type redop root time algbw busbw #wrong", "8 2 float     -1 nan 2 3 0",
     {"type": "float", "redop": None, "root": -1, "out_of_place": [None, 2, 3, 0], "in_place": None}),
    # 2017: other names, and milliseconds.
    ("#    bytes           N    type      op     time  algbw  busbw      res     time  algbw  busbw      res",
     "8 2 float sum 0.025 2.00 3.00 0e+00 0.031 5.00 6.00 N/A",
     {"type": "float", "redop": "sum", "root": None, "out_of_place": [25, 2, 3, 0], "in_place": [31, 5, 6, None]}),
    # -C, and a new type.
    ("# size count type redop root cputime algbw busbw #wrong cputime algbw busbw #wrong",
     "8 2 f8e4m3 none -1 1.2e+07 2e+03 inf 0 N/A N/A N/A N/A",
     {"type": "f8e4m3", "redop": "none", "root": -1, "out_of_place": [1.2e7, 2000, None, 0], "in_place": None}),
])
def test_headers_of_other_releases(header, row, want):
    got = table.rows([header, row])["rows"][0]
    keys = ("time", "algbw", "busbw", "wrong")
    values = {name: [group[key] for key in keys] if isinstance(group, dict) else group
              for name, group in got.items()}
    assert values == dict(want, size=8, count=2)


def test_counts_are_whole_numbers_and_deviations_are_not():
    assert isinstance(rows(ROW)[0]["in_place"]["wrong"], int)
    assert rows(ROW[:-1] + "1e+06")[0]["in_place"]["wrong"] == 1000000
    old = table.rows(["# size count type time algbw busbw error", "8 2 half 1.5 2 3 0e+00"])["rows"][0]
    assert isinstance(old["out_of_place"]["wrong"], float)


def test_iterations_and_timestamps():
    group = "time algbw busbw #wrong i_min i_max i_p99 i_cv%"
    header = "# size count type redop root %s %s timestamp" % (group, group)
    got = table.rows(["# out-of-place (+ per-iteration)  in-place (+ per-iteration)", header,
                      "8 2 float sum -1 1 2 3 0 5 6 7 8.5 9 10 11 N/A 13 14 15 16.5  2026-01-02 03:04:05"])["rows"]
    first = {"time": 1, "algbw": 2, "busbw": 3, "wrong": 0, "i_min": 5, "i_max": 6, "i_p99": 7, "i_cv%": 8.5}
    second = {"time": 9, "algbw": 10, "busbw": 11, "wrong": None, "i_min": 13, "i_max": 14, "i_p99": 15, "i_cv%": 16.5}
    assert got == [{"size": 8, "count": 2, "type": "float", "redop": "sum", "root": -1, "out_of_place": first,
                    "in_place": second, "timestamp": "2026-01-02 03:04:05"}]


def test_columns_of_releases_to_come():
    group = "time algbw busbw #wrong #bitdiff algo"
    got = table.rows(["# size count type redop root %s %s" % (group, group),
                      "8 2 float sum -1 1 2 3 0 4 ring/ll 5 6 7 0 N/A N/A"])["rows"][0]
    assert got["out_of_place"] == {"time": 1, "algbw": 2, "busbw": 3, "wrong": 0, "#bitdiff": 4, "algo": "ring/ll"}
    assert got["in_place"] == {"time": 5, "algbw": 6, "busbw": 7, "wrong": 0, "#bitdiff": None, "algo": None}
    behind = table.rows([NEW + " algo proto", ROW + " ring ll"])
    assert (behind["columns"], behind["rows"]) == (NEW.strip("# ").split(), [WANT])


@pytest.mark.parametrize("banner, group", [("#         in-place", "in_place"), ("", "out_of_place"),
                                           ("#     out-of-place", "out_of_place")])
def test_a_table_of_one_group(banner, group):
    header = "# size count type redop root time algbw busbw #wrong"
    got = table.rows([banner, header, "8 2 float sum -1 1 2 3 0"])["rows"][0]
    assert got[group] == {"time": 1, "algbw": 2, "busbw": 3, "wrong": 0}
    assert [got["out_of_place"], got["in_place"]].count(None) == 1


@pytest.mark.parametrize("lines", [
    ["node1:1:2 [0] NCCL INFO 8 channels 3" + ROW],
    [ROW + "node1:1:2 [0] NCCL INFO Launch mode Parallel"],
    [ROW[:ROOT] + "node1:1:2 [0] NCCL INFO x", "node1:1:2 [0] NCCL INFO 3 4", ROW[ROOT:]],
    [ROW[:ROOT] + "node1:1:2 [0] NCCL INFO x", "2026-01-02T03:04:05.6Z " + ROW[ROOT:]],
    [ROW[:GROUP] + "node1:1:2 [0] NCCL INFO x", "", "node1:1:2 [0] NCCL INFO y", ROW[GROUP:] + "node1:1:2 [0] z"],
    [ROW[:ROOT] + "node1:1:2 [0] NCCL INFO x", "node1:1:2 [0] NCCL INFO 1 2 of sum 3", ROW[ROOT:]],
    [ROW[:ROOT], ROW[ROOT:GROUP] + "node1:1:2 [0] NCCL INFO x", ROW[GROUP:]],
    [ROW.replace(" ", "\u00a0")], ["\n", ROW.replace("  ", "    ")],
])
def test_the_log_may_be_glued_to_a_row_or_cut_it(lines):
    assert rows(*lines) == [WANT]


def test_a_row_that_was_never_completed_is_kept_for_its_whole_groups():
    assert rows(ROW[:GROUP]) == rows(ROW[:GROUP + 12]) == [dict(WANT, in_place=None)]
    assert rows(ROW[:GROUP - 3]) == rows(ROW[:ROOT]) == rows(ROW[:30]) == []
    assert rows(ROW[:GROUP] + "node1:1:2 [0] x", ROW) == [dict(WANT, in_place=None), WANT]
    assert rows(ROW[:ROOT], ROW, ROW[:GROUP], "# Out of bounds values : 0 OK") == [WANT, dict(WANT, in_place=None)]


def test_a_header_behind_a_log_line_counts_and_a_cut_one_does_not():
    assert table.rows(["node1:1:2 [0] NCCL INFO x" + NEW + "node1: y", ROW])["rows"] == [WANT]
    assert table.header(NEW[:-9]) is None
    assert table.header("# size count type redop root") is None
    assert table.header("#        (B)    (elements)                               (us)  (GB/s)") is None


def test_rows_before_a_header_are_counted_and_not_read():
    assert table.rows([ROW, ROW, "1 2 3"]) == {"columns": None, "rows": [], "unread": 2}
    assert table.rows([ROW, BOTH, NEW, ROW])["rows"] == [WANT]


@pytest.mark.parametrize("value, number, count", [
    ("1e-07", 1e-07, 0), ("12", 12, 12), ("1.2e+07", 1.2e7, 12000000), ("N/A", None, None), ("nan", None, None),
    ("-inf", None, None), ("5e-01*", .5, 0), (None, None, None), (True, None, None), (3, 3, 3), ("", None, None)])
def test_numbers(value, number, count):
    assert (table.number(value), table.count(value)) == (number, count)
