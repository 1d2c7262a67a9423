# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The PCI switches that an operator declares for a virtual machine, with the devices of the fact below each.

PRIVATE to the collection. Pure. Nothing is guessed: what neither the fact nor the declaration tells is an error.
"""

from __future__ import annotations

import re

from .._values import name_list, nearest

KEYS = ("gpus", "nics", "numa_node", "link_speed", "link_width")
# As the kernel writes them, and so NCCL.
SPEEDS = {2.5: "2.5 GT/s PCIe", 5.0: "5.0 GT/s PCIe", 8.0: "8.0 GT/s PCIe", 16.0: "16.0 GT/s PCIe",
          32.0: "32.0 GT/s PCIe", 64.0: "64.0 GT/s PCIe"}
WIDTHS = (1, 2, 4, 8, 12, 16, 32)
_ADDRESS = re.compile(r"(?:([0-9a-fA-F]{1,8}):)?([0-9a-fA-F]{1,2}):([0-9a-fA-F]{1,2})\.([0-7])\Z")


def resolve(topology, switches):
    """[{devices, numa_node, link_speed, link_width, declared_speed, declared_width}], by the first device's address.

    A switch is {gpus: indexes, addresses or UUIDs; nics: RDMA devices, interfaces or addresses; numa_node; link_speed;
    link_width}. Every GPU is below one, and every NIC that serves a GPU. Raises ValueError.
    """
    if not isinstance(switches, (list, tuple)) or not all(isinstance(switch, dict) for switch in switches):
        raise ValueError("the switches must be a list of dictionaries with the keys %s, and are %r"
                         % (", ".join(KEYS), switches))
    known = {"gpus": _gpus(topology), "nics": _nics(topology)}
    found = [_switch(topology, known, "switch %d" % number, switch) for number, switch in enumerate(switches, 1)]
    _each_once(topology, found)
    return sorted(found, key=lambda switch: _order(switch["devices"][0]["address"]))


def _switch(topology, known, which, switch):
    for key in switch:
        if key not in KEYS:
            raise ValueError("%s: no key %r; %s" % (which, key, nearest(key, KEYS)))
    devices = [_device(known[what], what, which, name) for what in ("gpus", "nics")
               for name in _names(which, what, switch.get(what))]
    if not devices:
        raise ValueError("%s: neither gpus nor nics" % which)
    speed, width = _speed(which, switch.get("link_speed")), _width(which, switch.get("link_width"))
    made = {"which": which, "devices": sorted(devices, key=lambda device: _order(device["address"])),
            "numa_node": _node(topology, which, devices, switch.get("numa_node")),
            "declared_speed": speed, "declared_width": width,
            "link_speed": speed or _best(devices, "link_speed", lambda text: float(text.split()[0])),
            "link_width": width or _best(devices, "link_width", int)}
    if len(devices) > 1 and None in (made["link_speed"], made["link_width"]):
        raise ValueError("%s: the link of none of its GPUs is known here: say its link_speed and link_width, as in "
                         "16.0 GT/s PCIe and 16" % which)
    return made


def _names(which, what, given):
    """The names in a list, or in text with commas; a GPU's index may be a number."""
    if given is None:
        return []
    if isinstance(given, (list, tuple)):
        given = [str(one) if isinstance(one, int) and not isinstance(one, bool) else one for one in given]
    elif isinstance(given, int) and not isinstance(given, bool):
        given = str(given)
    try:
        return name_list(given)
    except ValueError as error:
        raise ValueError("%s: %s: %s" % (which, what, error)) from error


def _device(known, what, which, name):
    found = known.get(name) or known.get(_address(name))
    if found is None:
        raise ValueError("%s: no %s %r on this host; %s" % (which, "GPU" if what == "gpus" else "NIC", name,
                                                            nearest(name, known)))
    if found["address"] is None:
        raise ValueError("%s: %s has no PCI address" % (which, found["label"]))
    return found


def _gpus(topology):
    """{index, UUID or address: device} of the GPUs."""
    known = {}
    for gpu in topology["gpus"]:
        link = gpu.get("link") or {}
        device = {"is_gpu": True, "infiniband": False, "vendor": gpu["vendor"], "address": gpu["pci_address"],
                  "numa_node": gpu["numa_node"], "label": "GPU %d" % gpu["index"],
                  # What runs now may be less: an idle GPU saves power.
                  "link_speed": _known_speed(link.get("max_speed") or link.get("speed")),
                  "link_width": link.get("max_width") or link.get("width")}
        known.update({name: device for name in (str(gpu["index"]), gpu.get("uuid"), gpu["pci_address"]) if name})
    return known


