# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What communication takes of a decode step: a model from the interconnect table, and no measurement.

PRIVATE to the collection. Pure. A step makes one token for each of `batch_size` sequences. It has two all-reduces a
layer within each tensor-parallel group, of batch_size x hidden_size values, and one message from each pipeline stage to
the next. An all-reduce takes NCCL's own base latency, then a ring inside each node and one between the nodes: steps
times the latency of the table, and volume over bandwidth. A rack away costs 1 us a step more, the most that a switch
adds. The share is that of the time a step may take at the target of tokens a second for each sequence.
"""

from __future__ import annotations

from . import nic_rates
from .interconnect import BY_NAME, among, gpu_pcie_bandwidth, nvlink_bandwidth, of_pcie, port_bandwidth, product

_BASE_US = 6.6  # NCCL 2.30, baseLatencies, Ring with LL.
_RACK_US = 1.0
_LINKS = BY_NAME["NVLink 4"]
_PORT = BY_NAME["InfiniBand NDR"]
_PCIE = BY_NAME["PCIe 5.0"]
NVLINK, XGMI, PCIE = "NVLink", "Infinity Fabric", "PCIe"
_USUAL = {NVLINK: "H100", XGMI: "MI300X"}


def of_replica(groups, load):
    """{all_reduce_us, tensor_parallel_ms, pipeline_ms, step_ms, share, through, assumed} of one replica.

    `groups` are its stages in their order, each a list of nodes {host, rack, linked, domain, topology, gpus}; `load` is
    {layers, hidden_size, batch_size, value_bytes, tokens_per_second, network_gbps}.
    """
    volume = load["batch_size"] * load["hidden_size"] * load["value_bytes"]
    assumed, through, reduce_us = set(), [], []
    for group in groups:
        micro, words = _all_reduce(group, volume, load, assumed)
        reduce_us.append(micro)
        if words:
            through.append(words)
    tensor = sum(micro * 2 * load["layers"] / len(groups) for micro in reduce_us) / 1000
    pipeline = sum(_message(one, other, volume, load, assumed) for one, other in zip(groups, groups[1:])) / 1000
    step = 1000 / load["tokens_per_second"]
    return {"all_reduce_us": round(max(reduce_us), 1), "tensor_parallel_ms": round(tensor, 3),
            "pipeline_ms": round(pipeline, 3), "step_ms": round(step, 3),
            "share": round((tensor + pipeline) / step, 4), "through": sorted(set(through)),
            "assumed": sorted(assumed)}


def _all_reduce(group, volume, load, assumed):
    """(microseconds, what it goes through) of one all-reduce of a group."""
    ranks = sum(len(node["gpus"]) for node in group)
    if ranks == 1:
        return 0.0, None
    if len(group) == 1 or _one_domain(group):
        latency, bandwidth, words = _inside(group, assumed)
        return _BASE_US + _ring(ranks, volume, latency, bandwidth), words
    here = len(group[0]["gpus"])
    total = _BASE_US
    if here > 1:
        latency, bandwidth, _words = _inside(group, assumed)
        total += _ring(here, volume, latency, bandwidth)
    latency, bandwidth, words = _between(group, load, assumed)
    return total + _ring(len(group), volume, latency, bandwidth), words


def _ring(ranks, volume, latency_us, bandwidth):
    """Microseconds of a ring: 2(n-1) steps, and 2(n-1)/n of the volume through each link."""
    return 2 * (ranks - 1) * latency_us + 2 * (ranks - 1) / ranks * volume / bandwidth / 1000


def _one_domain(group):
    return group[0]["domain"] is not None and len({node["domain"] for node in group}) == 1


def _inside(group, assumed):
    """(latency, GB/s, words) of the way between the GPUs of each node, or of one NVLink domain."""
    told = [rate for node in group for rate in _links(node, assumed)]
    if all(rate is None or rate for rate in told):
        if None in told:
            assumed.add("%s, %d GB/s a GPU" % (_LINKS["name"], _LINKS["total"]))
        bandwidth = min(_LINKS["total"] if rate is None else rate for rate in told)
        return _LINKS["latency_us"], bandwidth, "%s %.0f GB/s" % (_fabric(group[0]["gpus"][0]), bandwidth)
    gpus = [gpu for node in group for gpu in node["gpus"]]
    told = [gpu_pcie_bandwidth(gpu) if isinstance(gpu, dict) else None for gpu in gpus]
    if not all(told):
        assumed.add("PCIe 5.0 x16, %.0f GB/s" % of_pcie(5))
    if any(isinstance(gpu, dict) and gpu.get("links") is None for gpu in gpus):
        assumed.add("no NVLink, for links between GPUs are not known")
    bandwidth = min(rate or of_pcie(5) for rate in told)
    return _PCIE["latency_us"], bandwidth, "%s %.0f GB/s" % (PCIE, bandwidth)


def _links(node, assumed):
    """[GB/s that each GPU of a node has to the others by NVLink or Infinity Fabric]; 0.0 is none, None not known."""
    gpus = node["gpus"]
    if not node["linked"]:
        return [0.0]
    if not all(isinstance(gpu, dict) for gpu in gpus):
        return [None]
    if node["domain"] is not None:
        found = [product(gpu) for gpu in gpus]
        return [entry["bandwidth"] * count if entry else None for entry, count in found]
    return [_of_links(gpu, assumed) for gpu in (among(gpus) if len(gpus) > 1 else gpus)]


def _of_links(gpu, assumed):
    """GB/s of a GPU's links; those of a product that is not in the table count as usual ones."""
    rate = nvlink_bandwidth(gpu)
    if rate is None and gpu.get("links"):
        usual = dict(gpu, name=_USUAL[_fabric(gpu)])
        assumed.add("%s, %.0f GB/s a link" % (product(usual)[0]["name"], product(usual)[0]["bandwidth"]))
        rate = nvlink_bandwidth(usual)
    return rate


