# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the links of a health (PCIe, RDMA ports, interfaces), and which of them, or drives, became worse.

PRIVATE to the collection. Pure. An idle GPU lowers the speed of its PCIe link, never the width: so the speed of a
GPU's link counts only while the GPU runs at full clocks (P0 to P2), and never for AMD's, which do not say. NICs and
NVMe drives keep theirs.
"""

from __future__ import annotations

from .finding import finding
from .pcie import gigatransfers

_AT_WORK = ("P0", "P1", "P2")


def findings(health):
    """The findings on every link."""
    return _pcie(health) + _counted(health) + _ports(health)


def links(health):
    """{address: link} of all PCIe links: those of sysfs, and GPUs of which only nvidia-smi told."""
    found = {gpu["pci_address"]: dict(gpu["link"], kind="gpu", expected_width=gpu["link"]["max_width"],
                                      expected_speed=gpu["link"]["max_speed"])
             for gpu in health.get("gpus") or () if gpu["link"]}
    for link in (health.get("pcie") or {}).get("links") or ():
        found[link["pci_address"]] = link
    return found


def _pcie(health):
    at_work = {gpu["pci_address"] for gpu in health.get("gpus") or () if gpu["performance_state"] in _AT_WORK}
    found = []
    for address, link in sorted(links(health).items()):
        if link["width"] and link["expected_width"] and link["width"] < link["expected_width"]:
            found.append(finding("W", address, "pcie_width", "PCIe link of %s %s: %d lanes of %d" % (
                link["kind"], address, link["width"], link["expected_width"])))
        speed, most = gigatransfers(link["speed"]), gigatransfers(link["expected_speed"])
        if speed and most and speed < most and (link["kind"] != "gpu" or address in at_work):
            found.append(finding("W", address, "pcie_speed", "PCIe link of %s %s: %s of %s" % (
                link["kind"], address, link["speed"], link["expected_speed"])))
    return found


def _counted(health):
    """AER counters of the kernel, which know of errors that its log has forgotten."""
    found = []
    for one in (health.get("pcie") or {}).get("aer") or ():
        for name, severity in (("fatal", "E"), ("nonfatal", "W"), ("correctable", "I")):
            if one[name]:
                words = "%s: %d PCIe errors counted, %s" % (one["pci_address"], one[name], name)
                found.append(finding(severity, one["pci_address"], "aer_count_" + name, words))
    return found


def _ports(health):
    """Ports that trained but have no address or subnet manager; one without a cable is somebody's choice."""
    found = []
    for device in health.get("rdma_devices") or ():
        for port in device["ports"]:
            name = "%s/%d" % (device["name"], port["port"])
            if port["state"] != "ACTIVE" and port["phys_state"] == "LinkUp":
                found.append(finding("W", name, "port_state", "RDMA port %s is %s although its link is up" % (
                    name, port["state"])))
            elif port["state"] != "ACTIVE":
                found.append(finding("I", name, "port_down", "RDMA port %s is %s (%s)" % (
                    name, port["state"], port["phys_state"])))
    return found


def ports(health):
    """{(device, port): port} of all RDMA ports, by PCI address where there is one: names may change over a reboot."""
    return {(device["pci_address"] or device["name"], port["port"]): dict(port, name=device["name"])
            for device in health.get("rdma_devices") or () for port in device["ports"]}


def worse(before, after, same_boot):
    """Links that became narrower or slower, ports and drives that are gone, in words."""
    words = _worse_links(before, after) + _worse_ports(before, after) + _gone_drives(before, after)
    return words + _worse_counters(before, after, same_boot) + (_carriers(before, after) if same_boot else [])


def _worse_links(before, after):
    words, now = [], links(after)
    for address, was in links(before).items():
        link = now.get(address)
        if link is None:
            if "pcie" in before and "pcie" in after:
                words.append("PCIe device %s is gone" % address)
            continue
        if was["width"] and link["width"] and link["width"] < was["width"]:
            words.append("PCIe link of %s: %d lanes, %d before" % (address, link["width"], was["width"]))
        kind = "expected_speed" if was["kind"] == "gpu" else "speed"
        speeds = [gigatransfers(one[kind]) for one in (was, link)]
        if all(speeds) and speeds[1] < speeds[0]:
            words.append("PCIe link of %s: %s, %s before" % (address, link[kind], was[kind]))
    return words


def _worse_counters(before, after, same_boot):
    """PCIe errors that were counted since; after a boot all fatal ones, and others where there were none before."""
    words = []
    old = {one["pci_address"]: one for one in (before.get("pcie") or {}).get("aer") or ()}
    for one in (after.get("pcie") or {}).get("aer") or ():
        for name in ("nonfatal", "fatal"):
            known = old.get(one["pci_address"], {}).get(name, 0)
            more = one[name] - known if same_boot else one[name] if name == "fatal" or not known else 0
            if more > 0 and "pcie" in before:
                words.append("%s: %d more PCIe errors counted, %s" % (one["pci_address"], more, name))
    return words


def _carriers(before, after):
    """Interfaces whose carrier came or went since."""
    words = []
    changes = {nic["pci_address"] or nic["name"]: nic["carrier_changes"] for nic in before.get("nics") or ()}
    for nic in after.get("nics") or ():
        was = changes.get(nic["pci_address"] or nic["name"])
        if was is not None and (nic["carrier_changes"] or 0) > was:
            words.append("interface %s: its carrier came or went %d times more" % (
                nic["name"], nic["carrier_changes"] - was))
    return words


def _worse_ports(before, after):
    if "rdma_devices" not in before or "rdma_devices" not in after:
        return []
    words, now = [], ports(after)
    for key, was in ports(before).items():
        port, name = now.get(key), "RDMA port %s/%d (%s)" % (was["name"], key[1], key[0])
        if port is None:
            words.append("%s is gone" % name)
        elif was["state"] == "ACTIVE" and port["state"] != "ACTIVE":
            words.append("%s was ACTIVE and is %s" % (name, port["state"]))
        elif was["rate"] and port["rate"] and port["rate"] < was["rate"]:
            words.append("%s: %s Gb/s, %s before" % (name, port["rate"], was["rate"]))
    return words


def _gone_drives(before, after):
    if "nvme" not in before or "nvme" not in after:
        return []
    here = {drive_key(drive) for drive in after["nvme"]}
    return ["NVMe drive %s (%s) is gone" % (drive_key(drive), drive["model"])
            for drive in before["nvme"] if drive_key(drive) not in here]


def drive_key(drive):
    """What a drive is known by over a reboot: its serial number, which a few lack."""
    return drive["serial"] or drive["pci_address"] or drive["name"]
