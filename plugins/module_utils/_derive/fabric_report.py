# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the switches have to be told so that the nodes' traffic class holds end to end, as text for the fabric team.

PRIVATE to the collection. Pure. It is what /etc/gpuwright/fabric.txt holds. The lines are the vendors' own syntax for
this class; buffers and thresholds depend on the switch and are left to it, or named as a place to start from.
"""

from __future__ import annotations

from . import rdma_rails

# NVIDIA's profile for RoCE comes with this class: switch priority 3 for DSCP 26, notifications on 6.
_PROFILE = (3, 26, 6, 48)
_SUBNET_MANAGER = """InfiniBand
The subnet manager decides on service levels, virtual lanes and adaptive routing, not the nodes. On its host:
  Adaptive routing: with NVIDIA's subnet manager the routing engine is ar_updn (or ar_ftree), and ar_sl_mask says which
  service levels it routes adaptively, 0xffff for all. OpenSM as it comes with Linux has none.
  Nodes send on service level %s; NCCL_IB_TC means nothing there, since NCCL sends no global routing header.
  Look at it with ibdiagnet or UFM: sminfo says nothing of adaptive routing."""


def ports_of(topology, devices):
    """[{device, netdev, rate, mtu, layer}] of the ports of these RDMA devices."""
    mtus = {nic["name"]: nic.get("mtu") for nic in topology.get("nics") or ()}
    return [{"device": device["name"], "netdev": port.get("netdev"), "rate": port.get("rate"),
             "mtu": mtus.get(port.get("netdev")), "layer": port.get("link_layer")}
            for device in topology.get("rdma_devices") or () if device["name"] in devices for port in device["ports"]]


def of_node(topology, declared, compute_nics=None, storage_nics=None):
    """The text for one node; its ports are those of its RDMA devices for GPUs and storage. Raises ValueError."""
    if not isinstance(declared, dict) or "link_layers" not in declared:
        raise ValueError("the class must be what the filter gpuwright.node.traffic_class gives")
    names = rdma_rails.compute(topology, compute_nics) + rdma_rails.storage(topology, storage_nics, compute_nics)
    return report(declared, ports_of(topology, names or rdma_rails.roce_devices(topology, compute_nics, storage_nics)))


def report(declared, ports):
    """The text. `declared` is from traffic_class.py, `ports` from `ports_of`."""
    ethernet = [port for port in ports if port["layer"] == "Ethernet"]
    parts = ["What the switches need for the traffic class of the GPU nodes (written by gpuwright, role rdma_roce)"]
    if ethernet:
        parts += [_generic(declared), _ports(ethernet), _cumulus(declared), _sonic(declared), _arista(declared),
                  _routing()]
    if any(port["layer"] == "InfiniBand" for port in ports):
        parts.append(_SUBNET_MANAGER % declared["link_layers"]["InfiniBand"].get("NCCL_IB_SL", "0, the default"))
    return "\n\n".join(parts)


def _generic(declared):
    cnp = declared["cnp"]
    return """Every switch on the way, leaf and spine, on every port that carries this traffic
  Trust the DSCP of packets, not the VLAN's priority.
  DSCP {dscp} (traffic class byte {byte}) is priority {priority}, with a queue of its own.
  DSCP {cnp_dscp} (congestion notifications) is priority {cnp_priority}: strict, and without PFC.
  PFC, both ways, on priority {priority} and on no other. A PFC watchdog on, which breaks a deadlock.
  ECN on the queue of priority {priority}. It has to mark before PFC pauses: the threshold to begin with lies well
  below XOFF, some 150 kB at 400 Gb/s, and grows with rate and distance; 80 % of a buffer is too late.
  MTU of 9216 on every port, more than the nodes' own.
  DCBX: off, or with these same values; the nodes do not accept what a switch proposes.""".format(
        dscp=declared["dscp"], byte=declared["traffic_class"], priority=declared["priority"],
        cnp_dscp=cnp["dscp"], cnp_priority=cnp["priority"])


def _ports(ports):
    """One line a port of the node."""
    return "\n".join(["Ports of this node"] + [
        "  %s %s: %s Gb/s, MTU %s" % (
            port["device"], port["netdev"] or "without an interface", _known(port["rate"]), _known(port["mtu"]))
        for port in ports])


def _known(value):
    return "unknown" if value is None else value


def _cumulus(declared):
    priority, dscp = declared["priority"], declared["dscp"]
    cnp = declared["cnp"]
    lines = ["NVIDIA Spectrum with Cumulus Linux 5 (NVUE)", "  nv set qos roce mode lossless"]
    if (priority, dscp, cnp["priority"], cnp["dscp"]) != _PROFILE:
        lines += ["  nv set qos pfc default-global switch-priority %d" % priority] if priority != 3 else []
        lines += ["  nv set qos egress-queue-mapping default-global switch-priority %d traffic-class 3" % priority,
                  "  nv set qos egress-queue-mapping default-global switch-priority 3 traffic-class 0",
                  ] if priority != 3 else []
        lines += ["  nv set qos mapping default-global trust l3",
                  "  nv set qos mapping default-global dscp %d switch-priority %d" % (dscp, priority),
                  "  nv set qos mapping default-global dscp %d switch-priority %d" % (cnp["dscp"], cnp["priority"])]
        if cnp["priority"] != 6:
            lines += ["  nv set qos egress-queue-mapping default-global switch-priority %d traffic-class 6"
                      % cnp["priority"]]
    return "\n".join(lines + ["  nv config apply", "  nv show qos roce"])


def _sonic(declared):
    """The tables of config_db.json, as SONiC's default QoS template has them, for this class."""
    priority, cnp = declared["priority"], declared["cnp"]
    return """SONiC (config_db.json; then: config qos reload, or config reload)
  "DSCP_TO_TC_MAP": {{"ROCE": {{"{dscp}": "{priority}", "{cnp_dscp}": "{cnp}"}}}}   (and a line for every other DSCP)
  "TC_TO_QUEUE_MAP": {{"ROCE": {{"{priority}": "{priority}", "{cnp}": "{cnp}"}}}}
  "TC_TO_PRIORITY_GROUP_MAP": {{"ROCE": {{"{priority}": "{priority}", "{cnp}": "0"}}}}
  "MAP_PFC_PRIORITY_TO_QUEUE": {{"ROCE": {{"{priority}": "{priority}"}}}}
  "PORT_QOS_MAP": {{"PORT": {{"dscp_to_tc_map": "ROCE", "tc_to_queue_map": "ROCE", "tc_to_pg_map": "ROCE",
    "pfc_to_queue_map": "ROCE", "pfc_enable": "{priority}"}}}}
  "WRED_PROFILE": {{"ROCE": {{"ecn": "ecn_all", "wred_green_enable": "true", "green_min_threshold": "150000",
    "green_max_threshold": "1500000", "green_drop_probability": "5"}}}}
  "QUEUE": {{"PORT|{priority}": {{"wred_profile": "ROCE"}}, "PORT|{cnp}": {{"scheduler": "STRICT"}}}}
  "SCHEDULER": {{"STRICT": {{"type": "STRICT"}}}}
  pfcwd start --action drop all 200""".format(
        dscp=declared["dscp"], priority=priority, cnp_dscp=cnp["dscp"], cnp=cnp["priority"])


