# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shows what this node is: CPUs, memory, GPUs, NICs, drives, and how close they are.

PRIVATE to the collection. As JSON it is the fact of gpuwright.node.topology_facts.
"""

from __future__ import annotations

import json

from .._host import Host
from .._topology import node
from .._values import nearest
from .cannot_do import CannotDo
from .text_table import columns, size


def arguments(parser):
    """Its own words."""
    parser.add_argument("--json", action="store_true", help="print the whole fact as JSON")
    parser.add_argument("--gather", metavar="SECTION", action="append",
                        help="only this section, may be given several times: %s" % ", ".join(node.SECTIONS))


def run(args, say):
    """Read, print; returns 0. Raises CannotDo for a section that there is none of."""
    wrong = [name for name in args.gather or () if name not in node.SECTIONS]
    if wrong:
        raise CannotDo("--gather %s: no section of the topology; %s" % (wrong[0], nearest(wrong[0], node.SECTIONS)))
    fact = node.read_topology(Host(args.sysroot), args.gather)
    if args.json:
        say(json.dumps(fact, indent=1, sort_keys=True))
        return 0
    for part in (_system, _cpus, _gpus, _nics, _drives, _notes):
        for line in part(fact):
            say(line)
    return 0


def _system(fact):
    told = fact.get("system")
    if not told:
        return []
    machine = " ".join(word for word in (told["vendor"], told["product"]) if word)
    kind = "" if told["virtualization"] in (None, "none") else ", virtual (%s)" % told["virtualization"]
    system = ", ".join(word for word in (told["kernel"] and "Linux " + told["kernel"], told["architecture"]) if word)
    return ["%s: %s%s%s" % (told["hostname"] or "host", machine or "unknown machine", kind,
                            ", " + system if system else "")]


def _cpus(fact):
    lines = []
    if fact.get("cpu"):
        cpu = fact["cpu"]
        lines.append("CPUs: %s; online %s%s" % (
            cpu["model"] or cpu["vendor"] or "model unknown", cpu["online"] or "unknown",
            "; isolated %s" % cpu["isolated"] if cpu["isolated"] else ""))
    nodes = fact.get("numa_nodes") or []
    if nodes:
        lines += columns([("NUMA node", "kind", "memory", "CPUs")] + [
            (node["id"], node["kind"], _size(node["memory"]), node["cpus"]) for node in nodes])
    return lines


def _gpus(fact):
    gpus = fact.get("gpus")
    if not gpus:
        return [] if gpus is None else ["GPUs: none"]
    serving = fact.get("gpu_nics") or {}
    return ["GPUs:"] + columns([("GPU", "PCI address", "name", "memory", "NUMA node", "link", "CPUs", "RDMA")] + [
        (gpu["index"], gpu["pci_address"], gpu["name"] or gpu["vendor"], _size(gpu["memory"]), gpu["numa_node"],
         _link(gpu["link"]), gpu["cpus"], " ".join(serving.get(str(gpu["index"]), ()))) for gpu in gpus])


def _link(link):
    """`32.0 GT/s x16`, and what it could be where that is more."""
    if not link or not link.get("width"):
        return None
    now, best = ("%s x%s" % (link[speed], link[width]) for speed, width in (("speed", "width"),
                                                                            ("max_speed", "max_width")))
    return now if now == best or None in (link["max_speed"], link["max_width"]) else "%s of %s" % (now, best)


def _nics(fact):
    rows = [(nic["name"], nic["pci_address"], nic["driver"], _rate(nic["speed"]), nic["operstate"], nic["mtu"],
             nic["numa_node"], nic["rdma_device"]) for nic in fact.get("nics") or ()]
    lines = ["NICs:"] + columns([("interface", "PCI address", "driver", "speed", "state", "MTU", "NUMA node",
                                  "RDMA")] + rows) if rows else []
    ports = [("%s/%s" % (device["name"], port["port"]), port["link_layer"], port["state"],
              "%s Gb/s" % port["rate"] if port["rate"] else None, port["netdev"], device["numa_node"])
             for device in fact.get("rdma_devices") or () for port in device["ports"]]
    if ports:
        lines += ["RDMA:"] + columns([("port", "link layer", "state", "rate", "interface", "NUMA node")] + ports)
    return lines


def _drives(fact):
    rows = [(drive["name"], drive["pci_address"], drive["model"], drive["numa_node"],
             " ".join("%s %s" % (one["name"], _size(one["size"])) for one in drive["namespaces"]))
            for drive in fact.get("nvme") or ()]
    return ["NVMe:"] + columns([("drive", "PCI address", "model", "NUMA node", "namespaces")] + rows) if rows else []


def _notes(fact):
    return ["note: %s" % note for note in fact["notes"]]


def _size(number):
    return None if number is None else size(number)


def _rate(megabits):
    return None if not isinstance(megabits, int) or megabits <= 0 else "%g Gb/s" % (megabits / 1000)
