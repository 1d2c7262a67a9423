# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bus bandwidth to expect of a collective of nccl-tests at large sizes, from what the nodes are made of.

PRIVATE to the collection. Pure. The smallest bound holds: the links inside a node, or its way to the others. It is
what healthy machines reach, not the best that was ever seen: two nodes may exceed their NICs, since NCCL's trees move
less than its rings do.
"""

from __future__ import annotations

import re

from . import interconnect, nccl_limits, nic_rates

_NAMES = nccl_limits.RING + nccl_limits.ALL_PAIRS + nccl_limits.NEIGHBOURS
_PLAIN = {name.replace("_", ""): name for name in _NAMES}


def operation_name(operation):
    """The name of an operation as nccl-tests' programs have it: "AllReduce" and "all_reduce_perf" are all_reduce."""
    plain = re.sub(r"_perf(_mpi)?$", "", (operation or "").strip().rpartition("/")[2]).lower()
    plain = re.sub(r"[^a-z]", "", plain)
    return _PLAIN.get(plain, plain)


def bus_factor(operation, ranks):
    """Bus bandwidth over algorithm bandwidth, as nccl-tests computes it; None for an operation that it has not."""
    name = operation_name(operation)
    if name not in _NAMES or ranks < 1:
        return None
    if name in ("broadcast", "reduce", "sendrecv"):
        return 1.0
    # One rank alone moves nothing: nccl-tests prints 0 for it.
    return (2.0 if name == "all_reduce" else 1.0) * (ranks - 1) / ranks


def expected(topologies, operation, gpus_per_node=None, one_nvlink_domain=False):
    """{operation, bus_bandwidth, why, limits, efficiency, ranks, warnings}: GB/s from 1 GiB on, or None and why not.

    `topologies` are the facts of the nodes that take part, `gpus_per_node` how many GPUs of each (all, if not said).
    `one_nvlink_domain`: NVLink joins the nodes, as in an NVL72.
    """
    name = operation_name(operation)
    topologies = list(topologies)
    chosen = [(topology.get("gpus") or [])[:gpus_per_node or None] for topology in topologies]
    ranks = sum(map(len, chosen))
    refused = _refused(name, operation, chosen, gpus_per_node, ranks)
    if refused:
        return _result(name, None, refused, [], ranks, [])
    limits, warnings = _limits(topologies, chosen, name, ranks, one_nvlink_domain)
    unknown = [one["what"] for one in limits if one["rate"] is None]
    if unknown:
        return _result(name, None, "nothing is known of: %s" % ", ".join(sorted(unknown)), limits, ranks, warnings)
    least = min(limits, key=lambda one: one["bandwidth"])
    why = "%s carries %.1f GB/s of bus bandwidth in %s on %d ranks; %.0f%% of it is what NCCL reaches" % (
        least["what"], least["rate"], name, ranks, 100 * least["efficiency"])
    return _result(name, least, why, limits, ranks, warnings)


def _refused(name, operation, chosen, gpus_per_node, ranks):
    """Why nothing can be expected of such a run at all, or None."""
    if name not in _NAMES:
        return "no expectation for operation %r; there is one for %s" % (operation, ", ".join(sorted(_NAMES)))
    if not ranks or min(map(len, chosen)) < (gpus_per_node or 1):
        return "a node has no GPUs in its topology" if not gpus_per_node else (
            "a node has fewer than %d GPUs in its topology" % gpus_per_node)
    return "a single GPU has nobody to exchange with" if ranks < 2 else None


def _result(name, least, why, limits, ranks, warnings):
    return {"operation": name or None, "bus_bandwidth": least and round(least["bandwidth"], 1), "why": why,
            "limits": limits, "efficiency": least and round(least["efficiency"], 3), "ranks": ranks,
            "warnings": warnings}


def _limits(topologies, chosen, name, ranks, one_nvlink_domain):
    """(every bound, each kind once with its smallest value; sentences on NICs that are not as the others)."""
    found = [nccl_limits.inside(gpus, name, ranks, ranks if one_nvlink_domain else len(gpus))
             for gpus in chosen if len(gpus) > 1]
    warnings = []
    if len(topologies) > 1 and not one_nvlink_domain:
        rates, warnings = nic_rates.rates(topologies)
        for topology, gpus, rate_of in zip(topologies, chosen, rates):
            found += nccl_limits.across(_way_out(topology, gpus, rate_of), name, ranks)
    elif len(topologies) > 1 and not found:
        found = [nccl_limits.limit("NVLink between nodes of one GPU each", None, None)]
    least = {}
    for one in found:
        known = least.get(one["what"])
        if known is None or one["rate"] is None or (known["rate"] is not None and one["rate"] < known["rate"]):
            least[one["what"]] = one
    return list(least.values()), warnings


def _way_out(topology, gpus, rate_of):
    return {"gpus": gpus,
            "nics": lambda some: nic_rates.together(topology, nic_rates.of_gpus(topology, some), rate_of),
            "pcie": lambda some: _pcie(topology, some)}


def _pcie(topology, gpus):
    """GB/s that leave some GPUs through PCIe; None where unknown, and on Grace, whose GPUs have a way around it."""
    rates = [interconnect.gpu_pcie_bandwidth(gpu) for gpu in gpus]
    is_grace = (topology.get("system") or {}).get("architecture") == "aarch64"
    return None if is_grace or None in rates else sum(rates)
