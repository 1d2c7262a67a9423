# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The part of a node that a reboot must not change, and in what two of them differ.

PRIVATE to the collection. Pure. Things are keyed by what stays: PCI addresses, and serial numbers of drives; names
of interfaces and drives may change. Widths of PCIe links are compared as they are. Speeds are for NICs and drives;
for a GPU only the most that the link can do (which a slot that came up in an older generation lowers), for an idle
GPU runs its link at whatever speed it likes. Of what could not be read on one side, nothing is said: `unreadable`
says that by itself.
"""

from __future__ import annotations

from . import link_finding

_GIB = 1 << 30


def fingerprint(topology, health):
    """A flat dict of dicts, JSON all through: {part: {key: words}}; a part is missing where nobody read it."""
    parts = {}
    if "gpus" in health and not _silent(health):
        parts.update(_gpus(health["gpus"]))
    if "rdma_devices" in health:
        parts["rdma_ports"] = {"%s/%d" % key: _words(port["link_layer"], port["rate"], "Gb/s")
                               for key, port in link_finding.ports(health).items() if port["state"] == "ACTIVE"}
    if "pcie" in health:
        parts["links"] = {address: _link(link) for address, link in link_finding.links(health).items()}
    if "nvme" in health:
        parts["nvme"] = {link_finding.drive_key(drive): _words(drive["model"], drive["state"])
                         for drive in health["nvme"]}
    topology = topology or {}
    if topology.get("cpu"):
        parts["cpus"] = {"online": topology["cpu"].get("online")}
    if topology.get("numa_nodes"):
        # The kernel keeps a different crash reserve or page tables: whole GiB, and a little more or less is equal.
        parts["memory"] = {str(node["id"]): (node["memory"] or 0) // _GIB for node in topology["numa_nodes"]}
    return dict(parts, unreadable=sorted(health.get("unreadable") or ()))


def _silent(health):
    """Whether no driver told of any GPU because it could not be asked: then they are unknown, not gone."""
    return "gpus" in (health.get("unreadable") or ()) and not any(gpu["in_driver"] for gpu in health["gpus"])


def _gpus(gpus):
    return {
        "gpus": {gpu["pci_address"]: gpu["uuid"] or gpu["vendor"] for gpu in gpus if gpu["in_driver"] is not False},
        "fabric": {gpu["pci_address"]: _words(gpu["fabric"]["state"], gpu["fabric"]["status"],
                                              (gpu["fabric"]["health"] or {}).get("summary"))
                   for gpu in gpus if gpu["fabric"]},
        "nvlinks": {gpu["pci_address"]: gpu["nvlink"]["active"] for gpu in gpus if gpu["nvlink"]},
    }


def _link(link):
    speed = link["expected_speed"] if link["kind"] == "gpu" else link["speed"]
    return _words(link["width"] and "x%d" % link["width"], speed)


def _words(*parts):
    return " ".join(str(part) for part in parts if part is not None)


_NAMES = {"gpus": "GPU", "fabric": "NVLink fabric of GPU", "nvlinks": "NVLinks of GPU", "rdma_ports": "RDMA port",
          "links": "PCIe link of", "nvme": "NVMe drive", "cpus": "CPUs", "memory": "memory of NUMA node"}


def differences(before, after):
    """In what two fingerprints of one node differ, in words; empty if in nothing."""
    words = []
    for part, name in _NAMES.items():
        if part not in before:
            continue
        if part not in after:
            words.append("%s: nothing was read" % name)
            continue
        for key in sorted(set(before[part]) | set(after[part])):
            was, now = before[part].get(key), after[part].get(key)
            if not _equal(part, was, now):
                words.append("%s %s: %s, %s before" % (name, key, _said(now), _said(was)))
    new = [name for name in after.get("unreadable") or () if name not in (before.get("unreadable") or ())]
    return words + ["%s could not be read" % name for name in new]


def _said(value):
    return "none" if value is None else "unknown" if value == "" else value


def _equal(part, was, now):
    if part == "memory" and was is not None and now is not None:
        return abs(was - now) <= 1 + was // 100
    return was == now
