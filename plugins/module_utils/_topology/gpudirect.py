# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what GPUDirect depends on: IOMMU, ACS on the way from GPU to NIC, DMA-BUF and peermem; and HMM and ATS.

PRIVATE to the collection.
"""

from __future__ import annotations

import re
import zlib

from . import pci, pci_config

GROUPS = "/sys/kernel/iommu_groups"
# Bits of the ACS control word that send peer-to-peer traffic up through the root complex.
_REDIRECTS = ((0x04, "RR"), (0x08, "CR"))
_EXTENDED, _CONFIG_BYTES = 0x100, 4096
# NIC drivers whose kernel side can map a GPU's memory by DMA-BUF (reg_user_mr_dmabuf), with the kernel that brought it.
_DMABUF_NICS = {"mlx5_core": (5, 12), "mlx5_ib": (5, 12), "efa": (5, 16), "ice": (6, 4), "irdma": (6, 4),
                "idpf": (6, 4), "bnxt_en": (6, 9), "mana": (6, 15), "ionic": (6, 18)}
_DMABUF_KERNEL = (5, 12)
_AMD_OPTIONS = ("CONFIG_DMABUF_MOVE_NOTIFY", "CONFIG_PCI_P2PDMA")
_PEER_CLIENTS = {
    "nvidia": (("/sys/module/nvidia_peermem", "nvidia_peermem"),
               ("/sys/kernel/mm/memory_peers/nv_mem", "nv_peer_mem")),
    "amd": (("/sys/kernel/mm/memory_peers/amdkfd", "amdkfd peer memory"),),
}


def read(host, found):
    """The keys iommu, acs, gpudirect, hmm and ats of the section `kernel`."""
    return {
        "iommu": _iommu(host, found),
        "acs": _acs(host, found),
        "gpudirect": _gpudirect(host, found),
        "hmm": _hmm(host, found),
        "ats": _ats(host, found),
    }


# -- IOMMU -------------------------------------------------------------------------------------------------------------


def _iommu(host, found):
    """`off`, `passthrough` (addresses as they are) or `translated`; None where a capture does not hold it."""
    groups = host.names(GROUPS)
    if not groups:
        return "off" if host.live or host.is_folder(GROUPS) else None
    addresses = {device["pci_address"] for section in ("gpus", "rdma_devices") for device in found.get(section) or []}
    kinds = {address: pci.attribute(host, "%s/%s/iommu_group/type" % (pci.DEVICES, address))
             for address in sorted(addresses - {None})}
    kinds = {address: kind for address, kind in kinds.items() if kind}
    if not kinds:
        kinds = {group: pci.attribute(host, "%s/%s/type" % (GROUPS, group)) for group in groups}
        kinds = {group: kind for group, kind in kinds.items() if kind}
    translated = sorted(name for name, kind in kinds.items() if kind.startswith("DMA"))
    if translated and len(translated) < len(kinds):
        pci.note(found, "iommu: translated for %s, passthrough for others" % ", ".join(translated[:8]))
    if kinds:
        return "translated" if translated else "passthrough"
    found.setdefault("sources", {})["kernel iommu"] = "the kernel arguments: no group says its type"
    words = ((found.get("system") or {}).get("boot_cmdline") or host.text("/proc/cmdline") or "").split()
    return "passthrough" if {"iommu=pt", "iommu.passthrough=1", "iommu.passthrough=on"} & set(words) else "translated"


# -- ACS ---------------------------------------------------------------------------------------------------------------


def _acs(host, found):
    """{bridge: redirect bits that are on} for the bridges between a GPU and a NIC behind one switch with it."""
    nics = {device["name"] for device in found.get("rdma_devices") or []}
    paths = [path for path in found.get("pci_paths") or []
             if path["device"] in nics and path["kind"] in ("PIX", "PXB")]
    bridges = {step for path in paths for step in path["path"] or () if not step.startswith("pci")}
    return {bridge: _redirects(host, found, bridge) for bridge in sorted(bridges, key=pci.order)}


def _redirects(host, found, address):
    path = "%s/%s/config" % (pci.DEVICES, address)
    try:
        config = host.read_bytes(path, _CONFIG_BYTES)
    except OSError as error:
        pci.note(found, "acs: %s: %s" % (path, error.strerror))
        return None
    if len(config) <= _EXTENDED:
        pci.note(found, "acs: the extended config space of bridges cannot be read: it takes root")
        return None
    place = pci_config.acs_control(config)
    control = 0 if place is None else pci_config.word(config, place)
    return [name for bit, name in _REDIRECTS if control & bit]


# -- DMA-BUF and peermem -----------------------------------------------------------------------------------------------


def _gpudirect(host, found):
    """{dmabuf, peermem, why}: which way a NIC can reach a GPU's memory; None where that cannot be told."""
    vendors = {gpu["vendor"] for gpu in found.get("gpus") or []}
    vendor = "nvidia" if "nvidia" in vendors else "amd" if "amd" in vendors else None
    if vendor is None:
        return {"dmabuf": None, "peermem": None, "why": "no GPU that GPUDirect RDMA is known for"}
    dmabuf, reason = _dmabuf(host, found, vendor)
    peermem, how = _peermem(host, vendor)
    words = [reason, how] if dmabuf is not True else [reason, how + " (not needed with DMA-BUF)"]
    return {"dmabuf": dmabuf, "peermem": peermem, "why": "; ".join(words)}


