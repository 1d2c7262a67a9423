# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the stages leave to one another within a run."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._report import parts
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import kept


def test_one_thing_and_all_of_a_kind(place):
    kept.keep(place, "plan", "n1", {"due": ["a"]})
    kept.keep(place, "plan", "group/n2", {"due": []})
    assert kept.one(place, "plan", "n1") == {"due": ["a"]}
    assert kept.one(place, "plan", "n3") is None and kept.one(place, "turn", "n1") is None
    assert set(kept.everything(place, "plan")) == {"n1", "group/n2"}


def test_outcomes_of_hosts_and_instances_are_told_apart(place):
    kept.keep_outcome(place, "n1", "a", phase="ok")
    assert kept.outcome(place, "n1", "a") == {"host": "n1", "instance": "a", "phase": "ok"}
    assert kept.outcome(place, "n1", "b") is None and kept.outcome(place, "n2", "a") is None


def test_another_run_has_its_own(place, monkeypatch):
    kept.keep(place, "plan", "n1", {})
    monkeypatch.setattr(parts, "current_run", lambda: "2-b")
    assert kept.one(place, "plan", "n1") is None


def test_nothing_goes_on_without_a_place(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(kept.NoPlace, match="gpuwright_report_dir"):
        kept.keep(str(tmp_path / "file"), "plan", "n1", {})
