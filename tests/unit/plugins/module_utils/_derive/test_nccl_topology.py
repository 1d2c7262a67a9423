# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NCCL's topology file for a virtual machine, made again from what the machines of real such files show of themselves.

Each capture becomes a virtual machine without its switches (sysroots/flat_vm.py). They are declared as the real file
has them, and what we make must say what the real file says. A file dropped into the folder becomes a test.
"""

from __future__ import annotations

import copy
import pathlib
import shutil
import xml.etree.ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ansible_collections.gpuwright.node.plugins.module_utils import _cpulist
from ansible_collections.gpuwright.node.plugins.module_utils._derive import nccl_topology, nccl_topology_file
from ansible_collections.gpuwright.node.tests.sysroots import flat_vm, nccl_tree

FOLDER = pathlib.Path(__file__).resolve().parents[4] / "captures" / "nccl-topo-xml"
CASES = {path.parent.name: path.read_text() for path in sorted(FOLDER.glob("*/topo.xml"))}
CLOUDS = ("aws-p4d-24xl-topo", "aws-p4de-24xl-topo", "azure-ndv2-topo", "azure-ndv4-topo", "oci-topo-flattened",
          "oci-topo-flattened-b4", "rccl-topo_8p_rome_vm1", "uccl-p4d-24xl")
# What NCCL must be told of each element; the rest of what real files have it finds itself.
NEEDED = {"system": {"version"}, "cpu": {"numaid", "affinity", "arch", "vendor"}, "pci": {"busid", "class"}}


def _read(text):
    return nccl_topology_file.devices(nccl_topology_file.read(text))


def _depth(text):
    return max(len(device["bridges"]) for device in _read(text))


# A declared switch stands for one level; NCCL's own files of bare metal have more.
ONE_LEVEL = [name for name, text in CASES.items() if _depth(text) <= 1]


def _machine(folder, name, **options):
    root = pathlib.Path(folder) / name
    root.mkdir()
    flat_vm.build(root, CASES[name], **options)
    fact = flat_vm.fact(root)
    shutil.rmtree(root)
    return fact


@pytest.fixture(scope="module")
def facts(tmp_path_factory):
    """{case: the fact of its virtual machine}, read when it is asked for."""
    class Facts(dict):
        """Each one once."""

        def __missing__(self, name):
            self[name] = _machine(tmp_path_factory.mktemp("flat"), name)
            return self[name]
    return Facts()


def _groups(text):
    """{the devices below one switch, or alone: (NUMA node, its CPUs)}."""
    nodes = {cpu.get("numaid"): tuple(_cpulist.from_mask(cpu.get("affinity")))
             for cpu in xml.etree.ElementTree.fromstring(text).iter("cpu")}
    groups = {}
    for device in _read(text):
        key = tuple(device["bridges"]) or device["address"]
        groups.setdefault((key, device["numa_node"]), set()).add((device["address"], (device["class"] or "")[:6]))
    return {frozenset(devices): (node, nodes[node]) for (_key, node), devices in groups.items()}


def _attributes(text):
    """{element: the names of its attributes}, of all together and of those that every one has."""
    every, some = {}, {}
    for element in xml.etree.ElementTree.fromstring(text).iter():
        some.setdefault(element.tag, set()).update(element.attrib)
        every[element.tag] = every.get(element.tag, set(element.attrib)) & set(element.attrib)
    return every, some


REAL = {}
for one in CASES.values():
    for tag, names in _attributes(one)[1].items():
        REAL.setdefault(tag, set()).update(names)


@pytest.mark.parametrize("name", ONE_LEVEL)
def test_what_the_real_file_says_is_made_again(name, facts):
    made = nccl_topology.xml(facts[name], flat_vm.switches(CASES[name]))
    assert _groups(made) == _groups(CASES[name])
    every, some = _attributes(made)
    assert all(NEEDED[element] <= names for element, names in every.items())
    assert all(names <= REAL[element] for element, names in some.items())
    version = xml.etree.ElementTree.fromstring(CASES[name]).get("version")
    assert xml.etree.ElementTree.fromstring(made).get("version") == version


@pytest.mark.parametrize("name", ONE_LEVEL)
def test_our_reader_of_such_trees_finds_the_nics_of_each_gpu_in_both(name, facts, tmp_path):
    """What the virtual machine hid is back: the GPUs' NICs are those of the machine that the real file is of."""
    made = nccl_topology.xml(facts[name], flat_vm.switches(CASES[name]))
    for which, text in (("real", CASES[name]), ("made", _with_names(made, CASES[name]))):
        nccl_tree.build(str(tmp_path / which), text)
    real, ours = (flat_vm.fact(tmp_path / which) for which in ("real", "made"))
    assert ours["numa_nodes"] == real["numa_nodes"]
    assert _near(ours) == _near(real)
    _never_on_bare_metal(name, real)


