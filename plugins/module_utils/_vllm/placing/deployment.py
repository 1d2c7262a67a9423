# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment: everything that one instance is on one node, its files, its command, and what stands against it.

PRIVATE to the collection. Pure. A finding of severity E, and every problem, keeps the instance from being switched.
"""

from __future__ import annotations

from ... import _cpulist
from ..._rules.finding import finding
from ..flags import arguments, engine_config
from ..instance import names_rule
from ..rendered import command, containers, secret_files, unit_text, units
from . import cpu_ranks, gpu_choice, handing_over, model_fit, numa_binding, parallel_sizes, rules_fit, rules_here
from .parallel_sizes import PIPELINE, TENSOR, CannotPlace
from .placed import place

_CONTAINERS = ("podman", "docker")
MOST = 0.95


def compose_all(instances, node, secrets=None):
    """{name: {"instance", "deployment", "problem"}} of all instances of a node, in the shape that plan.py takes.

    Who names GPUs comes first, then who has some already, then who needs most. An instance that is not among them, or
    is not to run, bars no GPU, and nobody bars one from it.
    """
    wanted = [one for one in instances if one["state"] != "absent"]
    names = {one["name"] for one in wanted}
    leaving = sorted(set(node["taken"]) - names | {one["name"] for one in instances if one["state"] != "started"})
    taken = {name: one for name, one in node["taken"].items() if name in names and name not in leaving}
    if wanted:
        node = dict(node, leaving=leaving, cpu_share=cpu_ranks.share(wanted, node["topology"]))
    made = {one["name"]: {"instance": one, "deployment": None, "problem": None} for one in instances}
    for instance in sorted(wanted, key=lambda one: _turn(one, taken)):
        name = instance["name"]
        try:
            done = compose(instance, _as_seen(instance, node, taken), (secrets or {}).get(name))
        except (CannotPlace, ValueError) as error:
            words = str(error)
            made[name]["problem"] = words if words.startswith(("%s:" % name, "instance %s" % name)) \
                else "%s: %s" % (name, words)
            continue
        made[name]["deployment"] = done
        if instance["state"] == "started":
            taken = dict(taken, **{name: {"gpus": [gpu_choice.key(gpu) for gpu in done["placed"]["gpus"]]}})
    for name, words in list(_clashes(made)) + list(handing_over.findings(made, node)):
        made[name]["deployment"]["findings"].append(words)
    return made


def _as_seen(instance, node, taken):
    """The node for an instance: one that is not to run has to give way to nobody, and keeps the place that it had."""
    name = instance["name"]
    if instance["state"] == "started":
        return dict(node, taken=taken)
    return dict(node, taken={name: node["taken"].get(name) or {"gpus": []}}, holders=[])


def _turn(instance, taken):
    wish = instance["gpus"]
    count = wish if isinstance(wish, int) else 0
    return (not isinstance(wish, list), not (taken.get(instance["name"]) or {}).get("gpus"), -count, instance["name"])


def compose(instance, node, secrets=None):
    """{"name", "unit", "instance", "files", "command", "environment", "arguments", "placed", "findings", "problems",
    "summary"}. Raises CannotPlace, and ValueError for what no file can hold.

    `node` is what node.look read; `secrets` are this instance's own. `problems` are words on arguments that the engine
    does not take.
    """
    here = dict(node, fits={instance["name"]: model_fit.fitted(instance, node)})
    placed = place(instance, node["topology"], node["affinity"], _others(node), node["nccl_environment"],
                   node["taken"], here)
    told = _arguments(instance, placed)
    schema, version, source = node["schemas"][instance["name"]]
    problems = _problems(instance, told, schema)
    text = "" if problems else unit_text.HEAD + engine_config.text(told, schema)
    tool = (node.get("tools") or {}).get(instance["engine"]["kind"])
    if instance["engine"]["kind"] in _CONTAINERS:
        files = containers.files(instance, placed, text, tool, secrets)
    else:
        files = units.files(instance, placed, text, secrets)
    return {"name": instance["name"], "unit": units.unit(instance), "instance": instance, "files": files,
            "command": command.command(instance, placed, tool, secrets),
            "shown": [] if problems else engine_config.words(told, schema), "arguments": told,
            "environment": secret_files.variables(instance, placed), "placed": placed,
            "findings": _findings(instance, placed, node, told, schema), "problems": problems,
            "engine": {"version": version, "source": source}, "summary": summary(instance, placed, told)}


def _findings(instance, placed, node, told, schema):
    """What stands against it: on the node, of the model's size (R29, R30), of its environment (R31)."""
    found = rules_here.findings(instance, placed, node)
    found += rules_fit.findings(instance, told, node["configs"].get(instance["name"]), placed["gpus"],
                                parallel_sizes.nodes(instance))
    return found + names_rule.r31_names(instance, schema)


