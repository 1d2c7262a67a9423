# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What Prometheus scrapes: the API servers of vLLM, node_exporter, and DCGM's exporter, from the inventory.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._values import name_list

JOBS = ("vllm", "node", "dcgm")
_DEFAULT_PORT = 8000


def targets(hosts, said):
    """{job: [{"targets": [address:port], "labels": {}}]} in the form of file_sd, from {host: variables}.

    A host's variables are {address, rack, instances}; an instance that runs on several nodes answers on the first.
    """
    found = {job: [] for job in JOBS}
    for host, told in hosts.items():
        labels = {"node": host}
        if told.get("rack"):
            labels["rack"] = str(told["rack"])
        for instance in told.get("instances") or ():
            if instance["state"] == "started" and (instance.get("nodes") or [host])[0] == host:
                found["vllm"].append({"targets": [_place(told["address"], instance["port"])],
                                      "labels": dict(labels, vllm_instance=instance["name"])})
        for job in ("node", "dcgm"):
            if said[job + "_port"]:
                found[job].append({"targets": [_place(told["address"], said[job + "_port"])], "labels": labels})
    return found


def instances(given, replicas=(), placed=None):
    """[{name, port, state, nodes}] of a host's instances, which may be anything yet: role vllm_service checks them.

    `replicas` are its entries in vllm_service_placement, and `placed` says what they serve: one port after the other.
    """
    placed = placed if isinstance(placed, dict) else {}
    first = _port(placed)
    listed = [dict(one, port=first + index, state=placed.get("state"))
              for index, one in enumerate(replicas or ()) if isinstance(one, dict)]
    return [{"name": str(one["name"]), "port": _port(one), "state": one.get("state") or "started",
             "nodes": _nodes(one.get("nodes"))}
            for one in list(given or ()) + listed if isinstance(one, dict) and one.get("name")]


def _port(one):
    port = str(one.get("port") or _DEFAULT_PORT)
    return int(port) if port.isdigit() else _DEFAULT_PORT


def _nodes(given):
    try:
        return name_list(given)
    except ValueError:
        return []


def scrape_configs(said):
    """The jobs, for scrape_config_files (Prometheus 2.43 on) or to be copied into prometheus.yml."""
    jobs = [job for job in JOBS if job == "vllm" or said[job + "_port"]]
    return {"scrape_configs": [{"job_name": job, "file_sd_configs": [
        {"files": ["%s/targets/%s.json" % (said["targets_directory"], job)]}]} for job in jobs]}


def _place(address, port):
    return "%s:%s" % ("[%s]" % address if ":" in str(address) else address, port)
