# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on the way from NICs to the memory of GPUs: by what means, how near, and how the GPUs see the host's memory.

PRIVATE to the collection.
"""

from __future__ import annotations

from .finding import finding

EXPECTED = "gpudirect_expected"
_ACCEPTED = "; where nobody counts on it, gpudirect_expected: false makes this a warning"
_RANK = ("PIX", "PXB", "PHB", "NODE", "SYS")
_WAYS = {"PHB": "one host bridge", "NODE": "the host bridges of one NUMA node", "SYS": "the link between sockets"}


def severity(view):
    """E where GPUDirect RDMA is expected to work, W where nobody counts on it."""
    return "E" if view.options.get(EXPECTED, True) else "W"


def is_virtual(view):
    """The hypervisor or container manager that this runs in, or None."""
    name = view.topology("system")["virtualization"]
    return None if name == "none" else name


def serving(view):
    """{RDMA device: [GPUs]} of the NICs that serve GPUs."""
    found = {}
    for gpu, names in view.topology("gpu_nics").items():
        for name in names:
            found.setdefault(name, []).append(int(gpu))
    return found


def addresses(view):
    """{PCI address: name} of the GPUs and of the NICs that serve them."""
    nics = serving(view)
    found = {gpu["pci_address"]: "GPU %d" % gpu["index"] for gpu in view.topology("gpus") if gpu["pci_address"]}
    found.update((device["pci_address"], device["name"]) for device in view.topology("rdma_devices")
                 if device["name"] in nics and device["pci_address"])
    return found


def few(names, most=6):
    """Some names, and how many more there are."""
    names = [str(name) for name in names]
    return ", ".join(names[:most]) + (" and %d more" % (len(names) - most) if len(names) > most else "")


def r12_way_to_gpu_memory(view):
    """A NIC reaches a GPU's memory by DMA-BUF or by nvidia_peermem, or NCCL copies everything through the host."""
    if not serving(view):
        return []
    told = view.topology("kernel")["gpudirect"]
    if told["dmabuf"] and told["peermem"]:
        return [finding("R12", "I", "nvidia_peermem", "DMA-BUF works (%s): nvidia_peermem is superfluous, and NVIDIA "
                        "gives it up" % told["why"])]
    if told["dmabuf"] or told["peermem"]:
        return []
    if told["dmabuf"] is None:
        return [finding("R12", "I", None, "whether NICs reach the memory of GPUs cannot be told: %s" % told["why"])]
    step = view.step("nvidia_peermem")
    if step and step["status"] in ("ok", "drift"):
        fix = "this role loads nvidia_peermem"
    else:
        fix = "install the open kernel modules of NVIDIA's driver on a kernel from 5.12 on, or load nvidia_peermem, "\
              "which needs the RDMA stack of DOCA-OFED"
    return [finding("R12", "W", "nvidia_peermem", "NICs cannot reach the memory of GPUs, and NCCL copies through the "
                    "host: %s. %s" % (told["why"], fix[0].upper() + fix[1:]))]


def r13_nearness(view):
    """A GPU's best NIC is behind its own switch, or traffic crosses what others need."""
    nics = view.topology("gpu_nics")
    if not serving(view) or is_virtual(view):
        return []
    kinds = {(path["gpu"], path["device"]): path["kind"] for path in view.topology("pci_paths")}
    best = {int(gpu): _nearest(kinds, int(gpu), names) for gpu, names in nics.items() if names}
    found = []
    for kind in ("PHB", "NODE", "SYS"):
        gpus = [gpu for gpu, its in sorted(best.items()) if its == kind]
        if gpus:
            weight = severity(view) if kind == "SYS" else "W"
            found.append(finding("R13", weight, None, "GPU %s: the nearest NIC that serves GPUs is at %s, beyond %s: "
                                 "put one behind the switch of each GPU, or name others in gpudirect_compute_nics%s" % (
                                     few(gpus, 8), kind, _WAYS[kind], _ACCEPTED if weight == "E" else "")))
    return found


def _nearest(kinds, gpu, names):
    known = [kinds.get((gpu, name)) for name in names]
    return min((kind for kind in known if kind in _RANK), key=_RANK.index, default=None)


def r13_shared(view):
    """Two GPUs have one NIC as their best, while another NIC serves none."""
    users = serving(view)
    named = view.options.get("gpudirect_storage_nics")
    if not users or is_virtual(view) or view.options.get("gpudirect_compute_nics") is not None:
        return []
    only = {names[0] for names in view.topology("gpu_nics").values() if len(names) == 1}
    shared = {name: gpus for name, gpus in users.items() if len(gpus) > 1 and name in only}
    rate = {device["name"]: max([port["rate"] or 0 for port in device["ports"] if port["state"] == "ACTIVE"] or [0])
            for device in view.topology("rdma_devices") if device["pci_address"]}
    fastest = max([rate.get(name, 0) for name in users])
    idle = [name for name in rate if name not in users and rate[name] >= fastest and name not in (named or ())]
    return [finding("R13", "W", None, "GPUs %s share %s, while no GPU uses %s: see the cabling and the slots, or "
                    "name what is for storage in gpudirect_storage_nics" % (few(gpus, 8), name, few(idle)))
            for name, gpus in sorted(shared.items()) if idle]


def gpu_without_rail(view):
    """A GPU whose nearest NIC is farther than that of most others has lost its own, or never had one."""
    if not serving(view) or is_virtual(view):
        return []
    kinds = {(path["gpu"], path["device"]): path["kind"] for path in view.topology("pci_paths")}
    best = {int(gpu): _nearest(kinds, int(gpu), names) for gpu, names in view.topology("gpu_nics").items()}
    ranks = {gpu: _RANK.index(kind) if kind else len(_RANK) for gpu, kind in best.items()}
    usual = sorted(ranks.values())[len(ranks) // 2]
    return [finding("gpu-rail", "W", None, "GPU %d has no NIC of its own: %s, while most GPUs here have theirs at %s. "
                    "Its traffic goes through another GPU's NIC. See that it has one, with a link, and not left out of "
                    "gpudirect_compute_nics" % (
                        gpu, "the nearest is at %s" % best[gpu] if best[gpu] else "it has none",
                        _RANK[usual] if usual < len(_RANK) else "none"))
            for gpu, rank in sorted(ranks.items()) if rank > usual]


def addressing(view):
    """How the GPUs see the host's memory: a report, since NCCL and vLLM use neither HMM nor ATS."""
    modes = sorted({gpu["addressing_mode"] for gpu in view.topology("gpus")} - {None})
    if not modes:
        return []
    words = {"HMM": "page faults bring the host's memory (HMM)", "ATS": "they share the page tables of the CPUs (ATS)",
             "None": "the driver alone maps memory"}
    return [finding("gpu-addressing", "I", None, "the GPUs' addressing mode is %s: %s. Copies of pinned memory, which "
                    "frameworks use, are the same in every mode" % (
                        ", ".join(modes), "; ".join(words.get(mode, mode) for mode in modes)))]


def topology_check_is_not_overridden(view):
    """The driver's own check of the way to a NIC is there for a reason; only rdma_topo knows where it is not."""
    step = view.step("nvidia/NVreg_GrdmaPciTopoCheckOverride")
    if step is None or step["desired"] == "0" or step["status"] not in ("drift", "ok", "pending_reboot"):
        return []
    return [finding("grdma-override", "E", step["name"], "it makes the driver trust a way between GPU and NIC that may "
                    "lose data: only rdma_topo's setpci-acs on a kernel without pci=config_acs= asks for it. Set "
                    "gpudirect_pci_topo_check_override to null")]
