# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what `nvidia-smi -q -x`, `-L`, `topo -m` and `nvlink -s` say: from the running driver, or a recording.

PRIVATE to the collection. What nvidia-smi does not know it spells in many ways ("N/A", "[Not Supported]", a sentence);
here all of them are None.
"""

from __future__ import annotations

import re
import xml.etree.ElementTree

from .. import _host
from . import pci

# Where a capture keeps what the commands said.
RECORDED = {
    ("nvidia-smi", "-q", "-x"): "/gpuwright/nvidia-smi.xml",
    ("nvidia-smi", "-L"): "/gpuwright/nvidia-smi-list.txt",
    ("nvidia-smi", "topo", "-m"): "/gpuwright/nvidia-smi-topo.txt",
    ("nvidia-smi", "nvlink", "-s"): "/gpuwright/nvidia-smi-nvlink.txt",
}
# PCIe generations as sysfs spells their speed.
_SPEEDS = {1: "2.5", 2: "5.0", 3: "8.0", 4: "16.0", 5: "32.0", 6: "64.0", 7: "128.0"}
_NOTHING = re.compile(
    r"(?:\[?\(?(?:N/?A|Not Supported|Not Available|Unknown( Error)?|ERR!|Insufficient Permissions|No permission"
    r"|GPU is lost|Function Not Found|Requested functionality has been deprecated)\)?\]?)?\Z", re.IGNORECASE)
_LISTED = re.compile(r"GPU (\d+): (.*?) \(UUID: ([^)]+)\)")
_LISTED_MIG = re.compile(r"\s+MIG (\S+)\s+Device\s+(\d+): \(UUID: ([^)]+)\)")
_UNITS = {"B": 1, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "MB": 1 << 20, "KB": 1 << 10, "GB": 1 << 30}


def output(host, *argv):
    """What a command of nvidia-smi says, or None; a wedged or failing one becomes a note, never a failure."""
    if not host.live:
        return host.text(RECORDED[argv])
    if not has_driver(host):
        return None
    try:
        status, text, errors = host.run(list(argv), changes=False)
    except _host.CommandNotRun as error:
        host.note(str(error))
        return None
    if status:
        words = " ".join((errors.strip() or text.strip()).split())[:200]
        host.note("%s: exit status %d: %s" % (" ".join(argv), status, words))
    return text if status == 0 else None


def has_driver(host):
    """Whether NVIDIA's kernel module runs here."""
    return host.exists("/proc/driver/nvidia/version") or host.exists("/sys/module/nvidia/version")


def read(host):
    """What `nvidia-smi -q -x` says of each GPU, as parse() gives it; empty where it says nothing."""
    text = output(host, "nvidia-smi", "-q", "-x")
    if not text:
        return {"driver_version": None, "gpus": []}
    try:
        return parse(text)
    except (xml.etree.ElementTree.ParseError, ValueError) as error:
        host.note("nvidia-smi -q -x: not the XML that was expected: %s" % error)
        return {"driver_version": None, "gpus": []}


def parse(text):
    """{driver_version, gpus: [...]} of the XML, the GPUs in the order of nvidia-smi's own numbers."""
    root = log(text)
    return {"driver_version": word(root, "driver_version"), "gpus": [_gpu(gpu) for gpu in root.iter("gpu")]}


def log(text):
    """The XML's outermost element, without processes. Raises ValueError or ParseError where there is no such log."""
    start = text.find("<nvidia_smi_log")
    if start < 0:
        raise ValueError("no <nvidia_smi_log>")
    # The DOCTYPE before it names a DTD that nobody has; whatever follows the log is not part of it either.
    # Command lines of processes are printed as they are, with whatever characters: they are not ours to read anyway.
    text = re.sub(r"<processes>.*?</processes>", "", text[start:text.rfind(">") + 1], flags=re.DOTALL)
    return xml.etree.ElementTree.fromstring(re.sub("[\0-\x08\x0b-\x1f]", "", text))


def _gpu(gpu):
    address = pci.normal(word(gpu, "pci/pci_bus_id")) or pci.normal(gpu.get("id"))
    return {
        "pci_address": address,
        "name": word(gpu, "product_name"),
        "uuid": word(gpu, "uuid"),
        "memory": in_bytes(word(gpu, "fb_memory_usage/total")),
        "persistence": {"Enabled": True, "Disabled": False}.get(word(gpu, "persistence_mode")),
        "addressing_mode": word(gpu, "addressing_mode"),
        "link": link(gpu),
        "mig": _mig(gpu),
    }


def word(element, path):
    """The text of an element, or None where it is missing or says that there is nothing to say."""
    text = (element.findtext(path) or "").strip()
    return None if _NOTHING.match(text) else text


def number(element, path):
    """The whole number that an element begins with, or None."""
    match = re.match(r"\d+", word(element, path) or "")
    return int(match.group()) if match else None


def in_bytes(text):
    """Bytes of "143771 MiB", or None."""
    match = re.match(r"(\d+)\s*([KMG]i?B|B)\Z", text or "")
    return int(match.group(1)) * _UNITS[match.group(2)] if match else None


def link(gpu):
    """Speed and width of the PCIe link, now and at most."""
    now, most = "pci/pci_gpu_link_info/pcie_gen/", "pci/pci_gpu_link_info/link_widths/"
    return {
        "speed": _speed(number(gpu, now + "current_link_gen")),
        "max_speed": _speed(number(gpu, now + "max_link_gen") or number(gpu, now + "max_device_link_gen")),
        "width": number(gpu, most + "current_link_width"),
        "max_width": number(gpu, most + "max_link_width"),
    }


def _speed(generation):
    return "%s GT/s PCIe" % _SPEEDS[generation] if generation in _SPEEDS else None


def _mig(gpu):
    """{enabled, devices} of a GPU that can be partitioned, None of one that cannot."""
    mode = word(gpu, "mig_mode/current_mig")
    if mode is None:
        return None
    devices = [{
        "index": number(device, "index"),
        "gpu_instance": number(device, "gpu_instance_id"),
        "compute_instance": number(device, "compute_instance_id"),
        "profile": word(device, "device_attributes/profile") or word(device, "profile") or word(device, "name"),
        "memory": in_bytes(word(device, "fb_memory_usage/total")),
        "uuid": word(device, "uuid"),
    } for device in gpu.iterfind("mig_devices/mig_device")]
    return {"enabled": mode == "Enabled", "devices": devices}


def parse_list(text):
    """[{index, name, uuid, mig: [{index, profile, uuid}]}] of what `nvidia-smi -L` prints."""
    gpus = []
    for line in text.replace("\r", "").split("\n"):
        match = _LISTED.match(line)
        if match:
            gpus.append({"index": int(match.group(1)), "name": match.group(2), "uuid": match.group(3), "mig": []})
        match = _LISTED_MIG.match(line)
        if match and gpus:
            gpus[-1]["mig"].append({"index": int(match.group(2)), "profile": match.group(1), "uuid": match.group(3)})
    return gpus
