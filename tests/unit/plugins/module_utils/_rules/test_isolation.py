# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on sets of CPUs."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import BOOT, HOUSEKEEPING, PINNED, SLICES, WORKLOAD, found, view

SILENT = ({}, "")


def given(cpus, **more):
    return dict(SLICES, **dict({"gpuwright.slice/AllowedCPUs": cpus}, **more))


@pytest.fixture(name="root")
def fixture_root(tmp_path):
    return isolation_node.build(tmp_path)


@pytest.mark.parametrize("values, options", [(SLICES, {}), (BOOT, PINNED), ({}, {})])
@pytest.mark.parametrize("rule", [isolation.cpus_are_there, isolation.housekeeping_stays, isolation.r4_whole_cores])
def test_the_derived_partition_is_right(root, rule, values, options):
    assert found(rule, view(root, values, **options)) == SILENT


def test_the_inverted_set_that_cost_a_node_two_thirds_is_refused_as_a_whole(tmp_path):
    """Two sockets of 24 cores with siblings: a profile isolated 0,1,48,49, which were to be housekeeping."""
    files = {isolation_node.CPU + "cpu%d/topology/%s" % (cpu, name): text for cpu in range(96) for name, text in (
        ("thread_siblings_list", "%d,%d" % (cpu % 48, cpu % 48 + 48)), ("core_id", str(cpu % 48)))}
    files.update({isolation_node.CPU + "online": "0-95", isolation_node.CPU + "present": "0-95",
                  isolation_node.NODE + "node0/cpulist": "0-23,48-71",
                  isolation_node.NODE + "node1/cpulist": "24-47,72-95"})
    root = isolation_node.build(tmp_path, **files)
    inverted = dict(BOOT, isolcpus="managed_irq,domain,0,1,48,49", nohz_full="0,1,48,49", rcu_nocbs="0,1,48,49",
                    irqaffinity="2-47,50-95")
    findings, words = found(isolation.housekeeping_stays, view(root, inverted, **PINNED))
    assert set(findings) == set(inverted), "half of it would be worse than none"
    assert set(findings.values()) == {("housekeeping", "E")}
    assert "would take CPU 0 from the system" in words
    slices = dict(isolation_node.KERNEL_WORK, **{"system.slice/AllowedCPUs": "2-47,50-95",
                                                 "gpuwright.slice/AllowedCPUs": "0-1,48-49"})
    assert set(found(isolation.housekeeping_stays, view(root, slices))[0]) == set(slices)
    assert any("is the set inverted?" in one["message"] for one in isolation.r4_whole_cores(view(root, slices)))


def test_nobody_shares_cpus_with_the_system(root):
    findings, words = found(isolation.housekeeping_stays, view(root, given("1-3,6-7,9-11,14-15")))
    assert findings["system.slice/AllowedCPUs"] == ("housekeeping", "E")
    assert findings["gpuwright.slice/AllowedCPUs"] == ("housekeeping", "E")
    assert words == "CPU 1,9 would be both the system's and the workload's"


def test_interrupts_do_not_go_to_isolated_cpus(root):
    findings, words = found(isolation.housekeeping_stays, view(root, dict(BOOT, irqaffinity="0-2"), **PINNED))
    assert findings["isolcpus"] == ("housekeeping", "E")
    assert "CPU 2 would be both" in words


@pytest.mark.parametrize("cpus, words", [
    ("2-3,16", "there is no CPU 16, the nearest is 15; there are 0-15"), ("2-3,60-70", "there is no CPU 60-70")])
def test_a_cpu_that_is_not_there_is_named_with_the_nearest(root, cpus, words):
    findings, said = found(isolation.cpus_are_there, view(root, given(cpus)))
    assert words in said
    assert list(findings)[0] == "gpuwright.slice/AllowedCPUs"
    assert set(findings.values()) == {("no-such-cpu", "E")}
    assert set(findings) == set(SLICES)


def test_a_cpu_that_is_offline_is_named(tmp_path):
    root = isolation_node.build(tmp_path, **{isolation_node.CPU + "online": "0-14"})
    findings, words = found(isolation.cpus_are_there, view(root, SLICES))
    assert words == "CPU 15 is offline; online are 0-14"
    assert findings["gpuwright.slice/AllowedCPUs"] == ("no-such-cpu", "E")


