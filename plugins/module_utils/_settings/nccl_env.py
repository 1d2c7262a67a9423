# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role nccl_env: the environment of NCCL, for every job, service and container of the node.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._cpu_values import Text
from .._nccl_text import NcclInt, NcclWord
from .._nccl_values import (
    NcclAddressRange,
    NcclAlgo,
    NcclDevicesPolicy,
    NcclExtra,
    NcclGdrLevel,
    NcclHcaList,
    NcclHostPort,
    NcclInterfaces,
    NcclPath,
    NcclProto,
    NcclSubsystems,
)
from .._row import document, nccl_conf
from .._rules import (
    gid,
    hca,
    nccl_nothing,
    nccl_replaced,
    nccl_topology,
    nccl_value,
    rail_order,
    roce_class,
    socket_interface,
)

_ENV = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html"


def _row(name, value, doc):
    return nccl_conf("NCCL_" + name, value, variable="nccl_env_" + name.lower(), source=_ENV, doc=doc)


_NETWORK = (
    _row("IB_HCA", NcclHcaList(),
         "The RDMA ports that NCCL uses; with a C(=) that begins the list these alone, without one all whose names "
         "begin so. One that matches nothing sends all traffic over TCP, and NCCL says nothing."),
    _row("SOCKET_IFNAME", NcclInterfaces(),
         "The interfaces by which ranks find one another, and of TCP where there is no RDMA."),
    _row("SOCKET_FAMILY", NcclWord("AF_INET", "AF_INET6"), "The address family of those interfaces."),
    _row("IB_TC", NcclInt(0, 255),
         "The traffic class byte of RoCE: DSCP times four. It has to arrive in the priority that PFC protects. On "
         "InfiniBand it is not used."),
    _row("GIN_IB_TC", NcclInt(0, 255), "The same for communication that kernels of the GPU start."),
    _row("IB_FIFO_TC", NcclInt(0, 255), "The same for control messages, on Ethernet only."),
    _row("IB_SL", NcclInt(0, 15), "The service level on InfiniBand, as the subnet manager has it."),
    _row("IB_GID_INDEX", NcclInt(-1, 255),
         "The entry of the GID table of every port. Since 2.21 NCCL finds it by itself, and an index that is right now "
         "is another entry after the next address or VLAN."),
    _row("IB_ADDR_FAMILY", NcclWord("AF_INET", "AF_INET6"), "The addresses among which NCCL finds the GID by itself."),
    _row("IB_ADDR_RANGE", NcclAddressRange(),
         "The subnet among whose addresses it does, where a port has several."),
    _row("IB_ROCE_VERSION_NUM", NcclInt(1, 2), "The RoCE version of the entries among which it does."),
    _row("IB_TIMEOUT", NcclInt(14, 25),
         "How long a NIC waits for an answer before it sends again: 4.096 us times two to the power of it, from 67 ms "
         "at 14 to 137 s at 25. What is less takes a full switch for a dead peer, and 0 or 32 wait for ever."),
    _row("IB_RETRY_CNT", NcclInt(0, 7), "How often it sends again before the job fails."),
    _row("IB_QPS_PER_CONNECTION", NcclInt(1, 128),
         "Queue pairs of a connection: several find several ways through an Ethernet fabric that hashes flows."),
    _row("IB_SPLIT_DATA_ON_QPS", NcclInt(0, 1), "Whether each message is split over them, or they take turns."),
    _row("IB_MERGE_NICS", NcclInt(0, 1), "Whether the ports of one card are one NIC to NCCL."),
    _row("NET_MERGE_POLICY", NcclWord("ALL", "RAIL"), "Which ports those are: all, or those of one rail."),
    _row("NETDEVS_POLICY", NcclDevicesPolicy(),
         "How many NICs a GPU uses."),
    _row("CROSS_NIC", NcclInt(0, 2),
         "Whether a ring may leave a node by one NIC and enter the next by another: 0 never, 1 always, 2 where that "
         "is better."),
)

_JOB = (
    _row("TOPO_FILE", NcclPath(),
         "A file that tells NCCL the PCI tree, where a virtual machine hides it. On bare metal NCCL sees it."),
    _row("DEBUG", NcclWord("VERSION", "WARN", "INFO", "TRACE"), "What NCCL writes into the log of a job."),
    _row("DEBUG_SUBSYS", NcclSubsystems(), "Of which parts, at C(INFO). C(COLL) logs every call."),
    _row("DEBUG_FILE", NcclPath(), "A file for it instead: %h is the host, %p the process."),
    _row("RAS_ENABLE", NcclInt(0, 1), "Whether a job answers questions about its own health."),
    _row("RAS_ADDR", NcclHostPort(), "Where it does; a second user's job on a node needs another port."),
    _row("IGNORE_CPU_AFFINITY", NcclInt(0, 1),
         "Whether NCCL's threads take the CPUs near the GPU although the job is held to others."),
    _row("MIN_CTAS", NcclInt(1, 64), "The fewest blocks of a kernel of NCCL, each of which takes an SM."),
    _row("MAX_CTAS", NcclInt(1, 64), "The most of them; a low number takes bandwidth."),
    _row("NVLS_ENABLE", NcclInt(0, 2), "NVLink SHARP: 0 off, 1 on, 2 where it can be had. 1 does no more than 2."),
    _row("DMABUF_ENABLE", NcclInt(0, 1), "GPUDirect by DMA-BUF, where kernel and driver have it."),
    _row("CUMEM_HOST_ENABLE", NcclInt(0, 1), "Shared host memory by CUDA, which in a container needs C(SYS_NICE)."),
)

