# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What two instances of one node cannot both have: a port, or a GPU that both name. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance


def check(host, found):
    """Raise BadInstance for the instances `{name: normal form}` of a node, of which those that run count."""
    ports, gpus = {}, {}
    for name, instance in found.items():
        if instance["state"] != "started":
            continue
        for port, what in _ports(instance):
            if port in ports:
                raise BadInstance("%s: instances %s and %s both want port %d: set %s of one of them" % (
                    host, ports[port], name, port, what))
            ports[port] = name
        for gpu in instance["gpus"] if isinstance(instance["gpus"], list) else ():
            if gpu in gpus:
                raise BadInstance("%s: instances %s and %s both want GPU %s" % (host, gpus[gpu], name, gpu))
            gpus[gpu] = name


def _ports(instance):
    """The ports on which an instance listens on this node, each with the key that sets it."""
    several = instance["several"]
    serves = not several or not several["node_rank"]
    found = [(instance["port"], "port")] if serves else []
    if several and not several["node_rank"]:
        found.append((several["master_port"], "master_port"))
    return found
