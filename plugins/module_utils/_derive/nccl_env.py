# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of NCCL on a node, derived from its topology and the fabric that the inventory declares.

PRIVATE to the collection. Pure. Every variable that may be set for good has an entry, with the reason: what is left to
NCCL has the value None. RCCL reads the same names.
"""

from __future__ import annotations

import re

from .._cpulist import format as cpulist
from .._nccl_names import version
from .._values import nearest, null_hint
from . import nccl_gids, nccl_hcas, nccl_interface, nccl_network, nccl_topology
from .rdma_rails import ETHERNET, INFINIBAND

FABRICS = ("rail", "single_switch", "infiniband", "ethernet")
WORKLOADS = ("inference", "training")
_LAYER_OF = {"infiniband": INFINIBAND, "ethernet": ETHERNET}
_LONGEST_WHY = 199
# What is left to NCCL on any node, and why.
LEFT = {
    "NCCL_IB_FIFO_TC": "NCCL's control messages go in the class of the data; another one has to exist on every switch",
    "NCCL_IB_RETRY_CNT": "7, the default, is the most there is",
    "NCCL_SOCKET_FAMILY": "NCCL takes the first address of the interface, IPv4 before IPv6",
    "NCCL_NETDEVS_POLICY": "AUTO, the default, shares the NICs out among the GPUs that are in use",
    "NCCL_DEBUG_FILE": "what NCCL says stays with the log of its process",
    "NCCL_RAS_ADDR": "it is for each job: a second user's job on a node needs another port than 28028",
    "NCCL_IGNORE_CPU_AFFINITY": "0, the default, keeps to the launcher's CPUs; 1 is for a launcher that pins badly",
}
NAMES = ("NCCL_IB_HCA", "NCCL_SOCKET_IFNAME", "NCCL_SOCKET_FAMILY", "NCCL_IB_TC", "NCCL_GIN_IB_TC", "NCCL_IB_SL",
         "NCCL_IB_FIFO_TC") + nccl_gids.NAMES + (
    "NCCL_CROSS_NIC", "NCCL_IB_QPS_PER_CONNECTION", "NCCL_IB_TIMEOUT", "NCCL_IB_RETRY_CNT", "NCCL_NET_MERGE_POLICY",
    "NCCL_NETDEVS_POLICY", "NCCL_TOPO_FILE", "NCCL_DEBUG", "NCCL_DEBUG_FILE", "NCCL_RAS_ADDR",
    "NCCL_IGNORE_CPU_AFFINITY")


def derive(topology, fabric=None, workload="inference", multi_node=None, min_version=None, traffic_class=None,
           compute_nics=None, storage_nics=None, socket_interfaces=None, address_family="IPv4", address_range=None,
           topology_file=None, inter_rail_path=True, cluster_gpus=None):
    """{variable: {"value": text or None, "why": one line}}. Raises ValueError in words.

    `multi_node` False says that no job leaves its node. `traffic_class` is what the filter of that name gives, or the
    byte. `inter_rail_path` False says that a rail fabric has no way from one rail to another.
    """
    told = {"fabric": _one_of("fabric", fabric, FABRICS + (None,)),
            "inter_rail_path": _flag("inter_rail_path", inter_rail_path),
            "workload": _one_of("workload", workload, WORKLOADS), "version": parse_version(min_version),
            "cluster_gpus": _number("cluster_gpus", cluster_gpus), "multi_node": _flag("multi_node", multi_node)}
    _one_of("address_family", address_family, tuple(nccl_gids.FAMILIES))
    ports, left = nccl_hcas.select(topology, compute_nics, storage_nics)
    none = _no_network(topology, ports, left, told["multi_node"], compute_nics)
    ports = [] if none else [dict(port, layer=port["layer"] or _LAYER_OF.get(fabric)) for port in ports]
    hcas, rails = _list(topology, ports, left, told, compute_nics)
    found = _of_network(topology, ports, rails, told, traffic_class, address_family, address_range)
    found.update({name: (None, why) for name, why in LEFT.items()})
    found["NCCL_IB_HCA"] = (None, none) if none else hcas
    found["NCCL_SOCKET_IFNAME"] = nccl_interface.derive(topology, socket_interfaces, {port["device"] for port in ports})
    found["NCCL_TOPO_FILE"] = _topology_file(topology, topology_file)
    found["NCCL_DEBUG"] = ("WARN", "errors are logged, and nothing of every call, for inference and training alike")
    if not topology.get("gpus"):
        found = dict.fromkeys(found, (None, "this node has no GPU (gpus)"))
    return {name: {"value": found[name][0], "why": _line(found[name][1])} for name in NAMES}


def _of_network(topology, ports, rails, told, traffic_class, address_family, address_range):
    """What is for RDMA alone."""
    roce = [port for port in ports if port["layer"] == ETHERNET]
    found = nccl_network.classes(topology, ports, roce, told["fabric"], traffic_class)
    found.update(nccl_gids.derive(topology, roce, told["version"], address_family, address_range))
    found.update(nccl_network.of_fabric(ports, roce, rails, told))
    if not ports:
        return dict.fromkeys(found, (None, "NCCL is given no RDMA port here, see NCCL_IB_HCA"))
    if not roce:
        found.update(dict.fromkeys(nccl_gids.NAMES, (
            None, "it is for RoCE, and none of the ports is on Ethernet (rdma_devices)")))
    return found


def parse_version(given):
    """(2, 21) of "2.21" or (2, 30, 5) of "2.30.5-1"; None of None. Raises ValueError."""
    try:
        return None if given is None else version(given)
    except ValueError as error:
        raise ValueError("min_version: %s" % error) from error


def _one_of(name, given, known):
    if given not in known:
        raise ValueError("%s: %r is no %s that is known; %s%s" % (
            name, given, name, nearest(given, [one for one in known if one is not None]), null_hint(given)))
    return given


def _flag(name, given):
    """A bool, also where it came as text, as from -e, or None."""
    known = {"none": None, "true": True, "yes": True, "1": True, "false": False, "no": False, "0": False}
    if str(given).strip().lower() not in known:
        raise ValueError("%s: %r is neither true nor false" % (name, given))
    return known[str(given).strip().lower()]


def _number(name, given):
    """An int, also where it came as text, or None."""
    if given is None:
        return None
    if isinstance(given, bool) or not re.match(r"[0-9]+\Z", str(given).strip()):
        raise ValueError("%s: %r is no number" % (name, given))
    return int(given)


def _line(words):
    """One line of plain letters, no longer than a comment may be."""
    words = " ".join(words.encode("ascii", "replace").decode("ascii").split())
    return words if len(words) <= _LONGEST_WHY else words[:_LONGEST_WHY - 3].rstrip() + "..."


# -- the list of ports -------------------------------------------------------------------------------------------------


def _no_network(topology, ports, left, multi_node, compute_nics):
    """Why NCCL is given no list of ports, or None."""
    if multi_node is False:
        return "the inventory says that no job leaves its node (multi_node), so NCCL uses no network"
    if len(ports) > nccl_hcas.MOST:
        return "%d ports serve GPUs, and NCCL takes %d: name those to use (compute_nics)" % (len(ports), nccl_hcas.MOST)
    if len(nccl_hcas.text(ports, range(len(ports)))) > nccl_hcas.LONGEST:
        return "the list of %d ports is longer than the %d letters that NCCL reads: name fewer (compute_nics)" % (
            len(ports), nccl_hcas.LONGEST)
    if ports:
        return None
    if left:
        return "no port that NCCL can use serves a GPU: %s" % nccl_hcas.left_out(left)
    if compute_nics is not None:
        return "the operator names no NIC for GPUs (compute_nics)"
    recorded = sorted({name for names in (topology.get("gpu_nics") or {}).values() for name in names})
    if recorded:
        return "%s would serve GPUs (gpu_nics), but nothing is known of the ports (rdma_devices)" % ", ".join(recorded)
    return "no RDMA device serves a GPU here (gpu_nics)"


def _list(topology, ports, left, told, compute_nics):
    """((value, why) of NCCL_IB_HCA, the rails that it tells NCCL or None); "=" makes names exact."""
    gpus = [int(gpu) for gpu, names in (topology.get("gpu_nics") or {}).items()
            if {port["device"] for port in ports}.intersection(names)]
    serve = "of the NICs that the inventory names, in PCI order (compute_nics)" if compute_nics is not None else (
        "that serve%s GPU%s %s, in PCI order (gpu_nics)" % (
            "s" if len(ports) == 1 else "", "" if len(gpus) == 1 else "s", cpulist(gpus)))
    why = "%d RDMA port%s %s" % (len(ports), "" if len(ports) == 1 else "s", serve)
    rails, words = None, None
    if told["fabric"] == "rail" and len(ports) > 1:
        rails, words = nccl_hcas.rails(topology, ports, compute_nics)
        words = _on_rails(rails, words, told["version"])
        rails = rails if not _is_plain(rails) and _takes_rails(told["version"]) else None
    if told["workload"] == "inference" and not told["multi_node"] and not told["fabric"]:
        why += ", for jobs across nodes"
    parts = [why, "left out: %s" % nccl_hcas.left_out(left) if left else None, words]
    return (nccl_hcas.text(ports, rails), "; ".join(part for part in parts if part)), rails


def _on_rails(rails, words, version):
    """What the list says of rails: NCCL pairs the first port with the first of another node, and so on."""
    if rails is None:
        return "whether that is the order of the rails is not known (%s)" % words
    if _is_plain(rails):
        return "that is %s, so that of the rails" % words
    if _takes_rails(version):
        return "with the rail of each, which goes by %s" % words
    return "rails go by %s, which NCCL is told since 2.30 (min_version)" % words


def _is_plain(rails):
    """Whether the place in the list is the rail; where nothing tells the rails, it has to be."""
    return rails is None or rails == list(range(len(rails)))


def _takes_rails(version):
    return version is not None and version >= nccl_hcas.RAIL_IDS


# -- the topology file -------------------------------------------------------------------------------------------------


def _topology_file(topology, given):
    """(value or None, why): what NCCL finds itself on bare metal is right, and a file would hide it."""
    system = (topology.get("system") or {}).get("virtualization")
    if given is None and topology.get("pci_paths") and nccl_topology.is_hidden(topology):
        return None, "the platform hides the PCI switches (system: %s), and nobody declared them" % system
    if given is None:
        return None, "NCCL finds the topology itself; a virtual machine may ship it in /var/run/nvidia-topologyd"
    if not re.match(r"/[^\s]{1,1022}\Z", str(given)):
        raise ValueError("topology_file: %r is no path, which begins with / and has no spaces" % (given,))
    if system == "none":
        return None, "no virtual machine (system), so NCCL finds the PCI tree itself and a file would only hide it"
    return str(given), "the platform hides the PCI tree (system: %s); this file says it" % (system or "not known")