def _never_on_bare_metal(name, fact):
    """The whole machine gets no file, nor does a virtual machine that shows its switches."""
    fact["system"]["virtualization"] = "none"
    assert nccl_topology.detected(fact) == "this is no virtual machine"
    assert nccl_topology.is_hidden(fact) is None
    assert nccl_topology.xml(fact, flat_vm.switches(CASES[name])) is None
    fact["system"]["virtualization"] = "kvm"
    seen = any(path["kind"] in ("PIX", "PXB") for path in fact["pci_paths"])
    assert bool(nccl_topology.detected(fact)) == seen
    assert bool(nccl_topology.xml(fact, flat_vm.switches(CASES[name]))) != seen


def _near(fact):
    """({GPU: the NICs near it}, how close each pair is), by address: the names of NICs follow the order of the file."""
    address = {device["name"]: device["pci_address"] for device in fact["rdma_devices"]}
    return ({gpu: {address[name] for name in names} for gpu, names in fact["gpu_nics"].items()},
            {(path["gpu"], address[path["device"]]): path["kind"] for path in fact["pci_paths"]})


def _with_names(made, real):
    """What NCCL adds itself: the vendors, and the ports below each NIC, as in the real file."""
    ours, theirs = (xml.etree.ElementTree.fromstring(text) for text in (made, real))
    known = {pci.get("busid"): pci for pci in theirs.iter("pci")}
    for pci in ours.iter("pci"):
        other = known.get(pci.get("busid"))
        if other is not None and other.get("class") != "0x060400":
            pci.extend(other.findall("nic"))
            pci.attrib.update({key: other.get(key) for key in ("vendor", "device") if other.get(key)})
    for cpu in ours.findall("cpu"):
        cpu.extend(theirs.find("cpu[@numaid='%s']" % cpu.get("numaid")).findall("nic"))
    return xml.etree.ElementTree.tostring(ours, encoding="unicode")


@pytest.mark.parametrize("name", CLOUDS)
def test_virtual_machines_of_clouds_hide_their_switches(name, facts):
    fact = facts[name]
    words = nccl_topology.is_hidden(fact)
    assert words.startswith("virtual machine (amazon): no PCI switch is there to see above its %d GPUs"
                            % len(fact["gpus"]))
    assert ("RDMA device" in words) == bool(fact["rdma_devices"])
    assert nccl_topology.xml(fact, None) is None and nccl_topology.xml(fact, []) is None


def test_the_file_of_a_p4d_to_the_letter(facts):
    made = nccl_topology.xml(facts["aws-p4d-24xl-topo"], flat_vm.switches(CASES["aws-p4d-24xl-topo"])).splitlines()
    assert made[0].startswith("<!-- gpuwright.node: ") and made[0].endswith(" -->")
    assert made[1:8] == [
        '<system version="1">',
        '  <cpu numaid="0" affinity="000000ff,ffff0000,00ffffff" arch="x86_64" vendor="GenuineIntel">',
        '    <pci busid="ffff:ff:01.0" class="0x060400" link_speed="8.0 GT/s PCIe" link_width="16">',
        '      <pci busid="0000:10:1b.0" class="0x020000"/>',
        '      <pci busid="0000:10:1c.0" class="0x030200" link_speed="8.0 GT/s PCIe" link_width="16"/>',
        '      <pci busid="0000:10:1d.0" class="0x030200" link_speed="8.0 GT/s PCIe" link_width="16"/>',
        '    </pci>']
    assert made[-2:] == ["  </cpu>", "</system>"]


