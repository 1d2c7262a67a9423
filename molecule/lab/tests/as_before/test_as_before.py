# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After rollback.yml every value and every file is as it was before the first run, a reboot in between or not."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess

import pytest

LAB = pathlib.Path(os.environ["MOLECULE_PROJECT_DIRECTORY"]) / "tests" / "lab" / "lab"
BEFORE = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"])


@pytest.fixture(scope="module")
def snapshots(host):
    """The host before the first run, and now."""
    name = host.backend.get_hostname()
    now = subprocess.run([LAB, "snapshot", name], check=True, capture_output=True, text=True).stdout
    return json.loads((BEFORE / (name + ".json")).read_text()), json.loads(now)


def different(before, after):
    """What came, went, or is not the same: name to (before, after)."""
    return {name: (before.get(name), after.get(name)) for name in sorted({*before, *after})
            if before.get(name) != after.get(name)}


@pytest.mark.parametrize("part", ["values", "files"])
def test_rollback_leaves_everything_as_it_was(snapshots, part):
    before, after = snapshots
    assert len(before[part]) > 200
    assert different(before[part], after[part]) == {}
