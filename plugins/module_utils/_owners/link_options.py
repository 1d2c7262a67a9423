# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of systemd.link(5) that our rows of network interfaces are persisted by.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import re

# Row -> the option, and the first version of systemd that knows it.
OPTIONS = {"link/mtu": ("MTUBytes", 211), "ring/rx": ("RxBufferSize", 244), "ring/tx": ("TxBufferSize", 244),
           "channels/rx": ("RxChannels", 239), "channels/tx": ("TxChannels", 239),
           "channels/combined": ("CombinedChannels", 239),
           "coalesce/adaptive-rx": ("UseAdaptiveRxCoalesce", 250),
           "coalesce/adaptive-tx": ("UseAdaptiveTxCoalesce", 250),
           "coalesce/rx-usecs": ("RxCoalesceSec", 250), "coalesce/tx-usecs": ("TxCoalesceSec", 250),
           "coalesce/rx-frames": ("RxMaxCoalescedFrames", 250), "coalesce/tx-frames": ("TxMaxCoalescedFrames", 250)}
_ROWS = {option: name for name, (option, _since) in OPTIONS.items()}
_YES, _NO = ("1", "y", "yes", "t", "true", "on"), ("0", "n", "no", "f", "false", "off")
_SIZES = {"": 0, "K": 10, "M": 20, "G": 30}
_MICROSECONDS = {"us": 1, "usec": 1, "µs": 1, "ms": 1000, "msec": 1000, "": 1000000, "s": 1000000, "sec": 1000000}


def row(option):
    """The row that an option persists, or None."""
    return _ROWS.get(option)


def line(name, text):
    """(option, value) as systemd reads them of the row `name`."""
    if name.endswith("-usecs"):
        text += "us"
    elif "/adaptive-" in name:
        text = "yes" if text == "1" else "no"
    return OPTIONS[name][0], text


def value(option, text):
    """A value as the row has it, of how it may be written for systemd; as it is where it is none."""
    name = _ROWS[option]
    if "/adaptive-" in name:
        return "1" if text.lower() in _YES else "0" if text.lower() in _NO else text
    number, unit = re.match(r"^(\d*) *(.*)$", text).groups()
    if number and name.endswith("-usecs") and unit in _MICROSECONDS:
        return str(int(number) * _MICROSECONDS[unit])
    if number and name == "link/mtu" and unit in _SIZES:
        return str(int(number) << _SIZES[unit])
    return text
