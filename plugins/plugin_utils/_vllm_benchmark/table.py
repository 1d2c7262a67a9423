# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A benchmark of vLLM in lines for people.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

import textwrap

from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_bench import LATENCIES
from ansible_collections.gpuwright.node.plugins.plugin_utils._vllm_benchmark.judge import JUDGED

_KINDS = {"pass": "ok", "fail": "failed", "not_measured": "warning"}
_WORDS = {"not_measured": "not measured"}
_THROUGHPUTS = (("request_throughput", "requests/s"), ("output_throughput", "output tokens/s"),
                ("total_token_throughput", "tokens/s in all"))


def of_document(document, width):
    """[(line, kind)] of a whole report."""
    load = document["load"]
    found = [("vLLM: %d requests a run, %s; %d run%s of each" % (
        load["requests"], _load(load), document["runs"], "" if document["runs"] == 1 else "s"), None)]
    for host, said in document["hosts"].items():
        if said["why"]:
            found += _wrapped("  %s: not measured: %s" % (host, said["why"]), "warning", width)
        for name, one in said["instances"].items():
            found += _instance(host, name, one, document, width)
        if said["profile"]:
            found += _profile(host, said["profile"], width)
    counts = document["summary"]
    found.append(("pass %d, fail %d, not measured %d; written: %s" % (
        counts["pass"], counts["fail"], counts["not_measured"], document["path"]), None))
    return found


def _load(load):
    """What was sent, in words."""
    words = [load["dataset"]]
    if load["dataset"] == "random":
        words.append("%d tokens in and %d out" % (load["input_tokens"], load["output_tokens"]))
    words.append("at once" if load["request_rate"] == "inf" else "%g a second" % load["request_rate"])
    words.append("%d at a time" % load["concurrency"] if load["concurrency"] else "without a limit")
    return ", ".join(words)


def _instance(host, name, one, document, width):
    verdict, kind = _WORDS.get(one["verdict"], one["verdict"]), _KINDS[one["verdict"]]
    found = [("  %s: %s%s: %s" % (host, name, " (vLLM %s)" % one["version"] if one.get("version") else "", verdict),
              kind)]
    if document["check_mode"] and one["command"]:
        return found + _wrapped("    would start: %s" % " ".join(one["command"]), None, width)
    figures = one["figures"]
    found += [("    %-16s %10.4g  (%.4g to %.4g)%s" % (
        words, figures[key]["median"], figures[key]["least"], figures[key]["most"], _ratio(one, key)), None)
        for key, words in _THROUGHPUTS if key in figures]
    if any("median_" + latency in figures for latency in LATENCIES):
        found.append(("    %-16s %10s %10s %10s" % ("ms", "median", "p95", "p99"), None))
    for latency in LATENCIES:
        parts = [figures.get("%s_%s" % (part, latency)) for part in ("median", "p95", "p99")]
        if parts[0]:
            found.append(("    %-16s %10s %10s %10s%s" % ((latency.upper(),) + tuple(
                "%.4g" % part["median"] if part else "-" for part in parts) + (_ratio(one, "median_" + latency),)),
                None))
    for words, other in ((one["reasons"], kind), (one["warnings"], "warning")):
        for line in words:
            found += _wrapped("    " + line, other, width)
    return found


def _ratio(one, name):
    """How it is beside the earlier report; what is judged is marked."""
    share = one["ratios"].get(name)
    return "" if share is None else "  %d %% of before%s" % (round(100 * share), " *" if name in JUDGED else "")


def _profile(host, profile, width):
    if profile["checked_only"]:
        return _wrapped("  %s: would restart under: %s" % (host, " ".join(profile["command"])), None, width)
    found = []
    if profile.get("report"):
        found.append(("  %s: profile: %s" % (host, profile["report"]), "ok"))
    if profile["error"]:
        found += _wrapped("  %s: profile: %s" % (host, profile["error"]), "failed", width)
    for line in profile["warnings"]:
        found += _wrapped("  %s: profile: %s" % (host, line), "warning", width)
    if profile["restored"]:
        found.append(("  %s: profile: it did not serve for %d s" % (host, profile["down_seconds"]), None))
    return found


def _wrapped(text, kind, width):
    indent = " " * (len(text) - len(text.lstrip()) + 2)
    return [(line, kind) for line in textwrap.wrap(text, width, subsequent_indent=indent, break_long_words=False,
                                                   break_on_hyphens=False)]
