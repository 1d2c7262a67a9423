# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who decides over an interface's data center bridging, and which tool shows and changes it.

PRIVATE to the collection. iproute2's dcb(8) goes first, mlnx_qos where it is missing or the driver does not serve it,
and for trust and DSCP map with the driver of OFED and DOCA, which keeps those in files of its own.
"""

from __future__ import annotations

import re

from . import dcb, mlnx_qos


def tool(host, device, part):
    """The module of the tool that serves a part of `state` for an interface, or None."""
    first = (dcb, mlnx_qos)
    if part in ("trust", "dscp") and mlnx_qos.has_files(host, device):
        first = (mlnx_qos,)
    return next((module for module in first if part in told(host, module, device)), None)


def told(host, module, device):
    """What one tool tells of an interface, read once between two changes."""
    key = (module.__name__, device)
    if key not in host.facts:
        host.facts[key] = module.state(host, device)
    return host.facts[key]


def state(host, device):
    """All that can be told of an interface, in the words of dcb.py: each part by the tool that serves it."""
    found = {}
    for part in ("pfc", "trust", "dscp", "tsa", "bandwidth", "prio_tc", "dcbx"):
        module = tool(host, device, part)
        if module:
            found[part] = told(host, module, device)[part]
    return found


def lldpad(host):
    """The process id of lldpad, which negotiates DCB with the switch and overwrites what is set by hand, or None."""
    return next((int(name) for name in host.names("/proc")
                 if name.isdigit() and host.text("/proc/%s/comm" % name) == "lldpad"), None)


def owner(host, device):
    """Who else decides over an interface's settings: "lldpad", "firmware", or None where nobody does."""
    if lldpad(host) is not None:
        return "lldpad"
    return "firmware" if state(host, device).get("dcbx") == "fw" else None


def forced_traffic_class(host, device):
    """The traffic class that the driver of OFED and DOCA forces on all of an RDMA device's packets, or None.

    Linux's own driver has no such file; where nothing is forced, it is empty or says -1.
    """
    found = re.match(r"(?:Global tclass=)?(\d+)\s*$", (host.text(
        "/sys/class/infiniband/%s/tc/1/traffic_class" % device) or "").partition("\n")[0])
    return int(found.group(1)) if found else None
