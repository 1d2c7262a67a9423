# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NCCL's environment of every machine at hand against the text that was read line by line, and against vendors' files.

With GPUWRIGHT_GOLDEN=write in the environment the texts are written anew; a test whose text changed fails all the same.
A topology file dropped into tests/captures/nccl-topo-xml needs a text.
"""

from __future__ import annotations

import os
import re
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env

from tests.sysroots import nccl_env_machines as machines


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """A function from the name of a machine to its topology, each read once."""
    known = {}

    def of(name):
        if name not in known:
            folder = tmp_path_factory.mktemp("machine")
            known[name] = machines.fact(name, folder)
            shutil.rmtree(folder)
        return known[name]
    return of


@pytest.mark.parametrize("name", machines.names())
def test_the_environment_is_the_one_that_was_reviewed(name, facts):
    path = machines.GOLDEN / (name + ".txt")
    before = path.read_text() if path.exists() else None
    now = machines.text(name, facts(name))
    if os.environ.get("GPUWRIGHT_GOLDEN") == "write" and now != before:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(now)
    assert now == before


def test_no_text_is_of_a_machine_that_is_not_there():
    assert sorted(path.stem for path in machines.GOLDEN.iterdir()) == machines.names()


@pytest.mark.parametrize("name", machines.names())
def test_every_reason_is_one_line_that_can_be_a_comment(name, facts):
    for told in nccl_env.derive(facts(name), **machines.OF_EIGHT.get(name, (None, None, {}))[2]).values():
        assert re.fullmatch(r"[ -~]{10,199}", told["why"]), told
        assert not told["why"].endswith("..."), told
