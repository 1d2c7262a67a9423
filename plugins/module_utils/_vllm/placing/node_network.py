# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a node of several says to vLLM: its rank, the master, its own address and the interface that has it.

PRIVATE to the collection. Pure. TP stays inside a node, PP and DP go across.
"""

from __future__ import annotations

from . import parallel_sizes
from .parallel_sizes import CannotPlace


def arguments(instance, asked):
    """The flags for this node. Ray's driver, on the first node, has one flag; Ray itself starts the others' workers."""
    several = instance.get("several")
    if not several or several["nnodes"] < 2:
        return {}
    if parallel_sizes.is_ray(instance):
        return {"distributed-executor-backend": "ray"}
    told = {"nnodes": several["nnodes"], "node-rank": several["node_rank"], "master-addr": several["master_addr"],
            "master-port": several["master_port"]}
    if several["node_rank"]:
        told["headless"] = True
    return told


def crossing(asked, on_node):
    """A sentence where a tensor-parallel group is larger than a node (R30), or None."""
    if asked[parallel_sizes.TENSOR] <= on_node:
        return None
    return "each tensor-parallel group of %d spans nodes with %d GPUs each: every layer waits for the network; a " \
           "pipeline-parallel size that keeps it inside a node is faster where the model fits (R30)" % (
               asked[parallel_sizes.TENSOR], on_node)


def environment(instance, topology, addresses, nccl):
    """(variables, why) by which the nodes find one another. `nccl` is what NCCL has from files already.

    `addresses` is {address: interface} of this node. Raises CannotPlace for an address that is not this node's.
    """
    several = instance.get("several")
    if not several or several["nnodes"] < 2:
        return {}, None
    address = several["address"]
    told = {"VLLM_HOST_IP": address}
    interface = several.get("interface") or interface_of(address, topology, addresses)
    if interface is None:
        known = sorted(set(addresses) | set(_on_nics(topology)))
        if known and address not in known:
            raise CannotPlace("the address %s is none of this node's: %s" % (address, ", ".join(known)))
        return told, "no interface is known to have %s: NCCL and Gloo look for one themselves" % address
    told.update(GLOO_SOCKET_IFNAME=interface, TP_SOCKET_IFNAME=interface)
    if "NCCL_SOCKET_IFNAME" not in nccl:
        told["NCCL_SOCKET_IFNAME"] = "=" + interface
    return told, "%s has %s" % (interface, address)


def interface_of(address, topology, addresses):
    """The interface with an address, or None. All of 127.0.0.0/8 is the loopback's, whatever it lists."""
    if address.startswith("127."):
        return "lo"
    return addresses.get(address) or _on_nics(topology).get(address)


def _on_nics(topology):
    """{address: name} of the NICs of the fact."""
    return {address.partition("/")[0]: nic["name"] for nic in topology.get("nics") or ()
            for address in nic.get("addresses") or ()}
