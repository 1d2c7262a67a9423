# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Puts a placement into words and numbers: each replica with its stages and cost, and what each of its nodes needs.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from . import placement_cost


def replica(number, share, chosen, gpus, problem, entries, load):
    """One replica: its nodes in the order of their ranks, its stages with their GPUs, and what communication costs."""
    bins = [problem.bins[index] for index in chosen]
    stages, groups = [], []
    for stage in range(problem.stages):
        ranks = [rank for rank in range(len(bins)) if stage in gpus[rank]]
        group = [_node(bins[rank], gpus[rank][stage], entries) for rank in ranks]
        groups.append(group)
        stages.append({"stage": stage, "across": _across(group),
                       "gpus": {bins[rank].host: gpus[rank][stage] for rank in ranks}})
    return {"replica": number, "nodes": [one.host for one in bins], "nnodes": len(bins),
            "addresses": [entries[one.host]["address"] for one in bins],
            "master_addr": entries[bins[0].host]["address"], "gpus_per_node": share,
            "tensor_parallel_size": problem.size, "pipeline_parallel_size": problem.stages,
            "gpu_name": bins[0].kind[1] or None, "racks": sorted({_rack(one) for one in bins}),
            "stages": stages, "communication": placement_cost.of_replica(groups, load),
            "visible_devices": [[one for stage in sorted(found) for one in found[stage]] for found in gpus],
            "vendor": bins[0].kind[0] or None}


def _rack(one):
    return one.rack[1]


def _node(one, chosen, entries):
    """One node of a group, as the cost wants it: its GPUs of the fact where there is one, else their numbers."""
    entry = entries[one.host]
    known = {gpu["number"]: gpu.get("fact") for gpu in entry["gpus"]}
    island = next((island for island in one.islands
                   if set(chosen) <= {number for _numa, number in island}), None)
    return {"host": one.host, "rack": one.rack, "domain": one.domain, "topology": entry["topology"],
            "island": island is not None, "gpus": [known[number] or number for number in chosen],
            "linked": island is not None and (one.domain is not None or _has_links(entry, chosen))}


def _has_links(entry, chosen):
    """Whether GPUs of one island are in one by links; of hosts that were only counted it is assumed."""
    mine = [gpu for gpu in entry["gpus"] if gpu["number"] in chosen]
    return all("index" not in gpu for gpu in mine) or any(gpu["links"] for gpu in mine)


def _across(group):
    """How far a group reaches: island, node, domain, rack or racks."""
    if len(group) == 1:
        return "island" if group[0]["island"] else "node"
    if group[0]["domain"] is not None and len({node["domain"] for node in group}) == 1:
        return "domain"
    return "rack" if len({node["rack"] for node in group}) == 1 else "racks"


def host_variables(made):
    """{host: [what one replica asks of it]}: what role vllm_service starts there."""
    hosts = {}
    for one in made:
        for rank, host in enumerate(one["nodes"]):
            hosts.setdefault(host, []).append({
                "name": "replica%d" % one["replica"], "replica": one["replica"], "nnodes": one["nnodes"],
                "node_rank": rank, "nodes": one["nodes"], "master": one["nodes"][0],
                "address": one["addresses"][rank], "master_addr": one["master_addr"], "master_port": one["master_port"],
                "distributed": one["nnodes"] > 1, "gpus": one["visible_devices"][rank],
                "visible_devices": ",".join(str(number) for number in one["visible_devices"][rank]),
                "visible_devices_variable":
                    "HIP_VISIBLE_DEVICES" if one["vendor"] == "amd" else "CUDA_VISIBLE_DEVICES",
                "stages": {str(stage["stage"]): stage["gpus"][host] for stage in one["stages"]
                           if host in stage["gpus"]},
                "tensor_parallel_size": one["tensor_parallel_size"],
                "pipeline_parallel_size": one["pipeline_parallel_size"]})
    return {host: hosts[host] for host in sorted(hosts)}


def in_use(entries, made):
    """A sentence on each host that was given GPUs on which somebody computes, as its health tells."""
    told = []
    for host, wanted in host_variables(made).items():
        mine = {number for one in wanted for number in one["gpus"]}
        health = entries[host]["health"] if isinstance(entries[host]["health"], dict) else {}
        at_work = {gpu["pci_address"] for gpu in health.get("gpus") or () if gpu.get("processes")}
        busy = [str(gpu["number"]) for gpu in entries[host]["gpus"]
                if gpu["number"] in mine and (gpu.get("fact") or {}).get("pci_address") in at_work]
        if busy:
            told.append("%s: somebody computes on GPU %s now, and is placed upon: what is named busy is left alone" % (
                host, ", ".join(busy)))
    return told
