# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What may be asked of a benchmark, and what is refused in which words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark import request

G = 1 << 30


@pytest.mark.parametrize(("text", "count"), [
    ("8", 8), (8, 8), ("1K", 1024), ("1k", 1024), ("0.5M", 512 << 10), ("8G", 8 * G), ("8 GiB", 8 * G), ("1GB", G)])
def test_sizes_are_read_as_nccl_tests_reads_them(text, count):
    assert request.size("x", text) == count


@pytest.mark.parametrize("text", ["", "G", "8X", "-1", "0", "2T", "1e9", True, None, "8 parsecs"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(request.BadRequest, match="^x: "):
        request.size("x", text)


@given(st.integers(1, 1 << 40))
def test_a_size_is_written_as_it_is_read(count):
    assert request.size("x", request.size_text(count)) == count


def test_the_sweep_is_one_start_from_8_bytes_to_8_gib():
    assert request.launches("sweep") == [(8, 8 * G, 2)]


def test_the_sizes_of_the_guide_are_six_starts():
    found = request.launches("guide")
    assert [round(begin / (1 << 20), 1) for begin, _end, _factor in found] == [0.1, 1, 4, 16, 64, 256]
    assert all(begin == end for begin, end, _factor in found)


@pytest.mark.parametrize(("sizes", "found"), [
    ("bandwidth", [(G, 8 * G, 2)]), ({"end": "1G", "factor": "4"}, [(8, G, 4)]), (["1G", 8], [(G, G, 2), (8, 8, 2)]),
    ("1G,8G", [(G, G, 2), (8 * G, 8 * G, 2)]), ("1G", [(G, G, 2)]), (1024, [(1024, 1024, 2)])])
def test_other_forms_of_sizes(sizes, found):
    assert request.launches(sizes) == found


@pytest.mark.parametrize(("sizes", "words"), [
    ("swep", "did you mean sweep"), ({"begin": "2G", "end": "1G"}, "begin 2G is more than end 1G"),
    ({"factor": 1}, "no whole number from 2"), ({"factor": True}, "no whole number"), ({"stop": 8}, "no key stop"),
    ([], "legal is"), (None, "legal is"), (True, "legal is"), (["8", "x"], "'x' is no size")])
def test_wrong_sizes_are_named(sizes, words):
    with pytest.raises(request.BadRequest, match=words):
        request.launches(sizes)


def test_variables_of_nccl_belong_into_a_comparison_only():
    assert request.variables("c", {"NCCL_ALGO": "allreduce:tree"}, nccl=True) == {"NCCL_ALGO": "allreduce:tree"}
    with pytest.raises(request.BadRequest, match="nccl_benchmark_compare"):
        request.variables("environment", {"NCCL_ALGO": "tree"}, nccl=False)
    assert request.variables("environment", {"UCX_TLS": "tcp", "N": 1}, nccl=False) == {"UCX_TLS": "tcp", "N": "1"}


@pytest.mark.parametrize("given_", ["NCCL_ALGO=tree", {"a b": "1"}, {"A": None}, {"A": True}, {"A": "1\n2"}, {1: "x"}])
def test_what_is_no_variable_is_refused(given_):
    with pytest.raises(request.BadRequest):
        request.variables("c", given_, nccl=True)


@pytest.mark.parametrize("value", ["x", "-1", 1.5, True, None, "11"])
def test_numbers_have_bounds(value):
    with pytest.raises(request.BadRequest, match="from 0 to 10"):
        request.number("x", value, 0, 10)
