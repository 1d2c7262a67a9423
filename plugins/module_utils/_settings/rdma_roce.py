# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role rdma_roce: one traffic class from NIC to application, and what RDMA needs of a node.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._cpu_values import Json, Text
from .._device_values import PerDevice
from .._limit_values import Limit
from .._qos_values import DscpMap, Eight, Priorities
from .._row import dcb, device_attribute, document, logind, pam_limit, rdma_cm, unit_limit
from .._rules import gid, limit, memlock, rdma_node, rdma_rail, roce_class, roce_owner, roce_port
from .._values import Int, Word

_DCB = "https://man7.org/linux/man-pages/man8/dcb.8.html"
_PFC = "https://man7.org/linux/man-pages/man8/dcb-pfc.8.html"
_APP = "https://man7.org/linux/man-pages/man8/dcb-app.8.html"
_ETS = "https://man7.org/linux/man-pages/man8/dcb-ets.8.html"
_CC = "https://github.com/Mellanox/nic-configuration-operator"
_CM = "https://docs.kernel.org/ABI/testing/configfs-rdma_cm.html"
_LIMITS = "https://www.freedesktop.org/software/systemd/man/latest/systemd.exec.html"
_NCCL = "https://docs.nvidia.com/deeplearning/nccl/user-guide/docs/env.html"
_INTERFACES, _DEVICES = "rdma_roce_interfaces", "rdma_roce_rdma_devices"
_ECN = "/sys/class/net/{device}/ecn/"

_LINK = (
    dcb("dcb/dcbx", Word("os", "fw"), devices=_INTERFACES, variable="rdma_roce_dcbx", source=_DCB,
        doc="Who decides over the following: the host, or the NIC's firmware with what the switch proposes."),
    dcb("dcb/trust", Word("dscp", "pcp"), devices=_INTERFACES, variable="rdma_roce_trust", source=_APP,
        doc="What picks the priority of a packet that arrives: its DSCP, or the tag of its VLAN, which untagged "
            "packets do not have."),
    dcb("dcb/dscp-prio", DscpMap(), devices=_INTERFACES, variable="rdma_roce_dscp_prio", source=_APP,
        doc="The priority of single DSCPs, where it is not DSCP / 8."),
    dcb("dcb/ets-tsa", PerDevice(Eight(Word("strict", "ets", "cbs", "vendor"))), devices=_INTERFACES,
        variable="rdma_roce_ets_tsa", source=_ETS,
        doc="How each of the eight traffic classes is scheduled."),
    dcb("dcb/tc-bw", PerDevice(Eight(Int(0, 100), total=100)), devices=_INTERFACES, variable="rdma_roce_tc_bw",
        source=_ETS, doc="The share of each traffic class in percent, 0 for one that is not scheduled by ets."),
    dcb("dcb/prio-tc", PerDevice(Eight(Int(0, 7))), devices=_INTERFACES, variable="rdma_roce_prio_tc", source=_ETS,
        doc="The traffic class, which is a queue, of each of the eight priorities."),
    dcb("dcb/prio-pfc", Priorities(), devices=_INTERFACES, variable="rdma_roce_pfc", source=_PFC,
        doc="The priorities in which a full queue pauses the other side and loses nothing. One is enough: each more "
            "takes buffer from it, and spreads congestion to who has no part in it."),
    device_attribute("ecn/roce_np/enable", Priorities(), _ECN + "roce_np/enable/*", devices=_INTERFACES,
                     variable="rdma_roce_ecn_np", source=_CC, disruption="link",
                     doc="The priorities in which the NIC answers a congestion mark with a notification. Only the "
                         "drivers of OFED or DOCA have it."),
    device_attribute("ecn/roce_rp/enable", Priorities(), _ECN + "roce_rp/enable/*", devices=_INTERFACES,
                     variable="rdma_roce_ecn_rp", source=_CC, disruption="link",
                     doc="The priorities in which the NIC slows down when it gets such a notification. Only the "
                         "drivers of OFED or DOCA have it."),
    device_attribute("ecn/roce_np/cnp_dscp", Int(0, 63), _ECN + "roce_np/cnp_dscp", devices=_INTERFACES,
                     variable="rdma_roce_cnp_dscp", source=_CC, disruption="link",
                     doc="The DSCP of notifications. Only the drivers of OFED or DOCA have it."),
    device_attribute("ecn/roce_np/cnp_802p_prio", Int(0, 7), _ECN + "roce_np/cnp_802p_prio", devices=_INTERFACES,
                     variable="rdma_roce_cnp_priority", source=_CC, disruption="link",
                     doc="The priority of notifications in the tag of a VLAN. Only the drivers of OFED or DOCA have "
                         "it."),
    rdma_cm("rdma_cm/default_roce_tos", Int(0, 255), devices=_DEVICES, variable="rdma_roce_tos", source=_CM,
            doc="The traffic class byte of connections that the RDMA connection manager sets up, as storage does. NCCL "
                "does not use it, and goes by C(NCCL_IB_TC)."),
)

