# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule R25: the ports that nodes reach each other by are open, and no connection takes them first.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._owners import packet_filter
from .finding import finding

_RANGE, _RESERVED = "/proc/sys/net/ipv4/ip_local_port_range", "/proc/sys/net/ipv4/ip_local_reserved_ports"
PORTS = {8000: "vLLM's API", 28028: "NCCL RAS", 29501: "vLLM's master", 29550: "vLLM's data parallel RPC"}


def bootstrap(view):
    """The range that NCCL's bootstrap takes its ports from, (low, high), or None."""
    words = (view.text(_RANGE) or "").split()
    return (int(words[0]), int(words[1])) if len(words) == 2 and all(word.isdigit() for word in words) else None


def r25_ports_taken(view):
    """A connection may take any port of the range that is not reserved: a server then cannot listen there."""
    reserved = packet_filter.ports((view.text(_RESERVED) or "").replace(",", " ").split())
    low, high = bootstrap(view) or (0, -1)
    taken = [port for port in sorted(PORTS) if low <= port <= high
             and not any(first <= port <= last for first, last in reserved)]
    if not taken:
        return []
    return [finding("R25", "W", None,
                    "net.ipv4.ip_local_port_range is %d-%d: a connection may take %s before a server does; begin the "
                    "range above, or name them in net.ipv4.ip_local_reserved_ports" % (low, high, ", ".join(
                        "port %d (%s)" % (port, PORTS[port]) for port in taken)))]


def r25_ports_open(view):
    """Where the firewall drops what no rule accepts, the ports must be accepted from the other nodes."""
    if view.options.get("network_workload") == "cpu":
        return []
    closing = packet_filter.closing(view.host)
    wanted = [(port, port) for port in sorted(PORTS)] + ([bootstrap(view)] if bootstrap(view) else [])
    found = []
    for chain in closing:
        shut = [one for one in wanted if not packet_filter.covers(chain["open"], one)]
        if shut and not chain["peers"]:
            words = ", ".join(_words(one) for one in shut)
            found.append(finding("R25", "W", None,
                                 "the firewall (nftables %s) drops what no rule accepts, and none accepts TCP ports "
                                 "%s or other nodes' addresses: NCCL's bootstrap and vLLM's ranks cannot connect; "
                                 "accept them between the nodes" % (chain["name"], words)))
    return found


def _words(ports):
    return str(ports[0]) if ports[0] == ports[1] else "%d-%d" % ports
