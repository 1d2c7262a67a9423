# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The instances of this collection that run on a node, as they are measured: what each is, and whether others use it.

PRIVATE to the collection.
"""

from __future__ import annotations

import json
import re

from .._host import CommandNotRun
from .._kinds import vllm_instance
from .._values import nearest
from .._vllm.change import state
from .._vllm.flags import engine_schema
from .._vllm.flags.help_text import parse_help
from .._vllm.rendered import command, container_options, secret_files
from .._vllm.verification import checking, http, verify

_CONTAINERS = ("podman", "docker")
_FEWEST = 20  # A help with fewer flags is not one of vllm bench serve.
_GAUGES = ("vllm:num_requests_running", "vllm:num_requests_waiting")
_FINISHED = "vllm:request_success_total"
_HELP = ["bench", "serve", "--help=all"]


class Refused(Exception):
    """A run must not, or cannot, begin; the text says why."""


def choose(host, names):
    """The names of the instances to measure: those that are named, else all of this node. Raises Refused."""
    there = state.names(host)
    unknown = [name for name in names if name not in there]
    if unknown:
        raise Refused("no instance %s of this collection on this node; %s" % (
            ", ".join(unknown), nearest(unknown[0], there) if there else "there is none at all"))
    if not there:
        raise Refused("there is no instance of this collection on this node: role vllm_service makes them")
    return list(dict.fromkeys(names)) or there


def find(host, name):
    """{"instance", "deployment", "ask", "key"} of an instance that runs and can be measured. Raises Refused."""
    choose(host, [name])
    kept = state.read(host, name)
    deployment = kept["deployment"]
    if not deployment or kept["phase"] not in (state.KEPT, state.SWITCHED):
        raise Refused("%s: its last switch did not come to its end (%s)" % (name, kept["error"] or kept["phase"]))
    instance = deployment["instance"]
    if instance["state"] != "started":
        raise Refused("%s is to be %s" % (name, instance["state"]))
    if verify.is_headless(deployment):
        raise Refused("%s: its API is on the first of its nodes, %s" % (name, instance["several"]["nodes"][0]))
    if http.where(instance)["socket"]:
        raise Refused("%s listens on a socket of the file system, which `vllm bench serve` cannot ask" % name)
    shown = vllm_instance.show(host, deployment["unit"])
    if not vllm_instance.runs(shown):
        raise Refused("%s is %s: there is nothing to measure" % (deployment["unit"], shown["ActiveState"]))
    key = checking.secret_texts(host, name, {}).get(secret_files.VARIABLES["api_key"])
    return {"instance": instance, "deployment": deployment, "key": key, "ask": http.asker(http.where(instance), key)}


def serves(found):
    """The longest request that the engine takes, in tokens, or None where it does not say. Raises Refused."""
    health = found["ask"]("/health")
    if health["status"] != 200:
        raise Refused("%s: /health: %s" % (found["instance"]["name"], health["why"] or "status %d" % health["status"]))
    answer = found["ask"]("/v1/models")
    try:
        listed = {model["id"]: model for model in json.loads(answer["text"])["data"]}
    except (ValueError, KeyError, TypeError, RecursionError):
        raise Refused("%s: /v1/models: %s" % (found["instance"]["name"], answer["why"] or "status %s"
                                              % answer["status"]))
    served = found["instance"]["served_name"]
    if served not in listed:
        raise Refused("%s: /v1/models has %s and not %s" % (
            found["instance"]["name"], ", ".join(sorted(map(str, listed))) or "no model", served))
    return listed[served].get("max_model_len")


def use(found):
    """{"now": requests that are being answered or wait, "finished": requests so far}; None where it does not say."""
    answer = found["ask"]("/metrics")
    if answer["status"] != 200:
        return {"now": None, "finished": None}
    return {"now": _sum(answer["text"], _GAUGES), "finished": _sum(answer["text"], (_FINISHED,))}


def _sum(text, names):
    """The sum of all values of some metrics, over engines and labels."""
    found = [line.rpartition(" ")[2] for line in text.split("\n")
             if re.match(r"(%s)[{ ]" % "|".join(re.escape(name) for name in names), line)]
    try:
        return int(sum(float(number) for number in found)) if found else None
    except ValueError:
        return None


def refuse_others(found, allow):
    """Raise Refused where somebody else uses the engine, unless that was allowed; returns its use."""
    used = use(found)
    if used["now"] and "busy" not in allow:
        raise Refused("%s is busy: it answers %d request%s of others; the figures would be of both "
                      "(vllm_benchmark_allow: [busy] measures all the same)" % (
                          found["instance"]["name"], used["now"], "" if used["now"] == 1 else "s"))
    return used


def schema(host, instance):
    """What the instance's own program takes. Raises Refused."""
    marks = engine_schema.ENVIRONMENT
    if instance["engine"]["kind"] in _CONTAINERS:
        argv = [instance["engine"]["kind"], "exec"] + ["--env=%s=%s" % pair for pair in sorted(marks.items())]
        argv += [container_options.name(instance), "vllm"]
    else:
        argv = ["env"] + ["%s=%s" % pair for pair in sorted(marks.items())] + [command.program(instance["engine"])]
    try:
        status, output, errors = host.run(argv + _HELP, engine_schema.SECONDS, changes=False)
    except CommandNotRun as error:
        raise Refused("%s: its program does not tell the options of `vllm bench serve`: %s" % (instance["name"], error))
    told = parse_help(output)
    if status or len(told["flags"]) < _FEWEST:
        last = (errors.strip() or output.strip() or "it says nothing").splitlines()[-1]
        raise Refused("%s: `vllm bench serve --help=all`: exit status %d: %s" % (instance["name"], status, last[:300]))
    return told
