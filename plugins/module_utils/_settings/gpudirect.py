# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of role gpudirect: how NICs reach the memory of GPUs, and what belongs to the GPU itself.

PRIVATE to the collection.
"""

from __future__ import annotations

from .._device_values import PerDevice
from .._row import kernel_argument, kernel_module, module_option, pci_config, unit_state
from .._rules import acs, aspm, fabric_manager, gpudirect, gpudirect_here, iommu, node, pcie_link
from .._values import Int, Word

_PCI = "https://docs.kernel.org/PCI/sysfs-pci.html"
_ARGUMENTS = "https://docs.kernel.org/admin-guide/kernel-parameters.html"
_DRIVER = "https://github.com/NVIDIA/open-gpu-kernel-modules/blob/main/kernel-open/nvidia/nv-reg.h"
_MANUAL = "https://docs.nvidia.com/deploy/driver-persistence/index.html"

ROWS = (
    kernel_module("nvidia_peermem", Word("loaded"), variable="gpudirect_peermem",
                  source="https://docs.nvidia.com/cuda/gpudirect-rdma/index.html",
                  doc="The module by which NICs reach the memory of GPUs where DMA-BUF does not serve; it needs the "
                      "RDMA stack of DOCA-OFED, or a kernel that was patched alike."),
    unit_state("nvidia-persistenced.service", Word("enabled"), variable="gpudirect_persistenced", source=_MANUAL,
               doc="The daemon that keeps GPUs set up while nobody uses them."),
    unit_state("nvidia-fabricmanager.service", Word("enabled"), variable="gpudirect_fabricmanager",
               source="https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/index.html",
               doc="The daemon that sets NVSwitches up: without it CUDA does not start on HGX and DGX systems."),
    kernel_argument("iommu", Word("pt"), variable="gpudirect_iommu", source=_ARGUMENTS,
                    doc="Whether the IOMMU leaves the addresses of devices as they are, so that GPUs and NICs reach "
                        "each other directly. For x86 on bare metal."),
    pci_config("pci/MaxReadReq", PerDevice(Word("128", "256", "512", "1024", "2048", "4096")),
               devices="gpudirect_nics", variable="gpudirect_max_read_request", source=_PCI,
               doc="The largest read request of the NICs, in bytes."),
    pci_config("pci/ACSCtl", Word("redirect-off"), variable="gpudirect_acs", source=_PCI,
               doc="Access control services of the switch ports between GPUs and the NICs that serve them. "
                   "C(redirect-off) switches off what sends their traffic through the root complex, request and "
                   "completion redirect and egress control, as the kernel argument C(pci=disable_acs_redir=) does."),
    module_option("nvidia/NVreg_EnablePCIERelaxedOrderingMode", Int(0, 1), variable="gpudirect_relaxed_ordering",
                  source=_DRIVER, doc="Whether GPUs ask for relaxed ordering of all their writes on PCIe."),
    module_option("nvidia/NVreg_GrdmaPciTopoCheckOverride", Int(0, 2),
                  variable="gpudirect_pci_topo_check_override", source=_DRIVER,
                  doc="Whether the driver leaves out its check of the way between GPU and NIC. Refused but with V(0): "
                      "only rdma_topo knows the platforms where it may."),
    module_option("nvidia/NVreg_CoherentGPUMemoryMode", Word("driver", "numa"),
                  variable="gpudirect_coherent_memory_mode", source=_DRIVER,
                  doc="Whether the memory of GPUs that are coherent with the CPUs, as on Grace, is NUMA nodes of the "
                      "host or the driver's own."),
)

OPTIONS = (
    {"name": "gpudirect_nics", "type": "list",
     "doc": "The RDMA devices whose C(MaxReadReq) is set; null for those that serve GPUs."},
    {"name": "gpudirect_compute_nics", "type": "list",
     "doc": "The RDMA devices that serve GPUs, by their name, interface or PCI address; null for those found."},
    {"name": "gpudirect_storage_nics", "type": "list",
     "doc": "The RDMA devices that serve storage and no GPU; null for those found."},
    {"name": "gpudirect_expected", "type": "bool",
     "doc": "Whether NICs have to reach the memory of GPUs here: what stands in the way is then an error, else a "
            "warning."},
)

RULES = (gpudirect.r12_way_to_gpu_memory, gpudirect.r13_nearness, gpudirect.r13_shared, gpudirect.gpu_without_rail,
         gpudirect.addressing, gpudirect.topology_check_is_not_overridden, node.r22_gpu_memory_nodes,
         iommu.r23_translated, iommu.r23_virtual_machine, acs.r24_direct_nic, acs.r24_redirect,
         acs.r27_cleared_by_hand, acs.override, pcie_link.r14_links, pcie_link.payloads, pcie_link.r27_read_request,
         pcie_link.bar1, aspm.policy, fabric_manager.r28_versions, fabric_manager.r28_state)


def withhold(view, options, names):
    """{name: why} of what has no place on this node: there is no such GPU, or another way serves better."""
    return gpudirect_here.withheld(view, names)
