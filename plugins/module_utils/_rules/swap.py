# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on swap.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .finding import finding


def no_swap(view):
    """Swappiness does nothing where there is no swap: said, so that nobody expects it to."""
    total = re.search(r"^SwapTotal:\s+([0-9]+)", view.text("/proc/meminfo") or "", re.M)
    if view.step("vm.swappiness") and total and total.group(1) == "0":
        return [finding("no-swap", "I", "vm.swappiness", "no swap is configured, so it has no effect today")]
    return []


def compressed_swap(view):
    """With zram or zswap, values above 100 are what its users want."""
    if view.step("vm.swappiness") is None:
        return []
    kind = None
    if "zram" in (view.text("/proc/swaps") or ""):
        kind = "zram"
    elif view.text("/sys/module/zswap/parameters/enabled") == "Y":
        kind = "zswap"
    if kind and (view.number("vm.swappiness") or 0) <= 100:
        words = "%s is in use, where values above 100 are usual" % kind
        return [finding("compressed-swap", "W", "vm.swappiness", words)]
    return []
