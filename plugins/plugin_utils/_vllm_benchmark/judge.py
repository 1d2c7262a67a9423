# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the runs of an instance come to: pass, fail or not measured, beside an earlier report where one is given.

PRIVATE to the collection.
"""

from __future__ import annotations

import json

from ansible_collections.gpuwright.node.plugins.module_utils._benchmark.request import BadRequest
from ansible_collections.gpuwright.node.plugins.module_utils._derive import vllm_bench
from ansible_collections.gpuwright.node.plugins.module_utils._derive.vllm_bench import FAIL, NOT_MEASURED, PASS

SCHEMA = 1
VERDICTS = (PASS, FAIL, NOT_MEASURED)
# What must not be worse than before: how much, and how soon. The rest is shown beside it.
JUDGED = ("output_throughput", "median_ttft", "median_e2el")
_WIDE = 0.2
# Figures of other requests say nothing on these.
_LOAD = ("dataset", "dataset_path", "requests", "request_rate", "concurrency", "input_tokens", "output_tokens",
         "ignore_eos", "arguments")


def earlier(path, load):
    """{(host, instance): figures} of an earlier report. Raises BadRequest, also where its requests were others."""
    where = "vllm_benchmark_against: %s" % path
    try:
        with open(path, encoding="utf-8") as file:
            told = json.load(file)
        if told["schema"] != SCHEMA:
            raise BadRequest("%s has schema %s, and %d is known" % (where, told["schema"], SCHEMA))
        differs = ["%s was %s and is %s" % (name, told["load"][name], load[name]) for name in _LOAD
                   if told["load"][name] != load[name]]
        found = {(host, name): one["figures"] for host, said in told["hosts"].items()
                 for name, one in said["instances"].items() if one["verdict"] != NOT_MEASURED and one["figures"]}
    except OSError as error:
        raise BadRequest("%s: %s" % (where, error.strerror)) from error
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise BadRequest("%s is no report of this role (%s: %s)" % (where, type(error).__name__, error)) from error
    if differs:
        raise BadRequest("%s was measured with other requests: %s" % (where, "; ".join(differs)))
    return found


def instance(records, meant, before):
    """{"verdict", "reasons", "warnings", "figures", "ratios"} of the runs of one instance.

    `before` are its figures in the earlier report that meant["against"] names, None where that has none of it.
    """
    found = {"verdict": PASS, "reasons": [], "warnings": [], "figures": {}, "ratios": {}}
    for number, record in enumerate(records, 1):
        _one(number, record, meant, found)
    whole = [record["result"] for record in records if record["result"] and not record["error"]]
    if len(whole) < meant["runs"]:
        _worse(found, NOT_MEASURED)
    if whole:
        found["figures"] = vllm_bench.together(whole)
    wide = ["%s by %d %%" % (name, round(100 * part["spread"])) for name, part in found["figures"].items()
            if name in JUDGED and part["spread"] is not None and part["spread"] > _WIDE]
    if wide:
        found["warnings"].append("the runs differ: %s of the median" % ", ".join(wide))
    if meant["against"]:
        _beside(found, meant, before)
    return found


def _one(number, record, meant, found):
    """What one run says against it."""
    name = "run %d" % number
    if record["checked_only"]:
        return
    if record["error"]:
        found["reasons"].append("%s: %s" % (name, record["error"]))
        _worse(found, NOT_MEASURED)
        return
    verdict, said = vllm_bench.counts(record["result"], record["asked"])
    found["reasons"] += ["%s: %s" % (name, words) for words in said]
    _worse(found, verdict)
    if record["others"]:
        words = "%s: %d requests of others were answered meanwhile, and the figures are of both" % (
            name, record["others"])
        found["warnings" if "busy" in meant["allow"] else "reasons"].append(words)
        if "busy" not in meant["allow"]:
            _worse(found, NOT_MEASURED)
    if record["others"] is None:
        found["warnings"].append("%s: whether others used the engine is not known, for it has no metrics" % name)


def _worse(found, verdict):
    """A failure stays one; what was not measured is no pass."""
    order = (PASS, NOT_MEASURED, FAIL)
    found["verdict"] = max(found["verdict"], verdict, key=order.index)


def _beside(found, meant, before):
    """The earlier figures beside these."""
    if not found["figures"]:
        return
    if not before:
        found["reasons"].append("%s has no figures of it: there is nothing to compare with" % meant["against"])
        _worse(found, NOT_MEASURED)
        return
    found["ratios"] = vllm_bench.against(found["figures"], before)
    low = ["%s is %d %% of what it was" % (name, round(100 * found["ratios"][name])) for name in JUDGED
           if found["ratios"].get(name, 1) < meant["minimum"]]
    if low:
        found["reasons"].append("%s, and %d %% is the least (vllm_benchmark_minimum)" % (
            " and ".join(low), round(100 * meant["minimum"])))
        _worse(found, FAIL)


def wrong(document, may_be_unmeasured):
    """Why the play must fail, or None."""
    summary, words = document["summary"], []
    if summary[FAIL]:
        words.append("%d of %d measurements failed" % (summary[FAIL], sum(summary.values())))
    if summary[NOT_MEASURED] and not may_be_unmeasured and not document["check_mode"]:
        words.append("%d of %d were not measured, which is no pass (vllm_benchmark_may_be_unmeasured: true lets that "
                     "be)" % (summary[NOT_MEASURED], sum(summary.values())))
    for host, said in document["hosts"].items():
        first = next((one for one in said["instances"].values() if one["verdict"] != PASS and one["reasons"]), None)
        if words and first:
            words.append("%s: %s" % (host, "; ".join(first["reasons"])))
            break
    words += ["%s: %s" % (host, said["profile"]["error"]) for host, said in document["hosts"].items()
              if said["profile"] and said["profile"]["error"]]
    return "; ".join(words) or (None if sum(summary.values()) or document["profiled"] else "nothing was measured")
