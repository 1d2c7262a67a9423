# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints lines to the screen of the controller, as wide as the terminal.

PRIVATE to the collection.
"""

from __future__ import annotations

import contextlib
import os

from ansible import constants as C
from ansible.utils.display import Display

# What is of no other kind deserves a look.
_COLOURS = {"ok": C.COLOR_OK, "changed": C.COLOR_CHANGED, "drift": C.COLOR_CHANGED, "pending_reboot": C.COLOR_CHANGED,
            "not_applicable": C.COLOR_SKIP, "nothing": C.COLOR_SKIP, "warning": C.COLOR_WARN}
_NARROWEST, _WIDEST, _NO_TERMINAL = 80, 160, 100


def lines(said):
    """Print [(text, kind)]; to stderr where stdout is to be read by a program."""
    machine = str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] in ("json", "jsonl")
    for text, kind in said:
        Display().display(text, color=_COLOURS.get(kind, C.COLOR_ERROR) if kind else None, stderr=machine)


def width():
    """The columns of the terminal, within reason; a log has no width of its own."""
    columns = os.environ.get("COLUMNS", "")
    columns = int(columns) if columns.isdigit() else _columns_of_parent()
    return min(max(columns, _NARROWEST), _WIDEST) if columns else _NO_TERMINAL


def _columns_of_parent():
    """The columns of ansible-playbook's terminal, or 0: this is a worker, whose own output is detached."""
    with contextlib.suppress(OSError):
        handle = os.open("/proc/%d/fd/1" % os.getppid(), os.O_RDONLY | os.O_NOCTTY | os.O_NONBLOCK)
        try:
            return os.get_terminal_size(handle).columns
        finally:
            os.close(handle)
    return 0
