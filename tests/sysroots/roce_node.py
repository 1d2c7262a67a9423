# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The training node of eight_gpu.py with NICs whose data center bridging answers, and what role rdma_roce asks of it.

The bridging is that of dcb_node.py, a stand-in: no such NIC was at hand.
"""

from __future__ import annotations

import functools
import types

from ansible_collections.gpuwright.node.plugins.module_utils import _apply, _plan
from ansible_collections.gpuwright.node.plugins.module_utils._derive import fabric_report, rdma_rails, traffic_class
from ansible_collections.gpuwright.node.plugins.module_utils._guard import View
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._settings import rdma_roce
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from tests.sysroots import dcb_node, eight_gpu, rdma_cm_node, service_node
from tests.sysroots.plain_node import process, put

RAILS = tuple("rail%d" % number for number in range(8))
STORAGE = ("storage0", "storage1")
CLASS = traffic_class.traffic_class({})
RIGHT = {"pfc": [3], "app": [[dscp, dscp >> 3] for dscp in range(64)]}


class Node(dcb_node.Nics, rdma_cm_node.Cm, service_node.Services):
    """The host with all that the role changes on it."""


def build(folder, fault=None, nics=None, tools=("dcb",), ofed=False, **files):
    """The node; `nics` is {interface: what differs from a NIC in the right class}, `files` more files."""
    root = dcb_node.build(eight_gpu.build(folder, fault), {}, tools, **files)
    for name in RAILS + STORAGE:
        if (root / "sys/class/net" / name).exists():
            dcb_node.plug(root, name, dcb_node.fresh(**dict(RIGHT, **(nics or {}).get(name, {}))), ofed)
    return root


def build_whole(folder, ofed=False, **files):
    """The node as it is before us: NICs as their driver makes them, services, PAM and configfs."""
    root = build(folder, nics=dict.fromkeys(RAILS + STORAGE, dcb_node.fresh(flags=["host", "ieee"])), ofed=ofed,
                 tools=("dcb", "mlnx_qos"))
    service_node.build(folder, **dict({"/etc/pam.d/sshd": "session required pam_limits.so"}, **files))
    rdma_cm_node.keep(root, {})
    (root / rdma_cm_node.ROOT[1:]).mkdir(parents=True)
    for name in RAILS + STORAGE if ofed else ():
        for priority in range(8):
            for side in ("roce_np", "roce_rp"):
                put(root, "/sys/class/net/%s/ecn/%s/enable/%d" % (name, side, priority), "1")
        put(root, "/sys/class/net/%s/ecn/roce_np/cnp_dscp" % name, "0")
        put(root, "/sys/class/net/%s/ecn/roce_np/cnp_802p_prio" % name, "0")
    return root


def options(root, **changed):
    """The role's options as its defaults derive them from this node's topology, but for those that are changed."""
    given = dict({"rdma_roce_compute_nics": None, "rdma_roce_storage_nics": None, "rdma_roce_apply": False,
                  "rdma_roce_address_family": "IPv4", "rdma_roce_expected_rate": None, "rdma_roce_mtu": None,
                  "rdma_roce_services": ["slurmd.service", "docker.service"], "rdma_roce_ibnetdiscover": False,
                  "rdma_roce_infiniband_sl": None}, **changed)
    fact = topology(root)
    named = (given["rdma_roce_compute_nics"], given["rdma_roce_storage_nics"])
    derived = {"rdma_roce_interfaces": rdma_rails.roce_interfaces(fact, *named),
               "rdma_roce_rdma_devices": rdma_rails.roce_devices(fact, *named),
               "rdma_roce_class": traffic_class.traffic_class(fact)}
    return dict(derived, **given)


def topology(root):
    """The fact, with what the role needs of it."""
    return read_topology(Host(str(root)), ("rdma_devices", "nics", "gpu_nics", "pci_paths"))


def values(root, **changed):
    """What the role's defaults ask for on this node, by row."""
    given = options(root)
    told = given["rdma_roce_class"]
    return dict({
        "dcb/dcbx": "os", "dcb/trust": told["trust"], "dcb/dscp-prio": told["dscp_prio"], "dcb/prio-pfc": told["pfc"],
        "ecn/roce_np/enable": told["pfc"], "ecn/roce_rp/enable": told["pfc"], "ecn/roce_np/cnp_dscp": 48,
        "ecn/roce_np/cnp_802p_prio": 6, "rdma_cm/default_roce_tos": told["traffic_class"], "LimitMEMLOCK": "infinity",
        "memlock": "infinity", "RemoveIPC": "no", "traffic_class.json": told,
        "fabric.txt": fabric_report.of_node(topology(root), told)}, **changed)


def plan(root, asked=None, read_only=True, allow=(), **changed):
    """The plan of the role on the node."""
    host = Node(str(root), read_only=read_only)
    request = {"origins": {}, "take_over": [], "allow": list(allow), "options": options(root, **changed)}
    return _plan.build(host, "rdma_roce", rdma_roce, values(root) if asked is None else asked, request)


def apply(root, asked=None, **changed):
    """Plan and carry out."""
    return _apply.apply(functools.partial(plan, root, asked, read_only=False, **changed), {"what": "test"})


def view(root, steps=(), **changed):
    """What a rule looks at, with these steps: see `step`."""
    made = types.SimpleNamespace(steps=list(steps), host=dcb_node.Nics(str(root)), journal={"entries": {}})
    return View(made, options(root, **changed))


def step(name, device, running, desired=None, status=None, **more):
    """A step of a row that repeats over devices; `status` by what runs unless it is told."""
    desired = running if desired is None else desired
    return dict({"name": name, "target": "%s/%s" % (device, name), "_fields": {"device": device}, "running": running,
                 "desired": desired, "_force": desired, "_row": None,
                 "status": status or ("ok" if running == desired else "refused")}, **more)


def bare_view(root, steps=(), given=None):
    """The same for another role: with these options and no others."""
    made = types.SimpleNamespace(steps=list(steps), host=dcb_node.Nics(str(root)), journal={"entries": {}})
    return View(made, given or {})


def nccl_step(name, desired, status="drift"):
    """A step of role nccl_env."""
    row = types.SimpleNamespace(variable="nccl_env_" + name[5:].lower(), twin=None)
    return {"name": name, "kind": "nccl_conf", "target": name, "desired": desired, "status": status, "_row": row}


def conf(root, *lines, path="/etc/nccl.conf"):
    """An nccl.conf."""
    put(root, path, "\n".join(lines))


def job(root, pid, comm="python3", holds="/dev/infiniband/uverbs0", locked="unlimited", cgroup=None, **environ):
    """A running process at a device, with its environment and the memory that it may lock."""
    process(root, pid, comm, holds)
    put(root, "/proc/%d/environ" % pid, "\0".join("%s=%s" % pair for pair in environ.items()))
    put(root, "/proc/%d/limits" % pid, "Limit                     Soft Limit           Hard Limit           Units\n"
        "Max locked memory         %-20s %-20s bytes" % (locked, locked))
    put(root, "/proc/%d/cgroup" % pid, "0::" + (cgroup or "/user.slice/user-1000.slice/session-1.scope"))


def messages(findings, rule=None):
    """(rule, severity, message) of findings; of one rule, (severity, message)."""
    told = [(one["rule"], one["severity"], one["message"]) for one in findings]
    return told if rule is None else [one[1:] for one in told if one[0] == rule]