def _fabric(gpu):
    return XGMI if isinstance(gpu, dict) and gpu.get("vendor") == "amd" else NVLINK


def _between(group, load, assumed):
    """(latency, GB/s, words) of the way between the nodes of a group: the NICs of its GPUs, on the weakest node."""
    told = [_network(node, load, assumed) for node in group]
    bandwidth = min(told)
    racks = len({node["rack"] for node in group}) > 1
    words = "network %.0f GB/s a node%s" % (bandwidth, ", across racks" if racks else "")
    return _PORT["latency_us"] + (_RACK_US if racks else 0), bandwidth, words


def _network(node, load, assumed):
    """GB/s of the NICs nearest to a node's GPUs, or what is assumed where the fact names none."""
    topology = node["topology"]
    if load["network_gbps"] is None and topology and all(isinstance(gpu, dict) for gpu in node["gpus"]):
        names = nic_rates.of_gpus(topology, node["gpus"])
        rates, _told = nic_rates.rates([topology])
        found = nic_rates.together(topology, names, rates[0]) if names else None
        if found:
            return found
    if load["network_gbps"] is None:
        assumed.add("%s, %d GB/s a node%s" % (_PORT["name"], _PORT["total"], (
            ", though its fact names no RDMA NIC for these GPUs") if topology and "rdma_devices" in topology else ""))
        return _PORT["total"]
    return port_bandwidth(load["network_gbps"])


def _message(one, other, volume, load, assumed):
    """Microseconds of what one stage sends to the next."""
    ends = [one[-1], other[0]]
    if ends[0]["host"] == ends[1]["host"]:
        pair = [node["gpus"][0] for node in ends]
        latency, bandwidth, _words = _inside(
            [dict(ends[0], gpus=pair, linked=all(node["linked"] for node in ends))], assumed)
    elif _one_domain(ends):
        latency, bandwidth, _words = _inside(ends, assumed)
    else:
        latency, bandwidth, _words = _between(ends, load, assumed)
    return _BASE_US + latency + volume / bandwidth / 1000
