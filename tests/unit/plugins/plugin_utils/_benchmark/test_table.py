# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What people read: every line within the terminal, the worst not lost among many."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import table

LOOK = {"health": [], "complete": True, "jobs": [], "left": []}


def run(host, verdict="pass", **changed):
    return dict({"hosts": [host], "operation": "all_reduce", "verdict": verdict, "measured": 390.0, "expected": 372.0,
                 "reasons": ["at 1G it is so"], "why": "NVLink", "search": False, "variant": "", "warnings": [],
                 "commands": [["mpirun", "-np", "2"]]}, **changed)


def document(*runs, **changed):
    return dict({"runs": list(runs), "lost": [], "blame": None, "comparisons": [], "check_mode": False, "hosts": {},
                 "summary": {"pass": 1, "fail": 2, "not_measured": 3}, "files": ["written: x"]}, **changed)


def text(made, width=100):
    lines = table.of_document(made, width)
    assert all(len(line) <= width for line, _kind in lines)
    return "\n".join(line for line, _kind in lines)


def test_a_row_a_run_with_its_share():
    lines = table.of_document(document(run("a"), run("b", "fail", measured=93.0)), 100)
    rows = [(line.split(), kind) for line, kind in lines[1:3]]
    assert rows == [(["a", "all_reduce", "pass", "390.0", "372.0", "105%"], None),
                    (["b", "all_reduce", "FAIL", "93.0", "372.0", "25%"], "error")]
    assert lines[3] == ("  b: FAIL: at 1G it is so", "error")
    assert lines[-2:] == [("1 passed, 2 failed, 3 not measured", None), ("written: x", None)]


def test_the_same_reason_is_said_once():
    missing = "nccl-tests is not there: " + "looked in /a/b/c, " * 20
    two = ("all_reduce", "alltoall")
    runs = [run(host, "not_measured", operation=operation, reasons=[missing]) for host in "abcdef" for operation in two]
    said = text(document(*runs), 80)
    assert said.count("nccl-tests is not there") == 1
    assert "  a, b, c, d and 2 more: not measured: nccl-tests" in said
    said = text(document(run("a"), run("a", "fail", operation="alltoall"), run("b", operation="alltoall")), 80)
    assert "  a: alltoall: FAIL: at 1G it is so" in said


def test_unknown_numbers_are_dashes():
    row = table.of_document(document(run("a", "not_measured", measured=None, expected=None)), 100)[1]
    assert row[0].split()[:7] == ["a", "all_reduce", "not", "measured", "-", "-", "-"]
    assert row[1] == "warning"


def test_of_many_runs_those_that_failed_are_shown():
    said = text(document(*[run("n%d" % number) for number in range(60)], run("bad", "fail")))
    assert "bad " in said
    assert "n7 " not in said
    assert "and 60 more runs" in said


def test_lost_hosts_warnings_health_and_blame():
    made = document(run("a", warnings=["no GDRDMA"]), run("b", warnings=["no GDRDMA"]),
                    lost=[{"host": "z", "why": "it failed before"}],
                    hosts={"a": dict(LOOK, health=["GPU 3 has Xid 79"])},
                    blame={"words": ["n3 is bad: " + "it fails " * 30]})
    said = text(made)
    assert "z: not measured: it failed before" in said
    assert said.count("no GDRDMA") == 1
    assert "a, b: no GDRDMA" in said
    assert "a: health before the benchmark: GPU 3 has Xid 79" in said
    assert "By the pairs: n3 is bad" in said


def test_check_mode_shows_commands():
    assert "a: mpirun -np 2" in text(document(run("a"), check_mode=True))
    assert "mpirun" not in text(document(run("a")))


def test_a_comparison_says_how_much_time_a_variant_takes_off():
    sizes = [{"size": 1 << 20, "time": {"": 100.0, "tree": 50.0}, "busbw": {"": 10.0, "tree": 20.0}},
             {"size": 3 << 20, "time": {"": 1.0, "tree": 1.0}, "busbw": {"": 1.0, "tree": 1.0}},
             {"size": 1 << 30, "time": {"": 5.0, "tree": None}, "busbw": {"": 300.0, "tree": None}}]
    one = {"hosts": ["a"], "operation": "all_reduce", "variants": {"tree": "it crashed"}, "sizes": sizes}
    said = text(document(run("a"), comparisons=[one]))
    line = next(line for line in said.splitlines() if line.strip().startswith("1M"))
    assert line.split() == ["1M", "10.0", "100.0", "20.0", "50.0", "(-50%)"]
    assert "3M" not in said
    assert "tree: it crashed" in said


def test_the_plan_is_said_before_it_is_carried_out():
    going = {"hosts": ["a", "b"], "excuse": None, "work": [1, 2]}
    busy = [{"hosts": [host], "excuse": "busy", "work": [1, 2]} for host in "cd"]
    lines = table.of_plan([[going], busy], False, 100)
    assert lines == [("Benchmark: 1 run in 2 rounds; 2 measurements each", None),
                     ("  c, d: not measured: busy", "warning")]
    assert table.of_plan([[going]], True, 100)[0][0].startswith("Search for what is at fault: 1 run in 1 round")
    assert table.of_plan([], True, 100) == []
    assert table.of_plan([busy], False, 100)[0][0] == "Benchmark: nothing can be run"


def test_many_hosts_are_counted():
    assert table.hosts(list("abcdef")) == "a, b, c, d and 2 more"


def test_what_a_look_found_is_said():
    busy = dict(LOOK, complete=False, jobs=[{"comm": "vllm"}], left=["/var/tmp/gpuwright-benchmark-x"])
    said = text(document(run("a"), run("b"), hosts={"a": busy, "b": LOOK}), 160)
    assert "a: vllm held a GPU or an RDMA device" in said
    assert "a: the processes of other users could not be looked into" in said
    assert "a: another benchmark was going on here: /var/tmp/gpuwright-benchmark-x" in said
    assert "b: " not in said
