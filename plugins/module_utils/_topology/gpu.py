# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the GPUs: sysfs first, then what only the vendor's driver knows, joined by PCI address.

PRIVATE to the collection. `index` counts all compute GPUs in PCI order, as CUDA does with CUDA_DEVICE_ORDER=PCI_BUS_ID;
a display adapter that computes nothing (a BMC's, an old Radeon) is not one of them.
"""

from __future__ import annotations

import re

from . import kfd, nvidia_smi, pci, topo_matrix

NVIDIA, AMD, INTEL = 0x10DE, 0x1002, 0x8086
_NVIDIA_GPUS = "/proc/driver/nvidia/gpus"
VENDORS = {NVIDIA: "nvidia", AMD: "amd", INTEL: "intel"}
_VGA, _3D, _DISPLAY, _ACCELERATOR = 0x0300, 0x0302, 0x0380, 0x1200
_EMPTY = (
    "name", "uuid", "memory", "driver", "driver_version", "numa_node", "cpus", "links", "mig", "persistence",
    "addressing_mode")


def read(host, found):
    """The GPUs of the schema; joins sysfs, KFD, `nvidia-smi -q -x`, `nvidia-smi -L` and `nvidia-smi topo -m`."""
    nodes = kfd.read(host)
    gpus = {address: _from_sysfs(host, found, address)
            for address in _compute(host, found, {node["pci_address"] for node in nodes})}
    partitions = _add_kfd(gpus, nodes)
    log = nvidia_smi.read(host)
    _add_xml(found, gpus, log)
    listed = _listed(host, gpus)
    matrix = topo_matrix.parse(nvidia_smi.output(host, "nvidia-smi", "topo", "-m") or "")
    ordered = sorted(list(gpus.values()) + partitions, key=lambda gpu: pci.order(gpu["pci_address"]))
    nvidia = [gpu for gpu in ordered if gpu["vendor"] == "nvidia" and gpu["driver"] in ("nvidia", None)]
    if not gpus:
        ordered = nvidia = _without_address(max(len(listed), len(topo_matrix.gpus(matrix))))
    for index, gpu in enumerate(ordered):
        gpu["index"] = index
    _add_list(nvidia, listed)
    _add_matrix(host, found, nvidia, matrix)
    _add_xgmi(ordered, nodes)
    found["_matrix"] = {"cells": matrix, "gpus": [gpu["index"] for gpu in nvidia]}
    return ordered


def _compute(host, found, known):
    """The addresses of the devices that compute; `known` are those that KFD lists."""
    chosen = []
    driven = {pci.normal(name) for name in host.names(_NVIDIA_GPUS)}
    for address, record in found.get("_pci", {}).items():
        kind = (record["class"] or 0) >> 8
        if kind >> 8 != 0x03 and kind != _ACCELERATOR:
            continue
        vendor = pci.describe(host, found, address)["vendor"]
        if vendor is None and address in driven:
            # Its own files do not tell, but only NVIDIA's driver lists it there.
            vendor, record["vendor"], record["driver"] = NVIDIA, NVIDIA, "nvidia"
            found.setdefault("sources", {})["%s vendor" % address] = _NVIDIA_GPUS
        if vendor not in VENDORS or pci.is_virtual_function(host, address):
            continue
        if address in known or _computes(vendor, kind, record):
            chosen.append(address)
        else:
            pci.note(found, "%s: a display adapter (driver %s), not counted as a GPU" % (address, record["driver"]))
    return chosen


def _computes(vendor, kind, record):
    """Whether a device of this vendor and class is made for more than a screen."""
    if vendor == NVIDIA:
        return kind in (_VGA, _3D, _DISPLAY)
    if vendor == AMD:
        return kind != _VGA or record["driver"] in ("amdgpu", "vfio-pci")
    # An Intel GPU on the root bus is the processor's own.
    return kind in (_3D, _DISPLAY) or bool(record["path"])


def _blank(address, vendor):
    gpu = {"index": None, "pci_address": address, "vendor": vendor}
    gpu.update(dict.fromkeys(_EMPTY))
    gpu["link"] = dict.fromkeys(("speed", "width", "max_speed", "max_width"))
    return gpu


def _without_address(count):
    """GPUs of which only a list or a matrix was recorded: NVIDIA's, in order, at unknown addresses."""
    return [_blank(None, "nvidia") for _number in range(count)]


def _from_sysfs(host, found, address):
    record = pci.describe(host, found, address)
    gpu = _blank(address, VENDORS[record["vendor"]])
    gpu.update(driver=record["driver"], driver_version=driver_version(host, record["driver"]),
               numa_node=record["numa_node"], cpus=record["cpus"], link=pci.link(host, address))
    folder = "%s/%s/" % (pci.DEVICES, address)
    if gpu["vendor"] == "nvidia":
        told = dict(re.findall(r"(?m)^([^:\n]+):[ \t]*(.*?)[ \t]*$",
                               host.text("%s/%s/information" % (_NVIDIA_GPUS, address)) or ""))
        gpu["name"] = told.get("Model") or None
        gpu["uuid"] = told["GPU UUID"] if "?" not in told.get("GPU UUID", "?") else None
    else:
        gpu["memory"] = pci.number(host, folder + "mem_info_vram_total")
        gpu["name"] = pci.attribute(host, folder + "product_name") or None
        identity = pci.attribute(host, folder + "unique_id")
        gpu["uuid"] = "GPU-" + identity if identity else None
    return gpu


def driver_version(host, driver):
    """The version of a GPU's driver; one that comes with the kernel has none of its own."""
    if driver == "nvidia":
        match = re.search(r"^NVRM version: .*?(?:Kernel Module|for \S+) +(?:for \S+ +)?(\d+\.[\d.]+)",
                          host.text("/proc/driver/nvidia/version") or "", re.MULTILINE)
        if match:
            return match.group(1)
    return host.text("/sys/module/%s/version" % driver) if driver else None


def _fill(gpu, told):
    """Take what a better source did not say."""
    for key, value in told.items():
        if key == "link":
            _fill(gpu["link"], value)
        elif gpu.get(key) is None:
            gpu[key] = value


def _add_kfd(gpus, nodes):
    """Add what KFD says. HIP numbers KFD's nodes: a GPU in partitions is several of them at one address."""
    partitions = []
    for node in nodes:
        address = node["pci_address"]
        gpu = gpus.get(address)
        if gpu is None:
            gpu = gpus[address] = _blank(address, "amd")
        elif "_node" in gpu:
            gpu = dict(gpu, memory=None, uuid=None)
            partitions.append(gpu)
        gpu["_node"] = node["node"]
        _fill(gpu, dict({key: node[key] for key in ("name", "uuid", "memory")}, driver="amdgpu"))
    return partitions


def _add_xml(found, gpus, log):
    for told in log["gpus"]:
        address = told["pci_address"]
        if address is None:
            continue
        if address not in gpus:
            gpus[address] = _blank(address, "nvidia")
            if found.get("_pci"):
                pci.note(found, "%s: a GPU that only nvidia-smi knows" % address)
        _fill(gpus[address], told)
        _fill(gpus[address], {"driver": "nvidia", "driver_version": log["driver_version"]})


def _listed(host, gpus):
    """What `nvidia-smi -L` adds: the profiles and UUIDs of MIG devices; asked only where there can be some."""
    if host.live and not any((gpu["mig"] or {}).get("enabled") for gpu in gpus.values()):
        return []
    return nvidia_smi.parse_list(nvidia_smi.output(host, "nvidia-smi", "-L") or "")


def _add_list(nvidia, listed):
    by_uuid = {gpu["uuid"]: gpu for gpu in nvidia if gpu["uuid"]}
    for told in listed:
        gpu = by_uuid.get(told["uuid"])
        if gpu is None and len(listed) == len(nvidia):
            gpu = nvidia[listed.index(told)]
        if gpu is None:
            continue
        _fill(gpu, {"name": told["name"], "uuid": told["uuid"]})
        if told["mig"]:
            gpu["mig"] = gpu["mig"] or {"enabled": True, "devices": []}
            known = {device["index"]: device for device in gpu["mig"]["devices"]}
            for device in told["mig"]:
                if device["index"] in known:
                    _fill(known[device["index"]], device)
                else:
                    gpu["mig"]["devices"].append(device)


def _add_matrix(host, found, nvidia, matrix):
    """Give each GPU its row of the matrix, whose numbers are nvidia-smi's."""
    rows = topo_matrix.gpus(matrix)
    if not rows:
        return
    if len(rows) != len(nvidia):
        host.note("nvidia-smi topo -m has %d GPUs, this host %d: the matrix is not used" % (len(rows), len(nvidia)))
        matrix["links"].clear()
        return
    names = {row["name"]: gpu["index"] for row, gpu in zip(rows, nvidia)}
    for row, gpu in zip(rows, nvidia):
        gpu["links"] = {str(names[peer]): kind for peer, kind in row["links"].items()
                        if peer in names and kind not in ("N/A", "NA", "-", "?")}
        affinity = row["affinity"]
        numa = affinity.get("numa") or ""
        if _known(numa) and not numa.isdigit():
            host.note("nvidia-smi topo -m: GPU %d is near several NUMA nodes (%s), none is taken" % (
                gpu["index"], numa))
        told = {"cpus": _known(affinity.get("cpus")), "numa_node": int(numa) if numa.isdigit() else None}
        if gpu["numa_node"] is None and told["numa_node"] is not None:
            found.setdefault("sources", {})["gpu %d numa_node" % gpu["index"]] = "nvidia-smi topo -m"
            # A kernel that does not know the node calls all CPUs near.
            gpu["cpus"] = told["cpus"] or gpu["cpus"]
        _fill(gpu, told)
        own = affinity.get("gpu_numa_id") or ""
        if own.isdigit():
            gpu["memory_numa_node"] = int(own)


def _known(text):
    return text if text and text[0].isdigit() else None


def _add_xgmi(ordered, nodes):
    """Links between AMD GPUs, by the numbers of the GPUs."""
    mine = [(gpu.pop("_node"), gpu) for gpu in ordered if "_node" in gpu]
    index = {node: gpu["index"] for node, gpu in mine}
    peers = {node["node"]: node["xgmi"] for node in nodes}
    for node, gpu in mine:
        gpu["links"] = {str(peer): "XGMI" for peer in sorted(index[other] for other in peers[node] if other in index)}
