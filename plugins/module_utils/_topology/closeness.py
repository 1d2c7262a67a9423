# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How close every GPU is to every RDMA device and NVMe drive, and so which NICs serve which GPU.

PRIVATE to the collection. The kinds are NVIDIA's: PIX, PXB, PHB, NODE, SYS, nearest first.
"""

from __future__ import annotations

import difflib

from . import pci, topo_matrix

KINDS = topo_matrix.KINDS
_BEHIND_ONE_SWITCH = ("PIX", "PXB")


def read(_host, found):
    """The section `pci_paths`: [{gpu, device, kind, path}]; `path` names the bridges or host bridges crossed."""
    devices = [(device["name"], device["pci_address"], device["numa_node"])
               for section in ("rdma_devices", "nvme") for device in found.get(section) or [] if device["pci_address"]]
    paths = []
    for gpu in found.get("gpus") or []:
        for name, address, node in devices:
            kind, path = between(found.get("_pci", {}), gpu["pci_address"], address, gpu["numa_node"], node)
            paths.append({"gpu": gpu["index"], "device": name, "kind": kind, "path": path})
    return _with_matrix(found, paths)


def between(tree, one, other, node, other_node):
    """(kind, path) of two devices; (None, None) where the tree does not tell."""
    first, second = tree.get(one) or {}, tree.get(other) or {}
    roots = first.get("host_bridge"), second.get("host_bridge")
    if None in roots:
        return None, None
    if roots[0] != roots[1]:
        if node is None or other_node is None:
            return None, list(roots)
        return ("NODE" if node == other_node else "SYS"), list(roots)
    up, down = list(first["path"]), list(second["path"])
    shared = None
    while up and down and up[0] == down[0]:
        shared = up.pop(0)
        down.pop(0)
    if shared is None:
        return "PHB", up[::-1] + [roots[0]] + down
    # The bridge where the ways part is a switch's upper end, and each way leaves it by one lower end: one switch.
    return ("PIX" if len(up) <= 1 and len(down) <= 1 else "PXB"), up[::-1] + [shared] + down


def _with_matrix(found, paths):
    """Fill what the tree did not tell from a recorded `nvidia-smi topo -m`."""
    matrix = found.get("_matrix") or {"cells": {"links": {}, "columns": [], "legend": {}}, "gpus": []}
    known = {(path["gpu"], path["device"]): path for path in paths}
    nics = topo_matrix.nics(matrix["cells"])
    for row, index in zip(topo_matrix.gpus(matrix["cells"]) if matrix["cells"]["links"] else [], matrix["gpus"]):
        for column, kind in row["links"].items():
            if column not in nics or kind not in KINDS:
                continue
            path = known.get((index, nics[column]))
            if path is None:
                paths.append({"gpu": index, "device": nics[column], "kind": kind, "path": None})
            elif path["kind"] is None:
                path["kind"] = kind
            else:
                continue
            found.setdefault("sources", {})["pci_paths that the PCI tree does not tell"] = "nvidia-smi topo -m"
    return sorted(paths, key=lambda path: path["gpu"])


# -- which NICs serve GPUs ---------------------------------------------------------------------------------------------


def gpu_nics(found, compute_nics=None, storage_nics=None):
    """The section `gpu_nics`: what the operator named, else all but storage and management ports, with a note on each.

    Raises ValueError for a name that no NIC of this host has.
    """
    kinds = _kinds(found)
    serving = _serving(found, kinds, compute_nics, storage_nics)
    result, best = {}, {}
    for gpu in found.get("gpus") or []:
        index = gpu["index"]
        best[index] = _nearest(kinds, index, serving)
        near = [name for name in serving if best[index] and kinds.get((index, name)) == best[index]]
        result[str(index)] = _deepest(found, gpu, near)
    for index in best:
        _say_what_is_missing(found, kinds, serving, best, index)
    return result


def _nearest(kinds, gpu, names):
    """The nearest kind at which a GPU has any of these NICs, or None."""
    mine = [kinds[gpu, name] for name in names if kinds.get((gpu, name)) in KINDS]
    return min(mine, key=KINDS.index) if mine else None


def _deepest(found, gpu, names):
    """Of NICs at one distance, those that share the most bridges with a GPU: PXB has degrees where switches cascade."""
    tree = found.get("_pci", {})
    addresses = {device["name"]: device["pci_address"] for device in found.get("rdma_devices") or []}
    own = set((tree.get(gpu.get("pci_address")) or {}).get("path") or ())
    paths = {name: (tree.get(addresses.get(name)) or {}).get("path") for name in names}
    if None in paths.values():
        return names
    shared = {name: len(own.intersection(path)) for name, path in paths.items()}
    return [name for name in names if shared[name] == max(shared.values())]


def _kinds(found):
    drives = {drive["name"] for drive in found.get("nvme") or []}
    return {(path["gpu"], path["device"]): path["kind"]
            for path in found.get("pci_paths") or [] if path["device"] not in drives}


def _serving(found, kinds, compute_nics, storage_nics):
    """The names of the RDMA devices that serve GPUs, in PCI order."""
    devices = {device["name"]: device for device in found.get("rdma_devices") or []}
    names = list(devices) + [name for name in sorted({name for _gpu, name in kinds}) if name not in devices]
    compute = _resolve(found, names, compute_nics)
    storage = _resolve(found, names, storage_nics)
    both = sorted(set(compute or ()) & set(storage or ()))
    if both:
        raise ValueError("%s cannot be both a compute and a storage NIC" % ", ".join(both))
    if compute is not None:
        return [name for name in names if name in compute]
    names = [name for name in names if found.get("gpus") and name not in (storage or ())]
    for leave_out in (_virtual, _down, _management, _functions, _far, _slow):
        left = leave_out(found, [devices.get(name, {"name": name}) for name in names], kinds)
        if left and len(left) == len(names):
            pci.note(found, "gpu_nics: nothing left out although %s, for that would leave no NIC: %s" % (
                next(iter(left.values())), ", ".join(names)))
            continue
        for name, reason in left.items():
            pci.note(found, "gpu_nics: %s left out: %s" % (name, reason))
        names = [name for name in names if name not in left]
    return names


def _resolve(found, names, given):
    """RDMA devices that the operator named: by themselves, interface or PCI address. None if he named none."""
    if given is None:
        return None
    known = {name: name for name in names}
    for device in found.get("rdma_devices") or []:
        known.update((port["netdev"], device["name"]) for port in device["ports"] if port["netdev"])
        if device["pci_address"]:
            known[device["pci_address"]] = device["name"]
    known.update((nic["name"], nic["rdma_device"]) for nic in found.get("nics") or [] if nic["rdma_device"] in names)
    for name in given:
        if name not in known:
            near = difflib.get_close_matches(str(name), known, 1)
            raise ValueError("no RDMA device %r on this host%s; there are: %s" % (
                name, ", did you mean %r?" % near[0] if near else "", ", ".join(names) or "none"))
    return [known[name] for name in given]


# Each of these names, of the devices still in question, those that do not serve GPUs: {name: reason}.


def _virtual(_found, devices, _kinds):
    return {device["name"]: "it is virtual, with no PCI device behind it"
            for device in devices if device.get("pci_address", "") is None}


def _down(_found, devices, _kinds):
    return {device["name"]: "no port of it is active (%s)" % ", ".join(
        "port %d is %s" % (port["port"], port["state"]) for port in device["ports"])
        for device in devices if device.get("ports") and all(
            port["state"] not in ("ACTIVE", None) for port in device["ports"])}


def _management(found, devices, kinds):
    routes = set(found.get("_default_route") or ())
    left = {}
    for device in devices:
        carried = sorted({port["netdev"] for port in device.get("ports", ())} & routes)
        if carried:
            left[device["name"]] = "management: the default route goes through its interface %s" % carried[0]
    return _without_only_ones(found, devices, kinds, left)


def _functions(found, devices, _kinds):
    tree = found.get("_pci", {})
    return {device["name"]: "it is a virtual function of this host's own NIC"
            for device in devices if (tree.get(device.get("pci_address")) or {}).get("virtual_function")}


def _far(found, devices, kinds):
    """Where most GPUs have a NIC behind their own switch, one that is behind no GPU's switch serves something else."""
    gpus = [gpu["index"] for gpu in found.get("gpus") or []]
    near = {name for (_gpu, name), kind in kinds.items() if kind in _BEHIND_ONE_SWITCH}
    near &= {device["name"] for device in devices}
    served = [gpu for gpu in gpus if any(kinds.get((gpu, name)) in _BEHIND_ONE_SWITCH for name in near)]
    if 2 * len(served) <= len(gpus):
        return {}
    return {device["name"]: "storage or management: it shares a PCIe switch with no GPU, while %d of %d GPUs "
            "share one with a NIC" % (len(served), len(gpus)) for device in devices if device["name"] not in near}


