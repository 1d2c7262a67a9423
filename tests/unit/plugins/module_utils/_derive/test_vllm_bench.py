# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What `vllm bench serve` wrote, by its real result, and what is made of several."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import vllm_bench


@pytest.fixture
def real(checkout):
    """A real result."""
    return (checkout / "tests/captures/vllm-bench/result.json").read_text()


def test_a_real_result(real):
    found = vllm_bench.parse(real)
    assert (found["completed"], found["failed"], found["num_prompts"]) == (24, 0, 24)
    assert found["output_throughput"] == pytest.approx(1376.505, abs=0.001)
    assert found["latency"]["ttft"]["p95"] == pytest.approx(235.2666, abs=0.0001)
    assert sorted(found["latency"]) == ["e2el", "itl", "tpot", "ttft"]
    assert vllm_bench.counts(found, 24) == ("pass", [])
    assert "median_e2el" in vllm_bench.figures(found)


@pytest.mark.parametrize(("text", "words"), [("", "no JSON"), ("[1]", "holds list"), ("{}", "completed")])
def test_what_is_no_result(text, words):
    with pytest.raises(vllm_bench.NoResult, match=words):
        vllm_bench.parse(text)


@pytest.mark.parametrize(("changed", "verdict", "words"), [
    ({"completed": 20, "failed": 4}, "fail", "4 of 24 requests failed"),
    ({"completed": 20}, "fail", "20 of 24 requests were completed"),
    ({"completed": 0, "failed": 24}, "not_measured", "none of 24"),
    ({"duration": float("nan")}, "not_measured", "no duration")])
def test_a_part_is_no_measurement(real, changed, verdict, words):
    found = vllm_bench.counts(vllm_bench.parse(json.dumps(dict(json.loads(real), **changed))), 24)
    assert found[0] == verdict
    assert words in found[1][0]


def test_an_older_release_does_not_say_what_failed(real):
    told = json.loads(real)
    del told["failed"]
    assert vllm_bench.parse(json.dumps(dict(told, completed=20)))["failed"] == 4


def test_medians_and_spread(real):
    told = json.loads(real)
    results = [vllm_bench.parse(json.dumps(dict(told, output_throughput=value))) for value in (90, 100, 120)]
    found = vllm_bench.together(results)
    assert found["output_throughput"] == {"median": 100, "least": 90, "most": 120, "spread": pytest.approx(0.3)}
    assert vllm_bench.together(results[:2])["output_throughput"]["median"] == 95


def test_shares_say_what_is_better():
    before = {"output_throughput": {"median": 100}, "median_ttft": {"median": 20}}
    now = {"output_throughput": {"median": 80}, "median_ttft": {"median": 40}, "p99_itl": {"median": 1}}
    assert vllm_bench.against(now, before) == {"output_throughput": 0.8, "median_ttft": 0.5}
