# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which TCP sockets of a node stand in the way of who wants an address and a port, as /proc/net/tcp has them.

PRIVATE to the collection. Two addresses of a node may have the same port; an address of all of them bars every one.
"""

from __future__ import annotations

import ipaddress
import sys

_LISTENS = "0A"
_WORD = 8  # Letters of each 32 bits, which the kernel writes in the byte order of the processor.


def listening(host, port):
    """{"socket:[inode]": the address} of those that listen on a port."""
    found = {}
    for name in ("tcp", "tcp6"):
        try:
            lines = host.read("/proc/net/" + name).split("\n")
        except OSError:
            continue
        for line in lines[1:]:
            words = line.split()
            if len(words) > 9 and words[3] == _LISTENS:
                address, _colon, number = words[1].rpartition(":")
                if int(number, 16) == port:
                    found["socket:[%s]" % words[9]] = _address(address)
    return found


def in_the_way(host, listen, port):
    """The names of those sockets with which nobody else can listen at `listen`, an address or a name, and the port."""
    wanted = _plain(str(listen).strip("[]").partition("%")[0])
    return {name for name, address in listening(host, port).items() if _meet(wanted, address)}


def _meet(one, other):
    """Whether two addresses bar one another; None is a name, of which nobody knows here what it stands for."""
    if one is None or other is None or one == other:
        return True
    return any(first.is_unspecified and (first.version == 6 or second.version == 4)
               for first, second in ((one, other), (other, one)))


def _address(text):
    """An address as the kernel writes it."""
    words = [bytes.fromhex(text[at:at + _WORD]) for at in range(0, len(text), _WORD)]
    return _plain(ipaddress.ip_address(b"".join(word[::-1] if sys.byteorder == "little" else word for word in words)))


def _plain(address):
    """An address object, of version 4 where it only stands in one of version 6; None for a name."""
    try:
        found = ipaddress.ip_address(address or "0.0.0.0")
    except ValueError:
        return None
    return getattr(found, "ipv4_mapped", None) or found
