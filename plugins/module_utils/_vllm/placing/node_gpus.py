# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who has the GPUs of a node and how much memory is free on each: by NVIDIA's nvidia-smi, and by AMD's kernel driver.

PRIVATE to the collection. A process of a unit of ours is told from a stranger's by its control group, so that the
engine that is to be replaced bars nobody.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree

from ..._health import gpu_process
from ..._host import CommandNotRun
from ..._owners import jobs
from ..._topology import kfd, nvidia_smi, pci

_OURS = re.compile(r"/(?:vllm|ray)@([a-z0-9-]+)\.service(?:/|$)")
_UNIT = re.compile(r"([^/]+\.(?:service|scope))(?=/|$)")
_DOCKER = re.compile(r"(?:/docker-|/docker/|\.slice/)([0-9a-f]{64})")
_CONTAINER = re.compile(r"(?:systemd-)?vllm[@-]([a-z0-9-]+)\Z")
_KFD_PROCESSES = "/sys/class/kfd/kfd/proc"
_MINOR = re.compile(r"/dev/nvidia(\d+)\Z")


def add_numbers(host, gpus):
    """Give AMD's GPUs what ROCm and containers know them by: `hip_index` and their `render` node."""
    numbers = {}
    for number, node in enumerate(kfd.read(host)):
        numbers.setdefault(node["pci_address"], []).append(number)
    for gpu in gpus:
        if gpu["vendor"] == "amd":
            mine = numbers.get(gpu["pci_address"]) or []
            gpu["hip_index"] = mine.pop(0) if mine else None
            folder = "%s/%s/drm" % (pci.DEVICES, gpu["pci_address"])
            node = next((name for name in host.names(folder) if name.startswith("renderD")), None)
            gpu["render"] = "/dev/dri/" + node if node else None


def read(host, gpus):
    """({address: {"total", "free"} of its memory in bytes}, [holders], whether all processes could be seen).

    A holder is {"pid", "comm", "gpus": [address], "memory": {address: bytes or None}, "unit", "ours": instance or
    None, "who": words}.
    """
    text = nvidia_smi.output(host, "nvidia-smi", "-q", "-x") or ""
    told = gpu_process.parse(text)
    memory = _nvidia_memory(host, text)
    memory.update((gpu["pci_address"], _amd_memory(host, gpu)) for gpu in gpus if gpu["vendor"] == "amd")
    on = {}
    for address, processes in told.items():
        for one in processes or ():
            on.setdefault(one["pid"], {"comm": one["name"], "gpus": {}})["gpus"][address] = one["memory"]
    _add_amd(host, on)
    complete = _add_open_files(host, on, gpus, {address for address, seen in told.items() if seen is not None})
    names = {}
    return memory, [_holder(host, pid, one, names) for pid, one in sorted(on.items())], complete


def _nvidia_memory(host, text):
    if "<nvidia_smi_log" not in text:
        return {}
    try:
        log = nvidia_smi.log(text)
    except (xml.etree.ElementTree.ParseError, ValueError) as error:
        host.note("nvidia-smi -q -x: not the XML that was expected: %s" % error)
        return {}
    found = {}
    for gpu in log.iter("gpu"):
        address = pci.normal(nvidia_smi.word(gpu, "pci/pci_bus_id")) or pci.normal(gpu.get("id"))
        found[address] = _sizes(gpu)
        for part in gpu.iterfind("mig_devices/mig_device"):
            name = nvidia_smi.word(part, "uuid") or "%s/%s" % (address, nvidia_smi.number(part, "index"))
            found[name] = _sizes(part)
    return found


def _sizes(element):
    return {name: nvidia_smi.in_bytes(nvidia_smi.word(element, "fb_memory_usage/" + name))
            for name in ("total", "free")}


def _amd_memory(host, gpu):
    folder = "%s/%s/mem_info_vram_" % (pci.DEVICES, gpu["pci_address"])
    total, used = pci.number(host, folder + "total"), pci.number(host, folder + "used")
    return {"total": total, "free": None if None in (total, used) else total - used}


def _add_amd(host, on):
    """Processes of AMD's compute driver, by the GPUs on which they have memory."""
    places = {}
    for node in kfd.read(host):
        identity = host.text("%s/%d/gpu_id" % (kfd.NODES, node["node"]))
        if identity:
            places[identity] = node["pci_address"]
    for process in gpu_process.of_kfd(host):
        folder = "%s/%d" % (_KFD_PROCESSES, process["pid"])
        used = {places[name[5:]]: pci.number(host, "%s/%s" % (folder, name)) for name in host.names(folder)
                if name.startswith("vram_") and name[5:] in places}
        told = any(used.values())
        on[process["pid"]] = {"comm": process["name"], "gpus": {
            address: size for address, size in used.items() if size or not told}}


def _add_open_files(host, on, gpus, known):
    """Processes that hold a GPU open of which nvidia-smi says nothing; returns whether all could be looked into."""
    found, complete = jobs.live_jobs(host)
    silent = [gpu["pci_address"] for gpu in gpus if gpu["vendor"] == "nvidia" and gpu["pci_address"] not in known]
    minors = {_minor(host, address): address for address in silent if address}
    for job in found:
        minor = _MINOR.match(job["holds"])
        address = minors.get(minor.group(1)) if minor else None
        if address and job["pid"] not in on:
            on[job["pid"]] = {"comm": job["comm"], "gpus": {address: None}}
    return complete


def _minor(host, address):
    told = re.search(r"^Device Minor:\s*(\d+)", host.text(
        "/proc/driver/nvidia/gpus/%s/information" % address) or "", re.M)
    return told.group(1) if told else None


def _holder(host, pid, one, names):
    place = group(host, pid)
    unit = (_UNIT.findall(place) or [None])[-1]
    ours = instance_of(host, place, names)
    comm = one["comm"] or "its name is not known"
    return {"pid": pid, "comm": one["comm"], "gpus": sorted(one["gpus"]), "memory": one["gpus"], "unit": unit,
            "ours": ours, "who": "process %d (%s%s)" % (pid, comm, " in %s" % unit if unit else "")}


def group(host, pid):
    """The control group of a process, "" where it cannot be told."""
    try:
        text = host.read("/proc/%s/cgroup" % pid)
    except OSError:
        return ""
    found = re.search(r"^0::(\S*)", text, re.M) or re.search(r"^\d+:name=systemd:(\S*)", text, re.M)
    return found.group(1) if found else ""


def instance_of(host, place, names):
    """The instance of ours whose unit or container a control group is, or None."""
    ours = _OURS.search(place)
    if ours:
        return ours.group(1)
    docker = _DOCKER.search(place)
    if not docker:
        return None
    if not names:
        names.update(_docker_names(host))
    named = _CONTAINER.match(names.get(docker.group(1)) or "")
    return named.group(1) if named else None


def _docker_names(host):
    """{id: name} of the containers that run; Docker's control groups have the id only."""
    try:
        status, output, _errors = host.run(
            ["docker", "ps", "--no-trunc", "--format", "{{.ID}} {{.Names}}"], changes=False)
    except CommandNotRun as error:
        host.note(str(error))
        return {"": ""}
    return dict(line.split(None, 1) for line in output.splitlines() if " " in line) if status == 0 else {"": ""}