def _arista(declared):
    priority, cnp = declared["priority"], declared["cnp"]
    return """Arista EOS
  qos map dscp {dscp} to traffic-class {priority}
  qos map dscp {cnp_dscp} to traffic-class {cnp}
  qos map traffic-class {priority} to tx-queue {priority}
  qos map traffic-class {cnp} to tx-queue {cnp}
  priority-flow-control pause watchdog default timeout 0.2
  interface PORT
     mtu 9214
     qos trust dscp
     priority-flow-control on
     priority-flow-control priority {priority} no-drop
     tx-queue {priority}
        random-detect ecn minimum-threshold 150 kbytes maximum-threshold 1500 kbytes max-mark-probability 100 weight 0
     tx-queue {cnp}
        priority strict""".format(
        dscp=declared["dscp"], priority=priority, cnp_dscp=cnp["dscp"], cnp=cnp["priority"])


def _routing():
    return """Load balancing
  RoCE has few and large flows: plain ECMP puts several of them on one link. Adaptive routing (packet spraying) on the
  switches needs NICs that take packets out of order; on Ethernet NCCL leaves it off unless NCCL_IB_ADAPTIVE_ROUTING
  says otherwise. Without it, hash on the UDP source port, and let NCCL open more queue pairs a connection
  (NCCL_IB_QPS_PER_CONNECTION, 2 to 4).
  Rails: NIC k of every node at the same leaf, or every NIC of a node at one leaf; not a mixture."""
