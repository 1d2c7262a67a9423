# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stand-in for NICs with data center bridging, and for the tools dcb and mlnx_qos: a host as a folder.

No such NIC was at hand: the behaviour is that of Linux's mlx5 driver (en_dcbnl.c), of OFED's where a NIC is built with
`ofed=True`, of iproute2's dcb/*.c and of mlnx_qos 1.2, as they read. What firmware maps while PCP is trusted shows in
no tool, and is not kept. The state of the NICs is in a file of the folder, so that it outlives a host object.
"""

from __future__ import annotations

import errno
import json
import os
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils._host import CommandNotRun

from tests.sysroots import dcb_tools, mlnx_qos_tool, systemd_node
from tests.sysroots.plain_node import put
from tests.sysroots.systemd_node import Systemd

STATE = "nics.json"
NET = "/sys/class/net/"
TOOLS = {"dcb": dcb_tools.dcb, "mlnx_qos": mlnx_qos_tool.mlnx_qos}


def fresh(**changed):
    """A NIC as its driver makes it: trust in PCP, no PFC, all traffic classes of kind vendor with all the bandwidth."""
    return dict({"pfc": [], "app": [], "tsa": ["vendor"] * 8, "bandwidth": [100] * 8, "prio_tc": list(range(8)),
                 "flags": ["host", "cee", "ieee"], "cable_len": 7, "dcb": True, "buffers": True, "rates": True},
                **changed)


def build(folder, nics=None, tools=("dcb",), ofed=False, **changed):
    """The host with these NICs; `changed` as in plain_node."""
    root = systemd_node.build(folder, **changed)
    save(root, {"tools": list(tools), "nics": {}})
    for name, state in (nics or {"ens1": fresh(), "ens2": fresh()}).items():
        plug(root, name, state, ofed)
    return root


def plug(root, name, state=None, ofed=False):
    """A NIC appears, or its driver is loaded anew."""
    put(root, NET + name + "/mtu", "9000")
    if ofed:
        put(root, NET + name + "/qos/trust", "pcp")
        lines = ["dscp2prio mapping:"] + ["%d\t%d" % (dscp, dscp >> 3) for dscp in range(64)]
        put(root, NET + name + "/qos/dscp2prio", "\n".join(lines))
    held = load(root)
    held["nics"][name] = state or fresh()
    save(root, held)


def load(root):
    """{tools, nics}, as they are."""
    return json.loads((root / STATE).read_text())


def nic(root, name):
    """The state of a NIC."""
    return load(root)["nics"][name]


def save(root, held):
    """Keep them."""
    (root / STATE).write_text(json.dumps(held, sort_keys=True))


class Driver:
    """What a driver does with what netlink brings it."""

    def __init__(self, state, folder=None):
        self.state = state
        self.folder = folder  # Of OFED's files, or None.

    @property
    def entries(self):
        """{dscp: priority}"""
        return dict(self.state["app"])

    def set_app(self, dscp, priority):
        """Add an entry; mlx5 deletes the one that this DSCP had."""
        self.state["app"] = sorted([pair for pair in self.state["app"] if pair[0] != dscp] + [[dscp, priority]])

    def del_app(self, dscp, priority):
        """Delete an entry, which has to be there as it is named."""
        if [dscp, priority] not in self.state["app"]:
            raise OSError(errno.ENOENT, os.strerror(errno.ENOENT))
        self.state["app"].remove([dscp, priority])

    def set_ets(self, tsa, bandwidth, prio_tc):
        """Take all three, if the shares of the classes of kind ets add up; the others show all the bandwidth."""
        shares = [share for kind, share in zip(tsa, bandwidth) if kind == "ets"]
        if shares and sum(shares) != 100:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.state.update(tsa=tsa, prio_tc=prio_tc, bandwidth=[
            share if kind == "ets" else 100 for kind, share in zip(tsa, bandwidth)])

    def set_dcbx(self, flags):
        """Who decides: the firmware where no flag is given; mlx5 takes neither lld-managed nor flags without host."""
        if "lld-managed" in flags or (flags and "host" not in flags):
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))
        self.state["flags"] = flags or [flag for flag in self.state["flags"] if flag != "host"]


class Nics(Systemd):
    """The host, whose dcb and mlnx_qos work if they are among its tools."""

    def run(self, argv, seconds=10, changes=True):
        """Carry out the two tools; the rest as systemd_node."""
        if argv[0] not in TOOLS:
            return super().run(argv, seconds, changes)
        if changes:
            self._may_change("running %s" % argv[0])
        self.asked.append(" ".join(argv))
        held = load(pathlib.Path(self.root))
        if argv[0] not in held["tools"]:
            raise CommandNotRun("%s: %s" % (argv[0], os.strerror(errno.ENOENT)))
        before = json.dumps(held, sort_keys=True)
        drivers = {name: self._driver(name, state) for name, state in held["nics"].items()
                   if self.exists(NET + name)}
        answer = TOOLS[argv[0]](self, drivers, argv[1:])
        if json.dumps(held, sort_keys=True) != before:
            assert changes, "%s was said to ask only" % argv
            self.write_file("/" + STATE, json.dumps(held, sort_keys=True).encode())
        return answer

    def _driver(self, name, state):
        folder = NET + name + "/qos"
        return Driver(state, folder if self.exists(folder) else None)
