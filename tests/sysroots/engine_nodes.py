# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Machines to place engines on: trees built by hand and from captures of real ones, and instances in normal form."""

from __future__ import annotations

import functools
import pathlib
import shutil
import tarfile
import tempfile

from ansible_collections.gpuwright.node.plugins.module_utils._host import Host
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.instance import instance as normal
from ansible_collections.gpuwright.node.plugins.module_utils._vllm.placing import node, placed

from tests.conftest import CHECKOUT
from tests.sysroots import eight_gpu, nccl_tree, sysfs

CAPTURES = CHECKOUT / "tests/captures"
VENV = {"kind": "venv", "version": "0.33.0"}
PODMAN = {"kind": "podman", "version": "0.33.0"}
MIG = ("MIG-11111111-2222-3333-4444-555555555555", "MIG-66666666-7777-8888-9999-000000000000")


def instance(name="llama", **given):
    """An instance in normal form; `tensor_parallel_size=2` and the like are its arguments."""
    flags = {key: given.pop(key) for key in list(given) if key not in normal.KEYS}
    arguments = dict(given.pop("arguments", {}), **flags)
    return normal.check(dict({"name": name, "model": "/models/" + name, "engine": VENV, "arguments": arguments},
                             **given))


def several(rank, nnodes=2, distributed="native", **more):
    """The part of node `rank` in an instance on several nodes, 10.0.0.1 and up."""
    addresses = ["10.0.0.%d" % (number + 1) for number in range(nnodes)]
    return dict({"nnodes": nnodes, "node_rank": rank, "nodes": ["node%d" % number for number in range(nnodes)],
                 "address": addresses[rank], "addresses": addresses, "master_addr": addresses[0],
                 "master_port": 29501, "interface": None, "distributed": distributed}, **more)


def look(folder, *instances):
    """What the node in a folder is and has."""
    return node.look(Host(str(folder)), instances)


@functools.lru_cache(maxsize=None)
def machine(name):
    """What was read on a machine of `build`, once: not to be changed."""
    with tempfile.TemporaryDirectory() as folder:
        return look(build(name, pathlib.Path(folder)))


def build(name, folder):
    """Build a machine: eight-gpu, grace, mig, or by the name of a capture."""
    if name == "eight-gpu":
        eight_gpu.build(folder)
    elif name == "grace":
        _grace(folder)
    elif name == "mig":
        _mig(folder)
    elif (CAPTURES / "nccl-topo-xml" / name).is_dir():
        nccl_tree.build(folder, (CAPTURES / "nccl-topo-xml" / name / "topo.xml").read_text())
    elif (CAPTURES / "topo" / name).is_dir():
        sysfs.write(folder, "gpuwright/nvidia-smi-topo.txt", (CAPTURES / "topo" / name / "topo.txt").read_text())
    elif (CAPTURES / "smi-xml" / name).is_dir():
        sysfs.write(folder, "gpuwright/nvidia-smi.xml",
                    (CAPTURES / "smi-xml" / name / "nvidia-smi-q-x.xml").read_text())
    else:
        _unpacked(name, folder)
    return folder


def _grace(folder):
    """GB200: two processors, whose nodes have all CPUs, and four GPUs, whose memory is nodes without any."""
    build("nvidia-qx-gb200", folder)
    nodes = {0: "0-71", 1: "72-143", 2: "", 10: "", 18: "", 26: ""}
    sysfs.machine(folder, nodes, vendor="ARM", packages={number: number % 2 for number in nodes})
    for number, bus in enumerate((0x29, 0x3F, 0x9C, 0xB2)):
        near = {"numa_node": number // 2, "local_cpulist": nodes[number // 2]}
        bridge = sysfs.host_bridge(folder, "pci%04x:%02x" % (0, bus))
        address = "0000:%02x:00.0" % bus
        sysfs.device(folder, bridge, address, dict(near, **{"class": "0x030200", "vendor": "0x10de",
                                                            "device": "0x2941"}), "nvidia")
        sysfs.write(folder, "proc/driver/nvidia/gpus/%s/numa_status" % address, "Node: %d\nStatus: online" % (
            2 + 8 * number))


def _mig(folder):
    """The eight GPUs, with the first divided in two."""
    eight_gpu.build(folder)
    path = folder / "gpuwright/nvidia-smi.xml"
    text = path.read_text().replace("<current_mig>Disabled", "<current_mig>Enabled", 1)
    parts = "".join("<mig_device><index>%d</index><gpu_instance_id>%d</gpu_instance_id><compute_instance_id>0"
                    "</compute_instance_id><fb_memory_usage><total>40192 MiB</total><used>0 MiB</used><free>40000 MiB"
                    "</free></fb_memory_usage></mig_device>" % (number, number + 1) for number in (0, 1))
    path.write_text(text.replace("<mig_devices>\n\t\t\tNone", "<mig_devices>" + parts, 1))
    uuid = text.partition("<uuid>")[2].partition("</uuid>")[0]
    lines = ["GPU 0: NVIDIA H100 80GB HBM3 (UUID: %s)" % uuid]
    lines += ["  MIG 3g.40gb     Device  %d: (UUID: %s)" % pair for pair in enumerate(MIG)]
    sysfs.write(folder, "gpuwright/nvidia-smi-list.txt", "\n".join(lines))


def _unpacked(name, folder):
    """A capture of files: of KFD below its own folder, else of a whole machine."""
    kfd = CAPTURES / "rocm-kfd" / name
    source = kfd if kfd.is_dir() else CAPTURES / "fsroot/hwloc" / name
    with tarfile.open(next(path for path in source.iterdir() if ".tar" in path.suffixes)) as archive:
        members = [one for one in archive.getmembers() if not one.islnk()]
        whole = any(one.name.startswith("topology/") for one in members)
        place = folder / "sys/class/kfd/kfd" / ("" if whole else "topology") if kfd.is_dir() else folder
        place.mkdir(parents=True, exist_ok=True)
        archive.extractall(place, members=members, filter="tar")
    for path in [] if kfd.is_dir() else [path for inner in folder.glob("*/sys") for path in inner.parent.iterdir()]:
        shutil.move(str(path), str(folder / path.name))


def put(found, one, tools=("numactl",), **more):
    """Where an instance runs on what `look` found."""
    here = dict(found, tools={name: "/usr/bin/" + name for name in tools}, **more)
    return placed.place(one, here["topology"], here["affinity"], here["holders"], here["nccl_environment"],
                        here["taken"], here)


def cpus(given="", isolated="", partition=None):
    """What node_facts.cpu_sets finds: the CPUs of our slice, of no slice, and what the slice is to the scheduler."""
    return {"slices": {"gpuwright.slice": given}, "isolated": isolated, "partitions": {"gpuwright.slice": partition}}


def indexes(where):
    """The numbers of the GPUs of a placement."""
    return [gpu["index"] for gpu in where["gpus"]]
