# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of the rules on who moves interrupts: the kernel, irqbalance, and other tools."""

from __future__ import annotations

import types

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._rules import interrupts

from tests.sysroots import irq_node, plain_node
from tests.sysroots.irq_node import PID, UNIT

CGROUP = "/sys/fs/cgroup/system.slice/%s/cgroup.procs" % UNIT


def step(name, desired, status="drift"):
    return {"name": name, "desired": desired, "status": status}


ASKED = [step(interrupts.SETTING, "0"), step(interrupts.SETTING, "2")]
BANNED = step(interrupts.BAN, "1,3")


def view(root, steps):
    host = Host(str(root))
    return types.SimpleNamespace(host=host, steps=steps, text=host.text, exists=host.exists)


def messages(rule, tmp_path, steps, **changed):
    found = rule(view(irq_node.build(tmp_path, **changed), steps))
    return [(one["rule"], one["severity"], one["message"]) for one in found]


def test_managed_interrupts_are_reported_with_where_they_are(tmp_path):
    assert messages(interrupts.managed_interrupts, tmp_path / "a", ASKED) == [
        ("managed-irqs", "I", "the kernel itself places the queues of these devices, each near the CPUs that use it: "
                              "2 of nvme0 on CPU 0,2, 1 of nvme1 on CPU 0")]
    assert messages(interrupts.managed_interrupts, tmp_path / "b", [BANNED]) == []
    assert interrupts.managed_interrupts(view(plain_node.build(tmp_path / "c"), ASKED)) == []


@pytest.mark.parametrize("environ, words", [
    ("LANG=C\0", "may move interrupts to CPU 1,3"), ("IRQBALANCE_BANNED_CPULIST=3\0", "may move interrupts to CPU 1:"),
    ("IRQBALANCE_BANNED_CPULIST=1-3\0", None), ("IRQBALANCE_BANNED_CPUS=a\0", None),
    ("IRQBALANCE_BANNED_CPUS=1\0IRQBALANCE_BANNED_CPULIST=1-3\0", "may move interrupts to CPU 1,3"),
    ("IRQBALANCE_BANNED_CPUS=junk\0", "may move interrupts to CPU 1,3")])
def test_an_irqbalance_without_our_list_is_warned_of_if_it_would_go_elsewhere(tmp_path, environ, words):
    found = messages(interrupts.irqbalance_obeys, tmp_path, ASKED, **{"/proc/%d/environ" % PID: environ})
    assert [one[:2] for one in found] == [("irqbalance", "W")] * (words is not None)
    assert words is None or words in found[0][2]


@pytest.mark.parametrize("steps, changed", [
    (ASKED + [BANNED], {}), ([BANNED], {}),
    (ASKED, {"/sys/devices/system/cpu/isolated": "1,3"}), (ASKED, {"/sys/devices/system/cpu/nohz_full": "1,3"}),
    (ASKED, {CGROUP: None, "/proc/%d/comm" % PID: "bash"})])
def test_an_irqbalance_that_obeys_or_does_not_run_is_not(tmp_path, steps, changed):
    assert messages(interrupts.irqbalance_obeys, tmp_path, steps, **changed) == []


def test_an_irqbalance_that_systemd_did_not_start_is_named(tmp_path):
    found = messages(interrupts.irqbalance_obeys, tmp_path, ASKED, **{CGROUP: None})
    assert found[0][1] == "W" and "(pid %d), but not as irqbalance.service" % PID in found[0][2]


@pytest.mark.parametrize("command", ["irqbalance\0--foreground\0--policyscript=/etc/p.sh", "irqbalance\0-l\0/etc/p.sh",
                                     "irqbalance\0--policyscript\0/etc/p.sh"])
def test_a_policy_script_is_named(tmp_path, command):
    found = messages(interrupts.irqbalance_obeys, tmp_path, ASKED + [BANNED], **{"/proc/%d/cmdline" % PID: command})
    assert found == [("irqbalance", "I", "irqbalance asks the script /etc/p.sh about every interrupt")]


def test_a_list_that_ours_replaces_is_named(tmp_path):
    found = messages(interrupts.irqbalance_obeys, tmp_path, ASKED + [BANNED],
                     **{"/etc/default/irqbalance": "\nIRQBALANCE_BANNED_CPUS=f0"})
    assert found == [("irqbalance", "I", "/etc/default/irqbalance:2 sets IRQBALANCE_BANNED_CPUS=f0: ours is read later "
                                         "and counts")]


@pytest.mark.parametrize("changed, words", [
    ({"/etc/infiniband/openib.conf": "ONBOOT=yes\nRUN_AFFINITY_TUNER=yes"}, "has RUN_AFFINITY_TUNER=yes"),
    ({"/etc/infiniband/openib.conf": "RUN_AFFINITY_TUNER=no"}, None),
    ({"/etc/systemd/system/multi-user.target.wants/mlnx_affinity.service": ""}, "mlnx_affinity.service is enabled"),
    ({}, None)])
def test_other_tools_are_named(tmp_path, changed, words):
    found = messages(interrupts.other_owners, tmp_path, ASKED, **changed)
    assert [one[:2] for one in found] == [("irq-owner", "W")] * (words is not None)
    assert words is None or words in found[0][2]


@pytest.mark.parametrize("profile, words", [
    ("[scheduler]\nisolated_cores=2-3", "section [scheduler]"), ("[irq]\naffinity=0", "section [irq]"),
    ("[variables]\ncores=\n[scheduler]\nisolated_cores=${cores}", None), ("[scheduler]\nisolated_cores=", None),
    ("[scheduler]\nsched_min_granularity_ns=1", None), ("[irq]\nenabled=0", None)])
def test_a_tuned_profile_that_moves_interrupts_is_named(tmp_path, profile, words):
    found = messages(interrupts.other_owners, tmp_path, ASKED, **{
        "/etc/tuned/active_profile": "own", "/etc/tuned/own/tuned.conf": profile, "/run/tuned/tuned.pid": "900",
        "/proc/900/comm": "tuned", "/proc/900/cmdline": "/usr/bin/python3\0/usr/sbin/tuned\0"})
    assert [one[2] for one in found] == [] if words is None else words in found[0][2]


def test_nothing_is_said_where_interrupts_are_not_asked_for(tmp_path):
    assert messages(interrupts.other_owners, tmp_path, [BANNED],
                    **{"/etc/infiniband/openib.conf": "RUN_AFFINITY_TUNER=yes"}) == []
