# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rails of a node: its RDMA devices that serve GPUs or storage, in PCI order, and whether nodes agree on them.

PRIVATE to the collection. Pure.
"""

from __future__ import annotations

from .._values import name_list, nearest

ETHERNET, INFINIBAND = "Ethernet", "InfiniBand"


def resolve(topology, names):
    """RDMA devices that the operator named: by themselves, by interface or by PCI address. Raises ValueError."""
    known = known_names(topology)
    names = name_list(names)
    for name in names:
        if name not in known:
            raise ValueError("no RDMA device %r on this host; %s" % (name, nearest(name, known)))
    return [known[name] for name in names]


def known_names(topology):
    """{name: RDMA device} of all names that a device of this node goes by."""
    known = {}
    for nic in topology.get("nics") or ():
        if nic.get("rdma_device"):
            known.update({nic["name"]: nic["rdma_device"], nic.get("pci_address"): nic["rdma_device"]})
    for device in topology.get("rdma_devices") or ():
        known.update({port["netdev"]: device["name"] for port in device["ports"] if port.get("netdev")})
        known.update({device["name"]: device["name"], device.get("pci_address"): device["name"]})
    known.pop(None, None)
    return known


def compute(topology, named=None):
    """The names of the RDMA devices that serve GPUs, in the order of the fact."""
    chosen = set(resolve(topology, named)) if named is not None else {
        name for names in (topology.get("gpu_nics") or {}).values() for name in names}
    return [device["name"] for device in topology.get("rdma_devices") or () if device["name"] in chosen]


def storage(topology, named=None, compute_nics=None):
    """The names of the RDMA devices that serve storage.

    Unless they are named: all that have a PCI device and serve no GPU, but for those that people log in through, and
    a port beside one of those that is not in use.
    """
    if named is not None:
        chosen = set(resolve(topology, named))
        return [device["name"] for device in topology.get("rdma_devices") or () if device["name"] in chosen]
    serving = set(compute(topology, compute_nics))
    return [device["name"] for device in topology.get("rdma_devices") or ()
            if device["name"] not in serving and device.get("pci_address")
            and not _carries_default_route(topology, device) and not _is_spare(topology, device)]


def _is_spare(topology, device):
    """Whether a device is the other port of the card that people log in through, and nobody uses it.

    A port that only lost its link for now keeps its addresses, or is on a card of its own.
    """
    nics = topology.get("nics") or ()
    own = [nic for nic in nics if nic.get("rdma_device") == device["name"]]
    return (all(port.get("state") == "DOWN" for port in device["ports"])
            and any(nic.get("default_route") and _same_card(nic, device) for nic in nics)
            and bool(own) and all(nic.get("addresses") == [] for nic in own))


def _carries_default_route(topology, device):
    names = set(interfaces_of(topology, device)) | {port.get("netdev") for port in device["ports"]}
    return any(nic.get("default_route") for nic in topology.get("nics") or () if nic["name"] in names)


def roce_devices(topology, compute_nics=None, storage_nics=None):
    """The RDMA devices with a RoCE port that the traffic class is for; a virtual one where there is no other."""
    chosen = compute(topology, compute_nics) + storage(topology, storage_nics, compute_nics)
    devices = [device for device in topology.get("rdma_devices") or () if is_roce(device)]
    found = [device["name"] for device in devices if device["name"] in chosen]
    if not found and compute_nics is None and storage_nics is None:
        found = [device["name"] for device in devices if not device.get("pci_address")]
    return found


def roce_interfaces(topology, compute_nics=None, storage_nics=None):
    """The network interfaces of those devices that have hardware queues: of a bond its members, none of a virtual."""
    names = roce_devices(topology, compute_nics, storage_nics)
    found = []
    for device in topology.get("rdma_devices") or ():
        if device["name"] in names and device.get("pci_address"):
            found += [name for name in interfaces_of(topology, device) if name not in found]
    return found


def is_roce(device):
    """Whether a device has a port on Ethernet."""
    return any(port.get("link_layer") == ETHERNET for port in device["ports"])


def interfaces_of(topology, device):
    """The physical interfaces of a device's Ethernet ports.

    The port of a bond belongs to the bond's interface, which has no queues of its own: its members are the interfaces
    on the functions of the same card.
    """
    nics = topology.get("nics") or ()
    known = {nic["name"] for nic in nics}
    found = []
    for port in device["ports"]:
        if port.get("link_layer") == ETHERNET:
            own = [port["netdev"]] if port.get("netdev") in known else [
                nic["name"] for nic in nics if _same_card(nic, device)
                and nic.get("rdma_device") in (device["name"], None)]
            found += [name for name in own if name not in found]
    return found


def _same_card(nic, device):
    addresses = [(one.get("pci_address") or "").rpartition(".")[0] for one in (nic, device)]
    return addresses[0] == addresses[1] != ""


# -- across nodes ------------------------------------------------------------------------------------------------------


def positions(topology):
    """What an NCCL_IB_HCA list means on a node: [(name, PCI address, rate)] of the devices that serve GPUs."""
    names = compute(topology)
    return [(device["name"], device.get("pci_address"), max([port.get("rate") or 0 for port in device["ports"]] or [0]))
            for device in topology.get("rdma_devices") or () if device["name"] in names]


def compare(nodes):
    """Rule R11: [(host, sentence)] of the hosts whose devices are not those of most hosts of their model.

    `nodes` is {host: {"model": any text, "rails": as from `positions`}}. Hosts of different models are compared by
    the number of their NICs alone, for a job across them pairs NIC k with NIC k.
    """
    found = []
    for model in sorted({node["model"] for node in nodes.values()}):
        hosts = sorted(host for host in nodes if nodes[host]["model"] == model)
        usual = _most([_plain(nodes[host]["rails"]) for host in hosts])
        for host in hosts:
            rails = _plain(nodes[host]["rails"])
            if rails != usual:
                found.append((host, "R11: %s, while most of %d nodes of its model have %s" % (
                    _differences(rails, usual), len(hosts), _words(usual))))
    counts = {host: len(node["rails"]) for host, node in nodes.items()}
    usual = _most(sorted(counts.values()))
    told = {host for host, _words_of in found}
    found += [(host, "R11: %d NICs serve its GPUs, while most of %d nodes have %d" % (count, len(nodes), usual))
              for host, count in sorted(counts.items()) if count != usual and host not in told]
    return sorted(found)


def _plain(rails):
    return tuple((rail[0], rail[1]) for rail in rails)


def _most(values):
    """The value that is there most often, the first of several."""
    return max(values, key=values.count) if values else None


def _differences(rails, usual):
    """What is other than usual, in words."""
    if len(rails) != len(usual):
        missing = [name for name, _address in usual if name not in dict(rails)]
        return "%d NICs serve its GPUs%s" % (len(rails), ", without %s" % ", ".join(missing) if missing else "")
    wrong = [(here, there) for here, there in zip(rails, usual) if here != there]
    here, there = wrong[0]
    more = " and %d more" % (len(wrong) - 1) if len(wrong) > 1 else ""
    return "NIC %d is %s at %s, not %s at %s%s" % (
        rails.index(here), here[0], here[1], there[0], there[1], more)


def _words(rails):
    return ", ".join(name for name, _address in rails) or "none"
