# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of one node in normal form, from what the inventory says of it and of the nodes beside it.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible.errors import AnsibleError

from ansible_collections.gpuwright.node.plugins.module_utils._values import name_list, nearest
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.flags import argument_names
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import environment_names
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance import OF_SEVERAL, check
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance.instance_values import BadInstance
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm import addresses, clashes

_MASTER_PORT = 29501
# What the placement decides, so that nobody may say otherwise beside it.
_OF_PLACEMENT = ("name", "nodes", "gpus", "master_port", "several")
_PARALLEL = ("tensor-parallel-size", "pipeline-parallel-size")


def of_host(host, given, defaults, inventory):
    """{name: normal form} of the instances on `host`. Raises BadInstance.

    `given` are the role's variables, `inventory` is {host: its variables} of every host that there is.
    """
    found = {}
    for asked in _listed(given["instances"]) + _placed(host, given, inventory):
        if not isinstance(asked, dict):
            raise BadInstance("vllm_service_instances: %r is no instance; legal is a mapping with name and model"
                              % (asked,))
        mine = _mine(host, asked, given, inventory)
        if mine is None:
            continue
        if "prompt" not in mine and given.get("prompt") is None:
            mine["prompt"] = None
        normal = check(mine, defaults)
        _no_secrets(normal)
        if normal["name"] in found:
            raise BadInstance("instance %s is there twice on %s" % (normal["name"], host))
        found[normal["name"]] = normal
    clashes.check(host, found)
    return found


def _listed(given):
    if given is None:  # A key whose value was lost is no reason to stop all that a node serves.
        raise BadInstance("vllm_service_instances is null; legal is a list, and [] stops and removes every instance")
    if not isinstance(given, (list, tuple)):
        raise BadInstance("vllm_service_instances: %r is no list of instances" % (given,))
    return list(given)


def _no_secrets(normal):
    """Raise BadInstance for a secret among what is written plainly, before it goes to a node or into a file here."""
    where = "instance %s" % normal["name"]
    words = environment_names.problems(normal["environment"], where + ", environment")
    words += ["%s, arguments: %s: %s" % (where, flag, argument_names.SECRETS[flag]) for flag in normal["arguments"]
              if flag in argument_names.SECRETS and normal["arguments"][flag] is not None]
    if words:
        raise BadInstance("; ".join(words).replace("NAME", normal["name"]))


def _mine(host, asked, given, inventory):
    """What was written of an instance, with this node's share of it; None if it is of other nodes only."""
    where = "instance %s" % asked.get("name", "without a name")
    if asked.get("nodes") is None:
        alone = [key for key in OF_SEVERAL if asked.get(key) is not None]
        if alone:
            raise BadInstance("%s: %s: of an instance on several nodes, and nodes does not name them"
                              % (where, " and ".join(alone)))
        return dict(asked)
    if asked.get("several") is not None:
        raise BadInstance("%s: several is made from nodes; leave it out" % where)
    try:
        nodes = name_list(asked["nodes"])
    except ValueError as error:
        raise BadInstance("%s, nodes: %s" % (where, error)) from error
    known(where + ", nodes", nodes, inventory)
    if host not in nodes:
        return None
    mine = {key: value for key, value in asked.items()
            if key not in ("nodes", "distributed", "master_port", "interface", "_addresses")}
    if len(nodes) == 1:
        return mine
    found = asked.get("_addresses") or addresses.of_nodes(where, nodes, host, given.get("address"), inventory)
    rank = nodes.index(host)
    mine["several"] = {
        "nnodes": len(nodes), "node_rank": rank, "nodes": nodes, "address": found[rank], "addresses": found,
        "master_addr": found[0], "master_port": asked.get("master_port") or _MASTER_PORT,
        "interface": asked.get("interface"), "distributed": asked.get("distributed") or given.get("distributed")}
    return mine


def named(given, inventory):
    """The names of all instances that there are on any host; None where the variables of one cannot be read.

    `given` are the variables of the host that asks, some of which a play may have and not the inventory.
    """
    listed = list(given["instances"])
    try:
        for host in inventory:
            told = inventory[host]
            placed = told.get("vllm_service_placement") or given.get("placement") or {}
            listed += list(told.get("vllm_service_instances") or ()) + list(placed.get(host) or ())
    except (AnsibleError, AttributeError, TypeError):
        return None
    return {str(one.get("name")) for one in listed if isinstance(one, dict)}


def known(where, nodes, inventory):
    """Raise BadInstance for a node that the inventory does not have, or that is named twice."""
    if not nodes:
        raise BadInstance("%s: none is named" % where)
    for node in nodes:
        if node not in inventory:
            raise BadInstance("%s: %s is not in the inventory; %s" % (where, node, _few(node, inventory)))
        if nodes.count(node) > 1:
            raise BadInstance("%s: %s is named twice" % (where, node))


def _few(node, inventory):
    """The nearest name; of a long list of names nobody could read the rest."""
    said = nearest(node, inventory)
    return said if said.startswith("did") or len(inventory) <= 20 else "it has %d other nodes" % len(inventory)


def _placed(host, given, inventory):
    """The replicas of the placement on this node, as a person would have written them."""
    placement = given.get("placement") or {}
    where = "vllm_service_placement"
    if not isinstance(placement, dict):
        raise BadInstance("%s: %r; legal is {node: [replica, ...]}, as gpuwright.node.place writes it"
                          % (where, placement))
    for node in placement:
        known(where, [node], inventory)
    entries = placement.get(host) or []
    template = given.get("placed") or {}
    if template and not placement:  # Without this, a run that lacks it would stop every replica.
        raise BadInstance("vllm_service_placed says what replicas serve, and %s is empty, which says where: add -e "
                          "@report/placement.yml, or leave vllm_service_placed out" % where)
    if entries and (not isinstance(template, dict) or not template.get("model")):
        raise BadInstance("%s has replicas for %s: vllm_service_placed says what they serve, as in {model: "
                          "ORGANISATION/NAME, revision: COMMIT}" % (where, host))
    beside = [key for key in _OF_PLACEMENT if key in template]
    if entries and beside:
        raise BadInstance("vllm_service_placed: the placement decides %s; leave it out" % ", ".join(beside))
    return [_replica(entry, index, template, given, inventory, host) for index, entry in enumerate(entries)]


def _replica(entry, index, template, given, inventory, host):
    """One entry of the placement as an instance."""
    missing = [key for key in ("name", "nodes", "gpus", "node_rank", "address", "tensor_parallel_size",
                               "pipeline_parallel_size") if key not in entry]
    if missing:
        raise BadInstance("vllm_service_placement, %s: an entry lacks %s: is it one that gpuwright.node.place wrote?"
                          % (host, ", ".join(missing)))
    arguments = dict(template.get("arguments") or {})
    twice = [key for key in arguments if str(key).replace("_", "-") in _PARALLEL]
    if twice:
        raise BadInstance("vllm_service_placed, arguments: the placement decides %s; leave it out" % ", ".join(twice))
    arguments.update({flag: entry[flag.replace("-", "_")] for flag in _PARALLEL})
    nodes = list(entry["nodes"])
    made = dict(template, name=str(entry["name"]), nodes=nodes, arguments=arguments,
                gpus=[str(number) for number in entry["gpus"]], port=int(template.get("port") or 8000) + index)
    if len(nodes) > 1:
        made.update(master_port=entry.get("master_port"),
                    _addresses=addresses.of_placement(entry, nodes, host, given["placement"]))
    return made
