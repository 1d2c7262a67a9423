# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of role nccl_benchmark: what they mean, and how a wrong one is named."""

from __future__ import annotations

import pathlib

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.plugin_utils._benchmark import options

CHECKOUT = pathlib.Path(__file__).resolve().parents[5]
DEFAULTS = yaml.safe_load((CHECKOUT / "roles" / "nccl_benchmark" / "defaults" / "main.yml").read_text())


def read(**changed):
    given = {name: DEFAULTS["nccl_benchmark_" + name] for name in options.NAMES}
    return options.read(dict(given, **dict({"host": "n1"}, **changed)))


def test_the_names_are_those_of_the_role():
    assert sorted(DEFAULTS) == sorted("nccl_benchmark_" + name for name in options.NAMES)


def test_the_defaults_measure_each_node_by_itself():
    found = read()
    assert (found["scope"], found["launcher"], found["gpus"], found["compare"]) == ("node", "single", None, {})
    assert found["launches"] == [(8, 8 << 30, 2)]
    assert found["operations"] == ["all_reduce", "all_gather", "reduce_scatter", "alltoall", "sendrecv"]
    assert read(scope="group")["launcher"] == "mpirun"


@pytest.mark.parametrize(("changed", "words"), [
    ({"scope": "pair"}, "nccl_benchmark_scope: 'pair' is none; did you mean pairs"),
    ({"operations": ["allreduce"]}, "did you mean all_reduce"), ({"operations": []}, "none is named"),
    ({"launcher": "mpi"}, "nccl_benchmark_launcher"), ({"scope": "pairs", "launcher": "single"}, "mpirun or srun"),
    ({"sizes": "swep"}, "did you mean sweep"), ({"gpus": 0}, "nccl_benchmark_gpus"), ({"iterations": "x"}, "iterat"),
    ({"warmup": -1}, "warmup"), ({"timeout": 0}, "timeout"), ({"rounds": 0}, "rounds"), ({"minimum": 70}, "minimum"),
    ({"minimum": True}, "minimum"), ({"plot": "pdf"}, "nccl_benchmark_plot"), ({"allow": ["bussy"]}, "mean busy"),
    ({"path": "/a b"}, "path"), ({"library_path": ["/x"]}, "library_path"), ({"host": {"a": 1}}, "host"),
    ({"command_prefix": {"a": 1}}, "command_prefix"), ({"launcher_options": 5}, "launcher_options"),
    ({"environment": {"NCCL_DEBUG": "WARN"}}, "nccl_benchmark_compare"), ({"compare": ["x"]}, "compare"),
    ({"compare": {"../x": {}}}, "is no name"), ({"compare": {"tree": {"A": None}}}, "compare.tree.A"),
    ({"check": "maybe"}, "nccl_benchmark_check: 'maybe' is neither"), ({"search": None}, "search"),
    ({"may_be_unmeasured": 2}, "may_be_unmeasured")])
def test_wrong_values_are_named(changed, words):
    with pytest.raises(BadRequest, match=words):
        read(**changed)


def test_lists_arrive_as_text_from_the_command_line():
    found = read(operations="all_reduce,sendrecv,all_reduce", allow="busy", sizes="1G,2G", gpus="4")
    assert found["operations"] == ["all_reduce", "sendrecv"]
    assert (found["allow"], found["gpus"], len(found["launches"])) == (["busy"], 4, 2)


def test_a_misspelt_variable_is_named_and_one_of_the_operator_is_not():
    options.check_names(dict(DEFAULTS, nccl_benchmark_planned={}, nccl_benchmark_round=1, nccl_env_x=1))
    with pytest.raises(BadRequest, match="nccl_benchmark_size: did you mean nccl_benchmark_sizes"):
        options.check_names({"nccl_benchmark_size": "1G"})
    options.check_names({"nccl_benchmark_size": 1, "gpuwright_ignore_variables": ["nccl_benchmark_size"]})


def test_a_flag_of_the_command_line_is_text():
    assert [read(check=word)["check"] for word in ("false", "yes", "0", True)] == [False, True, False, True]
