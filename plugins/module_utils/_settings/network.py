# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role network: TCP/IP sockets, queues and file limits, rails, and the links of network interfaces.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._device_values import PerDevice
from .._limit_values import Limit
from .._network_values import RailRoute, Triple
from .._row import kernel_module, net_attribute, rail_route, sysctl, unit_limit
from .._rules import congestion, file_limit, firewall, limit, rail, sockets
from .._values import Int, Word
from . import network_links

_INT = (1 << 31) - 1
_LONG = (1 << 63) - 1
_FS = "https://docs.kernel.org/admin-guide/sysctl/fs.html"
_CORE = "https://docs.kernel.org/admin-guide/sysctl/net.html"
_IP = "https://docs.kernel.org/networking/ip-sysctl.html"
_NAPI = "https://docs.kernel.org/networking/napi.html"
_CONF = "net.ipv4.conf.{device}."
_MODULE = "tcp_bbr"

ROWS = (
    sysctl("fs.file-max", Int(0, _LONG), variable="network_file_max", source=_FS, raise_only=True,
           doc="Files that may be open on the whole node. systemd raises it to the largest number there is. Never "
               "lowered."),
    sysctl("fs.nr_open", Int(64, _INT), variable="network_nr_open", source=_FS, raise_only=True,
           doc="Files that one process may be allowed to have open; at least the O(network_limit_nofile) of services "
               "(rule R17). Never lowered."),
    unit_limit("LimitNOFILE", Limit(), variable="network_limit_nofile", devices="network_limit_services",
               needs="fs.nr_open", source="https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html",
               doc="Files that a process of a service may have open. C(/etc/security/limits.conf) does not reach "
                   "services and containers. Never lowered."),
    sysctl("net.core.rmem_max", Int(4608, _INT), variable="network_rmem_max", source=_CORE, raise_only=True,
           doc="Most bytes that a program may ask for as a socket's receive buffer; TCP's own growth is bounded by "
               "O(network_tcp_rmem). Of no effect on RDMA. Never lowered."),
    sysctl("net.core.wmem_max", Int(4608, _INT), variable="network_wmem_max", source=_CORE, raise_only=True,
           doc="Most bytes that a program may ask for as a socket's send buffer; TCP's own growth is bounded by "
               "O(network_tcp_wmem). Never lowered."),
    sysctl("net.ipv4.tcp_rmem", Triple(), variable="network_tcp_rmem", source=_IP, raise_only=True,
           doc="Least, first and most bytes of a TCP socket's receive buffer. None of the three is lowered."),
    sysctl("net.ipv4.tcp_wmem", Triple(), variable="network_tcp_wmem", source=_IP, raise_only=True,
           doc="Least, first and most bytes of a TCP socket's send buffer. None of the three is lowered."),
    sysctl(sockets.BACKLOG, Int(0, _INT), variable="network_netdev_max_backlog", source=_CORE,
           doc="Packets that wait for a CPU in the queue of RPS, loopback and veth; a NIC's driver does not use it. "
               "Worth raising where C(/proc/net/softnet_stat) counts drops."),
    sysctl(sockets.SOMAXCONN, Int(0, _INT), variable="network_somaxconn", source=_IP, raise_only=True,
           doc="Connections that may wait for a server to accept them, if it asks for as many. Never lowered."),
    sysctl("net.ipv4.tcp_max_syn_backlog", Int(0, _INT), variable="network_tcp_max_syn_backlog", source=_IP,
           raise_only=True, doc="Connections of one server that may be half open. Never lowered."),
    sysctl(congestion.QDISC, Word("bfifo", "cake", "fq", "fq_codel", "pfifo", "pfifo_fast", "sfq"),
           variable="network_default_qdisc", source=_CORE,
           doc="The queueing discipline of interfaces, or of their hardware queues, that are set up from then on."),
    kernel_module(_MODULE, Word("loaded"), variable="network_tcp_bbr", source=_IP,
                  doc="Whether the module of BBR is loaded, so that O(network_tcp_congestion_control) can name it at "
                      "boot."),
    sysctl(congestion.CONGESTION, Word("bbr", "cdg", "cubic", "dctcp", "htcp", "illinois", "reno", "vegas", "westwood"),
           variable="network_tcp_congestion_control", source=_IP, needs=_MODULE,
           doc="How new TCP connections find their speed. V(bbr) is for connections over the internet: it needs "
               "O(network_internet_facing)."),
    net_attribute(sockets.DEFER, PerDevice(Int(0, _INT)), variable="network_napi_defer_hard_irqs",
                  devices="network_interfaces", source=_NAPI,
                  doc="How often an interface polls in vain before it takes interrupts again. Of effect only with "
                      "O(network_gro_flush_timeout), and on TCP and UDP alone."),
    net_attribute(sockets.FLUSH, PerDevice(Int(0, _INT)), variable="network_gro_flush_timeout",
                  devices="network_interfaces", source=_NAPI,
                  doc="Nanoseconds that an interface waits between such polls. Of effect only with "
                      "O(network_napi_defer_hard_irqs), and on TCP and UDP alone."),
    sysctl(_CONF + "arp_ignore", PerDevice(Int(0, 8)), variable="network_rail_arp_ignore", devices="network_rails",
           source=_IP, doc="Which ARP requests a rail answers: 1 for those for its own addresses only."),
    sysctl(_CONF + "arp_announce", PerDevice(Int(0, 2)), variable="network_rail_arp_announce", devices="network_rails",
           source=_IP, doc="Which address a rail puts into its ARP requests: 2 for the best one of its own."),
    sysctl(_CONF + "rp_filter", PerDevice(Int(0, 2)), variable="network_rail_rp_filter", devices="network_rails",
           source=_IP, doc="Whether a rail drops what would be answered by another interface: 2 for only what would be "
                           "answered by none."),
    rail_route(rail.ROUTE, PerDevice(RailRoute()), variable="network_rail_routes", devices="network_rails",
               source="https://man7.org/linux/man-pages/man8/ip-rule.8.html",
               doc="The routing table of each rail, and its gateways: what comes from an address of the rail leaves by "
                   "the rail. C(table 52001 via 10.0.0.254), or the number alone."),
) + network_links.ROWS