def _others(node):
    """The processes at GPUs that stay: those of instances that leave are gone by then."""
    return [one for one in node["holders"] if one["ours"] is None or one["ours"] not in (node.get("leaving") or ())]


def _arguments(instance, placed):
    """All that the engine's configuration says: the role's own, the placement's, and over it the instance's."""
    told = rules_here.merged(instance, placed)
    told.update({"model": instance.get("model_file") or instance["model_path"] or instance["model"],
                 "served-model-name": [instance["served_name"]], "host": instance["listen"], "port": instance["port"]})
    return told


def _problems(instance, told, schema):
    """What the installed engine does not take, in words; a person may not say what the role says."""
    where = "instance %s, arguments" % instance["name"]
    own = arguments.check(instance["arguments"], schema, where)
    mine = [flag for flag in told if flag not in instance["arguments"] or instance["arguments"][flag] is None]
    return own or arguments.check(told, schema, where, own=mine)


def _clashes(made):
    """(name, finding) where two instances that are to run want one port or one GPU."""
    done = [(name, one["deployment"]) for name, one in sorted(made.items())
            if one["deployment"] and one["instance"]["state"] == "started"]
    for number, (name, one) in enumerate(done):
        for other, two in done[number + 1:]:
            for words in _clash(one, two):
                yield name, finding(words[0], words[1], None, "%s and %s: %s" % (name, other, words[2]))
                yield other, finding(words[0], words[1], None, "%s and %s: %s" % (other, name, words[2]))


def _clash(one, two):
    """[(rule, severity, words)] of two deployments."""
    first, second = one["instance"], two["instance"]
    found = []
    if first["port"] == second["port"] and not (one["arguments"].get("headless") or two["arguments"].get("headless")):
        if first["listen"] == second["listen"] or {"0.0.0.0", "::"} & {first["listen"], second["listen"]}:
            found.append(("R25", "E", "both listen on port %d: give one another port" % first["port"]))
    ports = [instance["several"]["master_port"] for instance in (first, second) if instance["several"]
             and instance["several"]["node_rank"] == 0]
    if len(ports) == 2 and ports[0] == ports[1] and first["several"]["master_addr"] == second["several"]["master_addr"]:
        found.append(("R25", "E", "both have master_port %d at %s: give one another" % (
            ports[0], first["several"]["master_addr"])))
    shared = [gpu["index"] for gpu in one["placed"]["gpus"]
              if gpu_choice.key(gpu) in [gpu_choice.key(other) for other in two["placed"]["gpus"]]]
    if shared:
        found += _sharing(first, second, ", ".join(map(str, shared)))
    return found


def _sharing(first, second, which):
    """Two instances on one GPU: only where both say which part of it each takes, and the parts fit."""
    said = [one["arguments"].get("gpu-memory-utilization") for one in (first, second)]
    if None in said:
        return [("gpus", "E", "both name GPU %s: to share it, each has to say its part (gpu-memory-utilization)"
                 % which)]
    total = sum(rules_here.utilization(one) for one in (first, second))
    if total > MOST:
        return [("gpus", "E", "both are on GPU %s, and their gpu-memory-utilization of %g and %g is more than %g in all"
                 % (which, rules_here.utilization(first), rules_here.utilization(second), MOST))]
    return [("gpus", "I", "both are on GPU %s, as they say, and slow one another down" % which)]


def summary(instance, placed, told):
    """One line for a person."""
    gpus = placed["gpus"]
    parts = ["%s (%s)" % (instance["name"], instance["served_name"])]
    if gpus:
        nodes = sorted({gpu["numa_node"] for gpu in gpus if gpu["numa_node"] is not None})
        parts.append("GPU %s%s" % (", ".join(_named(gpu) for gpu in gpus),
                                   " on NUMA node %s" % _cpulist.format(nodes) if nodes else ""))
    else:
        parts.append("CPU %s" % ("|".join(placed.get("ranks") or ()) or "of its slice"))
    parts.append("TP %s x PP %s" % (told.get(TENSOR) or 1, told.get(PIPELINE) or 1))
    if instance["several"]:
        parts.append("node %d of %d" % (instance["several"]["node_rank"] + 1, instance["several"]["nnodes"]))
    parts.append("max_model_len %s" % (told.get("max-model-len") or "as the model says"))
    parts.append("no API here" if told.get("headless") else "port %d" % instance["port"])
    return ", ".join(parts + [numa_binding.slice_of(instance)])


def _named(gpu):
    part = gpu.get("mig_device")
    return "%d/%s" % (gpu["index"], part.get("profile") or part["index"]) if part else str(gpu["index"])
