# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmark.yml does with nodes that are well, slow, busy or wrong; the programs of nccl-tests are a stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import time

import pytest

from tests.sysroots import nccl_tests_tool

DEAD = {"ansible_connection": "gpuwright.standin.dead"}
FOUR = ("n1", "n2", "n3", "n4")
# What the fact of the eight-GPU node lets expect is checked where it is computed; here it only is not zero.
LARGE = {"begin": "1M", "end": "1G", "factor": 32}


def test_each_node_by_itself(benchmark, world, tmp_path):
    played = benchmark(FOUR, nccl_benchmark_sizes="sweep", nccl_benchmark_plot="svg")
    assert played.rc == 0, played.said
    assert played.verdicts == {(host, "all_reduce"): "pass" for host in FOUR}
    assert played.report["summary"] == {"pass": 4, "fail": 0, "not_measured": 0}
    assert sorted(line[2] for line in world.started()) == sorted(FOUR)
    run = played.report["runs"][0]
    assert run["commands"][0][1:] == ["-b", "8", "-e", "8G", "-f", "2", "-g", "2", "-n", "20", "-w", "5", "-c", "1"]
    assert len(run["rows"]) == 31
    assert run["size"] == 8 << 30
    assert run["environment"] == {"NCCL_DEBUG": "INFO", "NCCL_DEBUG_SUBSYS": "INIT,NET,ENV"}
    assert "n1: all_reduce: 8G at " in played.output
    assert (tmp_path / "report" / "benchmark-all_reduce.svg").read_bytes().startswith(b"<?xml")
    assert "# Avg bus bandwidth" in (tmp_path / "report" / "benchmark" / "node-n1.all_reduce.log").read_text()
    assert played.left == []


def test_a_slow_node_of_a_group_is_named_by_pairs(benchmark, world):
    world.put(hosts={"n3": {"peak": 9.0}})
    played = benchmark(FOUR, nccl_benchmark_scope="group", nccl_benchmark_sizes=LARGE)
    assert played.rc != 0
    assert played.verdicts == {("n1,n2,n3,n4", "all_reduce"): "fail"}
    assert played.report["blame"]["nodes"] == ["n3"]
    assert played.report["blame"]["links"] == []
    assert "By the pairs: n3 is bad" in played.output
    searched = [one for one in played.report["runs"] if one["search"]]
    assert len(searched) == 6
    assert all(one["verdict"] == ("fail" if "n3" in one["hosts"] else "pass") for one in searched)
    command = played.report["runs"][0]["commands"][0]
    assert command[0] == "mpirun"
    assert command[command.index("-np") + 1] == "8"
    assert command[command.index("--map-by") + 1] == "ppr:2:node"
    assert played.left == []


def test_a_fall_back_to_sockets_fails_whatever_the_bandwidth(benchmark, world):
    world.put(net="Socket")
    played = benchmark(FOUR[:2], nccl_benchmark_scope="pairs", nccl_benchmark_sizes=LARGE,
                       nccl_benchmark_launcher="srun", nccl_benchmark_launcher_options="--mpi=pmix")
    assert played.rc != 0
    assert played.verdicts == {("n1,n2", "all_reduce"): "fail"}
    assert "NET/Socket" in played.report["runs"][0]["reasons"][0]
    assert "NET/Socket" in played.said
    assert played.report["runs"][0]["commands"][0][0] == "srun"
    assert "--mpi=pmix" in played.report["runs"][0]["commands"][0]


