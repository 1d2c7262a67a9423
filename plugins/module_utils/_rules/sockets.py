# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on sockets and the queues before them: what a backlog is for, and what comes in pairs.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

BACKLOG, SOMAXCONN = "net.core.netdev_max_backlog", "net.core.somaxconn"
DEFER, FLUSH = "net/napi_defer_hard_irqs", "net/gro_flush_timeout"
_STAT = "/proc/net/softnet_stat"
_UVICORN = 2048


def dropped(view):
    """How many packets were dropped since boot because a CPU's queue was full, or None."""
    try:
        return sum(int(line.split()[1], 16) for line in (view.text(_STAT) or "").splitlines() if line.strip())
    except (IndexError, ValueError):
        return None


def backlog_on_evidence(view):
    """The queue of a CPU is worth raising where it has overflown, and only there."""
    drops, step = dropped(view), view.step(BACKLOG)
    if drops and step is None:
        return [finding("softnet-drops", "W", None,
                        "%s counts %d packets dropped since boot for the queue of a CPU was full, with %s %s: try "
                        "network_netdev_max_backlog: 10000, at most 30000" % (_STAT, drops, BACKLOG,
                                                                              view.value(BACKLOG)))]
    if drops == 0 and step is not None and step["status"] in ("ok", "drift"):
        return [finding("softnet-drops", "I", BACKLOG,
                        "%s counts no drops: it is the queue of RPS, loopback and veth, which a NIC's driver does not "
                        "use, and nothing has overflown here" % _STAT)]
    return []


def backlog_of_a_server(view):
    """More than a program asks for by listen(2) does nothing."""
    step = view.step(SOMAXCONN)
    if step is None or step["status"] not in ("ok", "drift") or int(step["desired"]) <= 2 * _UVICORN:
        return []
    return [finding("listen-backlog", "I", SOMAXCONN,
                    "a program gets the smaller of this and what it asks for: uvicorn, and with it vLLM, asks for %d"
                    % _UVICORN)]


def gro_pair(view):
    """A timeout to flush GRO does nothing without interrupts that are put off, nor those without the timeout."""
    found = []
    steps = [step for step in view.steps if step["name"] in (DEFER, FLUSH) and "_restore" not in step
             and step["status"] in ("ok", "drift")]
    given = {(step["_fields"].get("device") or step["target"].partition("/")[0], step["name"]): step["_force"]
             for step in steps}
    for device in sorted({device for device, _name in given}):
        values = {name: given.get((device, name)) or view.text("/sys/class/net/%s/%s" % (device, name[4:])) or "0"
                  for name in (DEFER, FLUSH)}
        if (values[DEFER] == "0") != (values[FLUSH] == "0"):
            one, other = sorted(values, key=lambda name: values[name] == "0")
            found.append(finding("gro-pair", "W", one, "%s: %s is %s while %s is 0: they work as a pair, and each "
                                 "alone does nothing" % (device, one, values[one], other)))
    if any(value != "0" for value in given.values()):
        found.append(finding("gro-pair", "I", steps[0]["name"], "for TCP and UDP alone: RDMA passes by GRO"))
    return found
