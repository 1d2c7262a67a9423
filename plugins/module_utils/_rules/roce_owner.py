# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on who else sets the traffic class: what was set by hand (R27), scripts, DCBX agents; and what only OFED has.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._derive import rdma_rails
from .._owners import dcbx, qos_scripts
from .finding import finding
from .isolation import listed
from .rdma_node import DCBX, PFC, TOS, TRUST, roce, steps, topology

# What no NIC comes with: a value that is right was set by somebody.
_KEPT = (TRUST, PFC, TOS)
_NET = "/sys/class/net/%s/"


def r27_by_hand(view):
    """A value that is right, and that nobody puts back at boot: we only check it, and no script was found."""
    if view.options.get("rdma_roce_apply") or qos_scripts.read(view.host):
        return []
    lost = {}
    for name in _KEPT:
        for device, step in steps(view, name).items():
            if step.get("unverified") and step["running"] == step["desired"] and not view.is_ours(name):
                lost.setdefault(name, []).append(device)
    for device in roce(view):
        if dcbx.forced_traffic_class(view.host, device["name"]):
            lost.setdefault("tc/1/traffic_class", []).append(device["name"])
    if not lost:
        return []
    return [finding("R27", "W", None, "set by hand, and lost at the next boot or reset, for nothing here sets it "
                    "again: %s. rdma_roce_apply: true has the node's runner do so" % listed(
                        "%s of %s" % (name, listed(sorted(devices))) for name, devices in lost.items()))]


def other_scripts(view):
    """A unit or a script of the site's that sets the same: the last one to run wins."""
    if not any(steps(view, name) for name in _KEPT):
        return []
    words = ["%s (%s)" % pair for pair in qos_scripts.read(view.host)]
    if not words:
        return []
    return [finding("roce-owner", "W", None, "%s: it sets the traffic class too, and whoever runs last wins. Take it "
                    "out once this role sets it" % listed(words))]


def dcbx_owner(view):
    """An agent that runs may take back what we set."""
    if not any(steps(view, name) for name in (TRUST, PFC, DCBX)):
        return []
    found = []
    pid = dcbx.lldpad(view.host)
    if pid is not None:
        found.append(finding("dcbx-owner", "W", None, "lldpad (process %d) speaks DCBX here: it takes PFC and ETS from "
                             "the switch or from its own file. Stop it, or have it say the same with lldptool" % pid))
    firmware = sorted(device for device, step in steps(view, DCBX).items() if step["running"] == "fw")
    if firmware:
        found.append(finding("dcbx-owner", "W", None, "the firmware of %s decides over PFC and ETS with what the "
                             "switch proposes, and may take back what the host sets" % listed(firmware)))
    return found


def unseen(view):
    """Where no tool shows trust and PFC, nobody knows whether RoCE is protected: no row says so, for none applies."""
    names = {name for device in roce(view) for name in rdma_rails.interfaces_of(topology(view), device)}
    dark = sorted(name for name in names.intersection(view.options.get("rdma_roce_interfaces") or ())
                  if view.host.runs_commands and not {"trust", "pfc"} & set(dcbx.state(view.host, name)))
    if not dark:
        return []
    return [finding("R6", "W", None, "%s: what the NIC trusts and whether PFC is on cannot be seen, for neither dcb "
                    "nor mlnx_qos answers for it: install dcb (package iproute2 or iproute-dcb), or mlnx-tools where "
                    "the driver is of OFED or DOCA" % listed(dark))]


def ofed_only(view):
    """Which knobs only the drivers of OFED or DOCA have, where these NICs run Linux's own."""
    names = {name for device in roce(view) for name in rdma_rails.interfaces_of(topology(view), device)}
    ours = [nic["name"] for nic in view.topology("nics") if nic["name"] in names and nic["driver"] == "mlx5_core"
            and not view.exists(_NET % nic["name"] + "ecn") and not view.exists(_NET % nic["name"] + "qos")]
    if not ours:
        return []
    return [finding("ofed-only", "I", None, "%s: Linux's own driver has no ecn/roce_np, ecn/roce_rp, cnp_dscp and "
                    "tc/1/traffic_class, which OFED or DOCA add. Congestion control is as the firmware has it: see "
                    "mlxconfig ROCE_CC_PRIO_MASK_P1, CNP_DSCP_P1 and CNP_802P_PRIO_P1, and cc_params in debugfs"
                    % listed(sorted(ours)))]