def _nics(topology):
    """{RDMA device, interface or address: device} of the NICs. Their links the fact does not have."""
    known = {}
    for nic in topology["rdma_devices"] + topology["nics"]:
        address = nic["pci_address"]
        ports = nic.get("ports") or ()
        device = known.get(address) or {
            "is_gpu": False, "vendor": None, "address": address, "numa_node": nic["numa_node"], "label": nic["name"],
            "infiniband": any(port["link_layer"] == "InfiniBand" for port in ports), "link_speed": None,
            "link_width": None}
        names = [nic["name"], address] + [port.get("netdev") for port in ports]
        known.update({name: device for name in names if name and name not in known})
    return known


def _each_once(topology, found):
    """Fail for a device below two switches, and for one that is below none and matters to NCCL."""
    below = {}
    for switch in found:
        for device in switch["devices"]:
            if device["address"] in below:
                raise ValueError("%s (%s) is named twice: below %s and below %s" % (
                    device["label"], device["address"], below[device["address"]], switch["which"]))
            below[device["address"]] = switch["which"]
    serving = {name for names in topology["gpu_nics"].values() for name in names}
    wanted = [("GPU %d" % gpu["index"], gpu["pci_address"]) for gpu in topology["gpus"]]
    wanted += [(device["name"], device["pci_address"]) for device in topology["rdma_devices"]
               if device["name"] in serving and device["pci_address"]]
    left = ["%s (%s)" % pair for pair in wanted if pair[1] not in below]
    if left:
        raise ValueError("below no switch: %s. Every GPU, and every NIC that serves one, must be named once; one that "
                         "has no switch is declared alone" % ", ".join(left))


def _node(topology, which, devices, given):
    """The NUMA node of a switch: as declared, else as its devices say, else the only one that there is."""
    nodes = [node["id"] for node in topology["numa_nodes"] if node["cpus"]]
    if given is not None:
        if isinstance(given, bool) or not str(given).isdecimal() or int(given) not in nodes:
            raise ValueError("%s: no NUMA node %r with CPUs on this host; there are: %s"
                             % (which, given, ", ".join(str(node) for node in nodes)))
        return int(given)
    told = sorted({device["numa_node"] for device in devices} - {None})
    if len(told) == 1 and told[0] in nodes:
        return told[0]
    if len(nodes) == 1:
        return nodes[0]
    raise ValueError("%s: its devices are on %s: say its numa_node" % (
        which, "NUMA nodes %s" % ", ".join(str(node) for node in told) if told else "NUMA nodes that are not told"))


def _known_speed(text):
    """A speed as the kernel writes it, or None for none."""
    match = re.match(r"\s*(\d+(?:\.\d+)?)\s*GT/s", str(text or ""))
    return SPEEDS.get(float(match.group(1))) if match else None


def _speed(which, given):
    found = _known_speed(given)
    if given is not None and not found:
        raise ValueError("%s: link_speed is %r, and is one of: %s" % (which, given, ", ".join(SPEEDS.values())))
    return found


def _width(which, given):
    if given is None:
        return None
    if isinstance(given, bool) or not str(given).isdecimal() or int(given) not in WIDTHS:
        raise ValueError("%s: link_width is %r, and is one of: %s"
                         % (which, given, ", ".join(str(width) for width in WIDTHS)))
    return int(given)


def _best(devices, key, size):
    return max((device[key] for device in devices if device[key]), key=size, default=None)


def _address(text):
    """A PCI address as the kernel spells it, or None for none: nvidia-smi writes 00000000:3B:00.0."""
    match = _ADDRESS.match(text)
    if not match:
        return None
    domain, bus, device, function = match.groups()
    return "%04x:%02x:%02x.%s" % (int(domain or "0", 16), int(bus, 16), int(device, 16), function)


def _order(address):
    """What to sort addresses by: as numbers, since domains differ in width."""
    return tuple(int(part, 16) for part in re.split("[:.]", address))
