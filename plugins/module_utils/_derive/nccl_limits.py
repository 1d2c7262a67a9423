# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bounds the bus bandwidth of a collective: the links between the GPUs of a node, and the network between nodes.

PRIVATE to the collection. Pure. Bus bandwidth is made such that it equals what one rank's link carries where all carry
alike (nccl-tests, doc/PERFORMANCE.md). A part of the machine bounds it by what it carries in one direction, times
what the operation moves per bus byte through it; then comes what NCCL gets out of such a part in practice.
"""

from __future__ import annotations

from . import interconnect
from .interconnect_table import XGMI

# What NCCL counts on, of what the table has, per NVLink: src/graph/topo.h, SM60_NVLINK_BW to SM100_NVLINK_BW.
NVLINK_EFFICIENCY = {"NVLink 1": 18.0 / 20.0, "NVLink 2": 20.0 / 25.0, "NVLink 3": 20.0 / 25.0,
                     "NVLink 3 of GA102": 12.0 / 14.0625, "NVLink 4": 20.6 / 25.0, "NVLink 5": 40.1 / 50.0}
# AMD: 48 of 64 GB/s, after CRC and protocol; rocm.blogs.amd.com, mi300x-rccl-xgmi.
XGMI_EFFICIENCY = 48.0 / 64.0
# NCCL counts on 12 GB/s of a Gen3 x16 (PCI_BW), less a sixth for peer-to-peer through the processor
# (INTEL_P2P_OVERHEAD): 10 of 15.75. On Gen5 that is 40, and 35 to 45 is what 8x H100 PCIe measure.
PCIE_EFFICIENCY = 12.0 / 1.2 / 15.75
# NVLink SHARP adds up in the switch: an all-reduce of S takes S(n+1)/n out of a GPU, hence 2(n-1)/(n+1) of its links
# (PERFORMANCE.md, in-network reduction). Of that, 8x H100 measure 450 to 480. Blackwell: NCCL's nvlsEfficiency is
# 0.74 where Hopper's is 0.85; 8x B200 measure above 800.
NVLS_EFFICIENCY = {"NVLink 4": 0.68, "NVLink 5": 0.68 * 0.74 / 0.85}
# What a fabric in order gives of its line rate, from 1 GiB on: 0.85 to 0.95; the lower end is expected.
NETWORK_EFFICIENCY = 0.85

RING = ("all_reduce", "all_gather", "reduce_scatter", "broadcast", "reduce")
ALL_PAIRS = ("alltoall", "gather", "scatter")
NEIGHBOURS = ("sendrecv",)


def limit(what, rate, efficiency):
    """One bound: `rate` is what the parts carry in terms of bus bandwidth, None if unknown."""
    return {"what": what, "rate": rate, "efficiency": efficiency, "bandwidth": rate and rate * efficiency}


# -- inside a node -----------------------------------------------------------------------------------------------------


def inside(gpus, operation, ranks, near):
    """The bound that the links between a node's GPUs set, in a job of `ranks`; these links join `near` of them."""
    gpus = interconnect.among(gpus)
    if any(interconnect.peer_links(gpu) is None for gpu in gpus):
        return limit("NVLink: nobody told which GPUs it joins", None, None)
    if operation in RING:
        found = _ring(gpus, operation, ranks)
    elif operation in ALL_PAIRS:
        found = _all_pairs(gpus)
    else:
        found = _neighbours(gpus)
    if operation in ALL_PAIRS and found["rate"]:
        # Of the (n-1)/n that a rank sends only (g-1)/n stay in its node.
        return limit(found["what"], found["rate"] * (ranks - 1) / (near - 1), found["efficiency"])
    return found