_DEBUGGING = (
    _row("ALGO", NcclAlgo(),
         "Pins the algorithm of collectives. C(auto) is none, and every communicator fails; C(Tree) alone breaks those "
         "that have no tree; C(Ring) switches off NVLink SHARP."),
    _row("PROTO", NcclProto(),
         "Pins the protocol. C(Simple) alone takes the low latency of small messages; C(LL128) where the platform does "
         "not have it corrupts data."),
    _row("BUFFSIZE", NcclInt(65536, (1 << 31) - 1), "Bytes of each of NCCL's buffers; in bytes only: 4M is 4 to NCCL."),
    _row("NTHREADS", NcclInt(64, 512, multiple=32), "Threads of a block of such a kernel. Blocks take SMs, not these."),
    _row("MIN_NCHANNELS", NcclInt(1, 64), "The old name of C(NCCL_MIN_CTAS)."),
    _row("MAX_NCHANNELS", NcclInt(1, 64), "The old name of C(NCCL_MAX_CTAS)."),
    _row("NET_GDR_LEVEL", NcclGdrLevel(),
         "How far apart a GPU and a NIC may be for GPUDirect; C(SYS), which a guide calls 5, forces it across sockets. "
         "It does not switch GPUDirect on."),
    _row("IB_DISABLE", NcclInt(0, 1), "Whether RDMA is left aside. 0 is the default and switches nothing on."),
    _row("IB_PCI_RELAXED_ORDERING", NcclInt(0, 2),
         "Relaxed ordering on PCIe: 0 off, 1 or fail, 2 where it can be had. It has nothing to do with ECN."),
)

_NAMED = _NETWORK + _JOB + _DEBUGGING

ROWS = _NAMED + (
    nccl_conf("NCCL_*", NcclExtra({row.name: row.variable for row in _NAMED}), variable="nccl_env_further", source=_ENV,
              devices="nccl_env_further_names", doc="Any other variables that NCCL knows, by name."),
    document("nccl-topo.xml", Text(), variable="nccl_env_topology", source=_ENV,
             doc="The PCI tree of a virtual machine as it was declared, as C(/etc/gpuwright/nccl-topo.xml) has it."),
)

OPTIONS = (
    {"name": "nccl_env_fabric", "type": "raw", "nullable": True,
     "choices": ["rail", "single_switch", "infiniband", "ethernet"],
     "doc": "How the rails of GPUs are cabled; null where that is not declared."},
    {"name": "nccl_env_workload", "type": "str", "choices": ["inference", "training"],
     "doc": "What the node is for."},
    {"name": "nccl_env_min_version", "type": "str",
     "doc": "The oldest NCCL that a job here brings, such as V(2.21)."},
    {"name": "nccl_env_multi_node", "type": "raw",
     "doc": "Whether any job goes beyond its node; null for maybe."},
    {"name": "nccl_env_cluster_gpus", "type": "raw",
     "doc": "GPUs of the cluster that jobs span; null for no more than a thousand."},
    {"name": "nccl_env_compute_nics", "type": "list",
     "doc": "The NICs that serve GPUs, in the order of the rails: RDMA devices, interfaces or PCI addresses. Null for "
            "those that the topology shows."},
    {"name": "nccl_env_storage_nics", "type": "list",
     "doc": "The NICs that serve storage, named alike."},
    {"name": "nccl_env_socket_interfaces", "type": "list",
     "doc": "The interfaces by which ranks find one another; null for that of the default route."},
    {"name": "nccl_env_inter_rail_path", "type": "bool",
     "doc": "Whether a rail fabric has a way from one rail to another."},
    {"name": "nccl_env_address_family", "type": "str", "choices": ["IPv4", "IPv6"],
     "doc": "The addresses that RoCE goes by."},
    {"name": "nccl_env_traffic_class", "type": "dict",
     "doc": "The class of RoCE's traffic, by the filter C(gpuwright.node.traffic_class)."},
    {"name": "nccl_env_pcie_switches", "type": "raw",
     "doc": "Of a virtual machine that hides it: which GPUs and NICs share a PCIe switch."},
    {"name": "nccl_env_derived", "type": "dict",
     "doc": "What follows from the topology and from what is declared, with the reason of each, by the filter "
            "C(gpuwright.node.nccl_env)."},
    {"name": "nccl_env_further_names", "type": "list",
     "doc": "The names of the further variables."},
    {"name": "nccl_env_debugging", "type": "bool",
     "doc": "Lets variables through that NVIDIA says should not be set in production."},
)

RULES = (nccl_value.r19_version, nccl_value.r19_written, nccl_value.r19_left_behind, roce_class.r6_sent_and_protected,
         hca.r10_list, hca.r10_left_to_nccl, hca.declared_fabric, hca.r20_conf_syntax, hca.r20_container,
         gid.r21_gid_index, gid.r21_subnets, rail_order.r11_rail_order,
         socket_interface.socket_interface, nccl_topology.declared, nccl_topology.hidden, nccl_topology.file_here,
         nccl_nothing.nothing_set, nccl_replaced.lost_lines)
