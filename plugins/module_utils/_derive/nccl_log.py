# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads what NCCL's own log (NCCL_DEBUG=INFO) says between the lines of a test: transport, environment, versions.

PRIVATE to the collection. Pure. A node with RDMA that fell back to NET/Socket, or stages through host memory, says so
here and nowhere else: its bandwidth is low, but not zero.
"""

from __future__ import annotations

import re

_INFO = "NCCL INFO "
_ENVIRONMENT = re.compile(r"\b(NCCL_\w+) set (?:by environment )?to (.*?)\.?\s*$")
_CHANNEL = re.compile(r"\b(?:Channel|Ring|Tree|CollNet) \S+ ?: .*?\bvia (\w+(?:/[\w .+()-]+)*)")
# RCCL adds the communicator.
_NUMBER = re.compile(r" comm 0x.*|/\d+(?:\(\d+\))?(?=/|$| comm )")
_USING = re.compile(r"\bNET/([^/:]+?) ?: Using\b(.*)")
_MISSING = re.compile(r"\bNET/([^/:]+?) ?: No device found")
_PROVIDER = re.compile(r"\bNET/OFI Selected [Pp]rovider is (\w+)")
_NETWORK = re.compile(r"\b(?:Using network|Assigned NET plugin) (.+?)(?: to comm)?\s*$")
_HCA = re.compile(r"\[\d+\]([\w.+-]+:\d+)[\d:]*/(\w+)")
_HCA_GDR = re.compile(r"GPU Direct RDMA (Enabled|Disabled) for HCA")
_NVLS = re.compile(r"\b(?:Connected NVLS tree|NVLS comm |NVLS tuning:|NVLS Creat)")
_MULTICAST = re.compile(r"NVLS multicast support is (not )?available")
_SAID = re.compile(r"\bNET/[^/:]+?: ?(?:Using|No device found|Made virtual|Loaded net|Could not|No plugin)"
                   r"|GPU Direct RDMA (?:Enabled|Disabled)|DMA-BUF is|nvidia.peermem|NVLS multicast|Using network"
                   r"|Assigned NET|OFI Selected|\bMNNVL [1-9]")
# Of a million lines most hold none of these.
_WORDS = (" via ", "NET", "NVLS", "network", "DMA", "peermem", "MNNVL")
_MOST = 40
_VERSIONS = (("nccl", re.compile(r"\bNCCL version ([\w.+-]+)")), ("rccl", re.compile(r"\bRCCL version ?: ?([\w.+-]+)")),
             ("rccl", re.compile(r"\bRCCL version ([\w.+-]+)")),
             ("nccl_tests", re.compile(r"nccl-tests version ([\w.]+)")),
             ("rccl_tests", re.compile(r"rcc+l-tests: Version (\S+)")))
_RANKS = re.compile(r"\bcomm 0x\w+ rank \d+ nranks (\d+)")
_LIBRARY = re.compile(r"nccl-library=(\d+)")


def environment(lines):
    """{name: value} of the variables that the log says were set; where ranks differ, the first that said so."""
    found = {}
    for line in lines:
        said = _ENVIRONMENT.search(line) if _INFO in line and " set " in line else None
        if said:
            found.setdefault(said.group(1), said.group(2).strip())
    return found


def versions(lines):
    """{"nccl", "rccl", "nccl_tests", "rccl_tests"}: those that the text names."""
    found = {}
    for line in lines:
        if "ersion" not in line:
            continue
        for name, pattern in _VERSIONS:
            said = pattern.search(line)
            if said:
                found.setdefault(name, said.group(1))
        library = _LIBRARY.search(line)
        if library:
            found.setdefault("nccl", release(int(library.group(1))))
    return found


def ranks(lines):
    """How many ranks the log says that a communicator has, or None."""
    return max((int(found) for line in lines if _INFO in line for found in _RANKS.findall(line)), default=None)


def release(code):
    """NCCL's version number as it is spoken of: 22903 is 2.29.3; before 2.9 it was 2804 for 2.8.4."""
    wide = (10000, 100) if code >= 10000 else (1000, 100)
    return "%d.%d.%d" % (code // wide[0], code % wide[0] // wide[1], code % wide[1])


def transport(lines):
    """What carried the data, with the lines that say so, or None where the text holds no such log."""
    told = {"channels": {}, "chosen": [], "begun": [], "providers": [], "using": [], "received": [], "hcas": [],
            "link_layers": [], "gdr": [], "evidence": [], "nvls": False, "multicast": None, "no_device": []}
    for line in lines:
        if _INFO in line and any(word in line for word in _WORDS):
            _hear(told, line.strip(), line[line.index(_INFO) + len(_INFO):])
    if not told["evidence"]:
        return None
    net = _net(told)
    return {"kinds": _kinds(told, net), "net": net, "libfabric_providers": told["providers"],
            "gdrdma": _gdrdma(told), "hcas": told["hcas"], "link_layers": told["link_layers"],
            "no_device": told["no_device"], "multicast": told["multicast"], "channels": told["channels"],
            "evidence": told["evidence"]}


def _hear(told, line, words):
    """Adds what one line of the log says; of the channels, one line a path is evidence enough."""
    channel = _CHANNEL.search(words)
    path = _NUMBER.sub("", channel.group(1).strip()) if channel else None
    said = _SAID.search(words) or _NVLS.search(words)
    fresh = path not in told["channels"] if path else said and words not in told["using"]
    if fresh and len(told["evidence"]) < _MOST:
        told["evidence"].append(line)
    if path and path.startswith("NET/") and "[receive]" in words:
        _add(told["received"], path)
    if path:
        told["channels"][path] = told["channels"].get(path, 0) + 1
    elif said and fresh:
        told["using"].append(words)
    multicast = _MULTICAST.search(words)
    if multicast:
        told["multicast"] = told["multicast"] is not False and not multicast.group(1)
    told["nvls"] = told["nvls"] or bool(_NVLS.search(words))
    told["gdr"] += _HCA_GDR.findall(words)
    _hear_networks(told, words)


def _hear_networks(told, words):
    """Adds the network that a line chooses, its devices, or that it has none."""
    network, using, missing, provider = (pattern.search(words) for pattern in (
        _NETWORK, _USING, _MISSING, _PROVIDER))
    if network:
        _add(told["chosen"], network.group(1))
    elif provider:
        _add(told["providers"], provider.group(1))
    elif using:
        _add(told["begun"], using.group(1))
        for hca, layer in _HCA.findall(using.group(2)):
            _add(told["hcas"], hca)
            _add(told["link_layers"], layer)
    elif missing:
        _add(told["no_device"], missing.group(1))


def _add(known, name):
    if name not in known:
        known.append(name)


def _net(told):
    """The network that carried data, else that chosen, else that begun; Socket wins: such a channel is the slow one."""
    used = [path.split("/")[1] for path in told["channels"] if path.startswith("NET/")]
    for names in (used, told["chosen"], told["begun"]):
        if names:
            return "Socket" if "Socket" in names else names[0]
    return None


def _gdrdma(told):
    """Whether the network writes GPU memory: False as soon as one channel goes through host memory.

    What is received tells: NCCL sends through host memory on purpose where the GPUs have no NVLink.
    """
    used = told["received"] or [path for path in told["channels"] if path.startswith("NET/")]
    if used:
        return all("GDRDMA" in path for path in used)
    return "Disabled" not in told["gdr"] if told["gdr"] else None


def _kinds(told, net):
    """The kinds of transport, by name; where the log names no channel, the network that was chosen."""
    kinds = ["/".join(path.split("/")[:2]) if path.startswith(("NET/", "COLLNET/")) else path.split("/")[0]
             for path in told["channels"]]
    if not kinds and net:
        kinds = ["NET/%s" % net]
    return sorted(set(kinds + (["NVLS"] if told["nvls"] else [])))
