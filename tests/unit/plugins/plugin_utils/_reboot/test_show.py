# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines on the screen, where people read them."""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import show


def test_lines_are_printed_and_width_keeps_within_reason(monkeypatch):
    printed = []
    monkeypatch.setattr(show.Display, "display", lambda self, text, color=None, stderr=False: printed.append(text))
    show.lines([("a", None), ("b", "error")])
    assert printed == ["a", "b"]
    for columns, width in (("200", 160), ("100", 100), ("10", 80), ("", 120)):
        monkeypatch.setenv("COLUMNS", columns)
        assert show.width() == width
