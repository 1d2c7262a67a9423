# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts a program on the CPUs and the memory node of its GPU; for each process of a job, under torchrun, srun, mpirun.

PRIVATE to the collection. Nothing else of the program is changed: it keeps its environment and its process, and with
that signals and exit status. CPUs and nodes are those of /etc/gpuwright/affinity.json, which role cpu_isolation writes,
or where there is none, the GPU's share of the CPUs near it.
"""

from __future__ import annotations

import errno
import json
import sys

from .. import _cpulist, _process
from .._derive import affinity
from .._host import Host
from .._topology.node import read_topology
from . import visible
from .cannot_do import CannotDo

AFFINITY = "/etc/gpuwright/affinity.json"
_NO_CPUS = ("the CPUs of GPU %s are %s, and the control group of this process leaves it only %s (Slurm: "
            "--gres-flags=enforce-binding gives a job CPUs near its GPUs; cpu_isolation: start it in gpuwright.slice)")
_ISOLATED = ("CPUs %s are isolated by the kernel, which does not balance threads between them: all threads of the "
             "program stay on one, unless it pins each itself")


def arguments(parser):
    """Its own words."""
    parser.usage = "gpuwright bind [--local-rank N] [--gpu INDEX] [--cpus near|share] [--membind] [--dry-run] -- " \
                   "COMMAND [ARGUMENT ...]"
    parser.add_argument("--local-rank", type=int, metavar="N",
                        help="which process of this node it is: rank N gets the Nth GPU that it may see (default: %s)"
                             % ", ".join(visible.LAUNCHERS))
    parser.add_argument("--gpu", metavar="INDEX", help="the GPU, whatever the rank: its number among the visible ones, "
                                                       "its UUID or PCI address")
    parser.add_argument("--cpus", choices=("share", "near"), default="share",
                        help="share: whole cores, divided among the GPUs that are near them; near: all of those CPUs")
    parser.add_argument("--membind", action="store_true",
                        help="take memory from that node only, and fail where it is full; otherwise it is preferred")
    parser.add_argument("--dry-run", action="store_true", help="say what would be set, and start nothing")
    parser.add_argument("command", nargs="...", metavar="COMMAND", help="the program, after --")


def run(args, say):
    """Bind this process and become the program; returns only if that cannot be started: 126 or 127, as a shell does."""
    if not args.command and not args.dry_run:
        raise CannotDo("which program? As in: gpuwright bind --local-rank 0 -- python3 train.py")
    host, environment = Host(args.sysroot), _process.environment()
    try:
        place, notes = _place(host, args, environment)
        if args.dry_run:
            say(_words(place))
        elif host.live:
            notes += _bind(place, args.membind)
        else:
            raise CannotDo("--sysroot %s: only this machine's programs can be bound; --dry-run shows what would be"
                           % args.sysroot)
    except visible.NoGpu as error:
        raise CannotDo(str(error))
    for note in notes:
        _warn(note)
    return 0 if args.dry_run else _become(args.command, environment)


def _warn(words):
    """To standard error: standard output is the program's."""
    sys.stderr.write("gpuwright bind: %s\n" % words)
    sys.stderr.flush()


def _place(host, args, environment):
    """({gpu, cpus, nodes}, notes): what to bind to; `cpus` is None where it is not to be bound."""
    topology = read_topology(host, ("system", "cpu", "numa_nodes", "gpus"))
    gpu = visible.chosen(topology["gpus"], environment, args.local_rank, args.gpu)
    allowed = _process.cpus() if host.live else set(_cpulist.parse(topology["cpu"]["online"] or ""))
    isolated = set(_cpulist.parse(topology["cpu"].get("isolated") or ""))
    shares, note = _published(host) if args.cpus == "share" else (None, None)
    notes = [note] if note else []
    if shares is not None:
        place, words = _divided(gpu, shares, allowed)
    else:
        seen, _by = visible.visible(topology["gpus"], environment)
        place, words = _near(topology, gpu, seen, (allowed, isolated), args.cpus)
    both = (place["cpus"] or set()) & isolated
    if len(both) > 1:
        notes.append(_ISOLATED % _cpulist.format(both))
    return place, notes + words


def _divided(gpu, shares, allowed):
    """(place, notes) by the published division."""
    mine = next((one for one in shares if _is_it(one, gpu)), None)
    if mine is None:
        return {"gpu": gpu, "cpus": None, "nodes": []}, [
            "%s has no CPUs for GPU %s: it is not bound" % (AFFINITY, gpu["pci_address"])]
    cpus = _allowed(gpu, set(_cpulist.parse(mine["cpus"])), allowed)
    return {"gpu": gpu, "cpus": cpus, "nodes": mine["memory_nodes"]}, []


