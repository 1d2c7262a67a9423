# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Action vllm_benchmark: what it refuses on the controller. Whole plays are in playbooks/vllm_benchmark."""

from __future__ import annotations

import inspect

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.action import vllm_benchmark
from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm_benchmark import options


@pytest.fixture
def given(checkout):
    """The role's defaults, without their prefix."""
    defaults = yaml.safe_load((checkout / "roles/vllm_benchmark/defaults/main.yml").read_text())
    return {name[len(options.PREFIX):]: value for name, value in defaults.items()}


def test_a_method_for_every_stage():
    assert {"_look", "_run", "_report"} <= set(dict(inspect.getmembers(vllm_benchmark.ActionModule)))


def test_the_defaults_are_read(given):
    meant = options.read(given)
    assert (meant["runs"], meant["profile"], meant["load"]["request_rate"]) == (3, None, "inf")
    assert sorted(options.NAMES) == sorted(given)


@pytest.mark.parametrize(("changed", "words"), [
    ({"dataset": "sharegpt"}, "needs vllm_benchmark_dataset_path"), ({"dataset_path": "/x"}, "has no file"),
    ({"requests": 0}, "whole number"), ({"request_rate": -1}, "above 0"), ({"request_rate": True}, "above 0"),
    ({"minimum": 1.5}, "no share"), ({"allow": ["reboot"]}, "known"), ({"runs": 0}, "nothing is left to do"),
    ({"profile": "perf"}, "known: nsys"), ({"profile": "nsys"}, "has to name it"),
    ({"profile": "nsys", "instances": ["a"]}, "[restart] allows that"), ({"nsys": "nsys", "profile": "nsys",
     "instances": ["a"], "allow": ["restart"]}, "no absolute path"), ({"arguments": [1]}, "no mapping"),
    ({"ignore_eos": "maybe"}, "neither true nor false"), ({"concurrency": 0}, "whole number"),
    ({"profile": "nsys", "instances": ["a"], "allow": ["restart"], "profile_duration": 0}, "profile_duration"),
    ({"profile_size": 0}, "profile_size"), ({"may_be_unmeasured": 3}, "neither"), ({"timeout": 0}, "timeout"),
    ({"warmup": -1}, "warmup"), ({"output_tokens": 0}, "output_tokens"), ({"input_tokens": "x"}, "input_tokens"),
    ({"seed": -1}, "seed"), ({"against": 3}, "no path")])
def test_what_cannot_be(given, changed, words):
    with pytest.raises(BadRequest) as caught:
        options.read(dict(given, **changed))
    assert words in str(caught.value)


def test_a_misspelt_variable():
    with pytest.raises(BadRequest, match="did you mean concurrency"):
        options.check_names({"vllm_benchmark_concurency": 3})
    options.check_names({"vllm_benchmark_mine": 3, "gpuwright_ignore_variables": ["vllm_benchmark_mine"]})
