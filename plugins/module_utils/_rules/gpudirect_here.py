# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings of role gpudirect have no place on this node, and why: what the role asks for fits every node.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._topology import nvswitch
from . import acs, fabric_manager
from .gpudirect import is_virtual, serving

_NO_GPU = "no %s GPU is here"
_NO_NIC = "no RDMA NIC that serves GPUs is here"
_SYMBOLS = "/lib/modules/%s/modules.symbols"
_PEER = "symbol:ib_register_peer_memory_client"


def withheld(view, names):
    """{name: why}."""
    asked = {"nvidia_peermem": _peermem, "nvidia-fabricmanager.service": _fabric_manager, "iommu": _iommu,
             "nvidia-persistenced.service": _nvidia, "pci/MaxReadReq": _nics, "pci/ACSCtl": _acs}
    asked.update((name, _nvidia) for name in names if name.startswith("nvidia/"))
    found = {name: asked[name](view) for name in names if name in asked}
    return {name: reason for name, reason in found.items() if reason}


def _nvidia(view):
    return None if any(gpu["vendor"] == "nvidia" for gpu in view.topology("gpus")) else _NO_GPU % "NVIDIA"


def _nics(view):
    """A node without GPUs has nothing to do with them; NICs that are named are the operator's choice."""
    return None if serving(view) or view.options.get("gpudirect_nics") is not None else _NO_NIC


def _peermem(view):
    """It is the second choice, and in a kernel without its interface it cannot be loaded."""
    if _nvidia(view) or not serving(view):
        return _nvidia(view) or _NO_NIC
    told = view.topology("kernel")["gpudirect"]
    if told["dmabuf"] is not False:
        return "%s: %s" % ("DMA-BUF serves" if told["dmabuf"] else "whether DMA-BUF serves is unknown", told["why"])
    symbols = view.text(_SYMBOLS % view.text("/proc/sys/kernel/osrelease"))
    if symbols is not None and _PEER not in symbols and not told["peermem"]:
        return "this kernel's RDMA modules have no interface for it: it comes with DOCA-OFED"
    return None


def _fabric_manager(view):
    if _nvidia(view):
        return _nvidia(view)
    found = fabric_manager.fabric(view)
    return None if nvswitch.FABRIC_MANAGER in nvswitch.needs(found) else "no NVSwitch of this node's own is here"


def _iommu(view):
    """Passthrough is for devices that talk to each other, on bare metal, where the kernel calls it pt."""
    if not serving(view):
        return _NO_NIC
    if is_virtual(view):
        return "this is a virtual machine or a container (%s): the host below translates" % is_virtual(view)
    architecture = view.topology("system")["architecture"]
    if architecture not in ("x86_64", None):
        return "this is %s, where the kernel argument is iommu.passthrough" % architecture
    return None


def _acs(view):
    return acs.why_not(view) if serving(view) else _NO_NIC