OPTIONS = (
    {"name": "network_workload", "type": "str", "choices": ["inference", "training", "cpu"],
     "doc": "What the node is for. From C(gpuwright_workload), else from the node's group."},
    {"name": "network_internet_facing", "type": "bool",
     "doc": "Says that the node serves connections over the internet itself; without it V(bbr) is refused."},
    {"name": "network_limit_services", "type": "list",
     "doc": "The services that O(network_limit_nofile) is for. Those that are not installed are left out."},
    {"name": "network_rails", "type": "list",
     "doc": "Interfaces that share a subnet, each of which is to carry its own traffic. From the filter "
            "C(gpuwright.node.shared_subnet_rails)."},
    {"name": "network_rail_table_base", "type": "int",
     "doc": "The first of the 10000 numbers that the rails' routing tables may have."},
    {"name": "network_rail_gateways", "type": "dict",
     "doc": "For rails that reach other subnets, the gateway, or a list of one for each family, by interface."},
) + network_links.OPTIONS

RULES = (limit.services_are_known, file_limit.r17_lowered_by_others, file_limit.r17_services_within_the_ceiling,
         sockets.backlog_on_evidence, sockets.backlog_of_a_server, sockets.gro_pair, congestion.bbr_is_for_the_internet,
         congestion.qdisc_of_devices, rail.rules_are_kept, rail.reverse_path, firewall.r25_ports_taken,
         firewall.r25_ports_open) + network_links.RULES


def withhold(view, options, desired):
    """{name: why} of what this kernel does not have, and of what is for rails where there are none."""
    return dict(congestion.not_offered(view, desired), **rail.withheld(view, options, desired))
