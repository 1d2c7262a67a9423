# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interconnects as data: what one lane or link carries, how many a device has, and who says so.

PRIVATE to the collection. Pure. Bandwidths are in GB/s (10^9 bytes) PER DIRECTION, encoding taken off, protocol headers
not; `total` is that of the usual number of lanes or links. Sales sheets and the guides mix this with the sum of both
directions: `guide` says what a guide had and what was put right. `latency_us` is what NCCL itself reckons for a small
message over one such step, or null where no primary source was found; nothing is to be judged by it.
"""

from __future__ import annotations

PCIE, NVLINK, XGMI = "pcie", "nvlink", "xgmi"
INFINIBAND, ETHERNET = "infiniband", "ethernet"

_PCI_SIG = "PCI Express Base Specification; pcisig.com/specifications"
_NVIDIA = "nvidia.com/en-us/data-center/nvlink"
_IBTA = "infinibandta.org/infiniband-roadmap"
_IEEE = "IEEE 802.3"
_NCCL = "NCCL 2.30 src/graph/tuning.cc, hwLatencies"
_LATENCY = {PCIE: 1.0, NVLINK: 0.6, INFINIBAND: 2.7, ETHERNET: 2.7}
_ENCODING = {1: 8 / 10, 2: 8 / 10, 3: 128 / 130, 4: 128 / 130, 5: 128 / 130, 6: 242 / 256}
_TRANSFERS = {1: 2.5, 2: 5.0, 3: 8.0, 4: 16.0, 5: 32.0, 6: 64.0}  # GT/s, one bit a lane each.

# name: (generation, GB/s per link, links of a GPU or device).
_NVLINKS = (("NVLink 1", 1, 20.0, 4), ("NVLink 2", 2, 25.0, 6), ("NVLink 3", 3, 25.0, 12),
            ("NVLink 3 of GA102", 3, 14.0625, 4), ("NVLink 4", 4, 25.0, 18), ("NVLink 5", 5, 50.0, 18))
# name: Gb/s of data per lane. SDR to QDR send 8b/10b, FDR and later 64b/66b.
_INFINIBAND = (("SDR", 2.0), ("DDR", 4.0), ("QDR", 8.0), ("FDR10", 10.0), ("FDR", 14.0625 * 64 / 66), ("EDR", 25.0),
               ("HDR", 50.0), ("NDR", 100.0), ("XDR", 200.0))
_ETHERNET = (10, 25, 40, 50, 100, 200, 400, 800)

_GUIDES = {
    "PCIe 4.0": "64 GB/s for x16 (S0, S2): both directions together. 31.5 each way, so a 400 Gb/s NIC (50 GB/s) does "
                "not approach this limit, as S2 says: it exceeds it. S2's practical 20 to 25, \"60-80 %\", are of "
                "the 31.5",
    "PCIe 5.0": "128 GB/s for x16 (S0): both directions together. 63.0 each way",
    "NVLink 4": "900 GB/s (S0, S1, S2): all 18 links in both directions. 450 each way; S1's \"bisection\" is a GPU's, "
                "and its 1 us has no method",
    "NVLink 5": "1800 GB/s (S0): all 18 links in both directions. 900 each way",
    "InfiniBand HDR": "\"HDR 200 Gb/s minimum\" (S2): no source; what is enough depends on the model",
    "InfiniBand NDR": "50 GB/s (S0, S1) is right for one port and one direction; its 400 under bandwidth_gbps are Gb/s "
                      "beside an NVLink in GB/s. 400 GB/s of eight ports (S1) is right per node. 2 us, and 5 us "
                      "\"cross-rack\", have no method: a switch adds less than 1 us",
    "Ethernet 100": "12.5 GB/s is right; 50 us (S1) is what TCP takes, RoCE takes a few",
    "Ethernet 400": "50 GB/s (S0) is right, per direction",
    "Ethernet 800": "100 GB/s (S0) is right, per direction",
    "InfiniBand XDR": "100 GB/s for 800G (S0) is right, per direction",
}


def _entry(name, kind, generation, unit, bandwidth, count, source):
    latency = _LATENCY.get(kind)
    return {"name": name, "kind": kind, "generation": generation, "unit": unit, "bandwidth": bandwidth, "count": count,
            "total": bandwidth * count, "latency_us": latency, "latency_source": _NCCL if latency else None,
            "source": source, "guide": _GUIDES.get(name)}


def _pcie(generation):
    per_lane = _TRANSFERS[generation] * _ENCODING[generation] / 8
    return _entry("PCIe %d.0" % generation, PCIE, generation, "lane", per_lane, 16, _PCI_SIG)


def _without_latency(*entry):
    return dict(_entry(*entry), latency_us=None, latency_source=None)


INTERCONNECTS = tuple(
    [_pcie(generation) for generation in sorted(_TRANSFERS)]
    + [_entry(name, NVLINK, generation, "link", rate, count, _NVIDIA) for name, generation, rate, count in _NVLINKS]
    + [_without_latency("NVLink-C2C", NVLINK, None, "link", 450.0, 1, "NVIDIA Grace Hopper architecture white paper"),
       _entry("GB200 NVL72", NVLINK, 5, "GPU", 900.0, 72, "nvidia.com/en-us/data-center/gb200-nvl72: 130 TB/s, both "
              "directions of 72 GPUs"),
       _without_latency("Infinity Fabric MI100", XGMI, 2, "link", 46.0, 3, "AMD CDNA white paper: 23 GT/s, 16 lanes"),
       _without_latency("Infinity Fabric MI200", XGMI, 3, "link", 50.0, 8, "rocm.docs.amd.com, MI250: 25 GT/s, "
                        "16 lanes"),
       _without_latency("Infinity Fabric MI300", XGMI, 4, "link", 64.0, 7, "rocm.blogs.amd.com, mi300x-rccl-xgmi"),
       _without_latency("Infinity Fabric MI350", XGMI, 4, "link", 76.8, 7, "AMD CDNA 4 architecture white paper")]
    + [_entry("InfiniBand " + name, INFINIBAND, None, "lane", rate / 8, 4, _IBTA) for name, rate in _INFINIBAND]
    + [_entry("Ethernet %d" % rate, ETHERNET, None, "port", rate / 8, 1, _IEEE) for rate in _ETHERNET])

# What a GPU of a product has: (expression for the name as the driver tells it, entry of the table, links).
# The first that fits holds, so that the narrower names come first.
GPU_LINKS = (
    (r"\bP100-SXM|\bGP100\b", "NVLink 1", 4),
    (r"\bV100S?-(SXM|DGXS)|\bGV100\b", "NVLink 2", 6),
    (r"TITAN RTX|Quadro RTX [68]000|RTX 2080 Ti", "NVLink 2", 2),
    (r"Quadro RTX 5000|RTX 2080\b", "NVLink 2", 1),
    (r"\bA800\b", "NVLink 3", 8),
    (r"\bA100\b", "NVLink 3", 12),
    (r"\bA30\b", "NVLink 3", 4),
    (r"\bA40\b|RTX A(4500|5000|5500|6000)\b|RTX 3090", "NVLink 3 of GA102", 4),
    (r"\bH800\b", "NVLink 4", 8),
    (r"\bH100 (80GB |96GB )?(PCIe|NVL)|\bH100-PCIE", "NVLink 4", 12),
    (r"\bG?H(100|200|20)\b|\bH20-", "NVLink 4", 18),
    (r"\bG?B(100|200|300)\b", "NVLink 5", 18),
    (r"\bMI100\b", "Infinity Fabric MI100", 3),
    (r"\bMI(300X|308X|325X)\b", "Infinity Fabric MI300", 7),
    (r"\bMI35[05]X?\b", "Infinity Fabric MI350", 7),
)
