# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmark.yml does with nodes that are well, slow, busy or wrong; the programs of nccl-tests are a stand-in."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time

import pytest

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
