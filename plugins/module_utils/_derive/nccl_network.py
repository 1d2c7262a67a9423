# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the link layer and the declared fabric decide of NCCL's environment: traffic class, rails, retries.

PRIVATE to the collection. Pure. Every function gives {variable: (value or None, why)}.
"""

from __future__ import annotations

import re

from . import traffic_class as class_of
from .rdma_rails import ETHERNET, INFINIBAND

LARGE = 1024  # GPUs of a cluster, beyond which a retry may take longer than NCCL's default allows.
_MERGE_POLICY = (2, 30, 5)


def classes(topology, ports, roce, fabric, given):
    """The traffic class is for RoCE, the service level for InfiniBand."""
    layers = _class(topology, given)
    infiniband = [port for port in ports if port["layer"] == INFINIBAND]
    unlike = {"infiniband": roce, "ethernet": infiniband}.get(fabric)
    odd = ", though the inventory declares %s" % fabric if unlike else ""
    traffic = layers[ETHERNET].get("NCCL_IB_TC")
    told = "the inventory's traffic class" if given is not None else "the default traffic class"
    if roce and traffic is not None:
        mixed = "; InfiniBand, which is here too (%d), does not read it" % len(infiniband) if infiniband else ""
        why = "%s, DSCP %d, for %d port%s on Ethernet (rdma_devices)%s%s" % (
            told, traffic >> 2, len(roce), "" if len(roce) == 1 else "s", odd, mixed)
        found = {"NCCL_IB_TC": (str(traffic), why),
                 "NCCL_GIN_IB_TC": (str(layers[ETHERNET].get("NCCL_GIN_IB_TC", traffic)),
                                    "the class of NCCL_IB_TC, for communication that kernels start (GIN)")}
    else:
        why = "InfiniBand has no traffic class, only a service level (rdma_devices)" + odd if infiniband else (
            "no link layer is known of the ports: declare the fabric")
        found = dict.fromkeys(("NCCL_IB_TC", "NCCL_GIN_IB_TC"), (None, why))
    level = layers[INFINIBAND].get("NCCL_IB_SL")
    if infiniband and not roce and level is not None:
        found["NCCL_IB_SL"] = (str(level), "the inventory's service level for InfiniBand, where all %d ports are "
                               "(rdma_devices)%s" % (len(ports), odd))
    else:
        found["NCCL_IB_SL"] = (None, _no_level(roce, infiniband))
    return found


def _no_level(roce, infiniband):
    if roce and infiniband:
        return "ports on InfiniBand and on Ethernet (rdma_devices): on Ethernet it would be another priority"
    if roce:
        return "on Ethernet it is the priority of a VLAN tag, which NICs that trust DSCP do not look at"
    return "no link layer is known of the ports: declare the fabric" if not infiniband else (
        "0, the default; the inventory declares no service level (traffic_class)")


def _class(topology, given):
    """{link layer: variables}: of the filter's answer, of a byte, or of the default class. Raises ValueError."""
    if isinstance(given, dict) and isinstance(given.get("link_layers"), dict):
        return {layer: given["link_layers"].get(layer) or {} for layer in (ETHERNET, INFINIBAND)}
    if given is None:
        return class_of.traffic_class(topology)["link_layers"]
    if isinstance(given, bool) or not re.match(r"[0-9]{1,3}\Z", str(given)) or int(given) > 255:
        raise ValueError("traffic_class: %r is neither what gpuwright.node.traffic_class gives nor a number from 0 to "
                         "255" % (given,))
    return {ETHERNET: {"NCCL_IB_TC": int(given)}, INFINIBAND: {}}


# -- what the fabric and its size decide -------------------------------------------------------------------------------


def of_fabric(ports, roce, rails, told):
    """`rails` is [rail of each port] where NCCL is told them, else None; `told` is what the inventory says."""
    return {"NCCL_CROSS_NIC": _cross_nic(ports, told["fabric"], told["inter_rail_path"]),
            "NCCL_IB_QPS_PER_CONNECTION": (None, "1, the default; 2 to 4 may spread flows better over equal paths on "
                                           "Ethernet: measure first" if roce else "1, the default; InfiniBand spreads "
                                           "packets itself (adaptive routing)"),
            "NCCL_IB_TIMEOUT": _timeout(told["workload"], told["cluster_gpus"]),
            "NCCL_NET_MERGE_POLICY": _merge_policy(ports, rails, told["version"])}


def _cross_nic(ports, fabric, inter_rail_path):
    if len(ports) < 2:
        return None, "it means nothing with one NIC (gpu_nics)"
    if fabric == "rail" and inter_rail_path is False:
        return "0", "the inventory declares rails with no path from one to another (fabric, inter_rail_path)"
    if fabric == "rail":
        return None, "2, the default, keeps to a rail where that is no slower; rails have a path between them (fabric)"
    if fabric == "single_switch":
        return "1", "the inventory declares that all NICs are on one switch (fabric), so any may talk to any"
    return None, "2, the default; the inventory declares neither rails nor a single switch (fabric)"


def _timeout(workload, gpus):
    if workload != "training":
        return None, "20, the default: some 30 s until a connection is given up"
    if gpus is None or gpus <= LARGE:
        return None, "20, the default; 22 is for training on more than %d GPUs (cluster_gpus)" % LARGE
    return "22", "training on %d GPUs, more than %d (cluster_gpus): some 2 minutes until a connection is given up" % (
        gpus, LARGE)


def _merge_policy(ports, rails, version):
    """Two ports of one card are made one device, unless NCCL knows that they are on different rails."""
    cards = [(port["address"] or port["device"]).rpartition(".")[0] or port["device"] for port in ports]
    shared = {card for card in cards if cards.count(card) > 1}
    if not shared:
        return None, "ALL, the default, merges the ports of a card, and no two of these are on one (rdma_devices)"
    apart = rails and any(len({rail for rail, card in zip(rails, cards) if card == one}) > 1 for one in shared)
    if not apart:
        return None, "ALL, the default; NCCL is not told that ports of one card are on different rails (fabric)"
    if version < _MERGE_POLICY:
        return None, "ports of one card are on different rails, which NCCL keeps apart since 2.30.5 only (min_version)"
    return "RAIL", "ports of one card are on different rails (fabric), which ALL, the default, would make one device"
