# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host with a partition to put back, and the runner's zipapp as a file."""

from __future__ import annotations

import subprocess
import sys
import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._row import cpuset, sysctl
from ansible_collections.gpuwright.node.plugins.module_utils._runner import bundle, desired, main
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES
from ansible_collections.gpuwright.node.plugins.module_utils._values import Int, Word

from tests.sysroots import plain_node

GROUPS = "/sys/fs/cgroup"
PARTITION = GROUPS + "/gpuwright.slice/cpuset.cpus.partition"
OTHER = GROUPS + "/other.slice/cpuset.cpus.partition"
_WORDS = {"doc": "A row.", "source": "https://example.org/"}
ROLE = types.SimpleNamespace(
    ROWS=(cpuset("gpuwright.slice/cpuset.cpus.partition", Word("member", "root"), variable="probe_a", **_WORDS),
          cpuset("other.slice/cpuset.cpus.partition", Word("member", "root"), variable="probe_b", **_WORDS),
          sysctl("vm.swappiness", Int(0, 200), variable="probe_c", **_WORDS)),
    OPTIONS=(), RULES=())
VALUES = {"gpuwright.slice/cpuset.cpus.partition": "root", "vm.swappiness": 10}


@pytest.fixture(name="root")
def fixture_root(tmp_path, monkeypatch):
    """A host just booted: what role `probe` asked for is known, and nothing of it is in force."""
    monkeypatch.setitem(ROLES, "probe", ROLE)
    root = plain_node.build(tmp_path / "host", **{
        GROUPS + "/cgroup.controllers": "cpuset cpu", PARTITION: "member", OTHER: "member"})
    wish(root, "probe", VALUES)
    return root


@pytest.fixture(name="command")
def fixture_command(capsys):
    """command(root, *words) -> (exit status, standard output, standard error) of the command in this process."""

    def run(root, *words):
        status = main.main([words[0], "--sysroot", str(root), *words[1:]])
        said = capsys.readouterr()
        return status, said.out, said.err
    return run


def wish(root, role, values):
    """Put the file of a role's desired settings on a host."""
    request = {"values": values, "options": {}, "take_over": []}
    plain_node.put(root, desired.path(role), desired.text(role, request).rstrip("\n"))


@pytest.fixture(name="zipapp", scope="session")
def fixture_zipapp(tmp_path_factory):
    """run(*arguments) -> the completed process of the zipapp, started as its service does."""
    place = tmp_path_factory.mktemp("runner") / "gpuwright.pyz"
    place.write_bytes(bundle.build())

    def run(*arguments):
        return subprocess.run([sys.executable, "-I", str(place), *map(str, arguments)],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    def piped(*arguments):
        """The same, its output to somebody who reads one letter."""
        return subprocess.run(["sh", "-c", '"$@" | head -c 1', "sh", sys.executable, "-I", str(place),
                               *map(str, arguments)], capture_output=True, text=True, check=False)
    run.place, run.piped = place, piped
    return run
