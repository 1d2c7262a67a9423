# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes that compute on a GPU: as nvidia-smi lists them, and as AMD's kernel driver does.

PRIVATE to the collection. nvidia-smi prints command lines as they are, which breaks its XML, and they may hold
secrets: so they are read without an XML parser, and only the name of the program is kept.
"""

from __future__ import annotations

import html
import re

from .._topology import nvidia_smi, pci

_GPU = re.compile(r'<gpu id="([^"]+)">(.*?)(?=<gpu id="|\Z)', re.DOTALL)
_LIST = re.compile(r"<processes>(.*?)</processes>", re.DOTALL)
_PROCESS = re.compile(r"<process_info>(.*?)</process_info>", re.DOTALL)
_ADDRESS = re.compile(r"<pci_bus_id>([^<]*)</pci_bus_id>")
_KFD = "/sys/class/kfd/kfd/proc"


def parse(text):
    """{address: [{pid, name, memory}]} of the processes that compute; None for a GPU of which nothing is said."""
    found = {}
    for place, body in _GPU.findall(text):
        told, listed = _ADDRESS.search(body), _LIST.search(body)
        address = pci.normal(told.group(1)) if told else None
        found[address or pci.normal(place)] = _computing(listed.group(1)) if listed else None
    return found


def _computing(text):
    if not _PROCESS.search(text) and text.strip() not in ("", "None"):
        return None  # "N/A": the driver may not say.
    processes = [process for process in map(_process, _PROCESS.findall(text)) if process]
    return sorted(processes, key=lambda process: process["pid"])


def _process(text):
    """One process, or None for one that only draws (type G)."""
    kind, pid = _field(text, "type"), _field(text, "pid")
    if not (pid or "").isdigit() or kind is not None and "C" not in kind:
        return None
    return {"pid": int(pid), "name": program(_field(text, "process_name") or ""),
            "memory": nvidia_smi.in_bytes(_field(text, "used_memory"))}


def _field(text, name):
    match = re.search("<%s>(.*?)</%s>" % (name, name), text, re.DOTALL)
    return html.unescape(match.group(1)).strip() if match else None


def program(command):
    """The name of the program in a command line, or None; titles that a program gave itself are kept to one word."""
    words = command.split()
    return words[0].rpartition("/")[2][:64] or None if words and not words[0].startswith("[N") else None


def of_kfd(host):
    """[{pid, name, memory}] of what has AMD's compute driver open, on whichever of its GPUs."""
    found = []
    for pid in sorted((name for name in host.names(_KFD) if name.isdigit()), key=int):
        name = pci.attribute(host, "/proc/%s/comm" % pid)
        found.append({"pid": int(pid), "name": name or None, "memory": None})
    return found
