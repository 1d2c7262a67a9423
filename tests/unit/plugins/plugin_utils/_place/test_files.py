# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The two files of a placement: whole or not there."""

from __future__ import annotations

import json

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._derive.placement import place
from ansible_collections.gpuwright.node.plugins.plugin_utils._place import files

MADE = place({"a": {"gpus": 1}, "b": {"gpus": 8}}, 1, replicas=2)


def test_both_say_the_same_and_text_stays_text(tmp_path):
    paths = files.write(str(tmp_path / "new"), MADE)
    everything = json.loads((tmp_path / "new" / "placement.json").read_text())
    variables = yaml.safe_load((tmp_path / "new" / "placement.yml").read_text())
    assert everything["hosts"] == variables["vllm_service_placement"] == MADE["hosts"]
    assert variables["vllm_service_placement"]["b"][0]["visible_devices"] == "0"
    assert paths == [str(tmp_path / "new" / name) for name in ("placement.json", "placement.yml")]


def test_a_failure_leaves_what_was_there(tmp_path, monkeypatch):
    files.write(str(tmp_path), MADE)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    keep = files._keep
    monkeypatch.setattr(files, "_keep", lambda path, text: keep("/nowhere/x" if ".yml" in path else path, text))
    with pytest.raises(OSError):
        files.write(str(tmp_path), place({"a": {"gpus": 8}}, 8))
    assert {name: (tmp_path / name).read_bytes() for name in before} == before
    assert {path.name for path in tmp_path.iterdir()} == set(before)
