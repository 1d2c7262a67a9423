# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""By which network interfaces people reach this node: default routes, and the peers of established ssh connections.

PRIVATE to the collection. SSH_CONNECTION is not seen under sudo, so the sockets of sshd's processes are asked. What
comes in by one interface may be answered by another: both count. What is below a bond, a bridge or a VLAN carries what
that carries.
"""

from __future__ import annotations

import ipaddress
import re

NET = "/sys/class/net"
_SSHD = ("sshd", "sshd-session")
_ESTABLISHED = "01"
_UP = 1
_OVS = "ovs-system"  # Open vSwitch does not tell which of its ports are whose: any may be below one of its own.


def interfaces(host):
    """{interface: why, in words}."""
    routes = _routes(host)
    found = {}
    for network, name in routes:
        if not network.prefixlen:
            _add(host, found, name, "the default route goes through %s" % name)
    for peer, own in _connections(host):
        for name in _towards(routes, own) + _towards(routes, peer):
            _add(host, found, name, "an ssh connection from %s comes in through %s" % (peer, name))
    found.pop("lo", None)
    return found


def _towards(routes, address):
    """The interfaces of the narrowest network that has an address: several, where they share a subnet."""
    around = [item for item in routes if address in item[0]]
    narrowest = max((network.prefixlen for network, _name in around), default=None)
    return [name for network, name in around if network.prefixlen == narrowest]


def _add(host, found, name, why):
    """The interface and, of a bond, a bridge or a VLAN, those below it."""
    if name not in found:
        found[name] = why
        for below in _lower(host, name) or ([] if host.exists("%s/%s/device" % (NET, name)) else _lower(host, _OVS)):
            _add(host, found, below, why)


def _lower(host, name):
    return [entry[6:] for entry in host.names("%s/%s" % (NET, name)) if entry.startswith("lower_")]


def _routes(host):
    """[(network, interface)] of both families, from the kernel's tables; its numbers of IPv4 are little-endian."""
    found = []
    for line in (host.text("/proc/net/route") or "").splitlines()[1:]:
        words = line.split()
        if len(words) > 7 and int(words[3], 16) & _UP:
            found.append((ipaddress.ip_network("%s/%s" % (_v4(words[1]), _v4(words[7]))), words[0]))
    for line in (host.text("/proc/net/ipv6_route") or "").splitlines():
        words = line.split()
        if len(words) > 9 and int(words[8], 16) & _UP and words[9] != "lo":
            found.append((ipaddress.IPv6Network((int(words[0], 16), int(words[1], 16)), strict=False), words[9]))
    return found


def _v4(text):
    return ipaddress.IPv4Address(int.from_bytes(bytes.fromhex(text), "little"))


def _v6(text):
    words = [bytes.fromhex(text[at:at + 8])[::-1] for at in range(0, 32, 8)]
    address = ipaddress.IPv6Address(b"".join(words))
    return address.ipv4_mapped or address


def _connections(host):
    """(the other end, our own) of sshd's established connections."""
    sockets = {word for pid in host.names("/proc") if pid.isdigit()
               and host.text("/proc/%s/comm" % pid) in _SSHD for word in _sockets(host, pid)}
    found = set()
    for table, address in (("tcp", _v4), ("tcp6", _v6)) if sockets else ():
        for line in (host.text("/proc/net/" + table) or "").splitlines()[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _ESTABLISHED and words[9] in sockets:
                found.add((address(words[2].partition(":")[0]), address(words[1].partition(":")[0])))
    return sorted(found, key=str)


def _sockets(host, pid):
    """The numbers of a process's sockets."""
    folder = "/proc/%s/fd" % pid
    links = [host.link("%s/%s" % (folder, name)) or "" for name in host.names(folder)]
    return [link[8:-1] for link in links if re.match(r"^socket:\[\d+\]$", link)]