def _near(topology, gpu, seen, sets, wish):
    """(place, notes) by the CPUs near the GPU; of a control group's, those that the GPUs of its own job share."""
    allowed, isolated = sets
    near = set(_cpulist.parse(gpu["cpus"] or ""))
    near = near - isolated or near
    if not near:
        return {"gpu": gpu, "cpus": None, "nodes": []}, [
            "GPU %s: the kernel does not say which CPUs are near it: it is not bound" % gpu["pci_address"]]
    cpus = _allowed(gpu, near, allowed)
    if wish == "share":
        others = topology["gpus"] if near <= allowed else seen
        cpus = _share(topology, gpu, [one for one in others if one["cpus"] == gpu["cpus"]], cpus)
    return {"gpu": gpu, "cpus": cpus, "nodes": _nodes(topology, gpu, cpus)}, []


def _published(host):
    """(the GPUs of affinity.json or None, a note)."""
    if not host.exists(AFFINITY):
        return None, None
    try:
        told = json.loads(host.read(AFFINITY))
        shares = list(told["gpus"].values())
        if told["schema"] != affinity.SCHEMA:
            return None, "%s is of another version: not used" % AFFINITY
        if any(_cpulist.parse(one["cpus"]) is None or not all(isinstance(node, int) for node in one["memory_nodes"])
               for one in shares):
            raise ValueError("memory_nodes")
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        return None, "%s is not used: %s" % (AFFINITY, getattr(error, "strerror", None) or "it is damaged")
    return shares, None


def _is_it(share, gpu):
    """Whether a share is this GPU's: numbers change when a GPU is lost, addresses do not."""
    return share["pci_address"] == gpu["pci_address"] if share.get("pci_address") else share.get("uuid") == gpu["uuid"]


def _allowed(gpu, cpus, allowed):
    """Those of some CPUs that this process may use. Raises CannotDo for none."""
    both = cpus & allowed
    if not both:
        raise CannotDo(_NO_CPUS % (gpu["pci_address"], _cpulist.format(cpus), _cpulist.format(allowed)))
    return both


def _share(topology, gpu, gpus, cpus):
    """The part of some CPUs that is this GPU's of those that share them: whole cores, one after the other."""
    cores = [set(_cpulist.parse(core["cpus"])) & cpus for core in topology["cpu"]["cores"] or ()]
    cores = [core for core in cores if core]
    known = set().union(*cores) if cores else set()
    cores += [{cpu} for cpu in sorted(cpus - known)]
    turn = [one["pci_address"] for one in gpus].index(gpu["pci_address"]) if gpu in gpus else 0
    number = max(1, len(gpus))
    if len(cores) < number:
        return cpus
    return set().union(*cores[turn * len(cores) // number:(turn + 1) * len(cores) // number])


def _nodes(topology, gpu, cpus):
    """The memory nodes for these CPUs, never those of a GPU's own memory."""
    partition = {"housekeeping": "", "workload": "", "gpus": {str(gpu["index"]): _cpulist.format(cpus)}}
    try:
        return affinity.affinity(topology, partition)["gpus"][str(gpu["index"])]["memory_nodes"]
    except ValueError as error:
        raise CannotDo(str(error))


def _bind(place, strict):
    """Set CPUs and memory; returns notes on what could only be preferred and was not. Raises CannotDo."""
    if place["cpus"] is None:
        return []
    try:
        _process.bind_cpus(place["cpus"])
    except OSError as error:
        raise CannotDo("CPUs %s: %s" % (_cpulist.format(place["cpus"]), error.strerror))
    nodes = [node for node in place["nodes"] if node in _process.memory_nodes()]
    if nodes:
        try:
            _process.bind_memory(nodes, strict)
            return []
        except OSError as error:
            words = "memory of NUMA node %s: %s" % (_cpulist.format(nodes), error.strerror)
    else:
        words = "this process may take no memory from NUMA node %s" % _cpulist.format(place["nodes"])
    if strict:
        raise CannotDo(words + " (a container needs the capability SYS_NICE for it)")
    return [words + ": left as it is"] if place["nodes"] else []


def _words(place):
    """A place in words."""
    if place["cpus"] is None:
        return "GPU %s: not bound" % place["gpu"]["pci_address"]
    return "GPU %s: CPUs %s, memory of NUMA node %s" % (
        place["gpu"]["pci_address"], _cpulist.format(place["cpus"]), _cpulist.format(place["nodes"]) or "(any)")


def _become(command, environment):
    try:
        _process.become(command, environment)
    except OSError as error:
        _warn("%s: %s" % (command[0], error.strerror))
        return 127 if error.errno == errno.ENOENT else 126
