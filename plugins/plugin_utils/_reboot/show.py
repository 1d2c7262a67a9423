# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Prints lines to the screen of the controller, as wide as the terminal.

PRIVATE to the collection.
"""

from __future__ import annotations

import os

from ansible import constants as C
from ansible.utils.display import Display

_COLOURS = {"error": C.COLOR_ERROR, "warning": C.COLOR_WARN}
_NARROWEST, _WIDEST, _NO_TERMINAL = 80, 160, 120


def lines(said):
    """Print [(text, kind)]; to stderr where stdout is to be read by a program."""
    machine = str(C.DEFAULT_STDOUT_CALLBACK).rpartition(".")[2] in ("json", "jsonl")
    for text, kind in said:
        Display().display(text, color=_COLOURS.get(kind), stderr=machine)


def width():
    """The columns of the terminal, within reason."""
    columns = os.environ.get("COLUMNS", "")
    return min(max(int(columns), _NARROWEST), _WIDEST) if columns.isdigit() else _NO_TERMINAL
