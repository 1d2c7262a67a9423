# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rule on NCCL_SOCKET_IFNAME: what it names is here, is up, and leads out of the node.

PRIVATE to the collection. Ranks find one another by these interfaces: over a bridge of containers they wait for ever.
"""

from __future__ import annotations

import re

from .._nccl_lists import signed
from .._values import nearest
from .finding import finding
from .isolation import listed
from .rdma_node import setting, variables

_NAME = "NCCL_SOCKET_IFNAME"
_NET = "/sys/class/net"
_INSIDE = re.compile(r"(lo|docker.*|br-[0-9a-f]{12}|virbr.*|cni.*|podman.*|veth.*|flannel.*|cali.*|lxc.*|kube-.*|"
                     r"tunl.*|cilium.*|vxlan.*)\Z")


def socket_interface(view):
    """Refuse what matches no interface here; warn of what is down, or leads to containers of this node alone."""
    here = [name for name in view.host.names(_NET) if view.exists("%s/%s/operstate" % (_NET, name))]
    found = []
    for name, text, where in variables(view, _NAME) if here else ():
        sign, entries = signed(text)
        if sign.startswith("^") or not text:
            continue
        matched = {entry: [one for one in here if (one == entry if sign else one.startswith(entry))]
                   for entry in entries}
        missing = [entry for entry, names in matched.items() if not names]
        if len(missing) == len(entries):
            row = setting(view, where)
            found.append(finding("ifname", "E" if row else "W", row, "%s: %s=%s: there is no interface %s here, and "
                                 "ranks do not find one another; %s" % (where, name, text, listed(missing),
                                                                        nearest(missing[0], here))))
            continue
        words = ["%s is not here" % one for one in missing]
        words += [said for names in matched.values() for one in names for said in _doubts(view, one)]
        if words:
            found.append(finding("ifname", "W", setting(view, where),
                                 "%s: %s=%s: %s" % (where, name, text, listed(words))))
    return found


def _doubts(view, interface):
    """Why ranks may not meet by an interface."""
    if _INSIDE.match(interface):
        yield "%s leads to no other node" % interface
    elif view.text("%s/%s/operstate" % (_NET, interface)) not in ("up", "unknown"):
        yield "%s is %s" % (interface, view.text("%s/%s/operstate" % (_NET, interface)))
