# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Units of systemd, and Podman's quadlets, that run something on GPUs or are assigned to our slice.

PRIVATE to the collection. Read from their files, so a service that is stopped just now counts too.
"""

from __future__ import annotations

import re

from . import unit_files

_QUADLETS = ("/etc/containers/systemd", "/run/containers/systemd", "/usr/share/containers/systemd")
_RUNS = ("ExecStart", "Exec", "Image", "AddDevice", "PodmanArgs")
_KEYS = frozenset(_RUNS) | {"Slice", "CPUAffinity", "AllowedCPUs"}
# Inference servers: many threads, which nobody pins one by one.
SERVER = re.compile(r"vllm|sglang|tritonserver|trtllm|text-generation|lmdeploy|ollama|llama-server", re.IGNORECASE)
_CONTAINER = re.compile(r"--gpus[ =]|(?:nvidia|amd)\.com/gpu")
_COMPUTES = re.compile(SERVER.pattern + "|torchrun|deepspeed", re.IGNORECASE)
_ON_GPUS = re.compile("%s|%s|/dev/nvidia[0-9]|/dev/kfd" % (_COMPUTES.pattern, _CONTAINER.pattern), re.IGNORECASE)
# They look at GPUs, and their threads do not matter; but a command that asks nvidia-smi first can compute afterwards.
_WATCHERS = re.compile(r"exporter|dcgm|nvidia-smi|persistenced|fabricmanager|hostengine|node_exporter", re.IGNORECASE)
_WORTH_READING = re.compile(_ON_GPUS.pattern + r"|gpuwright", re.IGNORECASE)
_OURS = re.compile(r"gpuwright(-[\w.:\\-]+)?\.slice\Z")


def read(host):
    """[{"unit", "slice", "ours", "on_gpus", "server", "command", "affinity", "allowed"}], sorted by the unit's name.

    "server" is an inference server or a container, whose threads nobody pins one by one. "slice" is "system.slice"
    where the files name none; "affinity" and "allowed" are what CPUAffinity and AllowedCPUs were last set to, "" for
    nothing.
    """
    found = []
    for unit in _names(host):
        lines = unit_files.assignments(host, unit, _KEYS)
        if lines:
            found.append(_described(unit, lines))
    known = {one["unit"] for one in found}
    for path in _quadlets(host):
        unit = re.sub(r"\.container$", ".service", path.rpartition("/")[2])
        if unit not in known:
            found.append(_described(unit, _quadlet_lines(host, path)))
    return sorted((one for one in found if one["ours"] or one["on_gpus"]), key=lambda one: one["unit"])


def _described(unit, lines):
    last = {line["key"]: line["value"] for line in lines}
    command = " ".join(line["value"] for line in lines if line["key"] in _RUNS)
    told = "%s %s" % (unit, command)
    chosen = last.get("Slice") or "system.slice"
    works = _WATCHERS.search(told) is None or (
        _WATCHERS.search(unit) is None and _COMPUTES.search(command) is not None)
    return {"unit": unit, "slice": chosen, "ours": _OURS.match(chosen) is not None,
            "on_gpus": works and _ON_GPUS.search(told) is not None,
            "server": works and (SERVER.search(told) or _CONTAINER.search(told)) is not None,
            "command": command, "affinity": last.get("CPUAffinity", ""), "allowed": last.get("AllowedCPUs", "")}


def _names(host):
    """The services that a file or a drop-in makes worth a closer look. A file that a link to /dev/null hides is not."""
    names = set()
    for folder in unit_files.FOLDERS:
        for name in host.names(folder):
            if name.endswith(".service") and _mentions(host, name, "%s/%s" % (folder, name)):
                names.add(name)
            elif name.endswith(".service.d"):
                inside = ("%s/%s/%s" % (folder, name, conf) for conf in host.names("%s/%s" % (folder, name)))
                if any(path.endswith(".conf") and _mentions(host, name, path) for path in inside):
                    names.add(name[:-len(".d")])
    return sorted(names)


def _mentions(host, name, path):
    return _WORTH_READING.search(name) is not None or _WORTH_READING.search(_text(host, path)) is not None


def _quadlets(host):
    """The quadlets of containers; a name in an earlier folder hides it in later ones."""
    chosen = {}
    for folder in _QUADLETS:
        for name in host.names(folder):
            if name.endswith(".container"):
                chosen.setdefault(name, "%s/%s" % (folder, name))
    return [chosen[name] for name in sorted(chosen)]


def _quadlet_lines(host, path):
    """What a quadlet assigns, in the form of unit_files.assignments."""
    joined = re.sub(r"\\\n\s*", " ", _text(host, path))
    pairs = re.findall(r"^[ \t]*(\w+)[ \t]*=[ \t]*(.*)$", joined, re.M)
    return [{"key": key, "value": value, "file": path} for key, value in pairs if key in _KEYS]


def _text(host, path):
    """The text of a file, "" for one that is not there or not for us."""
    try:
        return host.read(path)
    except OSError:
        return ""
