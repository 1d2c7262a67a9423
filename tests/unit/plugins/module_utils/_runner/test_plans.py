# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of planning again what was applied: every role, once read, and none that takes the others away."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils import _guard, _plan
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._runner import desired, plans
from ansible_collections.gpuwright.node.plugins.module_utils._settings.catalogue import ROLES

from tests.sysroots import engine, plain_node


@pytest.fixture(name="node")
def fixture_node(tmp_path):
    root = plain_node.build(tmp_path / "node")
    for role, values in engine.DEFAULTS.items():
        engine.apply(root, role, values)
    return root


def test_every_role_is_planned_as_it_was_asked_for(node):
    made, problems = plans.plans(Host(str(node)))
    assert sorted(made) == ["numa", "thp", "vm"] and problems == {}
    assert {(step["status"], step["why"]) for plan in made.values() for step in plan.steps} == {
        ("ok", "as it was applied")}


def test_of_roles_without_volatile_settings_none_is_planned_for_a_boot(node):
    assert plans.plans(Host(str(node)), volatile=True) == ({}, {})


def test_asking_for_what_nothing_persists_is_seen_without_a_plan():
    name = "gpuwright.slice/cpuset.cpus.partition"
    assert plans.asks_for_volatile("cpu_isolation", {name: "root"})
    assert not plans.asks_for_volatile("cpu_isolation", {name: None, "cpufreq/scaling_governor": "performance"})
    assert plans.asks_for_volatile("vm", {"vm.unknown": 1})  # An apply of another version: a plan will say so.


@pytest.mark.parametrize("error", [KeyError("gone"), OSError(5, "Input/output error"), desired.DamagedDesired("x")])
def test_one_role_that_cannot_be_planned_does_not_take_the_others_away(node, monkeypatch, error):
    real = _plan.build

    def build(host, role, *rest):
        if role == "thp":
            raise error
        return real(host, role, *rest)
    monkeypatch.setattr(_plan, "build", build)
    made, problems = plans.plans(Host(str(node)))
    assert sorted(made) == ["numa", "vm"] and list(problems) == ["thp"]
    assert str(error) in problems["thp"]


def test_the_topology_is_read_once_for_all_roles_and_anew_after_a_change(node, monkeypatch):
    def rule(view):
        view.topology("cpu")
        view.topology("gpus")
        view.consumers()
        return []
    read = []
    for module, name in ((_guard.cpu, "read"), (_guard.consumers, "read"), (_guard, "read_topology")):
        real = getattr(module, name)
        monkeypatch.setattr(module, name, lambda *words, _real=real, _name=module.__name__: (
            read.append(_name.rpartition(".")[2]) or _real(*words)))
    sections = []
    real_pci = __import__(_guard.__name__.replace("_guard", "_topology.pci"), fromlist=["read"])
    monkeypatch.setattr(real_pci, "read", lambda host, found, _real=real_pci.read: (
        sections.append("pci") or _real(host, found)))
    for role in ("vm", "thp", "numa"):
        monkeypatch.setattr(ROLES[role], "RULES", [rule])
    host = Host(str(node), read_only=False)
    plans.plans(host)
    assert read.count("consumers") == 1 and read.count("cpu") <= 2 and sections == ["pci"]
    host.write_value("/proc/sys/vm/swappiness", "10")
    plans.plans(host)
    assert read.count("consumers") == 2 and sections == ["pci", "pci"]
