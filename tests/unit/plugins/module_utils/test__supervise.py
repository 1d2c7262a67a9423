# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a command begins to be held; what happens to it then is tested with real runs, in _benchmark/test_run.py."""

from __future__ import annotations

import fcntl
import os
import time

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _supervise

LONG = 100000


@pytest.fixture(name="folder")
def fixture_folder(tmp_path):
    (tmp_path / "run").mkdir(mode=0o700)
    return str(tmp_path / "run")


def test_a_folder_that_begins_is_at_no_moment_taken_for_one_that_was_left(folder, monkeypatch):
    """Another run that looks just then would remove it."""
    seen, real = [], fcntl.flock

    def flock(handle, how):
        if how == fcntl.LOCK_EX:
            seen.append(_supervise.is_held(folder))
        real(handle, how)
    monkeypatch.setattr(_supervise.fcntl, "flock", flock)
    _supervise.start(["true"], folder, {"PATH": os.environ["PATH"]}, LONG, LONG)
    assert seen == [True] and _supervise.is_held(folder)
    _supervise.end(folder)
    assert not os.path.exists(folder)


def test_a_watcher_that_does_not_begin_is_said(folder, monkeypatch):
    def never(_argv, place, *_more):
        while os.path.exists(place):
            time.sleep(0.05)
    monkeypatch.setattr(_supervise, "_FORK_SECONDS", 0)
    monkeypatch.setattr(_supervise, "_hold", never)
    with pytest.raises(OSError, match="did not begin within 0 s"):
        _supervise.start(["true"], folder, {}, LONG, LONG)
    assert _supervise.end(folder) is False and not os.path.exists(folder)
