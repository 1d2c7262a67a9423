# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role network that belong to one link: MTU, rings, channels, coalescing. Part of network.py.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._device_values import PerDevice
from .._row import netdev
from .._rules import link_files, link_limits, link_management
from .._values import Int

_MANUAL = "https://man7.org/linux/man-pages/man8/ethtool.8.html"
_LINK = "https://www.freedesktop.org/software/systemd/man/latest/systemd.link.html"


class UpToHardware(PerDevice):
    """One count for all devices, or {device: count}; a device whose hardware has less gets all that it has."""

    @staticmethod
    def pick(value, fields):
        """The count for one device; fields["asked"] is what it was asked for, where that is more than it has."""
        asked = PerDevice.pick(value, fields)
        if asked is None or "most" not in fields or int(asked) <= int(fields["most"]):
            return asked
        fields["asked"] = asked
        return fields["most"]


def _row(name, variable, value, doc, source=_MANUAL):
    return netdev(name, value, devices="network_interfaces", variable="network_" + variable, doc=doc, source=source)


ROWS = (
    _row("link/mtu", "mtu", PerDevice(Int(68, 65535)),
         "The largest packet of an interface, in bytes. All of a fabric must agree, its switches too; of RoCE's own "
         "sizes the largest counts that fits: 4096 from an MTU of 4200 on.", source=_LINK),
    _row("ring/rx", "ring_rx", UpToHardware(Int(1)),
         "The descriptors of each receive ring, at most what the hardware has. RDMA has queues of its own."),
    _row("ring/tx", "ring_tx", UpToHardware(Int(1)),
         "The descriptors of each transmit ring, at most what the hardware has."),
    _row("channels/combined", "channels_combined", UpToHardware(Int(1)),
         "The queues that both receive and transmit, each with an interrupt; at most what the hardware has."),
    _row("channels/rx", "channels_rx", UpToHardware(Int(1)),
         "The queues that only receive, of drivers that have such."),
    _row("channels/tx", "channels_tx", UpToHardware(Int(1)),
         "The queues that only transmit, of drivers that have such."),
    _row("coalesce/adaptive-rx", "coalesce_adaptive_rx", PerDevice(Int(0, 1)),
         "Whether the driver chooses by the traffic how long it gathers received packets for one interrupt: 1 or 0."),
    _row("coalesce/adaptive-tx", "coalesce_adaptive_tx", PerDevice(Int(0, 1)),
         "The same for packets that were sent."),
    _row("coalesce/rx-usecs", "coalesce_rx_usecs", PerDevice(Int(0)),
         "How long received packets are gathered for one interrupt, in microseconds. Drivers that adapt it themselves "
         "ignore or change it."),
    _row("coalesce/tx-usecs", "coalesce_tx_usecs", PerDevice(Int(0)),
         "The same for packets that were sent."),
    _row("coalesce/rx-frames", "coalesce_rx_frames", PerDevice(Int(0)),
         "How many received packets are gathered for one interrupt at most."),
    _row("coalesce/tx-frames", "coalesce_tx_frames", PerDevice(Int(0)),
         "The same for packets that were sent."),
)

OPTIONS = (
    {"name": "network_interfaces", "type": "list",
     "doc": "The interfaces that C(network_mtu), C(network_ring_*), C(network_channels_*) and C(network_coalesce_*) "
            "are for; such a variable may also be a dict of some of them to a value each. By default the Ethernet "
            "rails for GPUs and storage, from the topology."},
    {"name": "network_touch_management", "type": "bool",
     "doc": "Lets MTU, rings, channels and coalescing be changed too of interfaces that people reach this node by: "
            "those of default routes and of established ssh connections, and what these are made of."},
)

RULES = (link_management.stays_reachable, link_limits.limited_by_hardware, link_limits.adaptive_rules_times,
         link_files.initramfs_has_copies)
