# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on rails, several interfaces in one subnet: who else would take their routing away, and what is still missing.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._owners import sysctl_d
from .finding import finding

ROUTE, RP_FILTER = "rail/route", "net.ipv4.conf.{device}.rp_filter"
ROWS = (ROUTE, RP_FILTER, "net.ipv4.conf.{device}.arp_ignore", "net.ipv4.conf.{device}.arp_announce")
_LINKS = "/run/systemd/netif/links"
_NETWORKD = ("/etc/systemd", "/run/systemd", "/usr/local/lib/systemd", "/usr/lib/systemd", "/lib/systemd")
_KEEPS = re.compile(r"^\s*ManageForeignRoutingPolicyRules\s*=\s*(\S+)", re.M)


def withheld(view, options, names):
    """{name: why} where no interfaces share a subnet."""
    if options.get("network_rails"):
        return {}
    return {name: "no interfaces of this node share a subnet: network_rails is empty" for name in ROWS if name in names}


def rules_are_kept(view):
    """systemd-networkd removes rules that are not its own whenever it starts, unless it is told not to."""
    routed = [step for step in view.steps if step["name"] == ROUTE and "_restore" not in step
              and step["status"] in ("ok", "drift")]
    if not routed or not view.host.names(_LINKS):
        return []
    if _told(view) in ("no", "false", "off", "0"):
        return []
    return [finding("rail-rules", "W", ROUTE,
                    "systemd-networkd takes rules away that are not its own whenever it is started anew; the node "
                    "runner puts them back at boot only: set ManageForeignRoutingPolicyRules=no in "
                    "/etc/systemd/networkd.conf.d/")]


def _told(view):
    """What networkd.conf says, drop-ins last."""
    texts = [view.text(folder + "/networkd.conf") for folder in reversed(_NETWORKD)]
    texts += [view.text(path) for path in sysctl_d.files(view.host, ["%s/networkd.conf.d" % one for one in _NETWORKD])]
    told = [word for text in texts for word in _KEEPS.findall(text or "")]
    return told[-1].lower() if told else ""


def reverse_path(view):
    """The stricter of an interface's filter and that of all counts: 1 for all turns 0 of an interface into 1."""
    everywhere = view.text("/proc/sys/net/ipv4/conf/all/rp_filter")
    strict = [step["_fields"]["device"] for step in view.steps if step["name"] == RP_FILTER and "_restore" not in step
              and step["status"] in ("ok", "drift") and max(step["_force"], everywhere or "0") == "1"]
    if not strict:
        return []
    return [finding("rail-filter", "W", RP_FILTER,
                    "strict reverse path filtering on %s: what another rail would answer is dropped; 2 is loose"
                    % ", ".join(strict))]
