# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The InfiniBand switch ports that a node's RDMA devices are cabled to, as ibnetdiscover found them.

PRIVATE to the collection. ibnetdiscover(8) asks every switch of the fabric, so it is only started where the role's
option says so. Channel adapters are known by the GUID of their node.
"""

from __future__ import annotations

import re

from .._host import CommandNotRun
from .._topology import nic

_SECONDS = 60
_ADAPTER = re.compile(r'^Ca\s+\d+\s+"H-([0-9a-f]{16})"')
_PORT = re.compile(r'^\[(\d+)\]\S*\s+"(\S+)"\[(\d+)\](?:\S*)\s*(?:#.*?"([^"]*)")?')


def neighbours(host):
    """{RDMA device: [{"port", "switch", "switch_port"}]}, or None where it cannot be asked."""
    try:
        status, text, _errors = host.run(["ibnetdiscover"], seconds=_SECONDS, changes=False)
    except (CommandNotRun, OSError):
        return None
    if status != 0:
        return None
    adapters = parse(text)
    found = {}
    for name in host.names(nic.RDMA):
        guid = (host.text("%s/%s/node_guid" % (nic.RDMA, name)) or "").replace(":", "")
        if guid in adapters:
            found[name] = adapters[guid]
    return found


def parse(text):
    """{GUID of a channel adapter: [{"port", "switch", "switch_port"}]} from ibnetdiscover's answer."""
    found, guid = {}, None
    for line in text.splitlines():
        adapter, port = _ADAPTER.match(line), _PORT.match(line)
        if adapter:
            guid = adapter.group(1)
        elif not line.startswith("["):
            guid = None
        elif port and guid:
            switch = (port.group(4) or port.group(2)).strip()
            found.setdefault(guid, []).append(
                {"port": int(port.group(1)), "switch": switch, "switch_port": port.group(3)})
    return found
