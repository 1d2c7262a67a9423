# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the rules of RDMA look at: the declared class, the devices it is for, each step's value to be, NCCL's variables.

PRIVATE to the collection. An option is found by how its name ends, for two roles have it: rdma_roce and nccl_env.
"""

from __future__ import annotations

import re

from .._derive import rdma_rails
from .._owners import dcbx, nccl_env

TRUST, PFC, DSCP_MAP, DCBX = "dcb/trust", "dcb/prio-pfc", "dcb/dscp-prio", "dcb/dcbx"
NP, RP = "ecn/roce_np/enable", "ecn/roce_rp/enable"
CNP_DSCP, CNP_PRIORITY = "ecn/roce_np/cnp_dscp", "ecn/roce_np/cnp_802p_prio"
TOS = "rdma_cm/default_roce_tos"
ETHERNET, INFINIBAND = rdma_rails.ETHERNET, rdma_rails.INFINIBAND
_BEHIND_ONE_SWITCH = ("PIX", "PXB")


def topology(view):
    """The sections that tell which device is for what.

    `gpu_nics` is not asked for where the operator names a NIC that is not here: at boot it may come later, and is no
    reason to leave all others.
    """
    found = {name: view.topology(name) for name in ("rdma_devices", "nics")}
    known = rdma_rails.known_names(found)
    missing = [name for names in _given(view) for name in names or () if name not in known]
    return dict(found, gpu_nics={} if missing else view.topology("gpu_nics"))


def declared(view):
    """The declared class, or None where the role was given none."""
    found = option(view, "_class")
    return found if isinstance(found, dict) and "traffic_class" in found else None


def roce(view):
    """The RDMA devices that the class is for, as in the fact: those that the role was given, or by the topology."""
    given = option(view, "_rdma_devices")
    names = given if given is not None else rdma_rails.roce_devices(topology(view), *named(view))
    return [device for device in view.topology("rdma_devices") if device["name"] in names]


def named(view):
    """The operator's word on compute and on storage NICs, without those that are not here just now."""
    known = rdma_rails.known_names({name: view.topology(name) for name in ("rdma_devices", "nics")})
    return tuple(names if names is None else [name for name in names if name in known] for names in _given(view))


def _given(view):
    return [option(view, "_%s_nics" % purpose) for purpose in ("compute", "storage")]


def option(view, ending):
    """The value of the role's option whose name ends so, or None."""
    return next((value for name, value in view.options.items() if name.endswith(ending)), None)


def compute(view):
    """The names of the devices that serve GPUs."""
    return rdma_rails.compute(topology(view), named(view)[0])


def storage(view):
    """The names of the devices that serve storage."""
    return rdma_rails.storage(topology(view), named(view)[1], named(view)[0])


def rails(view):
    """The devices that serve GPUs, or would if their port were up: those behind one switch with a GPU too."""
    near = {path["device"] for path in view.topology("pci_paths") if path["kind"] in _BEHIND_ONE_SWITCH}
    chosen = set(compute(view)) | (near if named(view)[0] is None else set())
    return [device for device in view.topology("rdma_devices") if device["name"] in chosen]


def ports(devices, layer=None):
    """[(device's name, port)] of devices; only those of a link layer, if one is named."""
    return [(device["name"], port) for device in devices for port in device["ports"]
            if layer in (None, port["link_layer"])]


def label(name, port):
    """A port in words: its device, its number unless that is 1, and its interface."""
    return "%s%s%s" % (name, "" if port["port"] == 1 else " port %d" % port["port"],
                       " (%s)" % port["netdev"] if port["netdev"] else "")


def steps(view, name):
    """{device: step} of a setting that is asked for and can be here."""
    return {step["_fields"].get("device", step["target"]): step for step in view.steps
            if step["name"] == name and "_restore" not in step and step["status"] != "not_applicable"}


def to_be(step):
    """The value once this plan is applied; what is refused, in conflict or not readable stays as it runs."""
    return step["_force"] if step["status"] in ("ok", "drift") else step["running"]


def values(view, name):
    """{device: value to be} of a setting, without those that nobody could read; as it is where it is not managed."""
    found = {device: to_be(step) for device, step in steps(view, name).items()}
    if name in (TRUST, PFC) and not any(step["name"] == name for step in view.steps):
        for device in view.options.get("rdma_roce_interfaces") or ():
            told = dcbx.state(view.host, device).get("trust" if name == TRUST else "pfc")
            found[device] = " ".join(str(one) for one in told) if isinstance(told, list) else told
    return {device: value for device, value in found.items() if value is not None}


def priorities(text):
    """The set of priorities in a value."""
    return {int(word) for word in re.findall(r"[0-7]", text or "")}


def environment(view):
    """What jobs get of NCCL's, UCX's and NVSHMEM's variables: see _owners/nccl_env.py. Read once a plan."""
    found = getattr(view, "nccl_environment", None)
    if found is None:
        found = view.nccl_environment = nccl_env.read(view.host)
    return found


def variables(view, *names):
    """[(name, value, where)] of some variables once this plan is applied, each place once.

    Where this role writes them itself, `where` is the variable that it was asked by.
    """
    found = {}
    for step in nccl_steps(view):
        if step["target"] in names:
            where = step["_row"].variable
            found[(step["target"], where)] = (step["target"], step["desired"], where)
    for scope in environment(view):
        for name in names:
            told = scope["values"].get(name)
            if told and told["where"].rpartition(":")[0] != replaced_file(view):
                found.setdefault((name, told["where"]), (name, told["value"], told["where"]))
    return list(found.values())


def nccl_steps(view):
    """The steps of variables of NCCL that this role is asked for."""
    return [step for step in view.steps if step.get("kind") == "nccl_conf" and "_restore" not in step
            and step["status"] != "not_applicable"]


def setting(view, where):
    """The setting of this role that says it, by `where` of variables(), or None."""
    return next((step["name"] for step in nccl_steps(view) if step["_row"].variable == where), None)


def replaced_file(view):
    """The nccl.conf of the node, if it is this role's or will be: its lines are then those of the plan. Else None."""
    ours = nccl_env.is_ours(view.text(nccl_env.CONF) or "")
    return nccl_env.CONF if ours and any(step.get("kind") == "nccl_conf" for step in view.steps) or any(
        step["status"] == "drift" for step in nccl_steps(view)) else None
