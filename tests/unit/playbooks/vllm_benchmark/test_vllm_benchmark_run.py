# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What benchmark.yml --tags vllm does with engines that are well, busy or wrong, and with a profile; all stand-ins."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from tests.sysroots import nsys_tool

KEY = "sesame-of-a-test"
PROFILE = {"vllm_benchmark_profile": "nsys", "vllm_benchmark_profile_delay": 1, "vllm_benchmark_profile_duration": 2,
           "vllm_benchmark_instances": ["llama"], "vllm_benchmark_allow": ["restart"], "vllm_benchmark_runs": 0}


def test_an_engine_that_is_well(benchmark, engine, node):
    (node / "cache/llama/gpuwright-benchmark-of_a_killed_run.json").write_text("{}")
    played = benchmark()
    assert played.rc == 0, played.said
    assert played.one["verdict"] == "pass"
    assert played.one["figures"]["output_throughput"] == {"median": 320, "least": 320, "most": 320, "spread": 0}
    assert played.one["figures"]["p99_ttft"]["median"] == pytest.approx(343.89, abs=0.01)
    assert played.report["summary"] == {"pass": 1, "fail": 0, "not_measured": 0}
    first, second = engine.started()
    flags = dict(zip(first["words"], first["words"][1:]))
    assert (flags["--model"], flags["--tokenizer"], flags["--dataset-name"]) == ("tiny", "/models/tiny", "random")
    assert (flags["--num-prompts"], flags["--num-warmups"], flags["--max-concurrency"]) == ("30", "2", "64")
    assert flags["--percentile-metrics"] == "ttft,tpot,itl,e2el"
    assert [words[words.index("--seed") + 1] for words in (first["words"], second["words"])] == ["0", "1"]
    assert first["secret"] == KEY
    assert KEY not in played.said + json.dumps(played.report) + " ".join(first["words"])
    assert "output tokens/s         320" in played.said
    assert played.left == []


def test_without_the_tag_nothing_of_vllm_is_measured(benchmark, engine):
    played = benchmark(tags=("--skip-tags", "nothing"))
    assert engine.started() == []
    assert played.report is None


def test_check_mode_says_the_command_and_starts_nothing(benchmark, engine):
    played = benchmark("--check")
    assert played.rc == 0, played.said
    assert engine.started() == []
    assert "bench serve --backend vllm" in played.said
    assert played.one["verdict"] == "not_measured"


@pytest.mark.parametrize(("fault", "verdict", "words"), [
    ("some", "fail", "10 of 30 requests failed"), ("all", "not_measured", "none of 30 requests was completed"),
    ("crash", "not_measured", "`vllm bench serve` ended with status 1: ValueError: planted"),
    ("silent", "not_measured", "it wrote no result")])
def test_what_went_wrong_is_no_pass(benchmark, engine, fault, verdict, words):
    engine.put(fault=fault)
    played = benchmark()
    assert played.rc != 0
    assert played.one["verdict"] == verdict
    assert words in " ".join(played.one["reasons"])
    assert words in " ".join(played.said.split())
    assert played.left == []


def test_a_run_that_hangs_is_ended(benchmark, engine):
    engine.put(fault="hang")
    played = benchmark(vllm_benchmark_timeout=3000)
    assert played.rc != 0
    assert "no end after 3000 s (vllm_benchmark_timeout)" in played.said
    assert len(engine.started()) == 1
    assert played.left == []


def test_an_engine_that_others_use(benchmark, engine):
    engine.put(running=3)
    played = benchmark()
    assert played.rc != 0
    assert "llama is busy: it answers 3 requests of others" in played.one["reasons"][0]
    assert engine.started() == []
    engine.put(running=3, others=7)
    played = benchmark(vllm_benchmark_allow=["busy"])
    assert played.rc == 0, played.said
    assert "6 requests of others were answered meanwhile" in played.one["warnings"][0]
    engine.put(others=7)
    played = benchmark(vllm_benchmark_may_be_unmeasured=True)
    assert played.rc == 0, played.said
    assert played.one["verdict"] == "not_measured"


def test_beside_an_earlier_report(benchmark, engine, tmp_path):
    before = tmp_path / "before.json"
    assert benchmark().rc == 0
    (tmp_path / "report" / "vllm_benchmark.json").rename(before)
    engine.put(speed=0.8)
    played = benchmark(vllm_benchmark_against=str(before))
    assert played.rc != 0
    assert played.one["verdict"] == "fail"
    assert played.one["ratios"]["output_throughput"] == pytest.approx(0.8)
    assert played.one["ratios"]["median_ttft"] == pytest.approx(0.8)
    assert "80 % of before *" in played.said
    played = benchmark(vllm_benchmark_against=str(before), vllm_benchmark_minimum=0.75)
    assert played.rc == 0, played.said
    played = benchmark(vllm_benchmark_against=str(before), vllm_benchmark_input_tokens=64)
    assert "other requests: input_tokens was 1024 and is 64" in played.said


@pytest.mark.parametrize(("variables", "words"), [
    ({"vllm_benchmark_dataset": "sharegpt"}, "sharegpt needs vllm_benchmark_dataset_path"),
    ({"vllm_benchmark_datset": "random"}, "did you mean dataset?"),
    ({"vllm_benchmark_instances": ["lama"]}, "did you mean llama?"),
    ({"vllm_benchmark_arguments": {"burstines": 2}}, "has no --burstines; did you mean burstiness?"),
    ({"vllm_benchmark_arguments": {"seed": 2}}, "seed: that is vllm_benchmark_seed"),
    ({"vllm_benchmark_output_tokens": 4096}, "are 5120 in all, and the engine takes 2048 at most"),
    (dict(PROFILE, vllm_benchmark_allow=[]), "vllm_benchmark_allow: [restart] allows that"),
    (dict(PROFILE, vllm_benchmark_nsys="/nowhere/nsys"), "there is no nsys at /nowhere/nsys: install"),
    (dict(PROFILE, vllm_benchmark_profile_delay=None), "say with vllm_benchmark_profile_delay")])
