# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads from a node, once, everything that a deployment there depends on.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re

from ..._derive import affinity
from ..._owners import nccl_env
from ..._topology import nic
from ..._topology.node import read_topology
from . import node_facts, node_gpus, reach
from .numa_binding import SLICE
from .visible_devices import RECORD

AFFINITY, NCCL = "/etc/gpuwright/affinity.json", "/etc/gpuwright/nccl.env"
FOLDER = "/etc/vllm"
_SECTIONS = ("system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices")
_CONFIG_BYTES = 1 << 22
_DROP_IN = "50-gpuwright.conf"


def look(host, instances=()):
    """What the node is and has now, for the `instances` (normal forms) that are to be there:

    topology, affinity (None where none is published), cpus (node_facts.cpu_sets), memory, holders and
    holders_complete (node_gpus.read), tools, cdi, shm (bytes), remove_ipc, users, addresses, listeners,
    nccl_environment (what of nccl.env is not in /etc/nccl.conf), nccl_values (what NCCL has from both), nccl_conf
    (whether that file is there), overrides ({instance: node_facts.overrides}), taken ({instance: {"gpus"}}
    of earlier runs), configs ({instance: its model's config.json, or words on why not}), beyond_reach ({instance:
    sentences}), notes.
    """
    topology = read_topology(host, _SECTIONS)
    node_gpus.add_numbers(host, topology["gpus"])
    memory, holders, complete = node_gpus.read(host, topology["gpus"])
    slices = sorted({one.get("slice") or SLICE for one in instances} | {SLICE})
    node = {
        "topology": topology, "affinity": _affinity(host),
        "cpus": node_facts.cpu_sets(host, (topology.get("cpu") or {}).get("isolated"), slices),
        "memory": memory, "holders": holders, "holders_complete": complete, "tools": node_facts.tools(host),
        "cdi": node_facts.cdi(host), "shm": node_facts.shared_memory(host),
        "remove_ipc": node_facts.remove_ipc(host), "users": node_facts.system_users(host),
        "addresses": node_facts.addresses(host, nic.RECORDED),
        "listeners": node_facts.listeners(host, {(one["listen"], one["port"]) for one in instances
                                                 if one["state"] == "started"}),
        "overrides": {one["name"]: node_facts.overrides(host, "vllm@%s.service" % one["name"], _DROP_IN)
                      for one in instances},
        "taken": _taken(host), "configs": {one["name"]: _config(host, one) for one in instances},
        "beyond_reach": {one["name"]: reach.beyond(host, one) for one in instances if one["state"] == "started"}}
    node.update(_nccl(host))
    node["notes"] = list(host.notes)
    return node


def _affinity(host):
    """What role cpu_isolation published, or None."""
    if not host.exists(AFFINITY):
        return None
    try:
        told = json.loads(host.read(AFFINITY))
        if told["schema"] != affinity.SCHEMA:
            raise ValueError("it is of another version")
        return told
    except (OSError, ValueError, KeyError, TypeError) as error:
        host.note("%s is not used: %s" % (AFFINITY, getattr(error, "strerror", None) or error))
        return None


def _nccl(host):
    conf = {}
    for _number, name, value in nccl_env.conf_lines(host, nccl_env.CONF):
        conf.setdefault(name, value)
    ours = {}
    for _number, name, value in nccl_env.conf_lines(host, NCCL):
        ours.setdefault(name, value)
    return {"nccl_conf": host.exists(nccl_env.CONF), "nccl_values": dict(conf, **ours),
            "nccl_environment": {name: value for name, value in ours.items() if conf.get(name) != value}}


def _taken(host):
    """The GPUs of each instance, as its environment file says: what it runs with, and keeps."""
    found = {}
    for name in host.names(FOLDER):
        instance = re.match(r"([a-z0-9][a-z0-9-]*)\.env\Z", name)
        if not instance:
            continue
        told = re.search(r'^%s="?([^"\n]*)"?$' % RECORD, host.text("%s/%s" % (FOLDER, name)) or "", re.M)
        found[instance.group(1)] = {"gpus": told.group(1).split(",") if told and told.group(1) else []}
    return found


def _config(host, instance):
    """The model's config.json, or a sentence on why there is none."""
    if not instance.get("model_path"):
        return "the files of the model are at no known place"
    path = "%s/config.json" % instance["model_path"].rstrip("/")
    try:
        told = json.loads(host.read_bytes(path, _CONFIG_BYTES).decode("utf-8", "replace"))
    except FileNotFoundError:
        return "%s is not there" % path
    except OSError as error:
        return "%s: %s" % (path, error.strerror)
    except ValueError as error:
        return "%s is no JSON: %s" % (path, error)
    return told if isinstance(told, dict) else "%s holds no settings" % path