_HOST = (
    unit_limit("LimitMEMLOCK", Limit(), devices="rdma_roce_services", variable="rdma_roce_memlock", source=_LIMITS,
               doc="The memory that services which start RDMA jobs, and their jobs, may lock. Never lowered. systemd "
                   "and containers do not read limits.conf."),
    pam_limit("memlock", Limit(), variable="rdma_roce_memlock_logins",
              source="https://man7.org/linux/man-pages/man5/limits.conf.5.html",
              doc="The memory that processes of people who log in may lock. Never lowered."),
    logind("RemoveIPC", Word("no", "yes"), variable="rdma_roce_remove_ipc",
           source="https://www.freedesktop.org/software/systemd/man/latest/logind.conf.html",
           doc="Whether a user's shared memory is deleted when the last session ends, that of NCCL jobs that still run "
               "with it."),
    document("traffic_class.json", Json(), variable="rdma_roce_published", source=_NCCL,
             doc="What C(/etc/gpuwright/traffic_class.json) tells role C(nccl_env) and launchers: the declared class, "
                 "and what an application sends on each link layer."),
    document("fabric.txt", Text(), variable="rdma_roce_fabric_report", source=_PFC,
             doc="What the switches need for this class, line by line, for the fabric team, as "
                 "C(/etc/gpuwright/fabric.txt) has it."),
)

ROWS = _LINK + _HOST

OPTIONS = (
    {"name": "rdma_roce_priority", "type": "int",
     "doc": "The one lossless priority."},
    {"name": "rdma_roce_dscp", "type": "int",
     "doc": "The DSCP of that traffic. With the priority above it is the class that all other values follow from."},
    {"name": "rdma_roce_class", "type": "dict",
     "doc": "The class and all that follows from it, by the filter C(gpuwright.node.traffic_class)."},
    {"name": "rdma_roce_infiniband_sl", "type": "raw",
     "doc": "The service level to send with on InfiniBand, as the subnet manager has it; null for its default."},
    {"name": "rdma_roce_compute_nics", "type": "list",
     "doc": "The NICs that serve GPUs: RDMA devices, interfaces or PCI addresses. Null for those that the topology "
            "shows."},
    {"name": "rdma_roce_storage_nics", "type": "list",
     "doc": "The NICs that serve storage, named alike. Null for all others but those that people log in through."},
    {"name": "rdma_roce_interfaces", "type": "list",
     "doc": "The interfaces whose priorities are set."},
    {"name": "rdma_roce_rdma_devices", "type": "list",
     "doc": "The RDMA devices with RoCE that the class is for."},
    {"name": "rdma_roce_expected_rate", "type": "raw",
     "doc": "The rate that ports must have in Gb/s, or a dict of device or interface to that. Null compares rails with "
            "one another."},
    {"name": "rdma_roce_mtu", "type": "raw",
     "doc": "The MTU that interfaces with RoCE must have; role C(network) sets it. Null is content with room for 4096 "
            "bytes."},
    {"name": "rdma_roce_address_family", "type": "str", "choices": ["IPv4", "IPv6"],
     "doc": "The addresses that RoCE goes by."},
    {"name": "rdma_roce_services", "type": "list",
     "doc": "The services that start RDMA jobs. What is not installed is left out."},
    {"name": "rdma_roce_ibnetdiscover", "type": "bool",
     "doc": "Whether the cabling of InfiniBand ports is checked with C(ibnetdiscover), which asks every switch of the "
            "fabric."},
    {"name": "rdma_roce_apply", "type": "bool",
     "doc": "Lets the settings of a link through that were tried on no real NIC yet. Without it they are only "
            "checked."},
)

RULES = (roce_class.r6_in_force, roce_class.r7_unset, roce_class.r8_agree,
         roce_class.r9_wrong_layer, roce_class.r36_notifications,
         roce_port.port_state, roce_port.port_rate, roce_port.r26_mtu, gid.gid_table,
         rdma_rail.storage_as_rail, rdma_rail.one_subnet,
         rdma_rail.lldp_cabling, rdma_rail.infiniband_cabling, memlock.r15_jobs, memlock.r15_services,
         limit.services_are_known, limit.slurm_propagates, limit.docker_ulimits, limit.logins, limit.stack,
         limit.r35_shm, limit.r35_remove_ipc,
         roce_owner.r27_by_hand, roce_owner.other_scripts, roce_owner.dcbx_owner, roce_owner.unseen,
         roce_owner.ofed_only)

_NO_RDMA = "there is no RDMA device here"
_INFINIBAND = "all RDMA ports here are InfiniBand: priorities and service levels are the subnet manager's"
_FOR_GPUS = ("the RDMA ports that serve GPUs and storage are InfiniBand, where priorities and service levels are the "
             "subnet manager's")
_IWARP = "no RDMA port here is RoCE"
_NEITHER = "no RoCE port here serves GPUs or storage: name those that do in rdma_roce_compute_nics"


def withhold(view, options, names):
    """{name: why} of what has no place on this node: without RDMA all but what GPUs need too that share memory, and
    what is Ethernet's on InfiniBand.
    """
    layers = {port["link_layer"] for device in view.topology("rdma_devices") for port in device["ports"]}
    if not view.topology("rdma_devices"):
        shared = ("RemoveIPC",) if len(view.topology("gpus")) > 1 else ()
        return dict.fromkeys([name for name in names if name not in shared], _NO_RDMA)
    chosen = [options.get(name) for name in (_INTERFACES, _DEVICES)]
    if rdma_node.ETHERNET in layers and (None in chosen or any(chosen)):
        return {}
    why = {(True, True): _FOR_GPUS, (True, False): _INFINIBAND, (False, True): _NEITHER, (False, False): _IWARP}[
        rdma_node.INFINIBAND in layers, rdma_node.ETHERNET in layers]
    return {row.name: why for row in _LINK if row.name in names}
