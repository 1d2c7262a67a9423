# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on the screen, where people read them."""

from __future__ import annotations

import fcntl
import os
import struct
import subprocess
import sys
import termios

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import show


def test_lines_are_printed(monkeypatch):
    printed = []
    monkeypatch.setattr(show.Display, "display", lambda self, text, color=None, stderr=False: printed.append(text))
    show.lines([("a", None), ("b", "error")])
    assert printed == ["a", "b"]


@pytest.mark.parametrize(("columns", "width"), [("40", 80), ("120", 120), ("500", 160)])
def test_the_width_is_told_by_columns_within_reason(columns, width, monkeypatch):
    monkeypatch.setitem(os.environ, "COLUMNS", columns)
    assert show.width() == width


@pytest.mark.parametrize(("terminal", "width"), [(132, 132), (None, 100)])
def test_the_width_is_that_of_the_parents_terminal_which_a_worker_does_not_have(terminal, width, monkeypatch):
    monkeypatch.delitem(os.environ, "COLUMNS", raising=False)
    primary, secondary = os.openpty()
    fcntl.ioctl(secondary, termios.TIOCSWINSZ, struct.pack("HHHH", 40, terminal or 0, 0, 0))
    parent = os.open(os.devnull, os.O_RDONLY) if terminal is None else secondary
    program = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], stdout=2)"
    child = "import sys; sys.path[:0] = %r; from %s import width; sys.stderr.write(str(width()))" % (
        sys.path, show.__name__)
    answer = subprocess.run([sys.executable, "-c", program, child], stdout=parent, stderr=subprocess.PIPE, text=True,
                            check=False)
    os.close(primary)
    assert answer.stderr == str(width)
