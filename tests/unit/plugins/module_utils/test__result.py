# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of how a step's values are shown: each on one line of a report."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _result


@pytest.mark.parametrize("value, shown", [
    (None, None), (True, True), ("", ""), ("0-3", "0-3"), ("x" * 200, "x" * 200),
    ("x" * 201, "x" * 100 + "... (201 characters)"), ('{\n "a": 1\n}', "3 lines, SHA-256 4c7b92d7"),
])
def test_a_value_fits_a_line(value, shown):
    assert _result.shorten(value) == shown


def test_two_documents_are_told_apart():
    assert _result.shorten("a\nb") != _result.shorten("a\nc")


def test_what_only_the_engine_needs_is_left_out():
    assert _result.public({"name": "n", "desired": "a\nb", "_path": "/x"}) == {
        "name": "n", "desired": _result.shorten("a\nb")}


@pytest.mark.parametrize("status, shown", [("not_applicable", "no\n" + 300 * "such tool "), ("error", "Oh\n no\n")])
def test_why_a_step_did_not_do_is_on_one_line_and_whole(status, shown):
    assert _result.public({"status": status, "reason": shown})["reason"] == " ".join(shown.split())


def test_values_in_a_drift_are_shortened():
    text = "running " + 300 * "x"
    assert _result.public({"status": "drift", "reason": text})["reason"] == _result.shorten(text)
