# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Assignments of shell files, read without running them."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._boot import shell_text


def said(text):
    """(name, value with $names and ? for what only a shell can tell, whether it is certain) of each assignment."""
    return [(one.name + "+" * one.append, "".join(
        {"text": piece, "variable": "$" + piece, "unknown": "?"}[kind] for kind, piece in one.pieces), one.certain)
        for one in shell_text.assignments(text)]


@pytest.mark.parametrize(("text", "expected"), [
    ("A=b", [("A", "b", True)]),
    ("A='b c' B=\"d e\" # C=f", [("A", "b c", True), ("B", "d e", True)]),
    ('A="$A ${B} c"', [("A", "$A $B c", True)]),
    ("A='$A'", [("A", "$A", True)]),
    ("A+=' b'", [("A+", " b", True)]),
    ('A="b\\\n c"', [("A", "b c", True)]),
    ("A=b\\\nc", [("A", "bc", True)]),
    ('A="x \\"y z\\" \\$B \\`c\\` \\d"', [("A", 'x "y z" $B `c` \\d', True)]),
    ("A=b\\ c\\'d", [("A", "b c'd", True)]),
    ("A=`x -s 2> /dev/null || echo B=c`", [("A", "?", True)]),
    ("A=\"$(sed 's, r.*$,,g' \"/etc/x\")\" B=1", [("A", "?", True), ("B", "1", True)]),
    ("A=${B:-\"x }\"}y", [("A", "?y", True)]),
    ("A=$1$", [("A", "?$", True)]),
    ("A=", [("A", "", True)]),
    ("A=b\r\n", [("A", "b\r", True)]),
    ("  A=b ; B=c;C=d&&E=f", [("A", "b", True), ("B", "c", True), ("C", "d", True), ("E", "f", False)]),
    ("[ -f /x ] ||\nA=b\nB=c", [("A", "b", False), ("B", "c", True)]),
    ("if [ $X = 1 ]; then\n A=b\nelse A=c; fi\nB=d", [("A", "b", False), ("A", "c", False), ("B", "d", True)]),
    ("case $X in a|b) A=b;; (c) A=c;; esac\nB=d", [("A", "b", False), ("A", "c", False), ("B", "d", True)]),
    ("f() { A=b; }\nB=c", [("A", "b", False), ("B", "c", True)]),
    ("for x in 1 2; do A=b; done; B=c", [("A", "b", False), ("B", "c", True)]),
    ("( A=b )\nB=c", [("A", "b", False), ("B", "c", True)]),
    ("A=b | cat\nB=c & C=d", [("A", "b", False), ("B", "c", False), ("C", "d", True)]),
    ("A=b true\nexport B=c D\nreadonly E=f", [("B", "c", True), ("E", "f", True)]),
    ("echo A=b > /x; echo 'A=c\nA=d'", []),
    ("unset A\n. /etc/x\neval \"$B\"", [("A", "", True), ("*", "", True), ("*", "", True)]),
    ("#!/bin/sh\n\n\t# A=b\nA=c#d", [("A", "c#d", True)]),
    ('"A=b" A"=c" 1A=d', []),
])
def test_assignments_are_found(text, expected):
    assert said(text) == expected


def test_lines_are_counted_through_quotes_and_continued_lines():
    text = "# one\nA='x\ny'\nB=\\\nc\n\nC=d"
    assert [(one.name, one.line) for one in shell_text.assignments(text)] == [("A", 2), ("B", 4), ("C", 7)]


@pytest.mark.parametrize("text", ["A='b", 'A="b', "A=`b", "A=$(b", "A=\"$(b \")", "cat << X\nA=b\nX"])
def test_what_a_shell_would_refuse_or_cannot_be_followed_is_said(text):
    with pytest.raises(ValueError, match="does not end|here-document"):
        shell_text.assignments(text)
