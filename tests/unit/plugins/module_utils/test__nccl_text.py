# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of texts and integers on their way to NCCL."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._nccl_text import (
    LONGEST,
    NcclInt,
    NcclText,
    NcclWord,
    is_integer,
    number,
    plain,
)


@pytest.mark.parametrize("text, made", [("106", 106), ("0x6a", 106), ("0152", 106), ("auto", 0), ("4M", 4), ("-1", -1),
                                        ("", 0), (" 7", 7), ("010", 8), ("09", 0), ("+3", 3), ("1e3", 1)])
def test_numbers_are_read_as_nccl_reads_them(text, made):
    assert number(text) == made


@pytest.mark.parametrize("text, so", [("0", True), ("-2", True), ("0x6A", True), ("010", False), ("4M", False),
                                      ("auto", False), (" 7", False), ("7\n", False), ("", False)])
def test_an_integer_is_one_from_end_to_end(text, so):
    assert is_integer(text) is so


@pytest.mark.parametrize("raw, words", [
    ('"mlx5_0"', "has quotes"), ("it's", "has quotes"), ("WARN # c", "has a comment"), (" x", "has spaces at an end"),
    ("x ", "has spaces at an end"), ("", "is empty"), ("a\nb", "not plain ASCII on one line"),
    ("a\r", "spaces at an end"), ("\u00e4", "not plain ASCII"), ("x" * 1024, "has 1024 letters, and NCCL reads 1023"),
    (True, "is no text"), (None, "is no text"), (["a"], "is no text"), (1.5, "is no text")])
def test_what_nccl_would_not_get_as_it_looks_is_refused(raw, words):
    with pytest.raises(ValueError, match=words):
        plain(raw)


def test_what_it_gets_as_it_looks_is_kept():
    assert NcclText().parse("a,b:c=d e") == "a,b:c=d e"
    assert NcclText().parse(7) == "7" and len(plain("x" * LONGEST)) == LONGEST
    assert NcclText().read(" x") == " x" and NcclText().offers("x") is None


@pytest.mark.parametrize("raw, text", [(106, "106"), ("106", "106"), (" 106 ", "106"), ("0x6a", "106"), (-1, "-1")])
def test_integers_are_written_in_decimal(raw, text):
    assert NcclInt(-1, 255).parse(raw) == text


@pytest.mark.parametrize("raw, words", [
    ("auto", "'auto' is not an integer from 0 to 255: NCCL would take it for 0"), ("4M", "would take it for 4"),
    ("010", "would take it for 8"), (True, "True is not an integer from 0 to 255$"), (1.0, "1.0 is not an integer"),
    (256, "256 is not an integer from 0 to 255"), (-1, "-1 is not an integer"),
    # An empty value NCCL takes for none; a list never gets that far.
    ("", "'' is not an integer from 0 to 255$"), ([1], r"\[1\] is not an integer from 0 to 255$"),
    ("null", "would take it for 0; null as such is said in YAML or JSON")])
def test_what_nccl_would_take_for_another_number_is_refused(raw, words):
    with pytest.raises(ValueError, match=words):
        NcclInt(0, 255).parse(raw)


@pytest.mark.parametrize("raw, words", [("none", "null as such is said in YAML"), ("a\\b", "systemd takes away")])
def test_a_text_that_means_something_else_on_the_way_is_refused(raw, words):
    with pytest.raises(ValueError, match=words):
        plain(raw)


def test_a_word_is_read_to_the_letter():
    """Where NCCL keeps a carriage return or brackets, the value is another one."""
    word = NcclWord("WARN", "INFO")
    assert word.parse("WARN") == "WARN" and [word.read(text) for text in ("WARN", "WARN\r", "[WARN]")] == [
        "WARN", "WARN\r", "[WARN]"]


def test_a_number_beyond_64_bits_is_refused():
    assert NcclInt().parse(str(2 ** 63 - 1)) == "9223372036854775807"
    with pytest.raises(ValueError, match="9223372036854775808 is not an integer"):
        NcclInt().parse(str(2 ** 63))


def test_multiples():
    assert NcclInt(64, 512, multiple=32).parse(96) == "96"
    with pytest.raises(ValueError, match="100 is not a multiple of 32 from 64 to 512"):
        NcclInt(64, 512, multiple=32).parse(100)


@pytest.mark.parametrize("value, words", [
    (NcclInt(), "an integer"), (NcclInt(1), "an integer of 1 or more"), (NcclInt(0, 7), "an integer from 0 to 7"),
    (NcclInt(high=7), "an integer up to 7"), (NcclText(), "a text on one line, without quotes and #")])
def test_what_is_legal_is_said(value, words):
    assert value.describe() == words


def test_an_integer_in_a_file_is_what_nccl_reads():
    assert [NcclInt().read(text) for text in ("0x6a", "4M", "auto", "")] == ["106", "4", "0", ""]