def test_what_cannot_be_measured_is_no_pass_and_nothing_starts_there(benchmark, world):
    hosts = {"n1": {}, "n2": DEAD, "n3": {}, "n4": {}}
    about = {"environment": {"GPUWRIGHT_TEST_BUSY": "n1", "GPUWRIGHT_TEST_NO_GPU": "n3"}}
    played = benchmark(hosts, nccl_benchmark_sizes=LARGE, **about)
    assert played.rc != 0
    assert played.verdicts == {("n1", "all_reduce"): "not_measured", ("n3", "all_reduce"): "not_measured",
                               ("n4", "all_reduce"): "pass"}
    assert played.report["lost"][0]["host"] == "n2"
    assert played.report["summary"] == {"pass": 1, "fail": 0, "not_measured": 3}
    assert {line[2] for line in world.started()} == {"n4"}
    reasons = {one["hosts"][0]: one["reasons"] for one in played.report["runs"]}
    assert "vllm (process 4711, /dev/nvidia0)" in reasons["n1"][0]
    assert "no GPU" in reasons["n3"][0]
    played = benchmark({"n1": {}}, nccl_benchmark_sizes=LARGE, nccl_benchmark_allow=["busy"], **about)
    assert played.rc == 0, played.said
    assert played.verdicts == {("n1", "all_reduce"): "pass"}


@pytest.mark.parametrize(("variables", "words"), [
    ({"nccl_benchmark_operations": ["all_reduec"]}, "did you mean all_reduce?"),
    ({"nccl_benchmark_sizes": {"begin": "8", "end": "8 parsecs"}}, "nccl_benchmark_sizes.end: '8 parsecs' is no size"),
    ({"nccl_benchmark_scoop": "node"}, "did you mean nccl_benchmark_scope?")])
def test_wrong_input_is_refused_before_anything_starts(benchmark, world, variables, words):
    played = benchmark(FOUR[:2], **variables)
    assert played.rc != 0
    assert words in played.said
    assert world.started() == []
    assert played.report is None


def test_check_mode_says_the_command_and_starts_nothing(benchmark, world):
    played = benchmark(FOUR, "--check", nccl_benchmark_scope="group", nccl_benchmark_operations="alltoall,sendrecv")
    assert played.rc == 0, played.said
    assert world.started() == []
    assert played.verdicts == dict.fromkeys([("n1,n2,n3,n4", "alltoall"), ("n1,n2,n3,n4", "sendrecv")], "not_measured")
    assert played.report["check_mode"] is True
    line = next(line for line in played.output.splitlines() if "alltoall_perf -b 8 -e 8G -f 2" in line)
    assert "mpirun" in line
    assert played.left == []


def test_sets_of_variables_are_compared_and_not_judged(benchmark, world):
    world.put(fault="tree")
    played = benchmark(FOUR[:2], nccl_benchmark_scope="group", nccl_benchmark_sizes={"begin": "64K", "factor": 16},
                       nccl_benchmark_compare={"tree": {"NCCL_ALGO": "allreduce:tree"}})
    assert played.rc == 0, played.said
    assert played.report["summary"] == {"pass": 1, "fail": 0, "not_measured": 0}
    small, *_others, large = played.report["comparisons"][0]["sizes"]
    assert small["busbw"]["tree"] == pytest.approx(2 * small["busbw"][""], rel=0.05)
    assert large["busbw"]["tree"] == large["busbw"][""]
    plain, tree = played.report["runs"]
    assert "NCCL_ALGO" not in plain["environment"]
    assert tree["environment"]["NCCL_ALGO"] == "allreduce:tree"
    assert "(-50%)" in played.output


def test_a_killed_playbook_leaves_no_process_behind(command, world, installed, tmp_path):
    world.put(fault="hang")
    argv, environment = command(FOUR[:2], nccl_benchmark_scope="group")
    with subprocess.Popen(argv, cwd=tmp_path, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                          start_new_session=True) as playbook:
        _until(lambda: len(world.started()) == 4)
        os.killpg(playbook.pid, signal.SIGKILL)
    (world.folder / "later").write_text("")
    _until(lambda: nccl_tests_tool.alive(world.folder) == [])
    _until(lambda: list(installed[1].iterdir()) == [])


def _until(come):
    """Wait until something has come about, and fail if it does not in five minutes."""
    end = time.monotonic() + 300
    while not come():
        assert time.monotonic() < end
        time.sleep(0.2)