def _dmabuf(host, found, vendor):
    release = (found.get("system") or {}).get("kernel") or host.text("/proc/sys/kernel/osrelease")
    kernel = _version(release)
    if kernel is None:
        return None, "the kernel's version is unknown"
    if kernel < _DMABUF_KERNEL:
        return False, "kernel %s is older than 5.12" % release
    able, reason = _open_module(host) if vendor == "nvidia" else _amd_kernel(host, release)
    if not able:
        return able, reason
    nic, words = _dmabuf_nics(found, kernel)
    return nic, "kernel %s, %s, %s" % (release, reason, words)


def _version(release):
    match = re.match(r"(\d+)\.(\d+)", release or "")
    return (int(match.group(1)), int(match.group(2))) if match else None


def _open_module(host):
    """Only the open flavour of NVIDIA's module exports DMA-BUFs."""
    version = host.text("/proc/driver/nvidia/version")
    if version is None:
        return (False, "NVIDIA's kernel module is not loaded") if host.live else (None, "the kernel module is unknown")
    if "Open Kernel Module" in version:
        return True, "open kernel module"
    return False, "proprietary kernel module"


def _amd_kernel(host, release):
    config = kernel_config(host, release)
    if config is None:
        return None, "the kernel's configuration cannot be read"
    missing = [name for name in _AMD_OPTIONS if "%s=y" % name not in config]
    return (False, "kernel built without %s" % ", ".join(missing)) if missing else (True, "kernel built for it")


def kernel_config(host, release):
    """The lines of the running kernel's build configuration as a set, or None."""
    text = host.text("/boot/config-%s" % release) if release else None
    if text is None and host.exists("/proc/config.gz"):
        try:
            text = zlib.decompress(host.read_bytes("/proc/config.gz"), 31).decode("utf-8", "replace")
        except (OSError, zlib.error) as error:
            host.note("/proc/config.gz: %s" % error)
    return None if text is None else set(text.split("\n"))


def _dmabuf_nics(found, kernel):
    """Whether some NIC's driver can do it, in words; None if there is no driver that is known."""
    tree = found.get("_pci", {})
    drivers = {(tree.get(device["pci_address"]) or {}).get("driver") for device in found.get("rdma_devices") or []}
    drivers = sorted(drivers - {None})
    if not drivers:
        return None, "no RDMA NIC with a driver"
    able = [driver for driver in drivers if driver in _DMABUF_NICS and kernel >= _DMABUF_NICS[driver]]
    if able:
        return True, "NIC driver %s" % ", ".join(able)
    unknown = [driver for driver in drivers if driver not in _DMABUF_NICS]
    return (None if unknown else False), "NIC driver %s %s" % (
        ", ".join(unknown or drivers), "not known for DMA-BUF" if unknown else "without DMA-BUF in this kernel")


def _peermem(host, vendor):
    for place, name in _PEER_CLIENTS[vendor]:
        if host.is_folder(place):
            return True, "%s is loaded" % name
    if not host.is_folder("/sys/module"):
        return None, "loaded modules are unknown"
    return False, "%s is not loaded" % _PEER_CLIENTS[vendor][0][1]


# -- HMM and ATS -------------------------------------------------------------------------------------------------------


def _modes(found):
    return {gpu["addressing_mode"] for gpu in found.get("gpus") or [] if gpu["vendor"] == "nvidia"} - {None}


def _hmm(host, found):
    """Whether the GPUs use heterogeneous memory management; the driver's word, else the module's parameter."""
    modes = _modes(found)
    if modes:
        return "HMM" in modes
    # A parameter that allows HMM does not make it work: only its No is an answer.
    disabled = host.text("/sys/module/nvidia_uvm/parameters/uvm_disable_hmm")
    if disabled in ("Y", "1"):
        found.setdefault("sources", {})["kernel hmm"] = "nvidia_uvm uvm_disable_hmm"
        return False
    return None


def _ats(host, found):
    """Whether the GPUs share the CPUs' page tables (Grace): the driver's word, else the module's parameter."""
    modes = _modes(found)
    if modes:
        return "ATS" in modes
    if host.text("/sys/module/nvidia_uvm/parameters/uvm_ats_mode") == "0":
        found.setdefault("sources", {})["kernel ats"] = "nvidia_uvm uvm_ats_mode"
        return False
    return None
