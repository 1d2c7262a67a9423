# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what amdgpu shows of each GPU now in sysfs: RAS counters, temperatures, power, clocks, retired memory pages.

PRIVATE to the collection. sysfs has all of it; rocm-smi and amd-smi read the same files.
"""

from __future__ import annotations

import re

from .._topology import kfd, pci
from . import gpu_process

_COUNT = re.compile(r"^(ue|ce|de):\s*(\d+)\s*$", re.MULTILINE)
_LEVEL = re.compile(r"^\s*\w+:\s*(\d+)\s*Mhz\s*(\*?)", re.MULTILINE | re.IGNORECASE)
_PAGE = re.compile(r"^0x[0-9a-f]+\s*:\s*0x[0-9a-f]+\s*:\s*([RPF])", re.MULTILINE | re.IGNORECASE)
_SENSORS = {"edge": "gpu", "junction": "junction", "mem": "memory"}


def read(host, _found, on_pci):
    """[(address, record)] of the GPUs that amdgpu drives; those that KFD alone knows have what it says."""
    nodes = {node["pci_address"]: node for node in kfd.read(host) if node["pci_address"]}
    driven = [address for address, record in on_pci.items() if record["driver"] == "amdgpu"]
    for address, record in on_pci.items():
        if address not in nodes and record["driver"] is None:
            host.note("%s: an AMD GPU without a driver, which tells nothing of its health" % address)
    processes = gpu_process.of_kfd(host) if nodes or driven else []
    found = []
    for address in sorted(set(driven) | set(nodes), key=pci.order):
        record = dict(_gpu(host, "%s/%s" % (pci.DEVICES, address)), driver="amdgpu", in_driver=True,
                      processes=processes)
        node = nodes.get(address) or {}
        record["name"] = record["name"] or node.get("name")
        record["uuid"] = record["uuid"] or node.get("uuid")
        found.append((address, record))
    return found


def _gpu(host, folder):
    identity = pci.attribute(host, folder + "/unique_id")
    monitor = next(iter(host.names(folder + "/hwmon")), None)
    sensors = "%s/hwmon/%s" % (folder, monitor) if monitor else None
    return {
        "name": pci.attribute(host, folder + "/product_name") or None,
        "uuid": "GPU-" + identity if identity else None,
        "performance_state": pci.attribute(host, folder + "/power_dpm_force_performance_level") or None,
        "ecc": _ras(host, folder + "/ras"),
        "retired_pages": _pages(host, folder + "/ras/gpu_vram_bad_pages"),
        "clocks": _clocks(host, folder),
        "temperature": _temperatures(host, sensors),
        "power": _power(host, sensors),
        "utilization": pci.number(host, folder + "/gpu_busy_percent"),
    }


def _ras(host, folder):
    """Errors since the driver was loaded, over all blocks (umc, gfx, xgmi_wafl ...); None without RAS."""
    counts = {}
    for name in host.names(folder):
        if name.endswith("_err_count"):
            for kind, value in _COUNT.findall(pci.attribute(host, "%s/%s" % (folder, name)) or ""):
                counts.setdefault(kind, {})[name[:-len("_err_count")]] = int(value)
    if not counts:
        return None
    return {"enabled": True, "pending": None, "aggregate": None, "volatile": {
        "corrected": sum(counts.get("ce", {}).values()), "uncorrected": sum(counts.get("ue", {}).values()),
        "blocks": {block: value for block, value in sorted(counts.get("ue", {}).items()) if value}}}


def _pages(host, path):
    """Pages of memory taken out of use (R), waiting for it (P), and that could not be (F)."""
    text = pci.attribute(host, path)
    if text is None:
        return None
    states = [state.upper() for state in _PAGE.findall(text)]
    return {"double_bit": states.count("R"), "single_bit": None, "pending": "P" in states or "F" in states}


def _clocks(host, folder):
    """MHz now and at most, of the levels that the driver offers."""
    now, most = {}, {}
    for ours, theirs in (("sm", "pp_dpm_sclk"), ("memory", "pp_dpm_mclk")):
        levels = _LEVEL.findall(pci.attribute(host, "%s/%s" % (folder, theirs)) or "")
        if levels:
            most[ours] = max(int(value) for value, _mark in levels)
            now.update((ours, int(value)) for value, mark in levels if mark)
    if not most:
        return None
    return {"now": now or None, "max": most, "application": None, "default_application": None}


def _temperatures(host, sensors):
    found = {}
    for name in host.names(sensors) if sensors else ():
        match = re.match(r"temp(\d+)_input\Z", name)
        if not match:
            continue
        path = "%s/temp%s_" % (sensors, match.group(1))
        ours = _SENSORS.get(pci.attribute(host, path + "label") or "edge")
        value, limit = pci.number(host, path + "input"), pci.number(host, path + "crit")
        if ours and value is not None:
            found[ours] = value // 1000
        if ours in ("gpu", "junction") and limit:
            found["slowdown" if ours == "junction" else "max_gpu"] = limit // 1000
        if ours == "memory" and limit:
            found["max_memory"] = limit // 1000
    return found or None


def _power(host, sensors):
    """Watts now and the limits of them; the kernel counts in millionths."""
    if not sensors:
        return None
    found = {}
    for ours, theirs in (("draw", ("power1_average", "power1_input")), ("limit", ("power1_cap",)),
                         ("default_limit", ("power1_cap_default",)), ("max_limit", ("power1_cap_max",)),
                         ("min_limit", ("power1_cap_min",))):
        told = [pci.number(host, "%s/%s" % (sensors, name)) for name in theirs]
        found.update((ours, value / 1e6) for value in reversed(told) if value is not None)
    return found or None
