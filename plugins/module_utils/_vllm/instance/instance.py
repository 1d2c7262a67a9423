# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""An instance in normal form: what a person wrote of it, checked, completed with the role's values, names in one way.

PRIVATE to the collection. Pure. The controller makes the normal form, and the node's module checks it again: what is
in normal form already stays as it is.
"""

from __future__ import annotations

from ..._values import nearest
from .instance_values import (
    BadInstance,
    argument_names,
    engine,
    environment,
    gpus,
    listen,
    model,
    name,
    one_of,
    path_or_none,
    seconds,
    several,
    slice_name,
    source,
    text,
    user,
    whole,
)
from .presets import PRESETS

STATES = ("started", "stopped", "absent")
# What a person may write. nodes, distributed, master_port and interface are for the controller, which makes `several`
# of them for each node.
OF_SEVERAL = ("nodes", "distributed", "master_port", "interface")
KEYS = ("name", "model", "revision", "source", "model_path", "served_name", "preset", "arguments", "environment",
        "gpus", "port", "listen", "engine", "user", "slice", "state", "health_timeout", "stop_timeout", "prompt",
        "several")
HUB = "https://huggingface.co"
DEFAULTS = {"preset": "balanced", "arguments": {}, "environment": {}, "engine": {"kind": "venv", "version": None},
            "models_dir": "/var/lib/vllm/models", "user": "vllm", "slice": None, "listen": "0.0.0.0", "port": 8000,
            "health_timeout": 1800, "stop_timeout": 120, "prompt": "The capital of France is"}


def check(given, defaults=None):
    """The instance in normal form, with every key of KEYS. Raises BadInstance: what, where, what is legal.

    `defaults` are the role's own values, named as in DEFAULTS; what they lack is taken from there.
    """
    said = dict(DEFAULTS, **{key: value for key, value in (defaults or {}).items() if value is not None})
    if not isinstance(given, dict):
        raise BadInstance("%r is no instance; legal is a mapping with name and model" % (given,))
    where = "instance %s" % given.get("name", "without a name")
    unknown = sorted(str(key) for key in given if key not in KEYS + OF_SEVERAL)
    if unknown:
        raise BadInstance("%s: no such key: %s" % (where, "; ".join(
            "%s: %s" % (key, _meant(key)) for key in unknown)))
    absent = one_of(where + ", state", given.get("state") or "started", STATES) == "absent"
    if absent and "model" not in given:
        given = dict(given, model="/absent")  # Who removes an instance need not say again what it was.
    asked = {key: value for key, value in given.items() if value is not None}
    preset = one_of(where + ", preset", asked.get("preset", said["preset"]), PRESETS)
    normal = {"name": name(given.get("name")), "preset": preset, "state": asked.get("state", "started"),
              "arguments": _arguments(where, preset, said["arguments"], asked.get("arguments", {})),
              "environment": dict(environment(where, said["environment"]),
                                  **environment(where, asked.get("environment", {}))),
              "gpus": gpus(where, asked.get("gpus")),
              "engine": engine(where, said["engine"], asked.get("engine", {})),
              "several": several(where, asked.get("several"))}
    normal.update(_model(where, asked, said))
    normal.update(_service(where, asked, said, "prompt" in given and given["prompt"] is None))
    return normal


def _meant(key):
    """What somebody meant who wrote a key that there is not: often an argument of vLLM, which has its own place."""
    if str(key).replace("_", "-") in ("tensor-parallel-size", "pipeline-parallel-size", "data-parallel-size", "dtype",
                                      "max-model-len", "quantization", "gpu-memory-utilization", "max-num-seqs",
                                      "max-num-batched-tokens", "kv-cache-dtype", "host"):
        return "listen says it" if key == "host" else "it is an argument of vLLM: put it into arguments"
    return nearest(key, KEYS + OF_SEVERAL)


def _arguments(where, preset, of_role, own):
    """Preset, the role's arguments, the instance's own: the later one wins, and null leaves a flag to vLLM."""
    merged = dict(PRESETS[preset])
    merged.update(argument_names("vllm_service_arguments", of_role))
    merged.update(argument_names(where + ", arguments", own))
    return merged


def _model(where, asked, said):
    """model, revision, source, model_path and served_name: what is served, and where its files come from and lie."""
    what = model(where, asked.get("model"))
    from_where = source(where, asked.get("source"))
    revision = asked.get("revision")
    if what.startswith("/"):
        path = path_or_none(where + ", model_path", asked.get("model_path")) or what
        served = what.rstrip("/").rpartition("/")[2]
    else:
        if from_where is None and "model_path" not in asked:
            from_where = {"hub": HUB}
        if from_where and "hub" in from_where and revision is None:
            raise BadInstance("%s: which revision of %s? Legal is the commit, 40 hexadecimal digits: a branch or a tag "
                              "may be another model tomorrow" % (where, what))
        path = path_or_none(where + ", model_path", asked.get("model_path")) or "%s/%s/%s" % (
            path_or_none("vllm_service_models_dir", said["models_dir"]), what.replace("/", "--"), revision or "files")
        served = what
    if revision is not None and not (isinstance(revision, str) and len(revision) == 40
                                     and set(revision) <= set("0123456789abcdef")):
        raise BadInstance("%s, revision: %r is no commit; legal are 40 hexadecimal digits, which the model's page "
                          "shows, and `git ls-remote` of its repository" % (where, revision))
    return {"model": what, "revision": revision, "source": from_where, "model_path": path,
            "served_name": text(where + ", served_name", asked.get("served_name", served))}


def _service(where, asked, said, no_prompt):
    """What the unit and the looks at it need."""
    prompt = None if no_prompt else asked.get("prompt", said["prompt"])
    return {"port": whole(where + ", port", asked.get("port", said["port"]), 1024, 65535),
            "listen": listen(where, asked.get("listen", said["listen"])),
            "user": user(where, asked.get("user", said["user"])),
            "slice": slice_name(where, asked.get("slice", said["slice"])),
            "health_timeout": seconds(where + ", health_timeout", asked.get("health_timeout", said["health_timeout"])),
            "stop_timeout": seconds(where + ", stop_timeout", asked.get("stop_timeout", said["stop_timeout"])),
            "prompt": prompt if prompt is None else text(where + ", prompt", prompt)}
