# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What it costs to force each of the variables of NCCL that are only for experiments.

PRIVATE to the collection. Facts from NCCL's guide to its variables and from src/graph/tuning.cc. Pure.
"""

from __future__ import annotations

_ANY = "NCCL no longer chooses it, and a later version may do otherwise"
_CHANNELS = "a low number cuts NVLink's bandwidth, a high one takes SMs from the computation"
_OF = {
    "NCCL_ALGO": "one algorithm is slower than NCCL's choice at other sizes, and Ring alone switches NVLink SHARP off",
    "NCCL_PROTO": "Simple alone takes the low latency from small messages",
    "NCCL_BUFFSIZE": "it is taken from the memory of the GPU for every channel and peer",
    "NCCL_NTHREADS": "it frees no SM, for those follow channels, and what is no multiple of 32 is clamped",
    "NCCL_MIN_CTAS": _CHANNELS, "NCCL_MAX_CTAS": _CHANNELS,
    "NCCL_MIN_NCHANNELS": _CHANNELS, "NCCL_MAX_NCHANNELS": _CHANNELS,
    "NCCL_NET_GDR_LEVEL": "it is GPUDirect RDMA by distance alone, against what NCCL knows of the platform",
    "NCCL_P2P_LEVEL": "it is peer to peer by distance alone, against what NCCL knows of the platform",
    "NCCL_IB_PCI_RELAXED_ORDERING": "2, the default, uses it where it is to be had, 1 fails elsewhere; it is no ECN",
    "NCCL_NVLS_ENABLE": "NVLink SHARP is on by default, 1 and 2 fail alike for want of resources, 0 is a workaround",
    "NCCL_DMABUF_ENABLE": "NCCL leaves it out by itself where kernel or driver lack it",
    "NCCL_CUMEM_HOST_ENABLE": "it needs the system calls of NUMA, which a container has only with SYS_NICE",
    "NCCL_IB_MERGE_NICS": "the ports of a card are one NIC by default, and 0 makes them two of half the rate",
}
_AT = {
    ("NCCL_IB_DISABLE", "0"): "that is the default, and switches nothing on",
    ("NCCL_IB_DISABLE", "1"): "all traffic between nodes goes over TCP",
    ("NCCL_NET_GDR_LEVEL", "SYS"): "GPUDirect RDMA is then forced across sockets, which is slower or broken; it "
                                   "does not switch it on",
}


def consequence(name, text):
    """What follows from a variable with that value, in words."""
    return _AT.get((name, text)) or _OF.get(name, _ANY)
