# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what NVLink fabrics need: NVSwitches, the state of the fabric, and which daemons of which version are here.

PRIVATE to the collection. Versions come from the package manager's database, else from the daemon itself.
"""

from __future__ import annotations

import re

from .. import _host
from . import nvidia_smi, pci

FABRIC_MANAGER, IMEX = "nvidia-fabricmanager", "nvidia-imex"
# How distributions call their packages, and the daemon itself, which can say its version.
_DAEMONS = {FABRIC_MANAGER: (re.compile(r"nvidia-fabric-?manager(-\d+)?\Z"), "/usr/bin/nv-fabricmanager"),
            IMEX: (re.compile(r"nvidia-imex(-\d+)?\Z"), "/usr/bin/nvidia-imex")}
_NVSWITCH = 0x0680
_DRIVER = re.compile(r"Kernel Module(?: for \S+)?\s+(\d+\.\d+(?:\.\d+)?)")
_VERSION = re.compile(r"(?:\d+:)?(\d+(?:\.\d+)+)")
_DPKG = "/var/lib/dpkg/status"
_RPM = ("/var/lib/rpm", "/usr/lib/sysimage/rpm")
_NO_CLUSTER = "00000000-0000-0000-0000-000000000000"


def read(host):
    """{driver, switches, states, clusters, daemons}.

    `driver` is the kernel module's version, `switches` the PCI addresses of NVSwitches, `states` those of the GPUs'
    fabric, `clusters` the UUIDs of multi-node ones, and `daemons` {name: version} of what is installed.
    """
    told = _DRIVER.search(host.text("/proc/driver/nvidia/version") or "")
    fabric = _fabric(host) if told else []
    return {"driver": told.group(1) if told else None, "switches": _switches(host),
            "states": sorted({state for state, _cluster in fabric if state}),
            "clusters": sorted({cluster for _state, cluster in fabric if cluster}),
            "daemons": _daemons(host) if told else {}}


def needs(found):
    """The daemons that GPUs here do not work together without.

    From Blackwell on NVSwitches are no PCI devices of the host: that the GPUs have a fabric tells of them. Of one that
    spans nodes, the fabric manager runs elsewhere.
    """
    if found["clusters"]:
        return [IMEX]
    return [FABRIC_MANAGER] if found["switches"] or found["states"] else []


def _switches(host):
    tree = pci.read(host)
    return sorted((address for address, record in tree.items() if (record["class"] or 0) >> 8 == _NVSWITCH
                   and pci.attribute(host, "%s/%s/vendor" % (pci.DEVICES, address)) == "0x10de"), key=pci.order)


def _fabric(host):
    """[(state, cluster UUID)] of the GPUs, each None where there is none."""
    text = nvidia_smi.output(host, "nvidia-smi", "-q", "-x")
    try:
        root = nvidia_smi.log(text or "")
    except (ValueError, SyntaxError):  # A ParseError is a SyntaxError.
        return []
    found = []
    for gpu in root.iter("gpu"):
        cluster = nvidia_smi.word(gpu, "fabric/clusterUuid")
        found.append((nvidia_smi.word(gpu, "fabric/state"), None if cluster == _NO_CLUSTER else cluster))
    return found


def _daemons(host):
    packages = _packages(host)
    found = {}
    for name, (package, program) in _DAEMONS.items():
        version = next((version for known, version in packages if package.match(known)), None)
        if version is None and host.exists(program):
            version = _VERSION.search(_said(host, [program, "--version"]))
            version = version.group(1) if version else ""
        if version is not None:
            found[name] = version
    return found


def _packages(host):
    """[(name, version)] of installed packages of these names."""
    text = host.text(_DPKG)
    if text is not None:
        return [pair for pair in map(_dpkg, text.split("\n\n")) if pair]
    if not any(host.is_folder(folder) for folder in _RPM):
        return []
    said = _said(host, ["rpm", "-qa", "--qf", "%{NAME} %{VERSION}\\n", "nvidia-fabric*", "nvidia-imex*"])
    return [tuple(line.split(" ", 1)) for line in said.splitlines() if " " in line]


def _dpkg(block):
    if "nvidia-" not in block[:40]:
        return None
    told = dict(line.partition(": ")[::2] for line in block.splitlines() if ": " in line and line[:1] != " ")
    version = _VERSION.match(told.get("Version", ""))
    installed = told.get("Status", "").endswith(" installed")
    return (told.get("Package", ""), version.group(1)) if version and installed else None


def _said(host, argv):
    """What a command prints, "" where it does not."""
    try:
        status, output, _errors = host.run(argv, changes=False)
    except (_host.CommandNotRun, OSError):
        return ""
    return output if status == 0 else ""
