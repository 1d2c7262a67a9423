# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which interface NCCL uses to set up a job, over TCP.

PRIVATE to the collection. Pure. A wrong one hangs the job or ends it: where the fact leaves a choice, none is made.
"""

from __future__ import annotations

import re

from .._values import name_list
from .rdma_rails import INFINIBAND

MOST = 16
_NAME = re.compile(r"[^\s/:,=^]{1,15}\Z")


def derive(topology, named, serving):
    """(value or None, why) of NCCL_SOCKET_IFNAME; `serving` is the RDMA devices that serve GPUs. Raises ValueError."""
    nics = topology.get("nics") or []
    if named is not None:
        return _named(nics, list(dict.fromkeys(name_list(named))))
    routes = [nic for nic in nics if nic.get("default_route")]
    if not routes:
        return None, "no physical interface carries the default route (nics): NCCL looks for one itself"
    up = [nic for nic in routes if nic.get("operstate") in ("up", "unknown", None)]
    able = [nic for nic in up if nic.get("addresses") != []]
    names = ", ".join(nic["name"] for nic in able or up or routes)
    if not up:
        return None, "%s with the default route is not up (nics)" % names
    if not able:
        return None, ("the default route goes through an interface above %s, such as a bond (nics): name it "
                      "(socket_interfaces)" % names)
    if len(able) > 1:
        return None, "default routes go through %s (nics): name the one to use (socket_interfaces)" % names
    if able[0].get("rdma_device") in serving or _is_infiniband(topology, able[0]):
        return None, ("%s with the default route is InfiniBand or a NIC for GPUs (nics): name the interface to use "
                      "(socket_interfaces)" % names)
    return "=" + names, "the default route goes through %s (nics), so the other nodes are reached by it" % names


def _named(nics, names):
    """The operator's word, in NCCL's form."""
    if not names:
        return None, "the operator names no interface (socket_interfaces)"
    for name in names:
        if not _NAME.match(name):
            raise ValueError("socket_interfaces: %r is no name of an interface" % name)
    if len(names) > MOST:
        raise ValueError("socket_interfaces: %d interfaces, and NCCL takes %d" % (len(names), MOST))
    down = [nic["name"] for nic in nics if nic["name"] in names and nic.get("operstate") == "down"]
    return "=" + ",".join(names), "named by the inventory (socket_interfaces)" + (
        "; %s is down now (nics)" % ", ".join(down) if down else "")


def _is_infiniband(topology, nic):
    return any(port.get("link_layer") == INFINIBAND for device in topology.get("rdma_devices") or ()
               if device["name"] == nic.get("rdma_device") for port in device["ports"])
