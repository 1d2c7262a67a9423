# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the values that are sets of CPUs: what is taken, what is refused in which words, what the kernel prints."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._cpu_values import (
    CpuList,
    CpuMask,
    IsolCpus,
    Json,
    Latency,
    NodeCpus,
    Text,
)


@pytest.mark.parametrize("raw, value", [("0-3,8", "0-3,8"), (5, "5"), (" 3, 1,2 ", "1-3"), ("0-7:2/4", "0-1,4-5")])
def test_a_list_is_canonical(raw, value):
    assert CpuList().parse(raw) == value


@pytest.mark.parametrize("raw", ["", " ", True, "off", "3-1", "1;2", ["1"], 1.5, "none", "-1"])
def test_what_names_no_cpu_is_refused(raw):
    with pytest.raises(ValueError, match="a list of CPUs such as 0-3,8"):
        CpuList().parse(raw)


@pytest.mark.parametrize("text, value", [("0-1\n", "0-1"), ("", ""), ("1,0", "0-1"), ("(null)", "(null)")])
def test_a_list_is_read_as_it_is_in_force(text, value):
    assert CpuList().read(text) == value


@pytest.mark.parametrize("raw, value", [
    ("0-3", "f"), ("0", "1"), ("4-7", "f0"), ("32", "1,00000000"), ("0-1,64-65", "3,00000000,00000003"),
    ("31", "80000000")])
def test_a_mask_is_grouped_as_the_kernel_does(raw, value):
    assert CpuMask().parse(raw) == value


@pytest.mark.parametrize("text, value", [
    ("ff", "ff"), ("00000000,000000ff", "ff"), ("00000001,00000000", "1,00000000"), ("0f\n", "f"), ("junk", "junk")])
def test_a_mask_is_read_whatever_its_width(text, value):
    assert CpuMask().read(text) == value


@pytest.mark.parametrize("raw, value", [
    ("2-23", "2-23"), ("managed_irq,domain,2-3,1", "managed_irq,domain,1-3"), ("domain,domain,2", "domain,2"),
    ("nohz, domain, 2", "nohz,domain,2")])
def test_isolcpus_keeps_its_flags(raw, value):
    assert IsolCpus().parse(raw) == value


@pytest.mark.parametrize("raw, words", [
    ("manged_irq,2", "did you mean managed_irq"), ("domain", "names no CPU"), ("2,domain", "after any of the flags"),
    (True, "True is no flag"), ("", "names no CPU")])
def test_isolcpus_that_the_kernel_would_drop_is_refused(raw, words):
    """The kernel skips an unknown flag with a line in its log, and drops the whole argument for a wrong character."""
    with pytest.raises(ValueError, match=words):
        IsolCpus().parse(raw)


def test_isolcpus_of_others_is_read_as_it_is():
    assert IsolCpus().read("domain,3,2") == "domain,2-3" and IsolCpus().read("all") == "all"


def test_interrupts_stay_on_their_node_and_go_anywhere_without_one():
    value = NodeCpus().parse({0: "0-1", "1": "8,9"})
    assert value == {"0": "0-1", "1": "8-9"}
    assert NodeCpus().pick(value, {"node": "1"}) == "8-9"
    assert NodeCpus().pick(value, {"node": ""}) == NodeCpus().pick(value, {"node": "7"}) == "0-1,8-9"


@pytest.mark.parametrize("raw", [{}, "0-1", None, {"node0": "0"}, {"0": ""}])
def test_interrupts_need_a_list_for_every_node(raw):
    with pytest.raises(ValueError, match="list of CPUs"):
        NodeCpus().parse(raw)


def test_a_document_is_canonical_and_its_text_the_value():
    value = Json().parse({"b": [1], "a": None})
    assert value == '{\n "a": null,\n "b": [\n  1\n ]\n}' and Json().read('{"b":[1],"a":null}') == value
    assert Json().read("junk ") == "junk"
    with pytest.raises(ValueError, match="cannot be written as JSON"):
        Json().parse({"a": {1, 2}})
    with pytest.raises(ValueError, match="not a dict"):
        Json().parse("{}")


@pytest.mark.parametrize("raw, value", [(50, "50"), ("1", "1"), ("n/a", "n/a")])
def test_a_latency_is_microseconds_or_none_at_all(raw, value):
    assert Latency().parse(raw) == value


@pytest.mark.parametrize("raw, words", [
    (0, "0 is no limit to the kernel"), ("0", "leave it null"), (-1, "not an integer"), (True, "not an integer"),
    ("deep", "not an integer")])
def test_a_latency_of_0_would_mean_the_reverse(raw, words):
    with pytest.raises(ValueError, match=words):
        Latency().parse(raw)


@pytest.mark.parametrize("text", ["0", "n/a", "cpu0=50 cpu1=0"])
def test_a_latency_is_read_as_the_kernel_says_it(text):
    assert Latency().read(text + "\n") == text


def test_a_text_is_the_same_however_its_lines_end():
    assert Text().parse("one  \n  two\n\n") == Text().read("one\n  two") == "one\n  two"
    assert Text().read("") == "" and Text().offers("one") is None
    for raw in (None, 1, " \n"):
        with pytest.raises(ValueError, match="is not a text"):
            Text().parse(raw)
