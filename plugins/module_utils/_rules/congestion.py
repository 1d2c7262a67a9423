# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on congestion control and queueing disciplines: what this kernel has, where BBR belongs, what runs on devices.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._owners import modprobe, qdiscs
from .finding import finding

CONGESTION, QDISC = "net.ipv4.tcp_congestion_control", "net.core.default_qdisc"
_AVAILABLE = "/proc/sys/net/ipv4/tcp_available_congestion_control"
_ALWAYS = ("pfifo_fast", "pfifo", "bfifo")  # A part of every kernel.


def not_offered(view, desired):
    """{name: why} of what is asked for by the name of a module that this kernel has not."""
    found = {}
    there = (view.text(_AVAILABLE) or "").split()
    wanted = desired.get(CONGESTION)
    if wanted and there and wanted not in there and _is_missing(view, "tcp_" + wanted):
        found[CONGESTION] = "this kernel offers %s, and has no module tcp_%s" % (", ".join(there), wanted)
    wanted = desired.get(QDISC)
    if wanted and wanted not in _ALWAYS and wanted != view.text("/proc/sys/net/core/default_qdisc") and _is_missing(
            view, "sch_" + wanted):
        found[QDISC] = "this kernel has no module sch_%s" % wanted
    return found


def _is_missing(view, module):
    """Whether a module is certainly not there: only a kernel that lists its modules tells."""
    listed = modprobe.built_in(view.host)
    return bool(listed) and not (modprobe.is_loaded(view.host, module) or modprobe.is_built(view.host, module))


def bbr_is_for_the_internet(view):
    """BBR is made for long ways; in a data center it takes from its neighbours, and RDMA does not know it."""
    step = view.step(CONGESTION)
    if step is None or step["desired"] != "bbr" or step["status"] == "not_applicable":
        return []
    if view.options.get("network_workload") == "training":
        return [finding("bbr", "E", CONGESTION, "never on training and storage networks: what NCCL sends goes over "
                        "RDMA, and checkpoints over TCP would lose to their neighbours; set it to null")]
    if not view.options.get("network_internet_facing"):
        return [finding("bbr", "E", CONGESTION, "BBR is for connections over the internet: set network_internet_facing "
                        "where this node serves them itself, else null")]
    return [finding("bbr", "I", CONGESTION, "it holds for new connections of all interfaces; a route can have "
                    "another one of its own (ip route change ... congctl cubic)")]


def qdisc_of_devices(view):
    """The default counts for queues that are made afterwards: what runs on the devices is another matter."""
    step = view.step(QDISC)
    if step is None or step["status"] not in ("ok", "drift"):
        return []
    others = {name: kinds - {step["desired"]} for name, kinds in qdiscs.running(view.host).items()
              if kinds - {step["desired"]}}
    if not others:
        return []
    words = ", ".join("%s has %s" % (name, " and ".join(sorted(kinds))) for name, kinds in sorted(others.items()))
    return [finding("qdisc", "W", QDISC, "%s until it is replaced: tc qdisc replace dev %s root %s, or the next boot"
                    % (words, sorted(others)[0], step["desired"]))]
