# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is kept of a role on the node: of each that manages something, and gone with its last setting."""

from __future__ import annotations

import json

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _desired
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import desired, install

from tests.sysroots import engine, plain_node


def kept(root, role):
    place = root / desired.path(role)[1:]
    return json.loads(place.read_text()) if place.exists() else None


@pytest.mark.parametrize("role", sorted(engine.DEFAULTS))
def test_every_applied_role_is_kept_and_brings_no_runner_by_itself(tmp_path, role):
    root = plain_node.build(tmp_path)
    made = engine.apply(root, role, engine.DEFAULTS[role])
    told = kept(root, role)
    assert (told["role"], told["values"]) == (role, engine.DEFAULTS[role])
    assert made.runner == [] and not _desired.needs_runner(made) and not (root / install.ZIPAPP[1:]).exists()
    assert desired.roles(Host(str(root))) == [role] and not engine.plan(root, role, engine.DEFAULTS[role]).due


def test_what_is_asked_for_now_is_what_is_kept(tmp_path):
    root = plain_node.build(tmp_path)
    engine.apply(root, "vm", {"vm.swappiness": 10, "kernel.panic": 10})
    engine.apply(root, "vm", {"vm.swappiness": 20, "kernel.panic": None})
    assert kept(root, "vm")["values"] == {"vm.swappiness": 20, "kernel.panic": None}


def test_with_the_last_setting_it_goes(tmp_path):
    root = plain_node.build(tmp_path)
    before = plain_node.snapshot(root)
    engine.apply(root, "vm", {"vm.swappiness": 10})
    engine.apply(root, "vm", {"vm.swappiness": None})
    assert plain_node.snapshot(root) == before


def test_a_role_with_nothing_here_is_not_kept(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/vm/swappiness": None})
    before = plain_node.snapshot(root)
    assert not engine.apply(root, "vm", {"vm.swappiness": 10}).due
    assert plain_node.snapshot(root) == before


def test_a_value_that_is_refused_does_not_take_the_place_of_the_one_in_force(tmp_path):
    root = plain_node.build(tmp_path, **{"/proc/sys/kernel/panic": "0"})
    engine.apply(root, "vm", {"vm.swappiness": 10, "vm.panic_on_oom": 0})
    made = engine.apply(root, "vm", {"vm.swappiness": 20, "vm.panic_on_oom": 1})
    assert engine.statuses(made)["vm.panic_on_oom"] == "refused"
    assert kept(root, "vm")["values"] == {"vm.swappiness": 20, "vm.panic_on_oom": 0}
