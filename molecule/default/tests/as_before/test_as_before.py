# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""After check mode, and after a rollback, the node's values, files and folders are those that it had before us."""

from __future__ import annotations

import os
import pathlib
import re

import pytest

NODES = pathlib.Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"]) / "nodes"


def tree(root):
    """Every file, folder and link below a root, with its mode and content."""
    found = {}
    for path in sorted(root.rglob("*")):
        name = str(path.relative_to(root))
        if name in ZEROED:
            continue
        content = os.readlink(path) if path.is_symlink() else path.read_bytes() if path.is_file() else None
        found[name] = (oct(path.lstat().st_mode), in_force(content) if name.startswith(("proc/", "sys/")) else content)
    return found


def in_force(content):
    """The word that a kernel would put into brackets: a folder keeps what was written to it, and not one byte more."""
    bracketed = re.search(rb"\[(.+)\]", content) if isinstance(content, bytes) else None
    return bracketed.group(1) if bracketed else content.strip() if content else content

# A kernel zeroes these when their twins in percent come back; a folder does not. The lab's hosts show that it does.
ZEROED = {"proc/sys/vm/dirty_bytes", "proc/sys/vm/dirty_background_bytes"}


@pytest.fixture
def name(host):
    """The node's name, which is that of its folder."""
    return host.backend.get_hostname()


def test_everything_is_as_it_was(name):
    before = tree(NODES / (name + ".before"))
    assert len(before) > 50
    assert tree(NODES / name) == before
