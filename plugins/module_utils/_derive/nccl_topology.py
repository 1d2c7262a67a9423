# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that tells NCCL in a virtual machine which GPUs and NICs are below one PCI switch, which it cannot see.

PRIVATE to the collection. Pure. The switches are as the operator declares them; all else is as the fact has it. What
NCCL finds by itself in spite of the file (NVLink, compute capability, ports, their speed) is left to it. Its reader is
no XML parser: see nccl_topology_file.py. Source: src/graph/xml.cc and topo.cc of NCCL 2.30, compared back to 2.18.
"""

from __future__ import annotations

import re

from .. import _cpulist
from .pci_switches import resolve

# As system.virtualization names them; all others are containers, or nothing.
VIRTUAL_MACHINES = ("amazon", "apple", "bhyve", "bochs", "google", "kvm", "microsoft", "oracle", "parallels", "powervm",
                    "qemu", "uml", "vm-other", "vmware", "xen", "zvm")
_BELOW_A_SWITCH = ("PIX", "PXB")
_ARCHITECTURES = {"x86_64": "x86_64", "aarch64": "arm64", "ppc64le": "ppc64", "ppc64": "ppc64"}
# What RCCL reads has a number of its own.
_VERSIONS = {"amd": 2}
_GPU_CLASSES = {"nvidia": "0x030200", "amd": "0x038000"}
_BRIDGE, _ETHERNET, _INFINIBAND = "0x060400", "0x020000", "0x020700"
# NCCL refuses a longer value, and reads a node's CPUs itself where the file does not tell.
_LONGEST = 253
_HEAD = ("<!-- gpuwright.node: devices, NUMA nodes and CPUs as the topology fact has them, "
         "PCI switches as they were declared -->")


def detected(topology):
    """Why NCCL's own detection is right here, in words, or None where a hypervisor may hide switches from it."""
    name = topology["system"]["virtualization"]
    if name not in VIRTUAL_MACHINES:
        return {"none": "this is no virtual machine", None: "nothing tells that this is a virtual machine"}.get(
            name, "this is a container (%s)" % name)
    seen = next((path for path in topology["pci_paths"] if path["kind"] in _BELOW_A_SWITCH and _is_nic(topology, path)),
                None)
    return seen and "the switch above GPU %d and %s is there to see" % (seen["gpu"], seen["device"])


def is_hidden(topology):
    """That the hypervisor hides the PCI switches, in words, or None.

    Where NVLink joins the GPUs and no NIC serves them, nothing that NCCL decides depends on a PCI switch.
    """
    gpus = topology["gpus"]
    nics = [device for device in topology["rdma_devices"] if device["pci_address"]]
    joined = len(gpus) < 2 or any((gpu.get("links") or {}).values() for gpu in gpus)
    if detected(topology) or not gpus or (joined and not nics):
        return None
    words = "virtual machine (%s): no PCI switch is there to see above its %s" % (
        topology["system"]["virtualization"], " and ".join(
            "%d %s%s" % (len(some), what, "" if len(some) == 1 else "s")
            for some, what in ((gpus, "GPU"), (nics, "RDMA device")) if some))
    lost = [device for device in gpus + nics if device["numa_node"] is None]
    return words + (", nor the NUMA node of %d of them" % len(lost) if lost else "")


def _is_nic(topology, path):
    """Whether a path leads to an RDMA device: that of a drive tells nothing of NICs."""
    return any(device["name"] == path["device"] for device in topology["rdma_devices"])


def xml(topology, switches):
    """The text of the file, or None where none is declared, or NCCL's own detection is right.

    `switches` is [{gpus, nics, numa_node, link_speed, link_width}]: see resolve. Raises ValueError.
    """
    if not switches or detected(topology):
        return None
    nodes = {}
    for switch in resolve(topology, switches):
        nodes.setdefault(switch["numa_node"], []).append(switch)
    taken = {device["address"] for groups in nodes.values() for switch in groups for device in switch["devices"]}
    numbers = (address for address in _free_addresses() if address not in taken)
    vendor = next((gpu["vendor"] for gpu in topology["gpus"]), None)
    lines = [_HEAD, '<system version="%d">' % _VERSIONS.get(vendor, 1)]
    for node in sorted(nodes):
        lines.append("  <cpu%s>" % _attributes(_cpu(topology, node)))
        for switch in nodes[node]:
            lines += _switch(switch, numbers)
        lines.append("  </cpu>")
    return "\n".join(lines + ["</system>"]) + "\n"


def _free_addresses():
    """Addresses for switches that nobody sees, from ffff:ff:01.0 on."""
    return ("ffff:%02x:%02x.0" % (bus, device) for bus in range(0xFF, -1, -1) for device in range(1, 32))


def _switch(switch, numbers):
    """The lines of a switch and what is below it; a device alone needs none."""
    devices = ["<pci%s/>" % _attributes(_device(device, switch)) for device in switch["devices"]]
    if len(devices) == 1:
        return ["    " + devices[0]]
    own = {"busid": next(numbers), "class": _BRIDGE, "link_speed": switch["link_speed"],
           "link_width": switch["link_width"]}
    return ["    <pci%s>" % _attributes(own)] + ["      " + device for device in devices] + ["    </pci>"]


def _device(device, switch):
    """A device's link is its own, else that of its switch, if that was declared."""
    kind = _GPU_CLASSES.get(device["vendor"], "0x030200") if device["is_gpu"] else (
        _INFINIBAND if device["infiniband"] else _ETHERNET)
    return {"busid": device["address"], "class": kind,
            "link_speed": device["link_speed"] or switch["declared_speed"],
            "link_width": device["link_width"] or switch["declared_width"]}


def _cpu(topology, node):
    """What is known of a NUMA node; what is left out NCCL asks the processor."""
    arch = _ARCHITECTURES.get(topology["system"]["architecture"])
    vendor = topology["cpu"]["vendor"] if arch == "x86_64" else None
    cpus = next(one["cpus"] for one in topology["numa_nodes"] if one["id"] == node)
    return {"numaid": node, "affinity": _mask(topology, cpus), "arch": arch, "vendor": vendor}


def _mask(topology, cpus):
    """CPUs as the kernel's mask: as wide as the CPUs that there can be."""
    highest = max(_cpulist.parse(topology["cpu"]["possible"] or "") + _cpulist.parse(cpus))
    text = "%0*x" % (highest // 4 + 1, sum(1 << cpu for cpu in _cpulist.parse(cpus)))
    words = re.findall(".{1,8}", text[::-1])
    mask = ",".join(word[::-1] for word in reversed(words))
    return mask if len(mask) <= _LONGEST else None


def _attributes(values):
    return "".join(' %s="%s"' % (name, value) for name, value in values.items() if value is not None)
