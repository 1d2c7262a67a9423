# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which bits of PCIe access control services are right on which bridge, and where they are not ours to change.

PRIVATE to the collection. Redirected, peer-to-peer traffic of a GPU and a NIC behind one switch goes up through the
root complex and back. On platforms of NVIDIA's where the NIC has a second way to the GPU, some of the bits must stay on
instead: there rdma_topo, which belongs to rdma-core, knows them. Pure.
"""

from __future__ import annotations

import re

BITS = ((0x01, "SV"), (0x02, "TB"), (0x04, "RR"), (0x08, "CR"), (0x10, "UF"), (0x20, "EC"), (0x40, "DT"))
# What the kernel's own pci=disable_acs_redir= clears: request and completion redirect, and egress control.
REDIRECTING = 0x2C
NONE = "none"
_MASK = "x0x00xx"
_CONFIG_ACS_KERNEL = (6, 11)
_BEHIND_ONE_SWITCH = ("PIX", "PXB")
_MELLANOX, _NVIDIA = 0x15B3, 0x10DE
_DATA_DIRECT, _GRACE_PORTS = 0x2100, (0x22B1, 0x22B2, 0x22B8)
_DIRECT_NICS = {0x1023: "ConnectX-8", 0x1025: "ConnectX-9", 0xA2DC: "BlueField-3"}
_BLACKWELL = 0x2900  # The first device number of that generation.


def words(control):
    """The names of the bits that are on, "none" for none."""
    return " ".join(name for bit, name in BITS if control & bit) or NONE


def control(text):
    """The control word of such names. Raises ValueError."""
    known = {name: bit for bit, name in BITS}
    names = text.split()
    if names != [NONE] and not set(names) <= set(known):
        raise ValueError("%r names no bits of access control services" % text)
    return sum(known.get(name, 0) for name in set(names))


def redirecting(text):
    """The names of the bits among these that send peer-to-peer traffic up through the root complex."""
    return [name for bit, name in BITS if control(text) & bit & REDIRECTING]


def merged(word, wanted):
    """A control word with the redirecting bits as in `wanted`, and no other bit changed."""
    return word & ~REDIRECTING | wanted & REDIRECTING


def bridges(pci_paths, gpu_nics):
    """The bridges between GPUs and the NICs that serve GPUs, where both are behind one switch."""
    serving = {name for names in gpu_nics.values() for name in names}
    return {step for path in pci_paths if path["device"] in serving and path["kind"] in _BEHIND_ONE_SWITCH
            for step in path["path"] or () if not step.startswith("pci")}


def kernel_argument(ports, release):
    """What the kernel can be told at boot instead of writing to these ports."""
    match = re.match(r"(\d+)\.(\d+)", release or "")
    version = (int(match.group(1)), int(match.group(2))) if match else (0, 0)
    if version >= _CONFIG_ACS_KERNEL:
        return "pci=config_acs=%s" % ";".join("%s@%s" % (_MASK, port) for port in ports)
    return "pci=disable_acs_redir=%s" % ";".join(ports)


def direct_nic(devices, gpus, nics):
    """Why a platform has its own way from NIC to GPU, or None.

    `devices` is {address: (vendor, device)}; `gpus` and `nics` are the addresses of GPUs and of the NICs that serve
    them.
    """
    known = set(devices.values())
    if (_MELLANOX, _DATA_DIRECT) in known:
        return "a ConnectX Data Direct function is here"
    if any((_NVIDIA, port) in known for port in _GRACE_PORTS):
        return "the root ports are those of an NVIDIA Grace CPU"
    new = [devices[gpu] for gpu in gpus if gpu in devices]
    new = any(vendor == _NVIDIA and device is not None and device >= _BLACKWELL for vendor, device in new)
    names = [_DIRECT_NICS[devices[nic][1]] for nic in nics
             if nic in devices and devices[nic][0] == _MELLANOX and devices[nic][1] in _DIRECT_NICS]
    return "%s with Blackwell GPUs" % names[0] if new and names else None
