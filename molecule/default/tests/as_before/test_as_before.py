# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After check mode, and after a rollback, the node's files and folders are those that it had before us, to the byte."""

from __future__ import annotations

import os
import pathlib

import pytest

NODES = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "nodes"


def tree(root):
    """Every file, folder and link below a root, with its mode and content."""
    found = {}
    for path in sorted(root.rglob("*")):
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[str(path.relative_to(root))] = (oct(path.lstat().st_mode), content)
    return found


@pytest.fixture
def name(host):
    """The node's name, which is that of its folder."""
    return host.backend.get_hostname()


def test_everything_is_as_it_was(name):
    before = tree(NODES / (name + ".before"))
    assert len(before) > 50
    assert tree(NODES / name) == before
