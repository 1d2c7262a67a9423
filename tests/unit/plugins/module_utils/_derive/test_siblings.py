# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of sibling nodes: who they are, what they reach, and who falls behind."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import siblings


def nodes(*bandwidths, model="8 x NVIDIA H100 80GB HBM3"):
    return {"n%d" % number: {"model": model, "bandwidth": value} for number, value in enumerate(bandwidths)}


@pytest.mark.parametrize("values, middle", [([], None), ([3], 3), ([1, 9], 5), ([9, 1, 3], 3), ([4, 1, 2, 3], 2.5)])
def test_the_median_is_the_middle(values, middle):
    assert siblings.median(values) == middle


def test_siblings_have_as_many_gpus_of_the_same_model():
    gpus = [{"name": "NVIDIA H100 80GB HBM3"}] * 8
    assert siblings.model({"gpus": gpus}) == "8 x NVIDIA H100 80GB HBM3"
    assert siblings.model({"gpus": gpus}, 4) == "4 x NVIDIA H100 80GB HBM3"
    assert siblings.model({"gpus": [*gpus, {"name": "NVIDIA T4"}]}) == "9 x NVIDIA H100 80GB HBM3, NVIDIA T4"
    assert siblings.model({"gpus": [{"name": None}]}) is None
    assert siblings.model({}) is None


def test_a_host_is_not_its_own_sibling():
    fleet = dict(nodes(460, 470, None), other={"model": "4 x A", "bandwidth": 100}, odd={"model": None, "bandwidth": 1})
    assert siblings.of("n0", fleet) == [470]
    assert siblings.of("other", fleet) == siblings.of("odd", fleet) == []


def test_the_one_that_falls_behind_is_named_with_the_numbers():
    assert siblings.outliers(nodes(460, 470, 465, 400)) == [
        ("n3", "400.0 GB/s are 86% of the median of 3 siblings, 465.0 GB/s (8 x NVIDIA H100 80GB HBM3); at least 90% "
               "are expected")]
    assert siblings.outliers(nodes(460, 470, 465, 420)) == []
    assert [host for host, _words in siblings.outliers(nodes(460, 470, 465, 420), 0.95)] == ["n3"]


def test_of_two_that_differ_nobody_knows_which_is_wrong():
    assert siblings.outliers(nodes(460, 100)) == []
    assert siblings.compare(100, [460]) == (None, "it has one sibling to compare with")
    assert siblings.compare(100, []) == (None, "it has no siblings to compare with")
    assert siblings.outliers(nodes(460, None, 100)) == []


def test_siblings_that_measure_nothing_prove_nothing():
    assert siblings.compare(0.0, [0.0, 0.0]) == (None, "its 2 siblings measure 0.0 GB/s")
    assert siblings.compare(0.0, [0.0, 340.0, 340.0])[0] is True
