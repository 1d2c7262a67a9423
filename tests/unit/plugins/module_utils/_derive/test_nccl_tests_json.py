# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the JSON that nccl-tests writes with -J: whole, cut, and with the values that are no JSON."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_tests, nccl_tests_json

RESULT = {"size": 8, "count": 2, "type": "float", "redop": "sum", "root": "    -1",
          "out_of_place": {"time": 35.59, "alg_bw": 0.03, "bus_bw": 0.04, "nwrong": 0.0},
          "in_place": {"cpu_time": 30.61, "alg_bw": 0.05, "bus_bw": "nan", "nwrong": None},
          "actual_iterations": 20, "experiment_name": ""}
DATA = {
    "version": 3, "start_time": "2026-01-02 03:04:05",
    "args": ["/opt/nccl-tests/build/all_gather_perf_mpi", "-b", "8"],
    "env": ["HOME=/root", "TOKEN=secret", "NCCL_ALGO=Ring", "NCCL_DEBUG_SUBSYS=INIT,ENV=x"], "nccl_version": 22903,
    "config": {"nthreads": 1, "ngpus": 4, "validation": 1, "devices": [
        {"rank": 0, "group": 0, "pid": 85, "hostname": "node1", "device": 0, "device_hex": "0000:cc:00",
         "device_info": "NVIDIA H200"},
        {"rank": 4, "group": 0, "pid": 54, "hostname": "node2", "device": 0, "device_hex": "0000:c4:00",
         "device_info": "NVIDIA H200"}]},
    "results": [RESULT, dict(RESULT, size=16, in_place=None)],
    "out_of_bounds": {"count": 0, "okay": "true"}, "average_bus_bandwidth": {"bandwidth": 0.04, "okay": "unchecked"},
    "errors": [""], "end_time": "2026-01-02 03:04:06"}
TEXT = json.dumps(DATA, separators=(",", ":"))


def test_the_file_of_a_whole_run():
    got = nccl_tests.parse(TEXT)
    assert got["rows"] == [
        {"size": 8, "count": 2, "type": "float", "redop": "sum", "root": -1,
         "out_of_place": {"time": 35.59, "algbw": 0.03, "busbw": 0.04, "wrong": 0},
         "in_place": {"time": 30.61, "algbw": 0.05, "busbw": None, "wrong": None}},
        {"size": 16, "count": 2, "type": "float", "redop": "sum", "root": -1,
         "out_of_place": {"time": 35.59, "algbw": 0.03, "busbw": 0.04, "wrong": 0}, "in_place": None}]
    assert got["ranks"][1] == {"rank": 4, "host": "node2", "device": 0, "bus": "0000:c4:00", "name": "NVIDIA H200"}
    assert (got["operation"], got["hosts"], got["rank_count"]) == ("all_gather", ["node1", "node2"], 8)
    assert (got["avg_bus_bandwidth"], got["avg_bus_bandwidth_verdict"]) == (0.04, None)
    assert (got["out_of_bounds"], got["out_of_bounds_verdict"], got["failed_check"]) == (0, "OK", False)
    assert (got["complete"], got["validated"], got["errors"], got["transport"]) == (True, True, [], None)
    assert got["versions"] == {"nccl": "2.29.3"}


@pytest.mark.parametrize("text", ["+ cat /tmp/a.json\n%s\n", "0: %s", "{not this}\n%s\ndone {"])
def test_the_file_behind_other_text(text):
    assert nccl_tests.parse(text % TEXT) == nccl_tests.parse(TEXT)
    assert nccl_tests.parse(text % json.dumps(DATA, indent=2))["rows"] == nccl_tests.parse(TEXT)["rows"]
    assert nccl_tests.parse(text % json.dumps({"version": 3, "results": []}))["errors"]


def test_a_table_in_front_of_the_file_is_read_instead():
    table = "# size count type redop root time algbw busbw #wrong\n32 8 float sum -1 1 2 3 0\n"
    assert [row["size"] for row in nccl_tests.parse(table + TEXT)["rows"]] == [32]


def test_of_the_environment_only_the_variables_of_nccl_are_told():
    got = nccl_tests.parse(TEXT)
    assert got["environment"] == {"NCCL_ALGO": "Ring", "NCCL_DEBUG_SUBSYS": "INIT,ENV=x"}
    assert "secret" not in json.dumps(got)


def test_wrong_values_fail():
    bad = dict(DATA, results=[dict(RESULT, in_place=dict(RESULT["out_of_place"], nwrong=3.0))],
               out_of_bounds={"count": 1, "okay": "false"}, errors=["unhandled system error"],
               average_bus_bandwidth={"bandwidth": 1.5, "okay": "false"})
    got = nccl_tests.parse(json.dumps(bad))
    assert got["rows"][0]["in_place"]["wrong"] == 3
    assert (got["failed_check"], got["wrong_values"], got["out_of_bounds_verdict"]) == (True, 3, "FAILED")
    assert (got["avg_bus_bandwidth_verdict"], got["errors"]) == ("FAILED", ["unhandled system error"])


def test_iterations():
    item = dict(RESULT, out_of_place_per_iter={"min_us": 1.0, "max_us": 9.5, "p99_us": 9.0, "cv_pct": 3.5, "x": []})
    group = nccl_tests.parse(json.dumps(dict(DATA, results=[item])))["rows"][0]["out_of_place"]
    assert {name: group[name] for name in group if name.startswith("i_")} == {
        "i_min": 1.0, "i_max": 9.5, "i_p99": 9.0, "i_cv%": 3.5}


def test_bare_infinity_is_null():
    got = nccl_tests.parse(TEXT.replace('"alg_bw":0.03', '"alg_bw":inf').replace('"bus_bw":0.04', '"bus_bw":-nan'))
    assert got["rows"][0]["out_of_place"] == {"time": 35.59, "algbw": None, "busbw": None, "wrong": 0}
    assert got["complete"]


def test_of_a_file_that_was_cut_the_whole_results_are_kept():
    whole, seen = nccl_tests.parse(TEXT), set()
    for end in range(len(TEXT)):
        got = nccl_tests.parse(TEXT[:end])
        assert got["rows"] == whole["rows"][:len(got["rows"])]
        assert got["complete"] is (end >= TEXT.index(',"average'))
        seen.add(len(got["rows"]))
    assert seen == {0, 1, 2}


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"a":1}', "{", '{"results"', "no", '{"changed": true, "rc": 0}'])
def test_other_texts_are_not_taken_for_it(text):
    assert nccl_tests_json.load(text) is None


@pytest.mark.parametrize("text", [
    '{"version":3,"results":{"a":1},"config":[],"args":3,"env":[1,"x"],"errors":[null]}',
    '{"version":3,"results":[1,null,{}],"config":{"devices":[2,{}]},"out_of_bounds":3}',
    '{"version":3,"results":' + "[" * 100000])
def test_what_is_not_of_the_form_is_null(text):
    got = nccl_tests.parse(text)
    assert (got["avg_bus_bandwidth"], got["complete"], got["operation"]) == (None, False, None)
