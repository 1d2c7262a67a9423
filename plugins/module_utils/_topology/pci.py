# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the PCI tree: each device's class and way up to the host bridge, and of chosen ones node, CPUs and link.

PRIVATE to the collection. `found["_pci"]` holds what `read` returned; a host can have several hundred devices, so what
costs more than a file or two each is added to a device's record only when `describe` is asked for it.
"""

from __future__ import annotations

import re

from .. import _cpulist

DEVICES = "/sys/bus/pci/devices"
# Domains are four hexadecimal digits, more where the firmware ran out of them (VMD, some Arm and Hyper-V hosts).
_ADDRESS = re.compile(r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]\Z")
_ROOT = re.compile(r"pci[0-9a-f]{4,8}:[0-9a-f]{2}\Z")
_SPELT = re.compile(r"(?:([0-9a-f]{1,8}):)?([0-9a-f]{1,2}):([0-9a-f]{1,2})(?:\.([0-7]))?\Z", re.IGNORECASE)


def read(host, _found=None):
    """{address: {class, path, host_bridge}} of all devices; `path` is the bridges from the host bridge down."""
    devices = {}
    for name in host.names(DEVICES):
        if not _ADDRESS.match(name):
            continue
        folder = "%s/%s" % (DEVICES, name)
        steps = host.real(folder).split("/")[:-1]
        roots = [step for step in steps if _ROOT.match(step)]
        devices[name] = {
            "class": _hexadecimal(attribute(host, folder + "/class")),
            # A device that a capture holds as a plain folder hangs nowhere: its place in the tree is unknown.
            "path": [step for step in steps if _ADDRESS.match(step)] if roots else None,
            # Below a VMD controller there is a second, virtual root: the outermost one is the real host bridge.
            "host_bridge": roots[0] if roots else None,
        }
    return devices


def attribute(host, path):
    """The text of a device's attribute, or None; one that refuses (a down link has no speed) is not worth a note."""
    try:
        return host.read(path)
    except OSError:
        return None


def number(host, path):
    """The whole number in a device's attribute, or None."""
    text = attribute(host, path) or ""
    return int(text) if re.match(r"-?\d+\Z", text, re.ASCII) else None


def _hexadecimal(text):
    return int(text, 16) if text and re.match(r"(0x)?[0-9a-fA-F]+\Z", text) else None


def normal(address):
    """An address as sysfs spells it: of "00000000:3B:00.0" it is "0000:3b:00.0". None if it is none."""
    match = _SPELT.match((address or "").strip())
    if not match:
        return None
    domain, bus, device, function = match.groups()
    return "%04x:%02x:%02x.%s" % (int(domain or "0", 16), int(bus, 16), int(device, 16), function or "0")


def order(address):
    """What to sort addresses by: as numbers, since domains differ in width."""
    return tuple(int(part, 16) for part in re.split("[:.]", address))


def above(host, path):
    """The address of the PCI device at or above a folder of /sys, or None: a virtio or IB device hangs below one."""
    for step in reversed(host.real(path).split("/")):
        if _ADDRESS.match(step):
            return step
    return None


def is_virtual_function(host, address):
    """Whether a device is a virtual function whose physical one belongs to this host."""
    return host.link("%s/%s/physfn" % (DEVICES, address)) is not None


def driver(host, address):
    """The name of the driver that holds a device, or None."""
    target = host.link("%s/%s/driver" % (DEVICES, address))
    return target.rstrip("/").rpartition("/")[2] if target else None


def describe(host, found, address):
    """The whole record of a device: besides what `read` gave, vendor, device, driver, numa_node, cpus."""
    record = found.setdefault("_pci", {}).setdefault(address, {"class": None, "path": None, "host_bridge": None})
    if "numa_node" not in record:
        folder = "%s/%s" % (DEVICES, address)
        record["vendor"] = _hexadecimal(attribute(host, folder + "/vendor"))
        record["device"] = _hexadecimal(attribute(host, folder + "/device"))
        record["driver"] = driver(host, address)
        record["virtual_function"] = is_virtual_function(host, address)
        record["numa_node"] = _numa_node(host, found, address)
        record["cpus"] = _cpus(host, found, address, record["numa_node"])
    return record