def _slow(found, devices, kinds):
    rates = {device["name"]: max([port["rate"] or 0 for port in device.get("ports", ())] or [0]) for device in devices}
    fastest = max(rates.values()) if rates else 0
    left = {name: "storage or management: %s Gb/s, while the fastest NIC has %s" % (rate, fastest)
            for name, rate in rates.items() if 0 < rate <= fastest / 2}
    return _without_only_ones(found, devices, kinds, left)


def _without_only_ones(found, devices, kinds, left):
    """`left` without those that are the nearest of a GPU, behind its own switch: such a one serves it all the same."""
    names = [device["name"] for device in devices]
    for gpu in (gpu["index"] for gpu in found.get("gpus") or []):
        best = _nearest(kinds, gpu, names)
        near = [name for name in names if kinds.get((gpu, name)) == best]
        if best in _BEHIND_ONE_SWITCH and set(near) <= set(left):
            for name in near:
                pci.note(found, "gpu_nics: %s kept although %s, for GPU %d has none nearer" % (
                    name, left.pop(name), gpu))
    return left


def _say_what_is_missing(found, kinds, serving, best, gpu):
    """A GPU whose nearest NIC was left out, or that is worse off than most, is worth a sentence."""
    rank = KINDS.index(best[gpu]) if best[gpu] else len(KINDS)
    near = sorted(name for (index, name), kind in kinds.items()
                  if index == gpu and kind in KINDS and name not in serving and KINDS.index(kind) < rank)
    better = [other for other in best.values() if other and KINDS.index(other) < rank]
    if near:
        pci.note(found, "gpu_nics: GPU %d goes through %s although %s would be nearer, since left out" % (
            gpu, "NICs at %s" % best[gpu] if best[gpu] else "no NIC", ", ".join(near)))
    elif 2 * len(better) > len(best):
        pci.note(found, "gpu_nics: GPU %d has its nearest NIC at %s, while most GPUs have one at %s" % (
            gpu, best[gpu], min(better, key=KINDS.index)))
