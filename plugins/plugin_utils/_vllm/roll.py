# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which order instances restart: nodes that share a replica together, in batches, in a batch round by round. Pure.

PRIVATE to the collection. A unit is what restarts as one: an instance of one node, or a replica on several. Nodes that
share a unit are one component and always in one batch. In a round each node restarts one unit at most, so that its
others keep serving; what leaves a node goes before what comes, for it holds the GPU memory.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive.reboot_batches import limits_of


def units(answers):
    """[{"name", "hosts", "leaves", "first"}] of what is due, from {host: {"due", "open", "instances": {name: normal}}}.

    A replica on several nodes is due as a whole once one of its nodes is. `open` are names that an interrupted run left
    neither kept nor put back.
    """
    found = {}
    for host, answer in answers.items():
        for name in answer["due"]:
            instance = answer["instances"].get(name)
            several = (instance or {}).get("several")
            leaves = instance is None or instance["state"] != "started"
            hosts = tuple(several["nodes"]) if several else (host,)
            unit = found.setdefault((name, hosts), {"name": name, "hosts": list(hosts), "leaves": leaves,
                                                    "first": False})
            unit["first"] = unit["first"] or name in answer.get("open", ())
    return list(found.values())


def components(order, made):
    """[[host, ...], ...]: hosts that share a unit, directly or by way of others, in the inventory's order."""
    parent = {host: host for unit in made for host in unit["hosts"]}

    def root(host):
        while parent[host] != host:
            parent[host] = parent[parent[host]]
            host = parent[host]
        return host

    for unit in made:
        for host in unit["hosts"][1:]:
            parent[root(host)] = root(unit["hosts"][0])
    found = {}
    for host in order:
        if host in parent:
            found.setdefault(root(host), []).append(host)
    return list(found.values())


def batches(order, made, sizes):
    """[[host, ...], ...] of the hosts on which a unit restarts. Raises ValueError on a size that is none.

    `sizes` are numbers of hosts, or percentages of those that take part, the last one for all further batches; a batch
    has one component at least. Those that an interrupted run left come first, then the smallest, for the first batch
    risks as little as it can; else the order of the inventory holds.
    """
    waiting = components(order, made)
    limits = limits_of(sizes, sum(len(one) for one in waiting), "vllm_service_serial")
    opened = {host for unit in made if unit["first"] for host in unit["hosts"]}
    left = [one for one in waiting if opened.intersection(one)]
    rest = [one for one in waiting if not opened.intersection(one)]
    if rest and not left:
        rest.insert(0, rest.pop(rest.index(min(rest, key=len))))
    found = []
    for one in left + rest:
        limit = limits[min(len(found), len(limits)) - 1] if found else 0
        if found and len(found[-1]) + len(one) <= limit:
            found[-1].extend(one)
        else:
            found.append(list(one))
    return found


def rounds(hosts, made):
    """[[unit, ...], ...] of the units that lie on the hosts of one batch."""
    mine = set(hosts)
    taken = {host: set() for host in hosts}
    found = []
    for unit in sorted((one for one in made if mine.issuperset(one["hosts"])), key=lambda one: not one["leaves"]):
        number = 0
        while any(number in taken[host] for host in unit["hosts"]):
            number += 1
        for host in unit["hosts"]:
            taken[host].add(number)
        while len(found) <= number:
            found.append([])
        found[number].append(unit)
    return found


def make(order, answers, sizes):
    """{"batches": [{"hosts", "rounds": [[unit]]}], "turns": {host: {"batch", "units": [unit with its round]}}}."""
    made = units(answers)
    owner = {}
    for unit in made:
        for host in unit["hosts"]:
            owner.setdefault(host, []).append(unit)
    planned, turns = [], {}
    for number, hosts in enumerate(batches(order, made, sizes)):
        here = {id(unit): unit for host in hosts for unit in owner[host]}
        turning = rounds(hosts, list(here.values()))
        planned.append({"hosts": hosts, "rounds": turning})
        for index, some in enumerate(turning):
            for unit in some:
                for host in unit["hosts"]:
                    turns.setdefault(host, {"batch": number, "units": []})["units"].append(dict(unit, round=index))
    return {"batches": planned, "turns": turns}
