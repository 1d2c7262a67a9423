# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The variables of the role vllm_benchmark, checked on the controller before anything is started anywhere.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from ansible.module_utils.parsing.convert_bool import boolean

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest, number, one_of
from ansible_collections.gpuwright.node.plugins.module_utils._values import name_list, nearest

PREFIX = "vllm_benchmark_"
DATASETS = ("random", "sharegpt", "custom")
ALLOWED = ("busy", "restart")
NAMES = ("instances", "dataset", "dataset_path", "requests", "warmup", "request_rate", "concurrency", "input_tokens",
         "output_tokens", "ignore_eos", "seed", "arguments", "runs", "timeout", "allow", "against", "minimum",
         "may_be_unmeasured", "profile", "profile_delay", "profile_duration", "profile_size", "nsys")
_ABSOLUTE = re.compile(r"/[^\0\n]+\Z")


def check_names(task_vars):
    """Raise BadRequest for a variable that has the role's prefix and is none."""
    meant = task_vars.get("gpuwright_ignore_variables") or ()
    wrong = ["%s: after %s, %s" % (name, PREFIX, nearest(name[len(PREFIX):], NAMES)) for name in sorted(task_vars)
             if name.startswith(PREFIX) and name[len(PREFIX):] not in NAMES and name not in meant]
    if wrong:
        raise BadRequest("no such variable: %s (a variable of yours goes into the list gpuwright_ignore_variables)"
                         % "; ".join(wrong))


def read(given):
    """All options with what they mean, from {name without the prefix: value}. Raises BadRequest."""
    profile = None if given["profile"] in (None, "") else one_of(PREFIX + "profile", given["profile"], ("nsys",))
    meant = {"instances": _words("instances", given["instances"]), "load": _load(given),
             "runs": number(PREFIX + "runs", given["runs"], 0, 100),
             "allow": [one_of(PREFIX + "allow", word, ALLOWED) for word in _words("allow", given["allow"])],
             "against": _text("against", given["against"]), "minimum": _share(given["minimum"]),
             "may_be_unmeasured": _flag("may_be_unmeasured", given["may_be_unmeasured"]),
             "profile_size": number(PREFIX + "profile_size", given["profile_size"], 1), "profile": None}
    if profile:
        meant["profile"] = _profile(given, meant)
    elif not meant["runs"]:
        raise BadRequest("vllm_benchmark_runs is 0, and no vllm_benchmark_profile is asked for: nothing is left to do")
    return meant


def _load(given):
    """The requests of one run."""
    dataset = one_of(PREFIX + "dataset", given["dataset"], DATASETS)
    path = _path("dataset_path", given["dataset_path"])
    if dataset != "random" and not path:
        raise BadRequest("vllm_benchmark_dataset: %s needs vllm_benchmark_dataset_path, the file of the data set on "
                         "the node; random needs none" % dataset)
    if dataset == "random" and path:
        raise BadRequest("vllm_benchmark_dataset_path: the data set random has no file; say vllm_benchmark_dataset: "
                         "sharegpt, or leave the path out")
    if not isinstance(given["arguments"] or {}, dict):
        raise BadRequest("vllm_benchmark_arguments: %r is no mapping of flags of `vllm bench serve`"
                         % (given["arguments"],))
    return {"dataset": dataset, "dataset_path": path, "requests": number(PREFIX + "requests", given["requests"], 1),
            "warmup": number(PREFIX + "warmup", given["warmup"], 0), "request_rate": _rate(given["request_rate"]),
            "concurrency": None if given["concurrency"] in (None, "") else number(
                PREFIX + "concurrency", given["concurrency"], 1),
            "input_tokens": number(PREFIX + "input_tokens", given["input_tokens"], 1),
            "output_tokens": number(PREFIX + "output_tokens", given["output_tokens"], 1),
            "ignore_eos": _flag("ignore_eos", given["ignore_eos"]), "seed": number(PREFIX + "seed", given["seed"], 0),
            "arguments": dict(given["arguments"] or {}), "timeout": number(PREFIX + "timeout", given["timeout"], 1)}


def _profile(given, meant):
    """How long, and by which program; one engine is restarted, and nobody is to be surprised which."""
    if len(meant["instances"]) != 1:
        raise BadRequest("vllm_benchmark_profile restarts one engine: vllm_benchmark_instances has to name it, and "
                         "names %d" % len(meant["instances"]))
    if "restart" not in meant["allow"]:
        raise BadRequest("vllm_benchmark_profile restarts %s twice, and it serves nothing while it starts: "
                         "vllm_benchmark_allow: [restart] allows that" % meant["instances"][0])
    delay = given["profile_delay"]
    return {"delay": None if delay in (None, "") else number(PREFIX + "profile_delay", delay, 1, 86400),
            "duration": number(PREFIX + "profile_duration", given["profile_duration"], 1, 3600),
            "nsys": _path("nsys", given["nsys"])}


def _rate(value):
    if str(value).strip() in ("inf", ".inf"):
        return "inf"
    try:
        rate = float(value)
    except (TypeError, ValueError):
        rate = 0
    if isinstance(value, bool) or not 0 < rate:
        raise BadRequest("vllm_benchmark_request_rate: %r is no number of requests per second above 0, and not inf"
                         % (value,))
    return "inf" if rate == float("inf") else rate


def _share(value):
    try:
        share = float(value)
    except (TypeError, ValueError):
        share = 0
    if isinstance(value, bool) or not 0 < share <= 1:
        raise BadRequest("vllm_benchmark_minimum: %r is no share of what was measured before, above 0 and up to 1"
                         % (value,))
    return share


def _words(name, value):
    try:
        return name_list(value or [])
    except ValueError as error:
        raise BadRequest("%s%s: %s" % (PREFIX, name, error)) from error


def _text(name, value):
    if value in (None, ""):
        return None
    if not isinstance(value, str) or "\0" in value:
        raise BadRequest("%s%s: %r is no path" % (PREFIX, name, value))
    return value


def _path(name, value):
    if value in (None, ""):
        return None
    if not isinstance(value, str) or not _ABSOLUTE.match(value):
        raise BadRequest("%s%s: %r is no absolute path on the node" % (PREFIX, name, value))
    return value


def _flag(name, value):
    try:
        return boolean(value)
    except TypeError as error:
        raise BadRequest("%s%s: %r is neither true nor false" % (PREFIX, name, value)) from error
