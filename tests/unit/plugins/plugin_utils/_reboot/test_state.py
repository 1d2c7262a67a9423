# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of nodes between runs: whole files, never guessed."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.plugin_utils._reboot import state


def test_what_is_kept_comes_back_and_is_added_to(tmp_path):
    place = str(tmp_path)
    assert state.load(place, "a") == {}
    state.update(place, "a", phase="ready", before={"boot_id": "one"})
    state.update(place, "a", phase="done")
    assert state.load(place, "a") == {"schema": 1, "host": "a", "phase": "done", "before": {"boot_id": "one"}}
    assert [path.name for path in (tmp_path / "reboot").iterdir()] == ["a.json"]


@pytest.mark.parametrize("text", ["{", "[]", '{"schema": 2}', ""])
def test_a_file_that_is_not_ours_is_never_taken_for_none(tmp_path, text):
    state.update(str(tmp_path), "a", phase="ready")
    (tmp_path / "reboot" / "a.json").write_text(text)
    with pytest.raises(state.DamagedState, match="a.json"):
        state.load(str(tmp_path), "a")


def test_names_of_hosts_stay_in_their_folder(tmp_path):
    for host in ("../x", ".asked", "a/b", "n" * 300, "n" * 299 + "m"):
        state.update(str(tmp_path), host, phase=host)
    for host in ("../x", ".asked", "a/b", "n" * 300, "n" * 299 + "m"):
        assert state.load(str(tmp_path), host)["phase"] == host
    assert [path.name for path in tmp_path.iterdir()] == ["reboot"]


def test_an_answer_of_another_run_is_none(tmp_path):
    state.keep_answer(str(tmp_path), "a", "run1", {"answer": 1})
    assert state.answer(str(tmp_path), "a", "run1") == {"answer": 1}
    assert state.answer(str(tmp_path), "a", "run2") is None
    assert state.answer(str(tmp_path), "b", "run1") is None


def test_only_the_plan_of_this_run_is_carried_out(tmp_path):
    state.write_plan(str(tmp_path), {"batches": [["a"]], "run": "run1"})
    assert state.read_plan(str(tmp_path), "run1")["batches"] == [["a"]]
    with pytest.raises(state.DamagedState, match="from its beginning"):
        state.read_plan(str(tmp_path), "run2")
    (tmp_path / "reboot.json").unlink()
    with pytest.raises(state.DamagedState, match="cannot be read"):
        state.read_plan(str(tmp_path), "run1")
