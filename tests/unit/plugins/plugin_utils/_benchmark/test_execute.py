# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run from its start to its record: progress, time limits, nodes that do not answer, and what is never started."""

from __future__ import annotations


def test_a_whole_run_and_what_is_said_while_it_goes_on(bench):
    (record,) = bench.measure(bench.run("a", launches=[(8, 1 << 30, 2)]))
    assert (record["error"], record["excused"], len(record["results"])) == (None, False, 1)
    assert len(record["results"][0]["rows"]) == 28
    assert bench.said[-1].startswith("a: all_reduce: 1G at ")
    assert "# Collective test concluded" in bench.output
    assert bench.left() == []


def test_every_size_of_a_list_is_one_start(bench):
    (record,) = bench.measure(bench.run("a", launches=[(8, 8, 2), (1 << 30, 1 << 30, 2)]))
    assert len(record["commands"]) == len(record["results"]) == 2
    assert len(bench.started()) == 2


def test_what_hangs_ends_the_run_and_nothing_more_is_started(bench):
    bench.put(fault="hang")
    first, second = bench.measure(bench.run("a", "b", operations=("all_reduce", "alltoall"), seconds=2))
    assert "no end after 2 s" in first["error"]
    assert not first["excused"]
    assert second["excused"] and "all_reduce before it did not end in 2 s" in second["error"]
    assert {line[0] for line in bench.started()} == {"all_reduce"}
    assert bench.left() == []


def test_a_crash_is_told_with_its_last_words_and_the_next_operation_is_tried(bench):
    bench.put(fault="crash")
    first, second = bench.measure(bench.run("a", operations=("all_reduce", "alltoall")))
    assert "all_reduce ended with status 3" in first["error"]
    assert "unhandled cuda error" in first["error"]
    assert "alltoall ended with status 3" in second["error"]


def test_a_run_that_a_signal_ended_says_which_and_quotes_no_row(bench):
    bench.put(fault="hang")

    def ask(arguments):
        said = bench.ask(dict(arguments, wait=2))
        return dict(said, ended=True, status=-9) if arguments["do"] == "poll" else said

    (record,) = bench.measure(bench.run("a"), ask)
    assert record["error"].startswith("all_reduce was ended by signal 9")
    assert "float" not in record["error"]


def test_a_refusal_is_an_excuse_in_its_own_words(bench):
    run = bench.run("a")
    run["launch"]["path"] = "/nowhere/at/all"
    (record,) = bench.measure(run)
    assert record["excused"] and "/nowhere/at/all" in record["error"]
    assert record["commands"] == []


def test_an_excused_run_asks_no_node(bench):
    (record,) = bench.measure(dict(bench.run("a"), excuse="a: no GPU"), asked=None)
    assert (record["error"], record["excused"]) == ("a: no GPU", True)


def test_check_mode_keeps_the_command_only(bench):
    (record,) = bench.measure(bench.run("a"), asked=lambda arguments: bench.ask(arguments, read_only=True))
    assert record["checked_only"] is True
    assert record["commands"][0][0].endswith("/all_reduce_perf")
    assert bench.started() == []


def test_a_node_that_misses_an_answer_is_asked_again_and_given_up_in_the_end(bench):
    misses = []

    def sometimes(arguments):
        if arguments["do"] == "poll" and len(misses) < 2:
            misses.append(1)
            return {"failed": "The node cannot be reached"}
        return bench.ask(arguments)

    (record,) = bench.measure(bench.run("a"), asked=sometimes)
    assert record["error"] is None

    def never(arguments):
        return {"failed": "The node cannot be reached"} if arguments["do"] == "poll" else bench.ask(arguments)

    first, second = bench.measure(bench.run("a", operations=("all_reduce", "alltoall")), asked=never)
    assert first["error"] == "The node cannot be reached" and not first["excused"]
    assert second["excused"]
    assert bench.left() == []


def test_a_run_ends_when_ansible_playbook_does(bench):
    bench.put(fault="hang")
    bench.wanted = lambda: bench.started() == []
    first, second = bench.measure(bench.run("a", operations=("all_reduce", "alltoall")))
    assert first["error"] == "ansible-playbook was ended"
    assert second["excused"]
    assert bench.left() == []


def test_it_is_said_that_a_size_takes_long(bench):
    texts = ["# nccl-tests version 2.17.9\n", "", ""]

    def slow(arguments):
        if arguments["do"] != "poll":
            return {"failed": None, "id": "x", "command": ["x"], "ran": False}
        text = texts.pop(0)
        return {"failed": None, "output": text, "offset": 0, "ended": not texts, "status": 0, "timed_out": False}

    bench.measure(bench.run("a"), asked=slow)
    assert bench.said == ["a: all_reduce: started", "a: all_reduce: still at this size after 10 s"]
