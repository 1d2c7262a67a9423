# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel command lines: read as the kernel reads them, edited without touching what others put there."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cmdline

SINGLE = st.sampled_from(["isolcpus", "nohz_full", "rcu_nocbs", "quiet", "mitigations", "intel-iommu"])
KEYS = st.one_of(SINGLE, st.sampled_from(["console", "pci", "rd.lvm.lv", "module.param-a"]))
VALUES = st.one_of(st.just(_cmdline.GIVEN), st.text("abc019,:.= \t", max_size=6).filter(lambda text: text != ""))
TOKENS = st.builds(_cmdline.token, KEYS, VALUES)
GAPS = st.text(" \t\n", min_size=1, max_size=3)


INIT = ["", "-- single isolcpus=9", "--"]


@st.composite
def lines(draw):
    """A command line with any white space, and perhaps with init's arguments after --."""
    line = draw(st.text(" \t", max_size=2))
    for token in draw(st.lists(TOKENS, max_size=8)):
        line += token + draw(GAPS)
    return line + draw(st.sampled_from(INIT))


def pairs(line):
    return [(token.key, token.value) for token in _cmdline.tokens(line)]


@pytest.mark.parametrize(("line", "expected"), [
    ("", []),
    ("ro quiet", [("ro", _cmdline.GIVEN), ("quiet", _cmdline.GIVEN)]),
    ("root=UUID=1-2 ro", [("root", "UUID=1-2"), ("ro", _cmdline.GIVEN)]),
    ('dyndbg="file a.c +p" x=1', [("dyndbg", "file a.c +p"), ("x", "1")]),
    ('"dyndbg=file a.c +p" x=1', [("dyndbg", "file a.c +p"), ("x", "1")]),
    ('"a b" c', [("a b", _cmdline.GIVEN), ("c", _cmdline.GIVEN)]),
    ('a="open until the end', [("a", "open until the end")]),
    ('a=b"c d"e f', [("a", 'b"c d"e'), ("f", _cmdline.GIVEN)]),
    ("=x a=", [("=x", _cmdline.GIVEN), ("a", "")]),
    ("a=1\tb=2\r\nc=3", [("a", "1"), ("b", "2"), ("c", "3")]),
    ("ro -- single a=1", [("ro", _cmdline.GIVEN)]),
    ("ro --x=1", [("ro", _cmdline.GIVEN), ("--x", "1")]),
])
def test_a_line_is_read_as_the_kernel_reads_it(line, expected):
    assert pairs(line) == expected


@pytest.mark.parametrize(("line", "key", "expected"), [
    ("isolcpus=1 isolcpus=2-5", "isolcpus", "2-5"),
    ("intel-iommu=on", "intel_iommu", "on"),
    ("rcu_nocbs=1", "rcu-nocbs", "1"),
    ("console=tty0 console=ttyS0,115200", "console", "tty0 ttyS0,115200"),
    ("rd.lvm.lv=a/root rd.lvm.lv=a/swap", "rd.lvm.lv", "a/root a/swap"),
    ("module_blacklist=a module_blacklist=b", "module_blacklist", "b"),
    ("quiet", "quiet", _cmdline.GIVEN),
    ("ro", "quiet", ""),
    ("ro -- quiet", "quiet", ""),
    ("nohz_full=2-5", "nohz", ""),
])
def test_a_key_has_the_last_value_or_all_of_them(line, key, expected):
    assert _cmdline.value(line, key) == expected


@pytest.mark.parametrize(("line", "key", "value", "expected"), [
    ("ro quiet\n", "isolcpus", "2-5", "ro quiet isolcpus=2-5\n"),
    ("ro isolcpus=1  quiet", "isolcpus", "2-5", "ro isolcpus=2-5  quiet"),
    ("isolcpus=1 ro isolcpus=3 quiet", "isolcpus", "2", "ro isolcpus=2 quiet"),
    ("ro isol-cpus=1", "isol_cpus", "2", "ro isol_cpus=2"),
    ("ro isolcpus=2 -- isolcpus=2", "isolcpus", "", "ro -- isolcpus=2"),
    ("ro  isolcpus=2\n", "isolcpus", "", "ro\n"),
    ("isolcpus=2 ro", "isolcpus", "", "ro"),
    ("ro -- single", "nohz_full", "2", "ro nohz_full=2 -- single"),
    ("-- single", "nohz_full", "2", "nohz_full=2 -- single"),
    ("\n", "nohz_full", "2", "nohz_full=2\n"),
    ("", "quiet", _cmdline.GIVEN, "quiet"),
    ("console=tty0", "console", "ttyS0", "console=tty0 console=ttyS0"),
    ("console=tty0 console=ttyS0", "console", "tty0", "console=tty0 console=ttyS0"),
    ("ro", "dyndbg", "file a +p", 'ro dyndbg="file a +p"'),
])
def test_a_key_is_put_without_duplicates(line, key, value, expected):
    assert _cmdline.put(line, key, value) == expected


def test_a_value_with_a_double_quote_cannot_be_given():
    with pytest.raises(ValueError, match="double quote"):
        _cmdline.put("ro", "a", 'x"y')


@given(lines(), SINGLE, VALUES)
def test_what_is_put_is_read_back_once_and_all_others_stay(line, key, value):
    made = _cmdline.put(line, key, value)
    assert _cmdline.value(made, key) == value
    assert len(_cmdline.occurrences(made, key)) == 1
    others = [pair for pair in pairs(line) if _cmdline.canonical(pair[0]) != _cmdline.canonical(key)]
    assert [pair for pair in pairs(made) if _cmdline.canonical(pair[0]) != _cmdline.canonical(key)] == others
    assert [made.endswith(end) for end in INIT[1:]] == [line.endswith(end) for end in INIT[1:]]


@given(lines(), SINGLE, VALUES)
def test_to_put_twice_is_to_put_once(line, key, value):
    made = _cmdline.put(line, key, value)
    assert _cmdline.put(made, key, value) == made


@given(lines(), SINGLE, VALUES)
def test_what_was_added_can_be_taken_away_byte_for_byte(line, key, value):
    bare = _cmdline.put(line, key, "")
    assert _cmdline.occurrences(bare, key) == []
    assert _cmdline.put(_cmdline.put(bare, key, value), key, "") == bare


@given(lines(), KEYS, VALUES)
def test_of_a_repeatable_key_nothing_is_lost(line, key, value):
    before, after = pairs(line), pairs(_cmdline.put(line, key, value))
    if _cmdline.repeatable(key):
        assert after in (before, before + [(key, value)])
        assert (_cmdline.canonical(key), value) in [(_cmdline.canonical(one), text) for one, text in after]
    else:
        assert len(after) <= len(before) + 1
