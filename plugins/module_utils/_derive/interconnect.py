# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the links of a node carry, in GB/s per direction: PCIe, NVLink or Infinity Fabric, and network ports.

PRIVATE to the collection. Pure. Everything is computed from what the topology says of this machine and from the table
of interconnects; unknown is None, never a guess.
"""

from __future__ import annotations

import re

from .interconnect_table import GPU_LINKS, INTERCONNECTS, NVLINK, PCIE, XGMI

BY_NAME = {entry["name"]: entry for entry in INTERCONNECTS}
_PCIE_LANE = {transfers: BY_NAME["PCIe %d.0" % generation]["bandwidth"]
              for generation, transfers in enumerate((2.5, 5.0, 8.0, 16.0, 32.0, 64.0), 1)}
_WIDTHS = (1, 2, 4, 8, 12, 16, 32)
_HEADS = ("name", "unit", "GB/s per unit", "units", "GB/s in all", "latency us", "what a guide says", "source")


def pcie_bandwidth(speed, width):
    """GB/s per direction of a PCIe link, of the kernel's words ("16.0 GT/s PCIe") and its lanes; None if unknown."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*GT/s", str(speed or ""))
    lane = _PCIE_LANE.get(float(match.group(1))) if match else None
    lanes = int(width) if str(width).strip().isdigit() else 0
    return lane * lanes if lane and lanes in _WIDTHS else None


def port_bandwidth(rate_gbps):
    """GB/s per direction of a network port, of its rate in Gb/s; None if it has none.

    Before FDR the kernel's rate of an InfiniBand port counts the encoding: a QDR port's 40 are 32 of data.
    """
    return rate_gbps / 8 if rate_gbps else None


def peer_links(gpu):
    """{index of the peer: number of NVLinks, or of Infinity Fabric links}, of those there are; None if not known."""
    if gpu.get("links") is None:
        return None
    found = {}
    for peer, words in gpu["links"].items():
        match = re.match(r"NV(\d+)$", words or "")
        if match:
            found[peer] = int(match.group(1))
        elif words == "XGMI":
            # KFD tells that there is one. MI100 and MI300 have one to each peer; MI200 has one or more.
            found[peer] = 1
    return found


def product(gpu):
    """(entry of the table, links) of a GPU's product; (None, None) for one that has none or is not known."""
    for expression, name, links in GPU_LINKS:
        if re.search(expression, gpu.get("name") or ""):
            return BY_NAME[name], links
    return None, None


def nvlink_bandwidth(gpu):
    """GB/s per direction of all NVLinks (or Infinity Fabric links) of a GPU of the topology; None if unknown.

    0.0 says that the topology is known and has no such link. Links to several peers are added up as far as the product
    has so many: NV18 to each of seven peers are the same 18 links, through a switch.
    """
    links = peer_links(gpu)
    if not links:
        return None if links is None else 0.0
    entry, most = product(gpu)
    if entry is None or entry["kind"] not in (NVLINK, XGMI):
        return None
    return _links_in_all(links, most) * entry["bandwidth"]


def pair_bandwidth(gpu, peer):
    """GB/s per direction of the links from a GPU to one peer, by the peer's index; None if unknown, 0.0 if none."""
    links = peer_links(gpu)
    if links is None:
        return None
    return nvlink_bandwidth(dict(gpu, links={"": "NV%d" % links[str(peer)]} if str(peer) in links else {}))


def among(gpus):
    """The GPUs with only those of their links that lead to one another."""
    names = {str(gpu["index"]) for gpu in gpus}
    return [gpu if gpu.get("links") is None else dict(
        gpu, links={peer: words for peer, words in gpu["links"].items() if peer in names}) for gpu in gpus]


def _links_in_all(links, most):
    total = sum(links.values())
    return total if total <= most else max(links.values())


def through_switch(gpu):
    """Whether a GPU reaches its peers through switches: it shows more links than it has."""
    links = peer_links(gpu) or {}
    most = product(gpu)[1]
    return bool(most) and len(links) > 1 and sum(links.values()) > most


def nvlink_is_full(gpus):
    """Whether each of the GPUs has links to every other of them; None where the topology does not tell."""
    names = {str(gpu["index"]) for gpu in gpus}
    known = [(gpu, peer_links(gpu)) for gpu in gpus]
    if len(gpus) > 1 and any(links is None for _gpu, links in known):
        return None
    return all(names - {str(gpu["index"])} <= set(links or ()) for gpu, links in known)


def gpu_pcie_bandwidth(gpu):
    """GB/s per direction of a GPU's PCIe link: its best speed, for an idle GPU runs slower, at the lanes it has."""
    link = gpu.get("link") or {}
    return pcie_bandwidth(link.get("max_speed") or link.get("speed"), link.get("width") or link.get("max_width"))


def rows(kinds=None):
    """The table for people: its heads, then a row of texts for each interconnect, of all kinds or of some."""
    return [_HEADS] + [tuple(_text(value) for value in (
        entry["name"], entry["unit"], entry["bandwidth"], entry["count"], entry["total"], entry["latency_us"],
        entry["guide"], entry["source"])) for entry in INTERCONNECTS if kinds is None or entry["kind"] in kinds]


def _text(value):
    if isinstance(value, float):
        return ("%.2f" % value).rstrip("0").rstrip(".")
    return "" if value is None else str(value)


def of_pcie(generation, lanes=16):
    """GB/s per direction of a PCIe generation, for those who have no device at hand to ask."""
    return next(entry["bandwidth"] for entry in INTERCONNECTS
                if entry["kind"] == PCIE and entry["generation"] == generation) * lanes
