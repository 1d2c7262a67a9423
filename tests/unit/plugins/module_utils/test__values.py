# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the value types: what is accepted, what is said of the rest, how the kernel's text is read."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Pages, Word, name_list, nearest


@pytest.mark.parametrize("raw, text", [(44, "44"), ("44", "44"), (" 7 ", "7"), (0, "0"), ("+5", "5")])
def test_an_int_arrives_as_number_or_as_text(raw, text):
    assert Int(0, 200).parse(raw) == text


@pytest.mark.parametrize("raw", [True, False, "4M", 1.5, "1.0", "", "auto", [1], {"a": 1}, "0x10", "1e3", "007", "١"])
def test_what_is_no_int_is_refused_with_the_range(raw):
    with pytest.raises(ValueError, match="is not an integer from 0 to 200"):
        Int(0, 200).parse(raw)


@pytest.mark.parametrize("number", [-1, 201, 10 ** 30])
def test_an_int_out_of_range_is_refused(number):
    with pytest.raises(ValueError, match="%d is not an integer from 0 to 200" % number):
        Int(0, 200).parse(number)


@pytest.mark.parametrize("value, words", [(Int(), "any integer"), (Int(3), "an integer of 3 or more"),
                                          (Int(None, 9), "an integer from ... to 9")])
def test_an_int_describes_its_range(value, words):
    assert value.describe() == words


@pytest.mark.parametrize("text, number", [("4096\t87380\t6291456", "4096"), ("0", "0"), ("-1", "-1"), ("010", "8"),
                                          ("0x10", "16")])
def test_an_int_reads_the_first_number_as_the_kernel_does(text, number):
    assert Int().read(text) == number


@pytest.mark.parametrize("value", [Int(0, 200), Word("always", "never")])
def test_null_as_a_word_is_answered_with_how_to_say_it(value):
    with pytest.raises(ValueError, match="null as such is said in YAML or JSON"):
        value.parse("null")


THP = Word("always", "madvise", "never", never={"force": "it is for testing"})


@pytest.mark.parametrize("text, word", [("always [madvise] never", "madvise"), ("[always] madvise never", "always"),
                                        ("never", "never")])
def test_a_word_is_read_from_its_brackets(text, word):
    assert THP.read(text) == word


def test_a_word_tells_what_the_kernel_offers():
    assert THP.offers("always defer defer+madvise [madvise] never") == ["always", "defer", "defer+madvise", "madvise",
                                                                      "never"]
    assert THP.offers("madvise") is None


def test_a_misspelt_word_is_named_with_its_nearest():
    with pytest.raises(ValueError, match="did you mean madvise"):
        THP.parse("madvice")


def test_a_bool_is_no_word_and_the_reason_is_given():
    with pytest.raises(ValueError, match="YAML reads an unquoted on, off"):
        THP.parse(False)


def test_a_word_that_is_never_written_comes_with_its_reason():
    with pytest.raises(ValueError, match="never written: it is for testing"):
        THP.parse("force")


@pytest.mark.parametrize("raw, parsed", [
    ({}, {}), ({2048: 512}, {"2048": "512"}), ({"2048": "512"}, {"2048": "512"}),
    ({1048576: {0: 4, "1": 0}}, {"1048576": {"0": "4", "1": "0"}}),
])
def test_pages_take_a_count_or_a_count_for_each_node(raw, parsed):
    assert Pages().parse(raw) == parsed


@pytest.mark.parametrize("raw, words", [(512, "is not a dict"), ({"2M": 1}, "not a number of kB"),
                                        ({2048: -1}, "-1 is not"), ({2048: {0: "many"}}, "'many' is not"),
                                        ({True: 1}, "not a number of kB")])
def test_bad_pages_are_refused(raw, words):
    with pytest.raises(ValueError, match=words):
        Pages().parse(raw)


def test_pages_of_a_size_or_node_that_is_not_there_are_refused():
    places = [{"size": "2048", "node": "0"}, {"size": "2048", "node": "1"}]
    with pytest.raises(ValueError, match="no pages of 4096 kB"):
        Pages.check({"4096": "1"}, places)
    with pytest.raises(ValueError, match="no NUMA node 7; known: 0, 1"):
        Pages.check({"2048": {"7": "1"}}, places)
    Pages.check({"2048": {"1": "1"}}, places)


def test_pages_that_are_not_named_are_none():
    assert Pages.pick({"2048": "5"}, {"size": "1048576", "node": "0"}) == "0"
    assert Pages.pick({"2048": {"1": "5"}}, {"size": "2048", "node": "0"}) == "0"
    assert Pages.pick({"2048": {"1": "5"}}, {"size": "2048", "node": "1"}) == "5"


def test_nearest_lists_what_is_known_when_nothing_is_close():
    assert nearest("xyz", ["always", "never"]) == "known: always, never"
    assert nearest("xyz", []) == "known: none"


def test_a_word_that_is_like_none_is_answered_with_the_legal_ones_once():
    with pytest.raises(ValueError, match="^'absent' is not one of loaded$"):
        Word("loaded").parse("absent")
    with pytest.raises(ValueError, match="^'dcsp' is not one of dscp, pcp; did you mean dscp[?]$"):
        Word("dscp", "pcp").parse("dcsp")


def test_a_list_of_names_may_arrive_as_text_and_is_never_taken_letter_by_letter():
    assert name_list("eth0, eth1,") == ["eth0", "eth1"]
    assert name_list("/mnt/my models") == ["/mnt/my models"]
    assert name_list(("eth0",)) == ["eth0"]
    assert name_list("") == []
    for raw in ({"eth0": 1}, 3, [3], True):
        with pytest.raises(ValueError, match="is not a list of names"):
            name_list(raw)
