# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judges what was measured against what the nodes are made of and against one another: pass, fail or not_measured.

PRIVATE to the collection. Pure. What was compared by its environment is never judged, only shown.
"""

from __future__ import annotations

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_expectation, nccl_verdict, pair_search

PASS, FAIL, NOT_MEASURED = "pass", "fail", "not_measured"
_RANKS = ("ranks", "unnamed_ranks", "rank_count", "hosts")


def judge(records, looks, minimum):
    """Every record with its "verdict", "reasons", "warnings", "measured", "expected", "why", "size" and "result"."""
    judged = [_judged(record, looks, minimum, None) for record in records]
    alike = {}
    for one in judged:
        if one["measured"] is not None:
            alike.setdefault(_kind(one), []).append(one)
    found = []
    for one in judged:
        siblings = [other["measured"] for other in alike.get(_kind(one), ()) if other is not one]
        compared = siblings and not one["variant"]
        found.append(_judged(one["record"], looks, minimum, siblings) if compared else one)
    return found


def _kind(one):
    """What runs have in common that measured the same thing on equal hosts."""
    return tuple(one[name] for name in ("operation", "variant", "scope", "search", "gpus", "gpu_names"))


def _judged(record, looks, minimum, siblings):
    topologies = [looks[host]["topology"] or {} for host in record["hosts"]]
    names = tuple(sorted({gpu.get("name") or "" for topology in topologies for gpu in topology.get("gpus") or ()}))
    expectation = nccl_expectation.expected(topologies, record["operation"], record["gpus"],
                                            one_nvlink_domain=_one_domain(record, looks))
    result = merge(record["results"])
    found = {}
    found.update(nccl_verdict.verdict(
        _to_judge(record, result), expectation, siblings=siblings, minimum=minimum,
        rdma_expected=_rdma_expected(record, topologies), gdr_expected=all(map(_has_gdr, topologies)),
        ranks_expected=len(record["hosts"]) * record["gpus"],
        intended=dict(looks[record["hosts"][0]].get("conf") or {}, **record["environment"])))
    if record["error"] and not record["excused"]:
        # A launcher that failed is no pass, whatever it printed before.
        found["verdict"] = NOT_MEASURED if found["verdict"] == PASS else found["verdict"]
        said = [record["error"]], list(found["reasons"])  # What was measured says more than a status does.
        found["reasons"] = list(dict.fromkeys(said[1] + said[0] if found["verdict"] == FAIL else said[0] + said[1]))
    kept = {name: record[name] for name in ("run", "scope", "search", "hosts", "gpus", "operation", "variant",
                                            "commands", "seconds", "error")}
    return dict(found, **kept, record=record, gpu_names=names, why=expectation["why"],
                limits=expectation["limits"], result=result)


def _to_judge(record, result):
    """What the verdict is on; an excuse where there is nothing to judge."""
    if record["checked_only"]:
        return {"refused": "check mode: nothing was started"}
    if record["excused"] or result is None:
        return {"refused": record["error"] or "nothing was printed"}
    return result


def _one_domain(record, looks):
    """Whether NVLink joins all hosts of a run."""
    domains = {looks[host].get("nvlink_domain") for host in record["hosts"]}
    return len(record["hosts"]) > 1 and len(domains) == 1 and None not in domains


def _rdma_expected(record, topologies):
    """Whether the network between the hosts must be RDMA: each has a port for its GPUs that is not down."""
    return len(record["hosts"]) > 1 and all(map(_has_rdma, topologies))


def _has_rdma(topology):
    serving = {name for names in (topology.get("gpu_nics") or {}).values() for name in names}
    return any(port.get("state") in ("ACTIVE", None) for device in topology.get("rdma_devices") or ()
               if device["name"] in serving for port in device["ports"])


def _has_gdr(topology):
    """Whether NICs of a node reach the memory of its GPUs, by one way or the other."""
    ways = (topology.get("kernel") or {}).get("gpudirect") or {}
    return bool(ways.get("dmabuf") or ways.get("peermem"))


def merge(results):
    """One result of all launches of a work, or None: their rows together, and whatever any of them complains of."""
    if not results:
        return None
    whole = dict(results[0], tests=None)
    for other in results[1:]:
        whole["rows"] = whole["rows"] + other["rows"]
        whole["errors"] = list(dict.fromkeys(whole["errors"] + other["errors"]))
        whole["complete"] = whole["complete"] and other["complete"]
        whole["avg_bus_bandwidth"] = whole["avg_bus_bandwidth_verdict"] = None  # Of one launch, and so of none.
        whole["out_of_bounds"] = _sum(whole["out_of_bounds"], other["out_of_bounds"])
        whole["wrong_values"] = _sum(whole["wrong_values"], other["wrong_values"])
        whole["failed_check"] = _worst(whole["failed_check"], other["failed_check"])
        whole["transport"] = _weaker(whole["transport"], other["transport"])
        if _count(other) < _count(whole):
            whole.update({name: other.get(name) for name in _RANKS})
    del whole["tests"]
    return whole


def _count(result):
    return len(result.get("ranks") or ()) + len(result.get("unnamed_ranks") or ())


def _weaker(one, other):
    """Of what two launches tell of their transport, what is worse: one fell back to TCP, or staged in host memory."""
    if one is None or other is None:
        return one or other
    return min((one, other), key=lambda told: (told.get("net") != "Socket", told.get("gdrdma") is not False))


def _sum(one, other):
    return None if one is None and other is None else (one or 0) + (other or 0)


def _worst(one, other):
    """True (it failed) beats unknown beats False."""
    return True if True in (one, other) else None if None in (one, other) else False


def suspects(judged):
    """The runs that failed, crashed or hung, and are to be searched."""
    return [one for one in judged if _is_bad(one) and not one["variant"] and not one["search"]]


def _is_bad(one):
    """A run that crashed or hung has no bandwidth, but between sound nodes it would have had one."""
    return one["verdict"] == FAIL or bool(one["error"] and not one["record"]["excused"])


def blame(judged):
    """What the pairs say, or None where there were none, or nothing failed: the bad nodes and links by name."""
    pairs = [dict(one, verdict=FAIL if _is_bad(one) else one["verdict"]) for one in judged
             if one["scope"] == "pair" and len(one["hosts"]) == 2 and not one["variant"]]
    if not pairs or not any(map(_is_bad, judged)):
        return None
    operation = next((one["operation"] for one in pairs if one["search"]), None)
    found = pair_search.blame([one for one in pairs if operation in (None, one["operation"])])
    met = sorted({host for one in pairs for host in one["hosts"]})
    if len(met) == 2 and found["undecided"]:
        found.update(next=[], words=["%s and %s fail together: a third node beside them would tell which of the two, "
                                     "or whether the link between them, is bad" % tuple(met)])
    return found
