# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows what is wrong with this node's hardware and drivers now: GPUs, links, fabric, drives, the kernel's log.

PRIVATE to the collection. As JSON it is the fact of gpuwright.node.health_facts.
"""

from __future__ import annotations

import json

from .._health import node
from .._host import Host
from .._values import nearest
from .cannot_do import CannotDo
from .text_table import columns, count


def arguments(parser):
    """Its own words."""
    parser.add_argument("--json", action="store_true", help="print the whole fact as JSON")
    parser.add_argument("--gather", metavar="SECTION", action="append",
                        help="only this section, may be given several times: %s" % ", ".join(node.SECTIONS))


def run(args, say):
    """Read, print; returns 0 for a node without findings, 1 for one with errors or warnings."""
    wrong = [name for name in args.gather or () if name not in node.SECTIONS]
    if wrong:
        raise CannotDo("--gather %s: no section of the health; %s" % (wrong[0], nearest(wrong[0], node.SECTIONS)))
    health = node.read_health(Host(args.sysroot), args.gather)
    found = health["verdict"]
    if args.json:
        say(json.dumps(health, indent=1, sort_keys=True))
    else:
        for line in columns([(one["severity"], one["what"], one["message"]) for one in found], indent=""):
            say(line)
        say(_summary(health))
    return 1 if any(one["severity"] in "EW" for one in found) else 0


def _summary(health):
    """What was looked at, and how many findings there are."""
    looked = [count(len(health[section]), word) for section, word in (
        ("gpus", "GPU"), ("rdma_devices", "RDMA device"), ("nics", "NIC"), ("nvme", "NVMe drive"))
        if health.get(section) is not None]
    log = health.get("kernel_log")
    if log is not None:
        looked.append("the kernel's log" if log["source"] else "no kernel log")
    severities = [one["severity"] for one in health["verdict"]]
    words = [count(severities.count(letter), word) for letter, word in (("E", "error"), ("W", "warning"), ("I", "note"))
             if letter in severities]
    return "looked at %s: %s" % (", ".join(looked) or "what was asked for", ", ".join(words) or "nothing is wrong")
