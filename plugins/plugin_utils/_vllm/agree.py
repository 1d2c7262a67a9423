# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the nodes of one replica must have in common before one of them is touched. Pure.

PRIVATE to the collection.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._vllm.verification import preflight

# What is each node's own.
_OWN = ("several", "gpus", "port", "slice", "model_path")


def problems(mine, answers, absent, staged=True, play=()):
    """[words] on the replicas on several nodes of `mine`, from {host: what it answered} of its nodes.

    `absent` are nodes that have not answered: those outside `play`, which has the hosts of the whole play, are not in
    this run. Before the engine and the model were brought (`staged` false) they are not compared.
    """
    found = []
    for name, nodes in _replicas(mine):
        here = [node for node in nodes if node in answers]
        found += _missing(name, nodes, here, answers, absent, play)
        first = here[0]
        for node in here[1:]:
            found += _differs(name, first, node, answers)
        facts = {node: answers[node].get("preflight", {}).get(name) or {} for node in here}
        if due(name, answers) and all(facts.values()):
            found += ["%s: %s" % (name, words) for words in preflight.compare(facts if staged else {
                node: {"arguments": told.get("arguments")} for node, told in facts.items()})]
    return found


def due(name, answers):
    """Whether one of the nodes restarts an instance."""
    return any(name in answer["due"] for answer in answers.values())


def _replicas(mine):
    """(name, nodes) of each replica on several nodes."""
    return [(name, instance["several"]["nodes"]) for name, instance in mine["instances"].items() if instance["several"]]


def _missing(name, nodes, here, answers, absent, play):
    """Nodes of a replica that do not know of it, or that have not answered although it restarts."""
    found = ["%s: %s is one of its nodes, and its vllm_service_instances has no %s with these nodes: put it into "
             "group_vars of all of them" % (name, node, name)
             for node in here if (answers[node]["instances"].get(name) or {}).get("several") is None
             or answers[node]["instances"][name]["several"]["nodes"] != nodes]
    if due(name, answers):
        found += ["%s: its nodes restart together; %s" % (name, words)
                  for words in _silent([node for node in nodes if node in absent], play)]
    return found


def _silent(absent, play):
    """Why nodes have not answered, and what to do."""
    out, later = [node for node in absent if node not in play], [node for node in absent if node in play]
    found = ["not in this run: %s: leave --limit off, or name all of them" % ", ".join(out)] if out else []
    if later:
        found.append("without a plan: %s: what failed there is above; if nothing did, the play needs strategy linear, "
                     "and vllm_service_serial in place of serial" % ", ".join(later))
    return found


def _differs(name, first, node, answers):
    """What two nodes of one replica do not have alike."""
    one, other = answers[first]["instances"].get(name), answers[node]["instances"].get(name)
    if one is None or other is None:
        return []
    found = ["%s: %s is %s on %s and %s on %s; every node of a replica has the same" % (
        name, key, _short(one[key]), first, _short(other[key]), node)
        for key in one if key not in _OWN and one[key] != other.get(key)]
    versions = [(answers[host].get("versions") or {}).get(name) for host in (first, node)]
    if None not in versions and versions[0] != versions[1]:
        found.append("%s: vLLM is %s on %s and %s on %s; one replica takes one version" % (
            name, versions[0], first, versions[1], node))
    return found


def _short(value):
    said = "%s" % (value,)
    return said if len(said) <= 80 else said[:77] + "..."
