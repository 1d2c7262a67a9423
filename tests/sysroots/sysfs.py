# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the pieces that sysroots for tests are built from, in the shape in which the kernel shows them."""

from __future__ import annotations

import os
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist

CPU = "sys/devices/system/cpu"
NODE = "sys/devices/system/node"


def write(root, path, text):
    """A file with its newline, its folders made; an integer or text."""
    place = pathlib.Path(root, path.lstrip("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    if isinstance(text, bytes):
        place.write_bytes(text)
    else:
        place.write_text("%s\n" % text)


def write_all(root, folder, files):
    """Several files of one folder; None leaves one out."""
    for name, text in files.items():
        if text is not None:
            write(root, "%s/%s" % (folder, name), text)


def link(root, path, target):
    """A relative link from one place below the root to another, as sysfs has them."""
    place = pathlib.Path(root, path.lstrip("/"))
    place.parent.mkdir(parents=True, exist_ok=True)
    place.symlink_to(os.path.relpath(pathlib.Path(root, target.lstrip("/")), place.parent))


def machine(root, nodes, vendor="GenuineIntel", model="A CPU", siblings=None, distances=(10, 21), memory_kb=1 << 28,
            packages=None):
    """CPUs and NUMA nodes: `nodes` is {id: cpulist}, `siblings` {cpu: cpulist of its core}, `packages` {node: id}."""
    cpus = sorted(cpu for text in nodes.values() for cpu in _cpulist.parse(text))
    everything = _cpulist.format(cpus)
    write_all(root, CPU, {"possible": everything, "present": everything, "online": everything, "offline": "",
                          "isolated": "", "nohz_full": ""})
    packages = packages or {node: number for number, node in enumerate(sorted(nodes))}
    cores = {}
    records = []
    for node, text in sorted(nodes.items()):
        for cpu in _cpulist.parse(text):
            core = (siblings or {}).get(cpu, str(cpu))
            number = cores.setdefault(core, len(cores))
            write_all(root, "%s/cpu%d/topology" % (CPU, cpu), {
                "physical_package_id": packages[node], "core_id": number, "thread_siblings_list": core,
                "core_cpus_list": core})
            records.append((cpu, "processor\t: %d\nvendor_id\t: %s\nmodel name\t: %s\nphysical id\t: %d\n"
                                 "core id\t\t: %d\n" % (cpu, vendor, model, packages[node], number)))
        write_all(root, "%s/node%d" % (NODE, node), {
            "cpulist": text, "distance": " ".join(str(distances[other != node]) for other in sorted(nodes)),
            "meminfo": "Node %d MemTotal:       %d kB" % (node, memory_kb),
            "hugepages/hugepages-2048kB/nr_hugepages": 0, "hugepages/hugepages-2048kB/free_hugepages": 0,
            "hugepages/hugepages-1048576kB/nr_hugepages": 0, "hugepages/hugepages-1048576kB/free_hugepages": 0})
    write(root, NODE + "/online", _cpulist.format(nodes))
    write(root, "proc/cpuinfo", "\n".join(text for _cpu, text in sorted(records)))
    write(root, "proc/meminfo", "MemTotal:       %d kB" % (memory_kb * len(nodes)))


def host_bridge(root, name):
    """The folder of a host bridge, "pci0000:00"."""
    folder = "sys/devices/" + name
    pathlib.Path(root, folder).mkdir(parents=True, exist_ok=True)
    return folder


def device(root, parent, address, files, driver=None):
    """A PCI device below the folder of its bridge or host bridge; returns its own folder."""
    folder = "%s/%s" % (parent, address)
    write_all(root, folder, files)
    link(root, "sys/bus/pci/devices/" + address, folder)
    if driver:
        pathlib.Path(root, "sys/bus/pci/drivers", driver).mkdir(parents=True, exist_ok=True)
        link(root, folder + "/driver", "sys/bus/pci/drivers/" + driver)
    return folder


def netdev(root, parent, name, files, queues=4):
    """A network interface below a device."""
    folder = "%s/net/%s" % (parent, name)
    write_all(root, folder, files)
    for way in ("rx", "tx"):
        for number in range(queues):
            pathlib.Path(root, folder, "queues", "%s-%d" % (way, number)).mkdir(parents=True)
    link(root, folder + "/device", parent)
    link(root, "sys/class/net/" + name, folder)
    return folder


def rdma(root, parent, name, files, ports):
    """An RDMA device below a device; `ports` is {number: {file: text}}."""
    folder = "%s/infiniband/%s" % (parent, name)
    write_all(root, folder, files)
    for port, texts in ports.items():
        write_all(root, "%s/ports/%d" % (folder, port), texts)
    link(root, folder + "/device", parent)
    link(root, "sys/class/infiniband/" + name, folder)
    return folder


def drive(root, parent, name, model, size=7501476528, queue=None):
    """An NVMe controller with one namespace."""
    folder = "%s/nvme/%s" % (parent, name)
    write_all(root, folder, {"model": model, "transport": "pcie", "address": parent.rpartition("/")[2]})
    link(root, folder + "/device", parent)
    link(root, "sys/class/nvme/" + name, folder)
    disk = "%s/%sn1" % (folder, name)
    write_all(root, disk, {"size": size})
    write_all(root, disk + "/queue", dict({
        "scheduler": "[none] mq-deadline kyber", "max_sectors_kb": 128, "max_hw_sectors_kb": 128,
        "read_ahead_kb": 128, "nr_requests": 1023, "rotational": 0}, **(queue or {})))
    link(root, disk + "/device", folder)
    link(root, "sys/class/block/%sn1" % name, disk)


def config_space(acs_control=None, port=None, max_payload=256, max_read_request=512, aspm=0, largest_bar=None):
    """A function's config space: AER first among its extended capabilities, then ACS if it has that.

    With `port`, the port type of PCI Express (0 for an endpoint), it has that capability too, of 512 bytes' payload;
    `largest_bar` is what its resizable BAR 1, now of 256 MB, could be, in MB.
    """
    space = bytearray(4096)
    places = [0x100] + [0x148] * (acs_control is not None) + [0x200] * (largest_bar is not None)
    after = dict(zip(places, places[1:] + [0]))
    space[0x100:0x104] = (0x0001 | 2 << 16 | after[0x100] << 20).to_bytes(4, "little")
    if acs_control is not None:
        space[0x148:0x14C] = (0x000D | 1 << 16 | after[0x148] << 20).to_bytes(4, "little")
        space[0x14C:0x14E] = (0x5F).to_bytes(2, "little")
        space[0x14E:0x150] = acs_control.to_bytes(2, "little")
    if largest_bar is not None:
        offered = sum(1 << size for size in range(8, largest_bar.bit_length())) << 4
        space[0x200:0x20C] = b"".join(number.to_bytes(4, "little") for number in (
            0x0015 | 1 << 16, offered, 1 | 1 << 5 | 8 << 8))
    if port is not None:
        control = 0x0810 | _power(max_payload) << 5 | _power(max_read_request) << 12
        space[6], space[0x34] = 0x10, 0x60
        space[0x60:0x74] = bytes((0x10, 0)) + b"".join(number.to_bytes(size, "little") for number, size in (
            (2 | port << 4, 2), (0x8002, 4), (control, 2), (0, 2), (0x477105, 4), (0x40 | aspm, 2), (0x1105, 2)))
    return bytes(space)


def _power(size):
    return (size // 128).bit_length() - 1


def window(*sizes):
    """The file `resource` of a function with memory windows of these sizes, 0 for none; 64 bits each but the first."""
    lines, start = [], 1 << 44
    for size in sizes:
        lines.append("0x%016x 0x%016x 0x%016x" % ((start, start + size - 1, 0x14220C) if size else (0, 0, 0)))
        start += 2 * size
    return "\n".join(lines + ["0x%016x 0x%016x 0x%016x" % (0, 0, 0)] * (13 - len(lines)))
