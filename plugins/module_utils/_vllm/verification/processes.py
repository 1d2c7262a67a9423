# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The processes of an engine, as the kernel tells of them: which is which, its CPUs, memory, limits and variables.

PRIVATE to the collection. Processes are found by the control group of their unit, not by their parents: a worker whose
parent died is still the unit's. Where a process is gone meanwhile, the answer is None.
"""

from __future__ import annotations

import re

from ... import _cpulist
from ..placing import tcp_sockets

# cgroup v2, the hybrid layout, and v1: where systemd keeps the groups of units.
_MOUNTS = ("/sys/fs/cgroup", "/sys/fs/cgroup/unified", "/sys/fs/cgroup/systemd")
# vLLM gives its processes titles, VLLM::Worker_PP0_TP3; Ray gives its actors others, ray::RayWorkerProc.execute.
_TITLE = re.compile(r"[^\s:/]+::(APIServer|EngineCore|DPCoordinator|Worker)((?:_[A-Z]*\d+)*)$")
_RAY = re.compile(r"ray::(\w*Worker\w*)(?:\.\w+)?(?:\(.*)?$")
_RANK = re.compile(r"_([A-Z]*)(\d+)")
_LIMITS = {"Max locked memory": "memlock", "Max open files": "nofile", "Max stack size": "stack"}
_STATUS = ("State", "PPid", "Threads", "Cpus_allowed_list", "Mems_allowed_list")
_PAGES = re.compile(r" N(\d+)=(\d+)")
_SIZE = re.compile(r" kernelpagesize_kB=(\d+)")


def of_group(host, group):
    """The process numbers of a control group and of those below it; None where there is no such group."""
    if not group or group == "/":
        return None
    for mount in _MOUNTS:
        folder = mount + group
        if host.exists(folder + "/cgroup.procs"):
            return sorted(_group(host, folder))
    return None


def _group(host, folder):
    found = {int(word) for word in (_text(host, folder + "/cgroup.procs") or "").split() if word.isdigit()}
    for name in host.names(folder):
        if host.is_folder("%s/%s" % (folder, name)):
            found |= _group(host, "%s/%s" % (folder, name))
    return found


def tell(host, pid):
    """{"pid", "title", "role", "ranks", "state", "threads", "cpus", "mems"} of a process, or None if it is gone.

    `role` is api, engine, coordinator, worker or other; `ranks` is {"TP": 0, "PP": 1} as its title says.
    """
    command, status = _text(host, "/proc/%d/cmdline" % pid), _text(host, "/proc/%d/status" % pid)
    if command is None or status is None:
        return None
    told = dict(line.partition(":")[::2] for line in status.split("\n"))
    told = {name: told.get(name, "").strip() for name in _STATUS}
    if told["State"][:1] in ("Z", "X"):
        return None
    title = command.replace("\0", " ").strip()
    role, ranks = of_title(title)
    return {"pid": pid, "title": title[:60] if role != "other" else _program(title), "role": role, "ranks": ranks,
            "parent": int(told["PPid"] or 0), "threads": int(told["Threads"] or 0),
            "cpus": told["Cpus_allowed_list"], "mems": told["Mems_allowed_list"]}


def _program(command):
    """Only the program: the words of a stranger may hold secrets."""
    return command.partition(" ")[0][:60]


def of_title(title):
    """(role, ranks) that a process's title tells."""
    said = _TITLE.match(title)
    if said:
        role = {"APIServer": "api", "EngineCore": "engine", "DPCoordinator": "coordinator", "Worker": "worker"}
        return role[said.group(1)], {name: int(rank) for name, rank in _RANK.findall(said.group(2))}
    return ("worker", {}) if _RAY.match(title) else ("other", {})


def command(host, pid):
    """The words that a process was started with, or None."""
    text = _text(host, "/proc/%d/cmdline" % pid)
    return text.split("\0") if text else None


def limits(host, pid):
    """{"memlock": (soft, hard), "nofile": .., "stack": ..} of a process, infinity for unlimited; None if it is gone."""
    text = _text(host, "/proc/%d/limits" % pid)
    if text is None:
        return None
    found = {}
    for line in text.split("\n"):
        name = next((key for words, key in _LIMITS.items() if line.startswith(words)), None)
        if name:
            found[name] = tuple(_limit(word) for word in line[26:].split()[:2])
    return found


def _limit(word):
    return float("inf") if word == "unlimited" else int(word)


def variables(host, pid, names):
    """Those of these variables that a process was started with, or None where nobody may see; others are never kept.

    A process that gave itself a title wrote over them: ask the main process, which has none, and hands them on.
    """
    try:
        text = host.read_bytes("/proc/%d/environ" % pid)
    except OSError as error:
        if isinstance(error, PermissionError):
            host.note("the variables of process %d cannot be seen without root" % pid)
        return None
    pairs = (pair.decode("utf-8", "replace").partition("=") for pair in text.split(b"\0") if pair)
    return {name: value for name, _equals, value in pairs if name in names}


def pages(host, pid):
    """{"nodes": {NUMA node: bytes}, "policies": [words]} of a process's own memory: anonymous and huge pages.

    Files that are mapped are left out: their pages are where whoever read them first was. None where it cannot be seen.
    """
    text = _text(host, "/proc/%d/numa_maps" % pid)
    if text is None:
        return None
    nodes, policies = {}, set()
    for line in text.split("\n"):
        words = line.split(" ", 2)
        if len(words) < 3 or "file=" in words[2] and " huge" not in words[2]:
            continue
        size = _SIZE.search(line)
        for node, count in _PAGES.findall(line) if size else ():
            nodes[int(node)] = nodes.get(int(node), 0) + int(count) * int(size.group(1)) * 1024
            policies.add(words[1])
    return {"nodes": nodes, "policies": sorted(policies)}


def listens(host, place, pids):
    """Whether one of these processes has the TCP place, (address, port): True, False, or None: nobody seems to.

    An engine in a container with a network of its own is seen by nobody here.
    """
    sockets = tcp_sockets.in_the_way(host, *place)
    if not sockets:
        return None
    seen = False
    for pid in pids:
        folder = "/proc/%d/fd" % pid
        try:
            names = host.listing(folder)
        except OSError:
            continue
        seen = True
        if any(host.link("%s/%s" % (folder, name)) in sockets for name in names):
            return True
    return False if seen else None


def isolated(host):
    """The CPUs that the kernel balances no threads over."""
    try:
        return set(_cpulist.parse(host.text("/sys/devices/system/cpu/isolated") or ""))
    except ValueError:
        return set()


def _text(host, path):
    try:
        return host.read(path)
    except OSError as error:
        if isinstance(error, PermissionError):
            host.note("%s: %s" % (path, error.strerror))
        return None
