# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tests of what is reported of the kernel's command line and clock."""

from __future__ import annotations

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._rules import isolation_boot_line as rules

from tests.sysroots import isolation_node
from tests.sysroots.isolation_node import view

CLOCK = "/sys/devices/system/clocksource/clocksource0/"
METAL, GUEST = "flags\t\t: fpu tsc constant_tsc", "flags\t\t: fpu tsc hypervisor"


@pytest.mark.parametrize("current, offered, cpuinfo, warned", [
    ("tsc", "tsc hpet acpi_pm", METAL, False), ("hpet", "hpet acpi_pm", METAL, True),
    ("acpi_pm", "acpi_pm", GUEST, True),
    ("kvm-clock", "kvm-clock tsc acpi_pm", GUEST, False), ("kvm-clock", "kvm-clock tsc", METAL, True),
    ("arch_sys_counter", "arch_sys_counter", "Features\t: fp", False), (None, None, METAL, False)])
def test_a_slow_clock_is_warned_of(tmp_path, current, offered, cpuinfo, warned):
    root = isolation_node.build(tmp_path, **{CLOCK + "current_clocksource": current, "/proc/cpuinfo": cpuinfo,
                                             CLOCK + "available_clocksource": offered})
    assert [(one["rule"], one["severity"]) for one in rules.clocksource(view(root))] == [("clocksource", "W")] * warned


def test_trade_offs_of_the_command_line_are_said(tmp_path):
    root = isolation_node.build(tmp_path, **{
        "/proc/cmdline": "ro quiet mitigations=off tsc=reliable nowatchdog intel_idle.max_cstate=1 audit=0"})
    (one,) = rules.boot_trade_offs(view(root))
    assert (one["rule"], one["severity"], one["setting"]) == ("boot-trade-offs", "I", None)
    for word in ("mitigations=off (", "tsc=reliable (", "nowatchdog (", "intel_idle.max_cstate=1 (", "audit=0 ("):
        assert word in one["message"]


@pytest.mark.parametrize("line", ["ro quiet", "mitigations=auto tsc=nowatchdog audit=1 nosmt_for_me=1"])
def test_a_plain_command_line_is_not(tmp_path, line):
    assert rules.boot_trade_offs(view(isolation_node.build(tmp_path, **{"/proc/cmdline": line}))) == []
