# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What keeps the nodes of one replica from finding one another, looked at on each of them before its engine starts.

PRIVATE to the collection. vLLM itself would wait ten minutes or more and then say that it timed out.
"""

from __future__ import annotations

import hashlib
import json

from ... import _host
from ..placing import node_facts

# The files that say which model it is; those of the weights are named in the index, with their sizes.
MODEL_FILES = ("config.json", "model.safetensors.index.json", "tokenizer.json")
_HOSTNAME = "/proc/sys/kernel/hostname"
_COMPARED = {"engine": "engine", "model": "model file", "arguments": "argument"}
# What may, or must, not be the same on all nodes.
_OWN = {"node-rank", "headless", "host", "port", "numa-bind-nodes", "numa-bind-cpus", "numa-bind", "api-key"}


def look(host, deployment):
    """{"facts", "problems", "warnings"} of this node; nothing of an instance that one node serves alone."""
    instance, environment = deployment["instance"], deployment["environment"]
    several = instance["several"]
    if not several or several["nnodes"] < 2:
        return {"facts": {}, "problems": [], "warnings": []}
    wanted = environment.get("GLOO_SOCKET_IFNAME")
    name, resolved = _own_name(host)
    routes = {peer: _route(host, peer) for peer in several["addresses"] if peer != several["address"]}
    facts = {"hostname": name, "resolves_to": resolved, "address": several["address"], "interface": wanted,
             "routes": routes, "engine": {"version": (deployment.get("engine") or {}).get("version")},
             "model": _model(host, instance["model_path"]),
             "arguments": {flag: value for flag, value in deployment["arguments"].items() if flag not in _OWN}}
    problems = [words for peer, route in sorted(routes.items())
                for words in _of_route(peer, route, several["address"], wanted)]
    told = _of_name(name, resolved, several["address"])
    if told and not wanted:
        problems.append(told)
    if several["node_rank"] == 0:
        problems += _of_port(host, instance, several)
    return {"facts": facts, "problems": problems, "warnings": [told] if told and wanted else []}


def compare(facts):
    """Words on what is not the same on all nodes; `facts` is {node: facts of look}."""
    problems = []
    for key, what in sorted(_COMPARED.items()):
        for one in sorted({name for told in facts.values() for name in told.get(key) or {}}):
            found = {}
            for node, told in sorted(facts.items()):
                found.setdefault(json.dumps((told.get(key) or {}).get(one), sort_keys=True), []).append(node)
            if len(found) > 1:
                problems.append("%s %s is not the same on all nodes: %s" % (what, one, "; ".join(
                    "%s on %s" % (_said(value), ", ".join(nodes)) for value, nodes in sorted(found.items()))))
    return problems


def _said(value):
    value = json.loads(value)
    if value is None:
        return "none"
    return value[:12] if isinstance(value, str) and len(value) == 64 else str(value)


def _own_name(host):
    """(the name of this node, the addresses that it gives here: None where nobody says)."""
    name = (host.text(_HOSTNAME) or "").strip()
    try:
        status, text, _errors = host.run(["getent", "ahosts", name], changes=False)
    except _host.CommandNotRun as error:
        host.note(str(error))
        return name, None
    return name, list(dict.fromkeys(line.split()[0] for line in text.split("\n") if line.split())) if not status else []


def _of_name(name, resolved, address):
    """What is wrong with how this node's name is resolved, or None. It matters where no interface is named."""
    if resolved is None or address in resolved or address.startswith("127.") or address == "::1":
        return None
    if not resolved:
        return "the name of this node, %s, gives no address here: torch.distributed looks it up; %s is wanted" % (
            name, address)
    if any(one.startswith("127.") or one == "::1" for one in resolved):
        return "the name of this node, %s, gives %s here: other nodes would be told that address; %s is wanted" % (
            name, ", ".join(resolved), address)
    return "the name of this node, %s, gives %s here: %s is wanted" % (name, ", ".join(resolved), address)


def _route(host, peer):
    """{"dev", "source", "why"}: by which interface and from which address a peer is reached."""
    try:
        status, text, errors = host.run(["ip", "-j", "route", "get", peer], changes=False)
        found = json.loads(text)[0] if not status and text.strip() else {}
    except (_host.CommandNotRun, ValueError, IndexError) as error:
        return {"dev": None, "source": None, "why": str(error)}
    why = None if found.get("dev") else " ".join(errors.split())[:200] or "no route"
    return {"dev": found.get("dev"), "source": found.get("prefsrc"), "why": why}


def _of_route(peer, route, address, wanted):
    """What is wrong with the way to a peer. A route of loopback is that of an address of this node itself."""
    if route["why"]:
        return ["%s cannot be reached: %s" % (peer, route["why"])]
    if route["dev"] == "lo" and not peer.startswith("127.") and peer != "::1":
        return ["%s is an address of this node itself: two nodes have it" % peer]
    if wanted and route["dev"] != wanted:
        return ["%s is reached by %s, and %s is wanted" % (peer, route["dev"], wanted)]
    if route["source"] and route["source"] != address and not peer.startswith("127."):
        return ["%s is reached from %s, and the other nodes know this one as %s" % (peer, route["source"], address)]
    return []


def _of_port(host, instance, several):
    """What is wrong with the port on which the first node waits for the others."""
    place = ("0.0.0.0", several["master_port"])
    taken = node_facts.listeners(host, {place}).get(place)
    if not taken or taken["ours"] == instance["name"]:
        return []
    return ["master_port %d is taken: %s listens there" % (several["master_port"], taken["who"])]


def _model(host, folder):
    """{name: sha256} of the files that say which model lies there; empty where it is not there yet."""
    found = {}
    for name in MODEL_FILES if folder else ():
        try:
            found[name] = hashlib.sha256(host.read_bytes("%s/%s" % (folder, name))).hexdigest()
        except OSError:
            continue
    return found
