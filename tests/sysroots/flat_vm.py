# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Builds what a virtual machine sees of the machine in an NCCL topology file: each device below a root port of its own.

A hypervisor that passes devices through shows no PCI switch above them. Some hide the NUMA nodes of the devices too.
"""

from __future__ import annotations

import xml.etree.ElementTree

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_topology_file
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology.node import read_topology

from . import nccl_tree, sysfs

_BRIDGE = "0x060400"
SECTIONS = ("system", "cpu", "numa_nodes", "gpus", "nics", "rdma_devices", "pci_paths", "gpu_nics")


def build(folder, text, maker="Amazon EC2", with_nodes=True):
    """Write the virtual machine of a topology file; `maker` is its DMI's word, None for none. Returns the folder."""
    nccl_tree.build(str(folder), flattened(text))
    sysfs.write(str(folder), "proc/sys/kernel/arch", "x86_64")
    if maker:
        sysfs.write(str(folder), "sys/class/dmi/id/sys_vendor", maker)
    if not with_nodes:
        everything = (folder / sysfs.CPU / "online").read_text().strip()
        for place in (folder / "sys/devices").glob("pci*/**/numa_node"):
            place.write_text("-1\n")
        for place in (folder / "sys/devices").glob("pci*/**/local_cpulist"):
            place.write_text(everything + "\n")
    return folder


def fact(folder):
    """What the topology says of it."""
    return read_topology(Host(str(folder)), SECTIONS)


def flattened(text):
    """The same file without its switches."""
    system = xml.etree.ElementTree.fromstring(text)
    for cpu in system.findall("cpu"):
        devices = [pci for pci in cpu.iter("pci") if pci.get("class") != _BRIDGE]
        for pci in cpu.findall("pci"):
            cpu.remove(pci)
        cpu.extend(devices)
    return xml.etree.ElementTree.tostring(system, encoding="unicode")


def switches(text):
    """How an operator declares the switches of a file: those with devices of their own, and each device without one."""
    found = {}
    for device in nccl_topology_file.devices(nccl_topology_file.read(text)):
        key = device["bridges"][-1] if device["bridges"] else device["address"]
        switch = found.setdefault(key, {"gpus": [], "nics": [], "numa_node": int(device["numa_node"])})
        switch["gpus" if nccl_topology_file.is_gpu(device) else "nics"].append(device["address"])
    return list(found.values())
