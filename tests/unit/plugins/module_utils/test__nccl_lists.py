# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of NCCL's lists of words and devices."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._nccl_lists import (
    ALGORITHMS,
    PROTOCOLS,
    check_entries,
    joined,
    left_without,
    signed,
    token_lists,
)


@pytest.mark.parametrize("text, found", [("=a:1,b", ("=", ["a:1", "b"])), ("^a", ("^", ["a"])),
                                         ("^=a,b", ("^=", ["a", "b"])), ("a", ("", ["a"]))])
def test_signs_and_entries(text, found):
    assert signed(text) == found


def test_a_list_of_names_means_these_alone():
    assert joined(["mlx5_0", "mlx5_1:1"]) == "=mlx5_0,mlx5_1:1"
    assert joined("mlx5") == "mlx5" and joined([]) == [] and joined([1]) == [1]


def test_entries_are_few_and_different():
    check_entries(["a", "b"], 2)
    with pytest.raises(ValueError, match="a is named twice"):
        check_entries(["a", "b", "a"], 9)
    with pytest.raises(ValueError, match="3 entries, and NCCL reads 2"):
        check_entries(["a", "b", "c"], 2)


@pytest.mark.parametrize("text, found", [
    ("ring,TREE", [(None, False, ["Ring", "Tree"])]), ("^pat", [(None, True, ["PAT"])]),
    ("ring,collnetdirect;allreduce:tree,collnetdirect;broadcast:ring", [
        (None, False, ["Ring", "CollnetDirect"]), ("AllReduce", False, ["Tree", "CollnetDirect"]),
        ("Broadcast", False, ["Ring"])]),
    ("allreduce:^tree", [("AllReduce", True, ["Tree"])])])
def test_lists_of_words_with_a_scope(text, found):
    assert token_lists(text, ALGORITHMS, scoped=True) == found


@pytest.mark.parametrize("text, words", [
    ("auto", "'auto' in 'auto' is not known to NCCL, which then starts no communicator; .*; null lets NCCL choose"),
    ("Rign", "did you mean Ring"), ("allreduce:ring;tree", "only the first list may do without a function"),
    ("alltoall:ring", "'alltoall' in 'alltoall:ring' is not known"), ("ring, tree", "' tree'"), ("ring,", "'' in"),
    ("^", "'' in"), ("ring;", "only the first list")])
def test_what_nccl_refuses_is_refused(text, words):
    with pytest.raises(ValueError, match=words):
        token_lists(text, ALGORITHMS, scoped=True)


def test_without_a_scope_a_colon_is_no_scope():
    with pytest.raises(ValueError, match="allreduce:LL"):
        token_lists("allreduce:LL", PROTOCOLS)


@pytest.mark.parametrize("text, left", [
    ("Ring", {}), ("^Tree", {}), ("allreduce:tree", {}), ("allreduce:^ring", {}), ("Ring;allreduce:Tree", {}),
    ("Tree", {name: ["Tree"] for name in ("Broadcast", "Reduce", "AllGather", "ReduceScatter")}),
    ("Tree,NVLS", {"Broadcast": ["Tree", "NVLS"], "Reduce": ["Tree", "NVLS"]}),
    ("broadcast:Tree", {"Broadcast": ["Tree"]}), ("allreduce:PAT", {"AllReduce": ["PAT"]}),
    ("Tree;allgather:PAT;reducescatter:PAT;broadcast:Ring;reduce:Ring", {}),
    ("^Ring", {name: [word for word in ALGORITHMS if word != "Ring"] for name in ("Broadcast", "Reduce")})])
def test_who_is_left_without_an_algorithm(text, left):
    assert left_without(token_lists(text, ALGORITHMS, scoped=True)) == left
