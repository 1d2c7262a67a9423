# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The queueing disciplines that run on devices, as tc(8) tells them.

PRIVATE to the collection.
"""

from __future__ import annotations

import json

from .._host import CommandNotRun

_NOT_A_QUEUE = ("mq", "mqprio", "noqueue", "ingress", "clsact")  # Of several hardware queues the leaves count.
NET = "/sys/class/net"


def running(host):
    """{interface: {kind, ...}} of the interfaces with a device behind them; empty where tc cannot be asked."""
    if not host.runs_commands:
        return {}
    try:
        status, output, _errors = host.run(["tc", "-j", "qdisc", "show"], changes=False)
        answer = json.loads(output or "[]") if status == 0 else []
    except (CommandNotRun, OSError, ValueError):
        return {}
    found = {}
    for one in answer:
        if one.get("kind") not in _NOT_A_QUEUE and host.exists("%s/%s/device" % (NET, one.get("dev"))):
            found.setdefault(one["dev"], set()).add(one["kind"])
    return found
