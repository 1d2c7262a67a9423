# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the NICs that serve GPUs should carry, in GB/s per direction: their ports, bounded by their PCIe links.

PRIVATE to the collection. Pure. A NIC that is down or slower than the others of its model counts as these: what is
expected of a node is what it was built for, or a fault would lower its own bar. Each such NIC is said.
"""

from __future__ import annotations

from .interconnect import pcie_bandwidth, port_bandwidth

DOWN = "DOWN"
_BEHIND_A_SWITCH = ("PIX", "PXB")


def of_gpus(topology, gpus):
    """The names of the RDMA devices that some GPUs have, or should have, each once, in the order of the fact."""
    nearest = topology.get("gpu_nics") or {}
    chosen = {name for gpu in gpus for name in nearest.get(str(gpu["index"])) or ()}
    chosen |= _lost(topology, {gpu["index"] for gpu in gpus})
    return [device["name"] for device in topology.get("rdma_devices") or () if device["name"] in chosen]


def _lost(topology, indexes):
    """The devices without a link that would serve some GPUs: behind a switch with one, of a model that serves GPUs."""
    serving = {name for names in (topology.get("gpu_nics") or {}).values() for name in names}
    devices = topology.get("rdma_devices") or ()
    models = {_model(device) for device in devices if device["name"] in serving} - {None}
    down = {device["name"] for device in devices if _model(device) in models and device["name"] not in serving
            and all(port.get("state") == DOWN for port in device["ports"])}
    best = {}
    for path in topology.get("pci_paths") or ():
        if path["gpu"] in indexes and path["device"] in down | serving and path["kind"] in _BEHIND_A_SWITCH:
            # PIX before PXB: what is behind the same switch as another GPU is not this one's.
            best.setdefault(path["gpu"], {}).setdefault(path["kind"], set()).add(path["device"])
    return {name for kinds in best.values() for name in kinds[min(kinds)] & down}


def rates(topologies):
    """([{device: GB/s or None} for each node], [sentence on a NIC that is not as the others of its model])."""
    serving = [of_gpus(topology, topology.get("gpus") or ()) for topology in topologies]
    now = [{device["name"]: (_model(device), _now(topology, device)) for device in topology.get("rdma_devices") or ()
            if device["name"] in names} for topology, names in zip(topologies, serving)]
    best = {}
    for one in now:
        for model, rate in one.values():
            best[model] = max(best.get(model) or 0, rate or 0)
    told = ["%s%s is at %s, and counted with the %.1f GB/s of the others of its model" % (
        _host(topology, topologies), name, "%.1f GB/s" % rate if rate else "no rate", best[model])
        for topology, one in zip(topologies, now) for name, (model, rate) in one.items()
        if model and best[model] > (rate or 0)]
    return [{name: (best[model] if model else rate) or None for name, (model, rate) in one.items()}
            for one in now], told


def together(topology, names, rate_of):
    """GB/s of several devices of one node: functions of one card share its link. None if one is unknown, or none."""
    devices = {device["name"]: device for device in topology.get("rdma_devices") or ()}
    cards = {}
    for name in names:
        cards.setdefault((devices[name].get("pci_address") or name).rpartition(".")[0] or name, []).append(name)
    total = 0
    for members in cards.values():
        if None in [rate_of.get(name) for name in members]:
            return None
        carried = sum(rate_of[name] for name in members)
        slot = _slot(topology, devices[members[0]])
        total += min(carried, slot) if slot and len(members) > 1 else carried
    return total or None


def _model(device):
    """What devices that should be equal share: the board of the vendor, or nothing."""
    return device.get("board_id")


def _now(topology, device):
    """GB/s of a device as it is: its ports that are up, at most what its PCIe link carries."""
    ports = [port_bandwidth(port.get("rate")) or 0 for port in device["ports"] if port.get("state") != DOWN]
    slot = _slot(topology, device)
    return (min(sum(ports), slot) if slot else sum(ports)) or None


def _slot(topology, device):
    """GB/s of a device's PCIe link; None where it is not known, and in a guest, which sees what it is shown."""
    if (topology.get("system") or {}).get("virtualization") not in (None, "none"):
        return None
    link = device.get("link") or {}
    return pcie_bandwidth(link.get("speed"), link.get("width"))


def _host(topology, topologies):
    name = (topology.get("system") or {}).get("hostname")
    return "%s: " % name if name and len(topologies) > 1 else ""
