# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command line of `vllm bench serve` for an engine that runs here, checked against the program's own help.

PRIVATE to the collection. Pure. The API key is in none of the words: the program reads OPENAI_API_KEY.
"""

from __future__ import annotations

import json

from .._derive.vllm_bench import LATENCIES, PERCENTILES
from .._values import nearest
from .._vllm.flags.argument_values import wrong
from .._vllm.verification import http

RESULT = "result.json"
# One that the role says, with the variable in which a person says it.
_OF_THE_ROLE = {
    "dataset-name": "vllm_benchmark_dataset", "dataset-path": "vllm_benchmark_dataset_path",
    "num-prompts": "vllm_benchmark_requests", "num-warmups": "vllm_benchmark_warmup",
    "request-rate": "vllm_benchmark_request_rate", "max-concurrency": "vllm_benchmark_concurrency",
    "random-input-len": "vllm_benchmark_input_tokens", "input-len": "vllm_benchmark_input_tokens",
    "random-output-len": "vllm_benchmark_output_tokens", "output-len": "vllm_benchmark_output_tokens",
    "sharegpt-output-len": "vllm_benchmark_output_tokens", "ignore-eos": "vllm_benchmark_ignore_eos",
    "seed": "vllm_benchmark_seed"}
_RESERVED = ("model", "tokenizer", "served-model-name", "base-url", "host", "port", "insecure", "save-result",
             "result-dir", "result-filename", "append-result", "percentile-metrics", "metric-percentiles",
             "disable-tqdm", "header", "profile", "save-detailed")


def flags(instance, load, folder, seed):
    """{flag: value} of one run; `load` is what a person asked for, `folder` where the result goes."""
    place = http.where(instance)
    made = {"backend": "vllm", "endpoint": "/v1/completions", "base-url": http.named(place),
            "model": instance["served_name"],
            "tokenizer": (instance["arguments"].get("tokenizer") or instance.get("model_file")
                          or instance["model_path"] or instance["model"]),
            "dataset-name": load["dataset"], "num-prompts": load["requests"], "request-rate": load["request_rate"],
            "seed": seed, "disable-tqdm": True, "percentile-metrics": ",".join(LATENCIES),
            "metric-percentiles": ",".join(str(number) for number in PERCENTILES), "save-result": True,
            "result-dir": folder, "result-filename": RESULT}
    if load["concurrency"]:
        made["max-concurrency"] = load["concurrency"]
    if load["warmup"]:
        made["num-warmups"] = load["warmup"]
    if load["ignore_eos"]:
        made["ignore-eos"] = True
    if place["tls"]:
        made["insecure"] = True
    made.update(_dataset(load))
    mode = instance["arguments"].get("tokenizer-mode")
    if mode:
        made["tokenizer-mode"] = mode
    made.update({str(name).replace("_", "-"): value for name, value in load["arguments"].items() if value is not None})
    return made


def _dataset(load):
    if load["dataset"] == "random":
        return {"random-input-len": load["input_tokens"], "random-output-len": load["output_tokens"]}
    found = {"dataset-path": load["dataset_path"]} if load["dataset_path"] else {}
    if load["dataset"] == "sharegpt" and load["output_tokens"]:
        found["sharegpt-output-len"] = load["output_tokens"]
    return found


def problems(made, own, schema):
    """What of it the installed program does not take, in words; `own` are the names that a person wrote."""
    found = []
    for given in own:
        name = str(given).replace("_", "-")
        if name in _OF_THE_ROLE:
            found.append("vllm_benchmark_arguments: %s: that is %s" % (given, _OF_THE_ROLE[name]))
        elif name in _RESERVED:
            found.append("vllm_benchmark_arguments: %s: the role says that itself" % given)
    written = {str(given).replace("_", "-") for given in own}
    for name, value in made.items():
        entry = schema["flags"].get(name)
        where = "vllm_benchmark_arguments: " if name in written else ""
        if entry is None:
            found.append("%s`vllm bench serve` of this engine has no --%s; %s" % (
                where, name, nearest(name, schema["flags"]) if where else "it is too old for this role"))
        else:
            # Its help has no types, and one default does not tell them: 99 stands for "50,95,99" too.
            bad = wrong(name, value, entry if entry["takes"] == "none" else dict(entry, type=None))
            found += ["%s%s" % (where, bad)] if bad else []
    return found


def words(program, made):
    """The whole command."""
    found = list(program) + ["bench", "serve"]
    for name, value in made.items():
        if value is True:
            found.append("--" + name)
        elif value is False:
            found.append("--no-" + name)
        elif isinstance(value, (list, tuple)):
            found += ["--" + name] + [str(one) for one in value]
        else:
            found += ["--" + name, json.dumps(value) if isinstance(value, dict) else str(value)]
    return found