def test_a_declared_link_is_that_of_each_device_whose_own_is_not_known(facts):
    switches = [dict(one, link_speed="32 GT/s", link_width=8) for one in flat_vm.switches(CASES["aws-p4d-24xl-topo"])]
    made = nccl_topology.xml(facts["aws-p4d-24xl-topo"], switches)
    assert '<pci busid="ffff:ff:01.0" class="0x060400" link_speed="32.0 GT/s PCIe" link_width="8">' in made
    assert '<pci busid="0000:10:1b.0" class="0x020000" link_speed="32.0 GT/s PCIe" link_width="8"/>' in made
    assert '<pci busid="0000:10:1c.0" class="0x030200" link_speed="8.0 GT/s PCIe" link_width="16"/>' in made


def test_masks_are_as_wide_as_the_kernel_writes_them(facts):
    """A machine with 120 CPUs writes six digits first."""
    text = nccl_topology.xml(facts["rccl-topo_8p_rome_vm1"], flat_vm.switches(CASES["rccl-topo_8p_rome_vm1"]))
    for mask in ("000000,00000000,00000000,3fffffff", "ffffff,fc000000,00000000,00000000"):
        assert 'affinity="%s"' % mask in text and 'affinity="%s"' % mask in CASES["rccl-topo_8p_rome_vm1"]


def test_a_mask_that_nccl_would_not_take_is_left_to_it(facts):
    fact = copy.deepcopy(facts["aws-p4d-24xl-topo"])
    fact["cpu"]["possible"] = "0-899"
    assert 'affinity="0,00000000,' in nccl_topology.xml(fact, flat_vm.switches(CASES["aws-p4d-24xl-topo"]))
    fact["cpu"]["possible"] = "0-900"
    text = nccl_topology.xml(fact, flat_vm.switches(CASES["aws-p4d-24xl-topo"]))
    assert "affinity" not in text and nccl_topology_file.read(text)


@pytest.mark.parametrize("name, words", [
    ("docker", "this is a container (docker)"), ("none", "this is no virtual machine"),
    (None, "nothing tells that this is a virtual machine"), ("amazon", None), ("microsoft", None)])
def test_only_a_hypervisor_hides_switches(name, words, facts):
    fact = dict(facts["aws-p4d-24xl-topo"], system={"virtualization": name, "architecture": "x86_64"})
    assert nccl_topology.detected(fact) == words
    assert (nccl_topology.is_hidden(fact) is None) == (words is not None)


def test_the_switch_of_a_drive_is_none_of_a_nic(facts):
    fact = copy.deepcopy(facts["aws-p4d-24xl-topo"])
    fact["pci_paths"].append({"gpu": 0, "device": "nvme0", "kind": "PIX", "path": []})
    assert nccl_topology.detected(fact) is None
    fact["pci_paths"][0]["kind"] = "PXB"
    assert nccl_topology.detected(fact) == "the switch above GPU 0 and rdma0 is there to see"


def test_gpus_alone_need_switches_only_without_nvlink(facts):
    fact = copy.deepcopy(facts["rccl-topo_8p_rome_vm1"])
    assert "8 GPUs" in nccl_topology.is_hidden(fact) and not fact["rdma_devices"]
    fact["gpus"][0]["links"] = {"1": "NV18"}
    assert nccl_topology.is_hidden(fact) is None
    assert nccl_topology.is_hidden(dict(fact, gpus=[])) is None
    one = dict(fact, gpus=[dict(fact["gpus"][1])])
    assert nccl_topology.is_hidden(one) is None
    nic = {"name": "mlx5_0", "pci_address": "0000:01:00.0", "numa_node": None, "ports": []}
    assert nccl_topology.is_hidden(dict(one, rdma_devices=[nic])).endswith(
        "above its 1 GPU and 1 RDMA device, nor the NUMA node of 1 of them")


def test_hidden_numa_nodes_are_declared(tmp_path):
    fact = _machine(tmp_path, "aws-p4d-24xl-topo", with_nodes=False)
    switches = flat_vm.switches(CASES["aws-p4d-24xl-topo"])
    assert nccl_topology.is_hidden(fact).endswith(", nor the NUMA node of 12 of them")
    assert _groups(nccl_topology.xml(fact, switches)) == _groups(CASES["aws-p4d-24xl-topo"])
    for switch in switches:
        del switch["numa_node"]
    with pytest.raises(ValueError, match="switch 1: its devices are on NUMA nodes that are not told: say its numa_n"):
        nccl_topology.xml(fact, switches)


