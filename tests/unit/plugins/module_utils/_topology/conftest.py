# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines to read in tests: trees of files written on the spot, and captures of real machines, unpacked once."""

from __future__ import annotations

import json
import pathlib
import re
import shutil
import tarfile

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

# Two thirds of what captures hold, and nothing of the topology: left packed.
_UNREAD = re.compile(r"/(cpuidle|cpufreq|power|microcode|thermal_throttle)/|/memory\d+(/|$)"
                     r"|/cache/index\d+/(?!level$|type$|size$|shared)")


@pytest.fixture
def machine(tmp_path):
    """A function that writes {path: text} below a folder of its own and returns the Host there."""
    def write(files):
        for path, text in files.items():
            place = tmp_path / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return Host(str(tmp_path))
    return write


@pytest.fixture(scope="session")
def capture(tmp_path_factory):
    """A function from the folder of a capture to the root of its machine, unpacked."""
    roots = {}

    def unpacked(folder):
        if folder not in roots:
            place = tmp_path_factory.mktemp("capture")
            for archive in archives(folder):
                unpack(archive, place)
            roots[folder] = _root(folder, place)
        return str(roots[folder])
    yield unpacked
    for root in roots.values():
        shutil.rmtree(root, ignore_errors=True)


def archives(folder):
    """The archives in the folder of a capture."""
    return sorted(path for path in folder.iterdir() if ".tar" in path.suffixes or path.suffix == ".tgz")


def unpack(archive, place):
    """Unpack below `place` and nowhere else: links last, so that nothing is written through one."""
    links = []
    with tarfile.open(archive) as members:
        for member in members:
            path = pathlib.PurePosixPath(member.name)
            assert not path.is_absolute() and ".." not in path.parts, "%s would leave the folder" % member.name
            target = place / path
            if _UNREAD.search(member.name):
                continue
            if member.isdir():
                target.mkdir(parents=True, exist_ok=True)
            elif member.isreg():
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(members.extractfile(member).read())
            elif member.issym():
                links.append((target, member.linkname))
    for target, to in links:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.symlink_to(to)


def _root(folder, place):
    """Where /sys lies in the unpacked capture: as its expectation says, or the outermost folder that has one."""
    expected = folder / "expected.json"
    if expected.exists():
        return place / json.loads(expected.read_text())["root_inside_archive"]
    return min((path.parent for path in place.glob("**/sys")), key=lambda path: len(path.parts))