def test_masks_are_checked_too(root):
    findings, words = found(isolation.cpus_are_there, view(root, {"workqueue/cpumask": "0-1,40"}))
    assert findings == {"workqueue/cpumask": ("no-such-cpu", "E")}
    assert "there is no CPU 40" in words


@pytest.mark.parametrize("cpus, words", [
    ("2-3,6-7,14-15", "the set splits the SMT siblings (2,10), (3,11)"),
    ("2-7,10-15", "node 1 keeps no core for the system"),
    ("1-3,6-7,9-11,14-15", "node 0 keeps one core for the system"),
    ("2-3,6,10-11,14", "CPU 7,15 is neither the system's nor the workload's"),
    ("2,10", "the workload gets 2 of 16 CPUs: is the set inverted?"),
])
def test_r4_warns(root, cpus, words):
    findings = isolation.r4_whole_cores(view(root, given(cpus)))
    assert {(one["rule"], one["severity"]) for one in findings} == {("R4", "W")}
    assert any(words in one["message"] for one in findings)


def test_r4_sees_what_the_guides_isolate(root):
    """isolcpus=2-23 was written for a machine of 24 CPUs without siblings: numbers are no topology."""
    findings = isolation.r4_whole_cores(view(root, dict(BOOT, isolcpus="2-13", nohz_full="2-13"), **PINNED))
    assert any("splits the SMT siblings" in one["message"] for one in findings)
    assert any("node 1 keeps no core" in one["message"] for one in findings)


def test_what_is_not_applicable_here_is_not_judged(root):
    seen = view(root, given("0-15"))
    for step in seen.steps:
        step["status"] = "not_applicable"
    assert found(isolation.housekeeping_stays, seen) == SILENT
    assert found(isolation.r4_whole_cores, seen) == SILENT


def test_all_cpus_for_the_workload_leave_none_to_the_system(tmp_path):
    root = isolation_node.build(tmp_path, **{isolation_node.CPU + "online": "2-3,10-11"})
    findings, words = found(isolation.housekeeping_stays, view(root, {"gpuwright.slice/AllowedCPUs": "2-3,10-11"}))
    assert findings == {"gpuwright.slice/AllowedCPUs": ("housekeeping", "E")}
    assert words == "no CPU would be left to the system"


def test_a_refusal_is_told_once_and_pointed_to(root):
    findings = isolation.refuse(view(root, SLICES), "squeezed", isolation.SLICES, "words")
    assert [one["message"] for one in findings] == ["words"] + ["not without system.slice/AllowedCPUs"] * 3


def test_the_words_of_many_are_cut():
    assert isolation.listed("abcdefg") == "a, b, c, d, e and 2 more"
    assert isolation.listed("ab") == "a, b"


def test_the_sets_cover_the_machine():
    both = isolation.union(view("/", {"system.slice/AllowedCPUs": HOUSEKEEPING, "isolcpus": "domain," + WORKLOAD}),
                           ("system.slice/AllowedCPUs", "isolcpus"))
    assert both == set(range(16))


@pytest.mark.parametrize("given, count, refused", [
    (isolation_node.WORKLOAD, 2, False), ("2,10", 2, True), ("2-3,10-11", 2, False), ("2,10", 3, False),
    ("2,3,6,7", 2, True)])
def test_a_slice_that_would_throttle_the_node_is_refused(tmp_path, given, count, refused):
    """Eight cores on two nodes: with two of each kept, four are left. Half a core is none."""
    seen = view(isolation_node.build(tmp_path), dict(isolation_node.SLICES, **{isolation.GIVEN: given}),
                cpu_isolation_housekeeping_cores_per_node=count)
    findings, words = found(isolation.the_rest_is_the_workloads, seen)
    assert set(findings.values()) == ({("workload", "E")} if refused else set())
    assert not refused or "the workload would get" in words
    assert not refused or set(findings) == set(isolation_node.SLICES)


def test_isolating_a_few_cpus_at_boot_throttles_nobody(tmp_path):
    seen = view(isolation_node.build(tmp_path), dict(BOOT, isolcpus="domain,2,10"), **PINNED)
    assert isolation.the_rest_is_the_workloads(seen) == []
