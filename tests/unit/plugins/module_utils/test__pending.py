# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what waits for a boot after it was given back."""

from __future__ import annotations

import pathlib

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _pending
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host

from tests.sysroots import plain_node


def step(target, **changed):
    return dict({"name": target, "target": target, "disruption": "reboot", "status": "drift", "running": "2-3",
                 "desired": ""}, **changed)


@pytest.fixture
def host(tmp_path):
    """A host that may be changed."""
    return Host(str(plain_node.build(tmp_path)), read_only=False)


def test_what_was_given_back_is_noted_until_it_is_asked_for_again(host):
    _pending.note(host, "cpu_isolation", [step("isolcpus"), step("nohz_full"), step("vm.x", disruption="none")])
    assert [item["target"] for item in _pending.noted(host)] == ["isolcpus", "nohz_full"]
    assert _pending.noted(host)[0] == {
        "role": "cpu_isolation", "name": "isolcpus", "target": "isolcpus", "running": "2-3", "desired": ""}
    _pending.note(host, "other", [step("iommu", running="pt"), step("isolcpus", running="4")])
    assert [item["target"] for item in _pending.noted(host)] == ["nohz_full", "iommu", "isolcpus"]
    _pending.forget(host, {"isolcpus", "nohz_full", "iommu"})
    assert not host.exists(_pending.PATH)


@pytest.mark.parametrize("changed", [{"running": ""}, {"error": "no"}, {"status": "refused"}])
def test_what_is_in_force_or_was_not_done_waits_for_nothing(host, changed):
    _pending.note(host, "cpu_isolation", [step("isolcpus", **changed)])
    assert not host.exists(_pending.PATH)


@pytest.mark.parametrize("text", ["", "{", "[1]", "{\"a\": 1}"])
def test_a_damaged_note_says_nothing(host, text):
    plain_node.put(pathlib.Path(host.root), _pending.PATH, text)
    assert _pending.noted(host) == []
