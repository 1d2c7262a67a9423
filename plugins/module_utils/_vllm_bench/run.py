# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A run of `vllm bench serve` on the node whose engine it asks: look, start, read what it wrote.

PRIVATE to the collection. The run is held as those of _benchmark/run.py are, which follows and ends it too. It has the
engine's own environment and user, so that code that came with an engine is never root's; the key is in its environment.
"""

from __future__ import annotations

import json

from .._benchmark import run as held
from .._derive import vllm_bench
from .._vllm.change import state
from .._vllm.rendered import command, container_options, secret_files
from .._vllm.verification import http
from . import running, words
from .running import Refused

_BEFORE = "before"
_MOST_BYTES = 1 << 26
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
# What is not on the node is not fetched for a measurement; and no statistics are sent of it.
_QUIET = {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "VLLM_NO_USAGE_STATS": "1", "LC_ALL": "C.UTF-8",
          "PYTHONDONTWRITEBYTECODE": "1"}
_HOME = "/var/lib/vllm/home/%s"


def look(host, names, load, allow):
    """{name: {"why": None, or why it cannot be measured, "command", "where", ..}}. Raises Refused: no such instance."""
    return {name: _look(host, name, load, allow) for name in running.choose(host, names)}


def _look(host, name, load, allow):
    try:
        found = running.find(host, name)
        longest = running.serves(found)
        running.refuse_others(found, allow)
        made = words.flags(found["instance"], load, "RESULT", load["seed"])
        wrong = words.problems(made, load["arguments"], running.schema(host, found["instance"]))
        wrong += _too_long(load, longest)
        if load["dataset_path"] and not _inside(found["instance"]) and not host.exists(load["dataset_path"]):
            wrong.append("vllm_benchmark_dataset_path: %s is not on this node" % load["dataset_path"])
        if wrong:
            raise Refused("%s: %s" % (name, "; ".join(wrong)))
    except (Refused, OSError) as error:
        return {"why": str(error), "command": None}
    return {"why": None, "command": _argv(host, found["instance"], made, load["timeout"]), "max_model_len": longest,
            "where": http.named(http.where(found["instance"])), "version": found["deployment"]["engine"]["version"],
            "arguments": found["deployment"]["arguments"], "summary": found["deployment"]["summary"]}


def _too_long(load, longest):
    if load["dataset"] != "random" or not longest or load["input_tokens"] + load["output_tokens"] <= longest:
        return []
    return ["vllm_benchmark_input_tokens and vllm_benchmark_output_tokens are %d in all, and the engine takes %d at "
            "most (max-model-len)" % (load["input_tokens"] + load["output_tokens"], longest)]


def start(host, name, load, number, allow, lease):
    """Begin run `number`; returns {"id", "command"}. Raises Refused; in check mode nothing begins and `id` is None.

    Each run has a seed of its own: prompts that come again would be answered from the prefix cache.
    """
    found = running.find(host, name)
    running.serves(found)
    used = running.refuse_others(found, allow)
    instance, seed = found["instance"], load["seed"] + number
    if host.read_only:
        return {"id": None, "command": _argv(host, instance, words.flags(instance, load, "RESULT", seed),
                                             load["timeout"])}
    for folder, is_held in host.launched(held.PLACE, held.PREFIX).items():
        if not is_held:  # Its supervisor was killed, or the node lost power.
            host.end_launched(folder)
    _sweep(host, name)
    folder = host.make_private_folder(held.PLACE, held.PREFIX)
    place, file = _result(host, instance, folder)
    made = dict(words.flags(instance, load, place, seed), **{"result-filename": file})
    argv = _argv(host, instance, made, load["timeout"])
    try:
        host.write_file(folder + "/" + _BEFORE, json.dumps(dict(used, name=name)).encode(), 0o600)
        host.launch(argv, folder, _environment(host, found), load["timeout"], lease)
    except OSError:
        host.end_launched(folder)
        raise
    return {"id": folder, "command": argv}


def stop(host, name, folder):
    """End a run if it is going, and remove all of it; returns whether it was going. Raises Refused."""
    ran = held.stop(host, folder)
    if name in state.names(host):
        _sweep(host, name)
    return ran


def _sweep(host, name):
    """Remove results of runs that are no more: a program may write its own in the moment in which it is ended."""
    cache = secret_files.CACHE % name
    for file in host.names(cache):
        run, _dot, kind = file.rpartition(".")
        if run.startswith(held.PREFIX) and kind == "json" and not host.exists("%s/%s" % (held.PLACE, run)):
            host.remove_file("%s/%s" % (cache, file))


def result(host, name, folder, sent):
    """{"result": figures or None, "why", "others": requests of others meanwhile, None where nobody knows}."""
    found = running.find(host, name)
    try:
        before = json.loads(host.read(folder + "/" + _BEFORE))
    except (OSError, ValueError):
        before = {"finished": None}
    after = running.use(found)["finished"]
    others = None if None in (before["finished"], after) else max(after - before["finished"] - sent, 0)
    place, file = _result(host, found["instance"], folder)
    path = "%s/%s" % (place, file)
    if host.link(path) is not None:
        return {"result": None, "why": "%s is a link" % path, "others": others}
    try:
        text = host.read_bytes(path, _MOST_BYTES).decode("utf-8", "replace")
        told = {"result": vllm_bench.parse(text), "why": None}
    except FileNotFoundError:
        told = {"result": None, "why": "it wrote no result"}
    except vllm_bench.NoResult as error:
        told = {"result": None, "why": "its result cannot be read: %s" % error}
    host.remove_file(path)
    return dict(told, others=others)


def _inside(instance):
    return instance["engine"]["kind"] in ("podman", "docker")


def _cache(instance):
    """The folder that the engine's user, and its container, may write: the same path inside and outside."""
    return secret_files.CACHE % instance["name"]


def _result(host, instance, folder):
    """(folder, file) of the result: where the engine's user may write it, if that is who runs."""
    if _inside(instance) or (host.is_root() and host.is_folder(_cache(instance))):
        return _cache(instance), folder.rpartition("/")[2] + ".json"
    return folder, words.RESULT


def _argv(host, instance, made, seconds):
    """The whole command; in a container a second limit, since who ends `exec` does not end what it started."""
    if _inside(instance):
        program = [instance["engine"]["kind"], "exec", "--env=OPENAI_API_KEY"]
        program += ["--env=%s=%s" % pair for pair in sorted(_QUIET.items())]
        program += [container_options.name(instance), "timeout", str(seconds), "vllm"]
    else:
        program = _as_user(host, instance) + [command.program(instance["engine"])]
    return words.words(program, made)


def _as_user(host, instance):
    """Words that let go of root."""
    if not host.is_root() or not host.is_folder(_cache(instance)):
        return []
    user = instance["user"]
    lines = [line.split(":") for line in (host.text("/etc/passwd") or "").split("\n")]
    group = next((line[3] for line in lines if line[0] == user and len(line) > 3), user)
    return ["setpriv", "--reuid=" + user, "--regid=" + group, "--init-groups", "--"]


def _environment(host, found):
    """All variables of the program: the engine's own ones, with its key."""
    instance = found["instance"]
    made = {"PATH": _PATH, "HOME": host.environment().get("HOME", "/")}
    if not _inside(instance):
        made.update(found["deployment"]["environment"])
        made["PATH"] = command.folder(instance["engine"]) + ":" + _PATH
        if host.is_folder(_cache(instance)):
            made.update(secret_files.caches(_cache(instance), _HOME % instance["name"]))
    made.update(_QUIET)
    if found["key"]:
        made["OPENAI_API_KEY"] = found["key"]
    return made