def link(host, address):
    """Speed and width of a device's link, now and at most, as the kernel says them; nulls where it has none."""
    folder = "%s/%s/" % (DEVICES, address)
    speeds = [attribute(host, folder + name) for name in ("current_link_speed", "max_link_speed")]
    lanes = [number(host, folder + name) for name in ("current_link_width", "max_link_width")]
    # "Unknown", 0 and 255 are what the kernel reads from a device that has no link of its own.
    speeds = [speed if speed and speed[0].isdigit() else None for speed in speeds]
    lanes = [width if width and 0 < width < 255 else None for width in lanes]
    return {"speed": speeds[0], "width": lanes[0], "max_speed": speeds[1], "max_width": lanes[1]}


# -- NUMA nodes and CPUs -----------------------------------------------------------------------------------------------


def _numa_node(host, found, address):
    """The node of a device: its own file, else its CPUs, else its bridges, else the host's only node."""
    nodes = {node["id"]: node["cpus"] for node in found.get("numa_nodes") or []}
    given = number(host, "%s/%s/numa_node" % (DEVICES, address))
    if given is not None and given >= 0:
        if given in nodes or not nodes:
            return given
        note(found, "%s: the kernel says NUMA node %d, which this host does not have" % (address, given))
    node, source = _inferred(host, found, address, nodes)
    if node is not None:
        found.setdefault("sources", {})["%s numa_node" % address] = source
    return node


def _inferred(host, found, address, nodes):
    """(node, where that came from) for a device whose own numa_node file does not tell."""
    local = _local_cpus(host, "%s/%s" % (DEVICES, address))
    if local and len(nodes) > 1:
        same = [node for node, cpus in nodes.items() if cpus and set(local) <= set(_cpulist.parse(cpus))]
        if len(same) == 1:
            return same[0], "local_cpulist"
    for bridge in reversed((found.get("_pci", {}).get(address) or {}).get("path") or []):
        node = number(host, "%s/%s/numa_node" % (DEVICES, bridge))
        if node is not None and node >= 0 and (node in nodes or not nodes):
            return node, "numa_node of the bridge %s" % bridge
    with_cpus = [node for node, cpus in nodes.items() if cpus]
    if len(with_cpus) == 1:
        return with_cpus[0], "the only NUMA node with CPUs"
    return None, None


def _local_cpus(host, folder):
    """The CPUs near a device, or None if no file tells; empty where the file says none."""
    for name, parse in (("local_cpulist", _cpulist.parse), ("local_cpus", _cpulist.from_mask)):
        text = attribute(host, "%s/%s" % (folder, name))
        if text is not None:
            try:
                return parse(text)
            except ValueError as error:
                host.note("%s/%s: %s" % (folder, name, error))
    return None


def _cpus(host, found, address, node):
    """The online CPUs near a device as a cpulist, or None if unknown."""
    nodes = {entry["id"]: entry["cpus"] for entry in found.get("numa_nodes") or []}
    if "%s numa_node" % address in found.get("sources", {}) and nodes.get(node):
        near = _near_host_bridge(host, found, address)
        # A kernel that does not know the node calls all CPUs near; if fewer than those of the node, it means it.
        return _cpulist.format(near) if near and near < set(_cpulist.parse(nodes[node])) else nodes[node]
    local = set(_local_cpus(host, "%s/%s" % (DEVICES, address)) or ())
    if not local:
        return nodes.get(node)
    online = (found.get("cpu") or {}).get("online")
    if online:
        local &= set(_cpulist.parse(online))
    return _cpulist.format(local)


def _near_host_bridge(host, found, address):
    """The CPUs near the first device below the same host bridge, often its own function: so they are near all of it."""
    bridge = found["_pci"][address]["host_bridge"]
    beside = [other for other, record in found["_pci"].items() if bridge and record["host_bridge"] == bridge]
    try:
        mask = attribute(host, "%s/%s/local_cpus" % (DEVICES, min(beside, key=order, default=address)))
        return set(_cpulist.from_mask(mask or ""))
    except ValueError:
        return set()


def note(found, text):
    """Keep a sentence on what was concluded or left out, once."""
    notes = found.setdefault("notes", [])
    if text not in notes:
        notes.append(text)
