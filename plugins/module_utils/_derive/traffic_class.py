# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one traffic class of RoCE, carried end to end: what each place has to be told so that all of them mean the same.

PRIVATE to the collection. Pure. A packet's DSCP picks its priority at the NIC and at every switch (DSCP >> 3, unless a
map says otherwise); the priority picks the queue and whether PFC protects it. NCCL names the class by the whole traffic
class byte: DSCP << 2, and 2 for ECT(0), without which no switch marks a packet.
"""

from __future__ import annotations

SCHEMA = 1
ECT = 2


def byte(dscp):
    """The traffic class byte of a DSCP, capable of ECN."""
    return dscp << 2 | ECT


def default_priority(dscp):
    """The priority that NICs and switches give a DSCP where no map says otherwise."""
    return dscp >> 3


def traffic_class(topology, priority=3, dscp=26, cnp_priority=6, cnp_dscp=48, infiniband_sl=None):
    """{schema, priority, dscp, traffic_class, cnp, trust, pfc, dscp_prio, link_layers, devices}.

    `dscp_prio` holds only what differs from DSCP >> 3, and is None where nothing does. `link_layers` is what an
    application sends on each: a RoCE port goes by the traffic class, an InfiniBand port by the service level alone.
    `devices` says of each RDMA device of the node which link layer it has, that of its first port. Raises ValueError in
    words.
    """
    priority, cnp_priority = (_number(name, value, 7) for name, value in (
        ("rdma_roce_priority", priority), ("rdma_roce_cnp_priority", cnp_priority)))
    dscp, cnp_dscp = (_number(name, value, 63) for name, value in (
        ("rdma_roce_dscp", dscp), ("rdma_roce_cnp_dscp", cnp_dscp)))
    if cnp_priority == priority or cnp_dscp == dscp:
        raise ValueError("congestion notifications (CNP) need a priority and a DSCP of their own: with those of the "
                         "data, priority %d and DSCP %d, they would wait behind what they are to slow down"
                         % (priority, dscp))
    service_level = _number("rdma_roce_infiniband_sl", infiniband_sl, 15) if infiniband_sl is not None else None
    differing = {str(point): chosen for point, chosen in ((dscp, priority), (cnp_dscp, cnp_priority))
                 if default_priority(point) != chosen}
    value = byte(dscp)
    return {
        "schema": SCHEMA,
        "priority": priority,
        "dscp": dscp,
        "traffic_class": value,
        "cnp": {"priority": cnp_priority, "dscp": cnp_dscp},
        "trust": "dscp",
        "pfc": [priority],
        "dscp_prio": differing or None,
        "link_layers": {
            "Ethernet": {"NCCL_IB_TC": value, "NCCL_GIN_IB_TC": value, "UCX_IB_TRAFFIC_CLASS": value,
                         "NVSHMEM_IB_TRAFFIC_CLASS": value},
            "InfiniBand": {} if service_level is None else {
                "NCCL_IB_SL": service_level, "UCX_IB_SL": service_level, "NVSHMEM_IB_SL": service_level},
        },
        "devices": {device["name"]: device["ports"][0].get("link_layer")
                    for device in topology.get("rdma_devices") or () if device["ports"]},
    }


def _number(name, value, most):
    """An int from 0 to `most`, also where it came as text."""
    text = str(value).strip()
    if isinstance(value, bool) or not text.isdigit() or int(text) > most:
        raise ValueError("%s: %r is not a number from 0 to %d" % (name, value, most))
    return int(text)
