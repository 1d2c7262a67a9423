# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What stays in its folder, whatever the path: against the real resolution of paths by the system."""

from __future__ import annotations

import os

import hypothesis
import pytest
from hypothesis import strategies

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.model.inside import outside

PARTS = strategies.sampled_from(["..", ".", "", "a", "b c", "model.safetensors", "~", "é", "\\", "\n", "\0", "...",
                                 ".gpuwright.json", "x" * 300])


@hypothesis.given(strategies.lists(PARTS, min_size=1, max_size=6).map("/".join) | strategies.text(max_size=30))
def test_what_is_let_through_is_below_its_folder_and_is_called_what_it_says(path):
    if outside(path) is None:
        assert os.path.normpath("/folder/" + path) == "/folder/" + path
        assert os.path.normpath("/folder/" + path).startswith("/folder/")
        assert "\0" not in path and not path.startswith(".gpuwright")


@pytest.mark.parametrize("path", ["config.json", "1_Pooling/config.json", "a/b/c.safetensors", "...", ".gitattributes"])
def test_plain_names_are_let_through(path):
    assert outside(path) is None


@pytest.mark.parametrize("path,why", [
    ("/etc/passwd", "absolute"), ("../x", "leads out"), ("a/../../x", "leads out"), ("a//b", "no plain path"),
    ("./a", "no plain path"), ("", "no name"), ("a\nb", "no name"), ("a\\b", "no name"), ("x" * 256, "too long"),
    (".gpuwright.json", "only we give")])
def test_the_refusal_says_why(path, why):
    assert why in outside(path)