def test_an_address_that_is_taken_is_no_switch(facts):
    text = CASES["aws-p4d-24xl-topo"].replace("0000:10:1c.0", "ffff:ff:01.0", 2)
    fact = copy.deepcopy(facts["aws-p4d-24xl-topo"])
    fact["gpus"][0]["pci_address"] = "ffff:ff:01.0"
    switches = flat_vm.switches(CASES["aws-p4d-24xl-topo"])
    switches[0]["gpus"][0] = "ffff:ff:01.0"
    made = nccl_topology.xml(fact, switches)
    assert made.count("ffff:ff:01.0") == 1 and text != made


@pytest.mark.parametrize("architecture, told", [
    ("aarch64", ' arch="arm64">'), ("ppc64le", ' arch="ppc64">'), ("riscv64", '">'), (None, '">')])
def test_the_architecture_is_in_nccls_words(architecture, told, facts):
    fact = dict(facts["aws-p4d-24xl-topo"], system={"virtualization": "kvm", "architecture": architecture})
    line = nccl_topology.xml(fact, flat_vm.switches(CASES["aws-p4d-24xl-topo"])).splitlines()[2]
    assert line.endswith(told) and "vendor" not in line


@st.composite
def divided(draw):
    """(a case, any way to divide its devices among switches and nodes)."""
    name = draw(st.sampled_from(CLOUDS))
    devices = _read(CASES[name])
    nodes = sorted({int(device["numa_node"]) for device in devices})
    count = draw(st.integers(1, len(devices)))
    homes = draw(st.lists(st.integers(0, count - 1), min_size=len(devices), max_size=len(devices)))
    switches = {}
    for home, device in zip(homes, devices):
        switch = switches.setdefault(home, {"numa_node": draw(st.sampled_from(nodes)), "link_speed": "16 GT/s",
                                            "link_width": 16, "gpus": [], "nics": []})
        switch["gpus" if nccl_topology_file.is_gpu(device) else "nics"].append(device["address"])
    return name, [switches[home] for home in draw(st.permutations(sorted(switches)))]


@settings(max_examples=60)
@given(divided())
def test_any_division_is_a_file_that_nccl_reads_with_each_device_once(facts, case):
    name, switches = case
    made = nccl_topology.xml(facts[name], switches)
    found = {}
    for device in _read(made):
        assert device["address"] not in found
        found[device["address"]] = device
    assert set(found) == {device["address"] for device in _read(CASES[name])}
    assert xml.etree.ElementTree.fromstring(made).tag == "system"
    bridges = [pci.get("busid") for pci in xml.etree.ElementTree.fromstring(made).iter("pci")
               if pci.get("class") == "0x060400"]
    assert len(bridges) == len(set(bridges)) == sum(len(one["gpus"] + one["nics"]) > 1 for one in switches)
    for switch in switches:
        below = switch["gpus"] + switch["nics"]
        assert len({tuple(found[address]["bridges"]) for address in below}) == 1
        assert {found[address]["numa_node"] for address in below} == {str(switch["numa_node"])}
        assert bool(found[below[0]]["bridges"]) == (len(below) > 1)


@settings(max_examples=30)
@given(divided(), st.randoms())
def test_the_order_of_what_is_declared_is_no_matter(facts, case, random):
    name, switches = case
    shuffled = copy.deepcopy(switches)
    random.shuffle(shuffled)
    for switch in shuffled:
        random.shuffle(switch["gpus"])
        random.shuffle(switch["nics"])
    assert nccl_topology.xml(facts[name], shuffled) == nccl_topology.xml(facts[name], switches)
    lines = [line.strip() for line in nccl_topology.xml(facts[name], switches).splitlines() if "0x03" in line]
    assert len(lines) == len(facts[name]["gpus"])


def test_all_captures_of_clouds_are_there():
    assert set(CLOUDS) <= set(ONE_LEVEL) and len(ONE_LEVEL) >= 25
