# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines to read health from: trees of files written on the spot, and a running system that says what it is told."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"


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


@pytest.fixture
def live(tmp_path):
    """A function from {command: answer} to a host that counts as running; an answer may be an exception."""
    def build(answers, files=()):
        host = Host(str(tmp_path))
        for path, text in dict(files).items():
            place = tmp_path / path.lstrip("/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        host.asked = []

        def run(argv, seconds=10, changes=True):
            host.asked.append((argv[0], seconds, changes))
            answer = answers.get(" ".join(argv), answers.get(argv[0]))
            if answer is None:
                raise AssertionError("%s was started" % argv)
            if isinstance(answer, Exception):
                raise answer
            return answer

        class Running:
            """Reads the files below a folder, but is the running system to those who ask."""

            live = True

            def __getattr__(self, name):
                return run if name == "run" else getattr(host, name)

        return Running()
    return build


@pytest.fixture(scope="session")
def logs():
    """The recorded `nvidia-smi -q -x` of every capture, by the capture's name."""
    return {path.parent.name: path.read_text() for path in sorted(CAPTURES.glob("smi-xml/*/nvidia-smi-q-x.xml"))}
