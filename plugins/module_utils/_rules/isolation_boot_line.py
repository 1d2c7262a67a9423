# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on what the running kernel was told at boot that concerns time and power: reported, never written.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .finding import finding

_CLOCK = "/sys/devices/system/clocksource/clocksource0/"
_SLOW = ("hpet", "acpi_pm", "jiffies", "refined-jiffies", "pit")
_TOLD = (
    (r"tsc=reliable", "all checks of the clock are off, and a bad board drifts unseen"),
    (r"nowatchdog|nmi_watchdog=0", "a CPU that hangs is not noticed"),
    (r"mitigations=off", "the CPU's vulnerabilities are open to whatever runs here"),
    (r"nosmt(=force)?", "half of the hardware threads are off"),
    (r"idle=poll", "idle CPUs burn power, and leave less of it to busy ones"),
    (r"audit=0", "the kernel keeps no audit trail"),
    (r"init_on_alloc=0", "memory is handed out with what was in it"),
    (r"(?:intel_idle|processor)\.max_cstate=\d+", "deep idle states are off, and with them some turbo"),
)


def clocksource(view):
    """Time is read from the TSC where there is one: any other clock costs a system call or a slow device each time."""
    current = view.text(_CLOCK + "current_clocksource")
    offered = (view.text(_CLOCK + "available_clocksource") or "").split()
    guest = re.search(r"^flags\s*:.*\bhypervisor\b", view.text("/proc/cpuinfo") or "", re.M)
    if current in _SLOW or (current not in (None, "tsc") and "tsc" in offered and not guest):
        return [finding("clocksource", "W", None, "the kernel reads time from %s instead of tsc; its log says why it "
                        "gave tsc up" % current)]
    return []


def boot_trade_offs(view):
    """What the command line trades away is said, for the record: this collection sets none of it."""
    words = (view.text("/proc/cmdline") or "").split()
    said = ["%s (%s)" % (word, meaning) for word in words for pattern, meaning in _TOLD
            if re.match("(?:%s)$" % pattern, word)]
    return [finding("boot-trade-offs", "I", None, "the kernel was started with %s" % ", ".join(said))] if said else []
