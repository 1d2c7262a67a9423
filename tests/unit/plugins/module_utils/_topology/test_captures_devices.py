# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Captured outputs of nvidia-smi, KFD folders and PCI trees, read as sysroots, against what the captures say.

A capture dropped into tests/captures becomes a test.
"""

from __future__ import annotations

import json
import pathlib
import re
import shutil

import pytest

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._topology import closeness, kfd, node, pci, topo_matrix

CAPTURES = pathlib.Path(__file__).resolve().parents[4] / "captures"
LOGS = sorted(CAPTURES.glob("smi-xml/*/nvidia-smi-q-x.xml"))
MATRICES = sorted(CAPTURES.glob("topo/*/topo.txt"))
SESSIONS = sorted(CAPTURES.glob("smi-capture/*/capture.txt"))
KFD = sorted((CAPTURES / "rocm-kfd").iterdir())
TREES = sorted(path.parent for path in (CAPTURES / "fsroot").rglob("expected.json")
               if "pci" in json.loads(path.read_text())["facts"])
SPEEDS = {"1": "2.5", "2": "5.0", "3": "8.0", "4": "16.0", "5": "32.0", "6": "64.0"}
NOTHING = (None, "", "N/A")


def _folder_name(path):
    return path.parent.name


def _facts(path):
    return json.loads((path.parent / "expected.json").read_text())["facts"]


def _sysroot(root, **recordings):
    """A sysroot with nothing but recordings, by the names under which they are kept."""
    (root / "gpuwright").mkdir()
    for name, source in recordings.items():
        place = root / "gpuwright" / {"xml": "nvidia-smi.xml", "topo": "nvidia-smi-topo.txt",
                                      "listing": "nvidia-smi-list.txt"}[name]
        if isinstance(source, pathlib.Path):
            shutil.copy(source, place)
        else:
            place.write_text(source)
    return node.read_topology(Host(str(root)))


def _or_none(value):
    return None if value in NOTHING else value


@pytest.mark.parametrize("path", LOGS, ids=_folder_name)
def test_a_recorded_log_gives_its_gpus(path, tmp_path):
    wanted = sorted(_facts(path)["gpus"], key=lambda gpu: pci.order(pci.normal(gpu["id"])))
    gpus = _sysroot(tmp_path, xml=path)["gpus"]
    assert [gpu["pci_address"] for gpu in gpus] == [pci.normal(gpu["id"]) for gpu in wanted]
    assert [gpu["index"] for gpu in gpus] == list(range(len(wanted)))
    for gpu, say in zip(gpus, wanted):
        assert (gpu["name"], gpu["uuid"]) == (say["product_name"], say["uuid"])
        assert gpu["memory"] == int(say["memory_total"].split()[0]) << 20
        assert gpu["link"]["width"] == int(say["link_width_current"].rstrip("x"))
        maximum = _or_none(say["link_gen_max"])
        assert gpu["link"]["max_speed"] == (maximum and SPEEDS[maximum] + " GT/s PCIe")
        assert gpu["persistence"] == {"Enabled": True, "Disabled": False}.get(say["persistence_mode"])
        assert gpu["addressing_mode"] == _or_none(say["addressing_mode"])
        assert gpu["driver_version"] == _facts(path)["driver_version"]
        assert [gpu["numa_node"], gpu["cpus"], gpu["links"]] == [None] * 3
        _same_partitions(gpu["mig"], say)


def _same_partitions(mig, say):
    if _or_none(say["mig_current"]) is None:
        assert mig is None
        return
    assert mig["enabled"] == (say["mig_current"] == "Enabled")
    assert [(str(one["index"]), str(one["gpu_instance"]), str(one["compute_instance"]), one["profile"])
            for one in mig["devices"]] == [(one["index"], one["gi"], one["ci"], one["profile"])
                                           for one in say["mig_devices"]]


@pytest.mark.parametrize("path", MATRICES, ids=_folder_name)
def test_a_recorded_matrix_gives_links_and_closeness(path, tmp_path):
    say = _facts(path)
    fact = _sysroot(tmp_path, topo=path)
    names = ["GPU%d" % number for number in range(say["gpu_count"])]
    assert len(fact["gpus"]) == say["gpu_count"]
    for name, gpu in zip(names, fact["gpus"]):
        affinity = say["gpu_affinity"][name]
        assert gpu["cpus"] == _or_none(affinity["cpus"])
        assert gpu["numa_node"] == (None if _or_none(affinity["numa"]) is None else int(affinity["numa"]))
        assert {"GPU" + peer: kind for peer, kind in gpu["links"].items()} == say["gpu_gpu_link"][name]
        legend = say["nic_legend"]
        kinds = {one["device"]: one["kind"] for one in fact["pci_paths"] if one["gpu"] == gpu["index"]}
        assert kinds == {legend.get(nic, nic): kind
                         for nic, kind in say.get("gpu_nic_link", {}).get(name, {}).items()}
        closest = say.get("gpu_closest_nics", {}).get(name, {"nics": []})
        assert fact["gpu_nics"][str(gpu["index"])] == sorted(closest["nics"])


@pytest.mark.parametrize("path", MATRICES, ids=_folder_name)
def test_the_columns_and_the_legend_of_a_matrix(path):
    matrix = topo_matrix.parse(path.read_text())
    say = _facts(path)
    assert matrix["affinity_columns"] == say["affinity_columns"]
    assert list(topo_matrix.nics(matrix)) == say["nic_columns"]
    assert matrix["legend"] == say["nic_legend"]


@pytest.mark.parametrize("path", SESSIONS, ids=_folder_name)
def test_a_recorded_session_gives_gpus_and_mig_devices(path, tmp_path):
    sections = dict(re.findall(r"(?m)^# \$ (nvidia-smi .*?) *\n#+\n(.*?)(?=\n####|\Z)", path.read_text(), re.DOTALL))
    fact = _sysroot(tmp_path, listing=sections["nvidia-smi -L"], topo=sections["nvidia-smi topo -m"])
    said = []
    for gpu in fact["gpus"]:
        said.append("GPU %d: %s (UUID: %s)" % (gpu["index"], gpu["name"], gpu["uuid"]))
        said += ["  MIG %-11s Device %2d: (UUID: %s)" % (one["profile"], one["index"], one["uuid"])
                 for one in (gpu["mig"] or {"devices": []})["devices"]]
    assert said == _facts(path)["list_gpus"]


@pytest.mark.parametrize("folder", KFD, ids=lambda path: path.name)
def test_a_kfd_folder_gives_amd_gpus(folder, tmp_path):
    from .conftest import archives, unpack
    for archive in archives(folder):
        unpack(archive, tmp_path / "unpacked")
    nodes = min((tmp_path / "unpacked").rglob("nodes"), key=lambda path: len(path.parts))
    place = tmp_path / "root" / kfd.NODES.lstrip("/")
    place.parent.mkdir(parents=True)
    nodes.rename(place)
    fact = node.read_topology(Host(str(tmp_path / "root")))
    computing = [one for one in place.iterdir()
                 if not re.search(r"(?m)^simd_count 0$", (one / "properties").read_text())]
    assert len(fact["gpus"]) == len(computing) > 0
    assert {gpu["vendor"] for gpu in fact["gpus"]} == {"amd"}
    assert len({gpu["uuid"] for gpu in fact["gpus"]}) == len(computing)
    joined = sum(len(re.findall(r"(?m)^type 11$", link.read_text()))
                 for one in computing for link in one.glob("io_links/*/properties"))
    assert sum(len(gpu["links"]) for gpu in fact["gpus"]) == joined


def _described(root):
    """What the PCI section knows of every device of a sysroot."""
    host, found = Host(root), {"sources": {}, "notes": []}
    found.update(node.read_topology(host, ("system", "cpu", "numa_nodes")))
    found["_pci"] = pci.read(host, found)
    for address in found["_pci"]:
        pci.describe(host, found, address)
    return found["_pci"]


@pytest.mark.parametrize("folder", TREES, ids=lambda path: path.name)
def test_pci_devices_are_near_the_cpus_that_lstopo_says(folder, capture):
    facts = json.loads((folder / "expected.json").read_text())["facts"]
    tree = _described(capture(folder))
    wanted = {one["busid"]: one["locality_cpus"] for one in facts["pci"]}
    assert {address: tree[address]["cpus"] for address in wanted} == wanted
    fact = node.read_topology(Host(capture(folder)))
    said = {one["name"]: (one["pci_address"], one["cpus"]) for one in fact["nics"] + fact["rdma_devices"]}
    said.update((disk["name"], (one["pci_address"], one["cpus"])) for one in fact["nvme"] for disk in one["namespaces"])
    network, openfabrics = "16", "48"
    listed = {one["name"]: (one["pci_busid"], one["locality_cpus"]) for one in facts["osdevs"] if one["pci_busid"]
              and (one["osdev_type"] in (network, openfabrics) or one["name"].startswith("nvme"))}
    assert listed and {name: said.get(name) for name in listed} == listed


def test_the_accelerator_of_a_virtual_machine_is_found_and_is_no_gpu(capture):
    folder = CAPTURES / "fsroot" / "ghw" / "accel-vm"
    root = capture(folder)
    tree = _described(root)
    accelerators = [address for address, one in tree.items() if (one["class"] or 0) >> 16 == 0x12]
    assert len(accelerators) == json.loads((folder / "expected.json").read_text())["facts"]["accelerator_count"]
    assert node.read_topology(Host(root))["gpus"] == []


def test_devices_that_are_plain_folders_have_no_place_in_the_tree(capture):
    tree = _described(capture(CAPTURES / "fsroot" / "nfd-pci"))
    assert len(tree) == 11
    assert {one["path"] for one in map(dict, tree.values())} == {None}
    near = tree["0000:3f:00.0"]
    assert (near["vendor"], near["numa_node"]) == (0x8086, 0)
    assert near["cpus"] == "0-2,5-6,10-12,15-16,40-42,45-46,50-52,55-56"
    assert tree["0000:00:1f.2"]["vendor"] is None
    assert closeness.between(tree, "0000:3f:00.0", "0000:3b:00.0", 0, 0) == (None, None)


def test_the_captures_of_the_repository_are_found():
    counts = [len(found) for found in (LOGS, MATRICES, SESSIONS, KFD, TREES)]
    assert all(count >= least for count, least in zip(counts, (12, 20, 6, 2, 1))), counts