def test_wrong_input_starts_nothing(benchmark, engine, node, variables, words):
    given = dict({"vllm_benchmark_nsys": str(engine.folder / "nsys")}, **variables)
    played = benchmark(**given)
    assert played.rc != 0
    assert words in " ".join(played.said.split())
    assert engine.started() == []
    assert not (node / "systemctl.log").exists() or "stop" not in (node / "systemctl.log").read_text()


def test_a_profile_restarts_the_engine_under_nsys_and_back(benchmark, engine, node):
    played = benchmark(**PROFILE, vllm_benchmark_nsys=str(engine.folder / "nsys"))
    assert played.rc == 0, played.said
    told = played.report["hosts"]["n1"]["profile"]
    assert told["command"][1:9] == ["profile", "-o", told["output"], "--trace-fork-before-exec=true",
                                    "--cuda-graph-trace=node", "--delay=1", "--duration=2", "--kill=none"]
    assert (played.folder / "vllm_benchmark" / "n1.llama.nsys-rep").read_bytes() == nsys_tool.REPORT
    assert (played.folder / "vllm_benchmark" / "n1.llama.txt").read_text() == nsys_tool.TABLE
    assert told["restored"] is True
    assert len(engine.started()) == 2
    assert told["requests"] in (30, 60)  # Of the runs that came to an end before the recording did.
    assert "did not serve for" in played.said
    assert list((node / "units").iterdir()) == []
    assert played.left == []
    lines = (node / "systemctl.log").read_text().splitlines()
    assert lines == ["daemon-reload", "stop vllm@llama.service", "start vllm@llama.service"] * 2


def test_what_a_run_writes_while_it_is_ended_goes_with_it(benchmark, engine):
    engine.put(fault="late", seconds=4)
    played = benchmark(**PROFILE, vllm_benchmark_nsys=str(engine.folder / "nsys"))
    assert played.rc == 0, played.said
    assert played.report["hosts"]["n1"]["profile"]["requests"] == 0
    assert played.left == []


def test_a_report_that_is_too_large_stays_where_it_is(benchmark, engine, node):
    played = benchmark(**PROFILE, vllm_benchmark_nsys=str(engine.folder / "nsys"), vllm_benchmark_profile_size=100)
    assert played.rc == 0, played.said
    assert "more than vllm_benchmark_profile_size: it stays at" in " ".join(played.said.split())
    (kept,) = (node / "cache" / "llama").iterdir()
    assert kept.read_bytes() == nsys_tool.REPORT
    again = benchmark(**PROFILE, vllm_benchmark_nsys=str(engine.folder / "nsys"))
    assert again.rc == 0, again.said
    assert "earlier profiles left files on the node, which nothing removes: %s (%d bytes)" % (
        kept, len(nsys_tool.REPORT)) in " ".join(again.said.split())
    assert list((node / "cache" / "llama").iterdir()) == [kept]


def test_an_engine_that_ends_under_nsys_is_started_as_it_was(benchmark, engine, node):
    broken = engine.folder / "broken"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    played = benchmark(**PROFILE, vllm_benchmark_nsys=str(broken))
    assert played.rc != 0
    assert "the engine ended under nsys without a report" in " ".join(played.said.split())
    assert played.report["hosts"]["n1"]["profile"]["restored"] is True
    assert list((node / "units").iterdir()) == []


def test_a_profile_that_nobody_asks_after_any_more_is_undone_by_its_guard(engine, node, tmp_path):
    """As after a kill of the module and of ansible-playbook: neither comes back to put things right."""
    asked = {"do": "profile", "name": "llama", "allow": ["restart"], "lease": 3000, "_ansible_check_mode": False,
             "profile": {"delay": 600, "duration": 60, "nsys": str(engine.folder / "nsys")}}
    done = subprocess.run(
        [sys.executable, "-m", "ansible_collections.gpuwright.node.plugins.modules.vllm_bench"], check=False,
        timeout=300, input=json.dumps({"ANSIBLE_MODULE_ARGS": asked}), capture_output=True, text=True,
        env=dict(os.environ, PYTHONPATH=str(tmp_path / "collections"), GPUWRIGHT_TEST_NODE=str(node),
                 GPUWRIGHT_TEST_LATER=str(node / "later")))
    told = json.loads(done.stdout)
    drop_in = node / "units" / "vllm@llama.service.d" / "90-gpuwright-profile.conf"
    assert "ExecStart=%s profile -o" % (engine.folder / "nsys") in drop_in.read_text().replace('"', "")
    assert os.path.isdir(told["id"]) and told["lease"] == 3000 + 120  # Of the instance's stop_timeout.
    (node / "later").write_text("")
    _until(lambda: not drop_in.exists() and not os.path.exists(told["id"]))
    lines = (node / "systemctl.log").read_text().splitlines()
    assert lines[-2:] == ["daemon-reload", "--no-block restart vllm@llama.service"]
    os.killpg(int((node / "pid").read_text()), signal.SIGKILL)


def _until(come):
    """Wait until something has come about, and fail if it does not in five minutes."""
    end = time.monotonic() + 300
    while not come():
        assert time.monotonic() < end
        time.sleep(0.2)
