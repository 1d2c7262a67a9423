# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every machine with GPUs that is at hand, and the environment of NCCL that is derived for it, as text to be read.

The texts lie in tests/unit/plugins/module_utils/_derive/golden/nccl_env. To write them anew, after a change that is
meant, and read the difference: pytest tests/unit/plugins/module_utils/_derive/test_nccl_env_machines.py with
GPUWRIGHT_GOLDEN=write in the environment writes them, and fails where one changed.
"""

from __future__ import annotations

import json
import pathlib

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node

from tests.conftest import CHECKOUT
from tests.sysroots import eight_gpu, nccl_tree, sysfs

CAPTURES = CHECKOUT / "tests/captures"
GOLDEN = CHECKOUT / "tests/unit/plugins/module_utils/_derive/golden/nccl_env"
# The node of eight_gpu.py: {name: (fault, subnet of each rail or None where no addresses are known, what is declared)}.
_PLAIN, _OTHER = (1, 2, 3, 4, 5, 6, 7, 8), (3, 4, 1, 2, 7, 8, 5, 6)
OF_EIGHT = {
    "eight-gpu": (None, None, {}),
    "eight-gpu-rails": (None, _PLAIN, {"fabric": "rail", "min_version": "2.21"}),
    "eight-gpu-rails-apart": (None, _PLAIN, {"fabric": "rail", "inter_rail_path": False, "cluster_gpus": 2048}),
    "eight-gpu-rails-elsewhere": (None, _OTHER, {"fabric": "rail", "min_version": "2.30.5"}),
    "eight-gpu-rails-elsewhere-old": (None, _OTHER, {"fabric": "rail", "min_version": "2.27"}),
    "eight-gpu-rail-down": ("nic_down", _PLAIN, {"fabric": "rail"}),
    "eight-gpu-rail-down-named": ("nic_down", _PLAIN, {"fabric": "rail", "compute_nics": list(eight_gpu.RAILS)}),
    "eight-gpu-rail-missing": ("no_rail", _PLAIN, {"fabric": "rail"}),
    "eight-gpu-single-switch": (None, None, {"fabric": "single_switch"}),
    "eight-gpu-other-class": (None, None, {"fabric": "ethernet", "traffic_class": 160, "socket_interfaces": ["ctrl0"]}),
    "eight-gpu-declared-infiniband": (None, None, {"fabric": "infiniband"}),
    "eight-gpu-old-nccl": (None, None, {"min_version": "2.20.5"}),
    "eight-gpu-one-node": (None, None, {"multi_node": False}),
}
# Recorded matrices; no other capture has both GPUs and NICs.
MATRICES = {"matrix-puget-wrx90": "puget-wrx90-2gpu-2nic", "matrix-aws-p4d": "aws-p4d.24xlarge"}


def names():
    """The names of all machines."""
    trees = [path.parent.name for path in CAPTURES.glob("nccl-topo-xml/*/topo.xml")]
    return sorted(trees + list(OF_EIGHT) + list(MATRICES))


def fact(name, folder):
    """The topology of a machine, which is built in a folder."""
    if name in OF_EIGHT:
        fault, subnets, _options = OF_EIGHT[name]
        eight_gpu.build(folder, fault)
        if subnets:
            _renumber(folder, subnets)
    elif name in MATRICES:
        text_of = (CAPTURES / "topo" / MATRICES[name] / "topo.txt").read_text()
        sysfs.write(folder, "gpuwright/nvidia-smi-topo.txt", text_of)
    else:
        nccl_tree.build(folder, (CAPTURES / "nccl-topo-xml" / name / "topo.xml").read_text())
    return node.read_topology(Host(str(folder)))


def _renumber(folder, subnets):
    """Give rail K an address in 10.0.N.0/24, with N the K-th of `subnets`, as "ip address" and its GIDs say it."""
    said = [_link("eno1", "10.255.0.2")]
    for rail, subnet in enumerate(subnets):
        said.append(_link("rail%d" % rail, "10.0.%d.2" % subnet))
        gids = pathlib.Path(folder, "sys/class/infiniband", eight_gpu.RAILS[rail], "ports/1/gids")
        for index in ("2", "3") if gids.is_dir() else ():
            (gids / index).write_text("0000:0000:0000:0000:0000:ffff:0a00:%02x02\n" % subnet)
    sysfs.write(folder, "gpuwright/ip-address.json", json.dumps(said))


def _link(name, address):
    return {"ifname": name, "addr_info": [{"family": "inet", "local": address, "prefixlen": 24, "scope": "global"}]}


def text(name, topology):
    """What is derived for both workloads; the second has only what differs."""
    options = OF_EIGHT.get(name, (None, None, {}))[2]
    first, second = (nccl_env.derive(topology, workload=workload, **options) for workload in nccl_env.WORKLOADS)
    different = {variable: told for variable, told in second.items() if told != first[variable]}
    declared = ", ".join("%s %s" % pair for pair in sorted(options.items())) or "nothing"
    lines = ["# %s: %s" % (name, _what(topology)), "# Declared: %s" % declared, "", "## inference"] + _lines(first)
    lines += ["", "## training: the same%s" % (", but for" if different else "")] + _lines(different)
    return "\n".join(lines) + "\n"


def _what(topology):
    gpus, devices = topology["gpus"], topology["rdma_devices"]
    layers = sorted({port["link_layer"] or "unknown" for device in devices for port in device["ports"]})
    return "%d GPUs (%s), %d RDMA devices%s, %d interfaces" % (
        len(gpus), ", ".join(sorted({gpu["vendor"] or "unknown" for gpu in gpus})), len(devices),
        " (%s)" % ", ".join(layers) if layers else "", len(topology["nics"]))


def _lines(environment):
    """What is set, then what is left to NCCL by its reason, but for what is left to it everywhere."""
    lines, left = [], {}
    for variable, told in environment.items():
        if told["value"] is not None:
            lines += ["%s=%s" % (variable, told["value"]), "    %s" % told["why"]]
        elif variable not in nccl_env.LEFT:
            left.setdefault(told["why"], []).append(variable)
    for why, variables in left.items():
        lines += ["not set: %s" % " ".join(variables), "    %s" % why]
    return lines
