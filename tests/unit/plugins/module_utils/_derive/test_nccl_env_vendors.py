# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NCCL's environment of Oracle's machines against what Oracle sets there: the same ports, and why all else differs.

Oracle's topology file has one entry a card; the second port of each, the names in PCI order and the NIC that people log
in through are put in from Oracle's own lists: rdma_pci_ids.yml for the addresses, and for the names those that its
nccl.conf leaves out.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree

import pytest
import yaml

from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_env
from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import node, pci

from tests.conftest import CHECKOUT
from tests.sysroots import nccl_tree

CAPTURES = CHECKOUT / "tests/captures"
# Shape: the topology file, and the address of the card that people log in through, by the place its names leave free.
SHAPES = {"BM.GPU4.8": ("oci-topo-flattened", ("0000:2d:00.0", "0000:2d:00.1")),
          "BM.GPU.B4.8": ("oci-topo-flattened-b4", ("0000:0a:00.0", "0000:c1:00.0"))}
# Why a value of Oracle's is another here; all others have to be the same.
EXPLAINED = {
    "NCCL_IB_HCA": "the same ports: Oracle lists the first of each card and then the second, or by GPU, without the "
                   "number; NCCL puts them in the order of the PCI bus itself, and a number makes the entry exact",
    "NCCL_IB_TC": "41 is DSCP 10, the class of Oracle's own switches; a site's class is declared (traffic_class)",
    "NCCL_IB_SL": "0 is the default, and on Ethernet the priority of a VLAN tag that trust DSCP does not look at",
    "NCCL_IB_GID_INDEX": "3 was needed before NCCL 2.21; since then NCCL finds the entry, and none should be set",
    "NCCL_IB_QPS_PER_CONNECTION": "4 is for Oracle's network of several equal paths, measured there: an opt-in",
    "NCCL_IGNORE_CPU_AFFINITY": "1 is for a launcher that pins badly: an opt-in",
}


@pytest.fixture(params=sorted(SHAPES))
def machine(request, tmp_path):
    """(Oracle's nccl.conf as a dict, Oracle's addresses, our fact) of a shape."""
    name, login = SHAPES[request.param]
    addresses = yaml.safe_load((CAPTURES / "nccl-conf/rdma_pci_ids.yml").read_text())["rdma_pci_ids"][request.param]
    tree = xml.etree.ElementTree.fromstring((CAPTURES / "nccl-topo-xml" / name / "topo.xml").read_text())
    order = sorted([*addresses, *login], key=pci.order)
    _complete(tree, addresses, login, {address: "mlx5_%d" % number for number, address in enumerate(order)})
    nccl_tree.build(str(tmp_path), xml.etree.ElementTree.tostring(tree, "unicode"))
    text = (CAPTURES / "nccl-conf" / ("oracle-" + request.param) / "nccl.conf").read_text()
    return dict(line.split("=", 1) for line in text.split()), addresses, node.read_topology(Host(str(tmp_path)))


def _complete(tree, addresses, login, names):
    """Name the ports of the file, put the second of each card beside the first, and the login card at the root."""
    for parent in [*tree.iter("pci"), *tree.iter("cpu")]:
        for first in [child for child in parent.findall("pci") if child.get("busid") in addresses]:
            _name(first, names)
            other = dict(first.attrib, busid=first.get("busid")[:-1] + "1")
            _name(xml.etree.ElementTree.SubElement(parent, "pci", other), names)
    for address in login:
        _name(xml.etree.ElementTree.SubElement(tree.find("cpu"), "pci", {
            "busid": address, "class": "0x020000", "link_speed": "16 GT/s", "link_width": "16"}), names)


def _name(element, names):
    nic = xml.etree.ElementTree.SubElement(element, "nic")
    xml.etree.ElementTree.SubElement(nic, "net", {"name": names[element.get("busid")], "speed": "100000"})


def test_the_ports_are_oracles(machine):
    told, addresses, fact = machine
    ours = nccl_env.derive(fact, workload="training")["NCCL_IB_HCA"]["value"]
    names = [entry.rpartition(":")[0] for entry in ours[1:].split(",")]
    where = {device["name"]: device["pci_address"] for device in fact["rdma_devices"]}
    assert sorted(where[name] for name in names) == sorted(addresses)
    assert set(names) == set(told["NCCL_IB_HCA"][1:].split(","))
    assert len(names) == len(set(names)) == 16
    assert [where[name] for name in names] == sorted(addresses, key=pci.order)


def test_every_other_value_is_the_same_or_explained(machine):
    told, _addresses, fact = machine
    ours = nccl_env.derive(fact, workload="training")
    assert {name for name in told if ours[name]["value"] != told[name]} == set(EXPLAINED)
    set_here = {name for name, one in ours.items() if one["value"] is not None}
    # GIN is younger than Oracle's file; it gets the class of NCCL_IB_TC.
    assert set_here - set(told) == {"NCCL_GIN_IB_TC"}


def test_what_oracle_declares_gives_oracles_class(machine):
    told, _addresses, fact = machine
    ours = nccl_env.derive(fact, workload="training", traffic_class=int(told["NCCL_IB_TC"]))
    assert ours["NCCL_IB_TC"]["value"] == told["NCCL_IB_TC"]
    assert re.search(r"DSCP 10\b", ours["NCCL_IB_TC"]["why"])


@pytest.mark.parametrize("shape", sorted(SHAPES))
def test_the_topology_file_as_it_is_has_the_same_cards(shape, tmp_path):
    nccl_tree.build(str(tmp_path), (CAPTURES / "nccl-topo-xml" / SHAPES[shape][0] / "topo.xml").read_text())
    fact = node.read_topology(Host(str(tmp_path)))
    addresses = yaml.safe_load((CAPTURES / "nccl-conf/rdma_pci_ids.yml").read_text())["rdma_pci_ids"][shape]
    serving = {name for names in fact["gpu_nics"].values() for name in names}
    assert {device["pci_address"][:-1] for device in fact["rdma_devices"] if device["name"] in serving} == {
        address[:-1] for address in addresses}
