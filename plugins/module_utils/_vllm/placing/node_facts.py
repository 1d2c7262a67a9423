# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What else of a node matters to an engine: tools and container engines, shared memory, ports, CPU sets, addresses.

PRIVATE to the collection. What cannot be read is None and has a note, never a guess.
"""

from __future__ import annotations

import json
import re

from ... import _cpulist
from ..._host import CommandNotRun
from ..._owners import systemd_conf, unit_files
from . import tcp_sockets
from .node_gpus import group, instance_of

_CGROUP = "/sys/fs/cgroup"
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
_CDI = ("/etc/cdi", "/var/run/cdi")
_KIND = re.compile(r"^\s*\"?kind\"?:\s*\"?([\w.-]+/[\w.-]+)\"?", re.M)
_DEVICES = re.compile(r"^( *)- (?:containerEdits:|name:)", re.M)
_NAME = re.compile(r"^\s*(?:- )?\"?name\"?:\s*\"?([\w:.-]+)\"?,?\s*$", re.M)
_MATTERS = {"LimitMEMLOCK", "CPUAffinity", "AllowedCPUs"}


def tools(host):
    """{"numactl", "nvidia-ctk": path or None, "podman": version or None, "docker": version or None}."""
    found = {"numactl": _program(host, "numactl")}
    found["nvidia-ctk"] = _program(host, "nvidia-ctk")
    for name in ("podman", "docker"):
        found[name] = _version(host, name) if _program(host, name) else None
    return found


def _program(host, name):
    return next(("%s/%s" % (folder, name) for folder in _FOLDERS if host.exists("%s/%s" % (folder, name))), None)


def _version(host, name):
    """"4.9.3" of "podman version 4.9.3" and of "Docker version 27.1.1, build 6312585"; "unknown" if it does not say."""
    try:
        _status, output, _errors = host.run([name, "--version"], changes=False)
    except CommandNotRun as error:
        host.note(str(error))
        return "unknown"
    told = re.search(r"\bversion v?(\d+(?:\.\d+)+)", output)
    return told.group(1) if told else "unknown"


def cdi(host):
    """{kind: [names]} of the specifications for containers on this node, in JSON or YAML as nvidia-ctk writes it."""
    found = {}
    for folder in _CDI:
        for name in host.names(folder):
            if name.endswith((".json", ".yaml", ".yml")):
                kind, names = _specification(host.text("%s/%s" % (folder, name)) or "")
                if kind:
                    found.setdefault(kind, []).extend(one for one in names if one not in found.get(kind, ()))
    return found


def _specification(text):
    if text.lstrip().startswith("{"):
        try:
            told = json.loads(text)
            return told.get("kind"), [str(one["name"]) for one in told.get("devices") or ()]
        except (ValueError, KeyError, TypeError, AttributeError):
            return None, []
    kind = _KIND.search(text)
    inside = re.search(r"^devices:\s*$(.*?)(?=^\S(?<!-)|\Z)", text, re.M | re.DOTALL)
    return (kind.group(1) if kind else None), (_NAME.findall(inside.group(1)) if inside else [])


def shared_memory(host):
    """The bytes that /dev/shm may hold, or None. Where its options name no size it is half of the memory (tmpfs)."""
    for line in (host.text("/proc/mounts") or "").splitlines():
        words = line.split()
        if len(words) > 3 and words[1] == "/dev/shm":
            size = re.search(r"(?:^|,)size=(\d+)([kmg]?)", words[3])
            if size:
                return int(size.group(1)) << {"": 0, "k": 10, "m": 20, "g": 30}[size.group(2)]
            total = re.search(r"^MemTotal:\s*(\d+) kB", host.text("/proc/meminfo") or "", re.M)
            return int(total.group(1)) * 1024 // 2 if total else None
    return None


def remove_ipc(host):
    """Whether systemd-logind removes a user's shared memory when the last session ends; its own default is yes."""
    if not host.exists("/run/systemd/system"):
        return None
    given = systemd_conf.assignments(host, "logind.conf", ("RemoveIPC",))
    return (given[-1]["value"].strip().lower() if given else "yes") in ("yes", "true", "1", "on")


def system_users(host):
    """The users of whom RemoveIPC spares everything: system accounts. {name: uid} of /etc/passwd."""
    found = {}
    for line in (host.text("/etc/passwd") or "").splitlines():
        words = line.split(":")
        if len(words) > 2 and words[2].isdigit():
            found[words[0]] = int(words[2])
    return found


def cpu_sets(host, isolated, slices):
    """{"slices": {slice: CPUs}, "partitions": {slice: word}, "isolated"}: what is in force, else what is configured."""
    found = {"slices": {}, "partitions": {}, "isolated": isolated or ""}
    for name in slices:
        folder = "%s/%s" % (_CGROUP, "/".join(_path(name)))
        cpus = host.text(folder + "/cpuset.cpus")
        if cpus is None:
            given = unit_files.assignments(host, name, {"AllowedCPUs"})
            cpus = given[-1]["value"] if given else ""
        try:
            found["slices"][name] = _cpulist.format(_cpulist.parse(cpus.replace(" ", ",")))
        except ValueError as error:
            host.note("%s: AllowedCPUs: %s" % (name, error))
        found["partitions"][name] = host.text(folder + "/cpuset.cpus.partition")
    return found


def overrides(host, unit, ours):
    """{key: {"value", "file"}} of what drop-ins that are not `ours` set last for a unit, of what matters to an engine.

    An empty value of theirs takes back what came before.
    """
    found = {}
    for line in unit_files.assignments(host, unit, _MATTERS):
        if line["name"] == ours or "/%s@.service" % unit.partition("@")[0] in line["file"]:
            found.pop(line["key"], None)
        else:
            found[line["key"]] = {"value": line["value"], "file": line["file"]}
    return {key: told for key, told in found.items() if told["value"]}


def _path(name):
    """A slice's folders: a-b.slice lies in a.slice."""
    parts = name[:-len(".slice")].split("-")
    return ["-".join(parts[:count]) + ".slice" for count in range(1, len(parts) + 1)]


def addresses(host, recorded):
    """{address: interface} of every interface, bonds and bridges too; {} where nobody tells them."""
    try:
        text = host.run(["ip", "-j", "address", "show"], changes=False)[1] if host.live else host.text(recorded)
        links = json.loads(text) if text else []
    except (CommandNotRun, ValueError) as error:
        host.note("addresses of interfaces: %s" % error)
        return {}
    return {one["local"]: link["ifname"] for link in links if "ifname" in link for one in link.get("addr_info") or ()
            if "local" in one}


def listeners(host, places):
    """{(address, port): {"who", "ours"}} of those of some places where somebody else's socket is in the way."""
    barred = {place: tcp_sockets.in_the_way(host, *place) for place in places}
    found = {place: {"who": "a process that cannot be told without root", "ours": None}
             for place, sockets in barred.items() if sockets}
    names = {}
    for pid in [name for name in host.names("/proc") if name.isdigit()] if found else ():
        opened = set(_open(host, pid))
        for place in [place for place in found if opened & barred[place]]:
            comm = "".join(_lines(host, "/proc/%s/comm" % pid)[:1])
            found[place] = {"who": "process %s (%s)" % (pid, comm),
                            "ours": instance_of(host, group(host, pid), names)}
    return found


def _open(host, pid):
    try:
        return [host.link("/proc/%s/fd/%s" % (pid, number)) for number in host.listing("/proc/%s/fd" % pid)]
    except OSError:
        return []


def _lines(host, path):
    try:
        return host.read(path).splitlines()
    except OSError:
        return []