def _ring(gpus, operation, ranks):
    """Rings run through all links of each GPU, so that the poorest GPU sets the pace; switches can do better."""
    if not _is_ring(gpus):
        return _pcie(gpus)
    rate = _least([interconnect.nvlink_bandwidth(gpu) for gpu in gpus])
    ring = limit(_kind(gpus), rate, _efficiency(gpus))
    entry = interconnect.product(gpus[0])[0]
    in_switch = NVLS_EFFICIENCY.get(entry["name"]) if entry else None
    if operation == "all_reduce" and in_switch and rate and all(map(interconnect.through_switch, gpus)):
        sharp = limit("NVLink SHARP", rate * 2 * (ranks - 1) / (ranks + 1), in_switch)
        return max(ring, sharp, key=lambda one: one["bandwidth"])
    return ring


def _is_ring(gpus):
    """Whether NVLinks lead around all the GPUs: all in one piece, and no GPU at a dead end."""
    peers = {str(gpu["index"]): set(interconnect.peer_links(gpu)) for gpu in gpus}
    reached, found = [str(gpus[0]["index"])], set()
    while reached:
        one = reached.pop()
        if one not in found:
            found.add(one)
            reached += sorted(peers[one])
    return found == set(peers) and min(map(len, peers.values())) >= min(2, len(gpus) - 1)


def _all_pairs(gpus):
    """Every pair moves the same share: a switch carries all of a GPU's links, a mesh as much as its poorest pair."""
    if not interconnect.nvlink_is_full(gpus):
        return _pcie(gpus)
    rates = [interconnect.nvlink_bandwidth(gpu) for gpu in gpus]
    if not all(map(interconnect.through_switch, gpus)):
        rates += [pair and pair * (len(gpus) - 1) for pair in _pairs(gpus)]
    return limit(_kind(gpus), _least(rates), _efficiency(gpus))


def _neighbours(gpus):
    """Each rank sends to the next: the poorest link between two in a row."""
    if all(map(interconnect.through_switch, gpus)):
        return _all_pairs(gpus)
    following = [interconnect.pair_bandwidth(gpu, peer["index"]) for gpu, peer in zip(gpus, gpus[1:] + gpus[:1])]
    if 0 in following:
        return _pcie(gpus)
    return limit(_kind(gpus), _least(following), _efficiency(gpus))


def _pairs(gpus):
    return [interconnect.pair_bandwidth(gpu, peer["index"]) for gpu in gpus for peer in gpus if peer is not gpu]


def _pcie(gpus):
    """What stays within reach of each pair where some have no NVLink."""
    return limit("PCIe of the GPUs", _least([interconnect.gpu_pcie_bandwidth(gpu) for gpu in gpus]), PCIE_EFFICIENCY)


def _least(rates):
    return None if None in rates else min(rates)


def _kind(gpus):
    entry = interconnect.product(gpus[0])[0]
    return "Infinity Fabric" if entry and entry["kind"] == XGMI else "NVLink"


def _efficiency(gpus):
    entry = interconnect.product(gpus[0])[0]
    return XGMI_EFFICIENCY if entry is None or entry["kind"] == XGMI else NVLINK_EFFICIENCY[entry["name"]]


# -- between nodes -----------------------------------------------------------------------------------------------------


def across(node, operation, ranks):
    """The bounds that a node's way out sets; `node` has gpus, nics(gpus) -> GB/s and pcie(gpus) -> GB/s."""
    gpus = node["gpus"]
    if operation in RING:
        # Rings enter and leave a node through all its NICs at once, whatever the number of ranks.
        users, factor = [gpus], 1
    elif operation == "alltoall":
        # g ranks send (n-g)/n each out of the node, of the (n-1)/n that count.
        users, factor = [gpus], (ranks - 1) / (ranks - len(gpus)) / len(gpus)
    elif operation in ALL_PAIRS:
        # All of it ends, or begins, at the first rank.
        users, factor = [gpus[:1]], (ranks - 1) / (ranks - len(gpus))
    else:
        # Only the last GPU of a node sends to another node, and only the first hears from one.
        users, factor = [gpus[-1:], gpus[:1]], 1
    found = []
    for group in users:
        for what, rate in (("network", node["nics"](group)), ("PCIe between GPUs and NICs", node["pcie"](group))):
            if rate or what == "network":
                found.append(limit(what, rate and rate * factor, NETWORK_EFFICIENCY))
    return found
