# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules on block devices: what volumes consist of, and whether read-ahead is set where it counts, and for good.

PRIVATE to the collection.
"""

from __future__ import annotations

import re

from .._owners import udev_rules
from .._topology import block
from .finding import finding

_AHEAD = "queue/read_ahead_kb"
_LIMIT = "queue/max_sectors_kb"
# Writing one of them makes the kernel compute read-ahead anew, and raise it.
_LIMITS = ("max_sectors_kb", "max_discard_segments", "discard_max_bytes", "write_cache", "rotational")
_KERNELS = 128
_STRATEGY = re.compile(r"--safetensors[-_]load[-_]strategy[= ](\w+)")


def withheld(view, options, names):
    """{name: why} of what every drive, or every volume, is to have, where there is none."""
    found = {}
    if options.get("nvme_devices") is None and not block.namespaces(view.host):
        found.update({name: "there is no NVMe drive here" for name in names if name != _AHEAD})
    if _AHEAD in names and options.get("nvme_volumes") is None and not block.volumes(view.host):
        found[_AHEAD] = "no filesystem that is mounted here rests on an NVMe drive"
    return found


def volumes(view):
    """What the volumes whose read-ahead is set consist of, and where it lies."""
    mounts, found = block.mounts(view.host), []
    for step in view.steps:
        if step["name"] == _AHEAD and "_restore" not in step and step["_path"]:
            points = [name for name in step["_fields"]["names"] if name in mounts]
            device = step["_fields"]["device"]
            what = "another machine" if device in mounts else _made_of(view.host, device)
            types = sorted({mounts[point]["type"] for point in points})
            found.append(finding("volume", "I", None, "%s: %son %s" % (
                ", ".join(points) or device, "".join(one + " " for one in types), what)))
    return found


def _made_of(host, device):
    """A device in words: its level, chunk and members, and the NUMA nodes of the drives at the bottom."""
    words, array = device, block.raid(host, device)
    if array:
        words += ", %s of %s" % (array["level"], ", ".join(array["members"]))
        words += ", chunk %d kB" % array["chunk_kb"] if array["chunk_kb"] else ""
        words += ", degraded" if array["degraded"] else ""
    elif block.mapped(host, device):
        words += " (%s), of %s" % (block.mapped(host, device), ", ".join(block.members(host, device)))
    nodes = {block.numa_node(host, drive) for drive in block.drives(host, device)}
    known = sorted(str(node) for node in nodes if node is not None)
    return words + ("; NUMA node %s" % " and ".join(known) if known and None not in nodes else "; NUMA node unknown")


def limited_by_hardware(view):
    """A request size that is asked for and that a drive cannot have, or has already."""
    found = []
    for step in view.steps:
        sizes = re.match(r"(\d+) of at most (\d+)$", step["running"] or "") if step["name"] == _LIMIT else None
        if sizes is None or "_restore" in step or step["desired"] == "max":
            continue
        now, most, asked = int(sizes.group(1)), int(sizes.group(2)), int(step["desired"])
        if asked > most:
            words = "%d is asked for, and its hardware's limit is %d (max_hw_sectors_kb): it gets that" % (asked, most)
        elif asked < now:
            words = "%d is asked for, and it has %d, which is not lowered" % (asked, now)
        else:
            continue
        found.append(finding("clamp", "I", step["name"], "%s: %s" % (step["target"], words)))
    return found


def r32_read_ahead(view):
    """Read-ahead counts on the device that a filesystem sits on, and any limit that is written later can raise it."""
    ahead = [step for step in view.steps if step["name"] == _AHEAD and "_restore" not in step and step["_path"]]
    found, below = [], {}
    for device in {block.top(view.host, mount) for mount in block.mounts(view.host).values()} - {None}:
        below.update((member, device) for member in _all_members(view.host, device))
    for step in ahead:
        device = step["_fields"]["device"]
        if device in below:
            found.append(finding("R32", "W", _AHEAD, "%s is part of %s, and read-ahead counts there: name its mount "
                                 "point in nvme_volumes instead" % (device, below[device])))
    for item in udev_rules.assignments(view.host):
        device, _slash, name = item["key"].partition("/queue/")
        where = "%s:%s" % (item["file"], item["line"])
        if name == "read_ahead_kb" and device in below:
            found.append(finding("R32", "W", None, "%s sets read-ahead of %s, which is part of %s: there it does "
                                 "nothing for files" % (where, device, below[device])))
        elif name in _LIMITS and _comes_after(item, device, ahead):
            found.append(finding("R32", "W", _AHEAD, "%s sets %s of %s after read-ahead, and can raise it"
                                 % (where, name, device)))
    return found


def _all_members(host, device):
    """Everything below a device, at any depth."""
    return {one for member in block.members(host, device) for one in _all_members(host, member) | {member}}


def _comes_after(item, device, ahead):
    """Whether an assignment to a device's queue is carried out after ours to its read-ahead."""
    return any(step["_fields"]["device"] == device and step["file"] and item["file"] != step["file"]
               and (item["last"] or item["name"] > step["file"].rpartition("/")[2]) for step in ahead)


def r32_mapped_over_network(view):
    """A server that maps its model's files page by page from another machine waits for every page."""
    points = [point for point, mount in block.mounts(view.host).items() if block.is_network(mount)]
    found = []
    for server in view.consumers()["servers"] if points else ():
        words = [word.rpartition("=")[2] for word in server["command"].split()]
        on = [point for point in points if any((word + "/").startswith(point.rstrip("/") + "/") for word in words)]
        strategy = _STRATEGY.search(server["command"])
        if on and "vllm" in server["command"] and not (strategy and strategy.group(1) in ("eager", "prefetch")):
            found.append(finding("R32", "W", None, "process %s (%s) maps its model from %s, a network filesystem: "
                                 "--safetensors-load-strategy eager or prefetch reads it in one go"
                                 % (server["pid"], server["comm"], on[0])))
    return found


def r27_by_hand(view):
    """A read-ahead that somebody gave a volume by hand, which the next boot forgets."""
    if any(step["name"] == _AHEAD for step in view.steps):
        return []
    rules, found = udev_rules.assignments(view.host), []
    for device, points in block.volumes(view.host).items():
        folder = "%s/%s/queue/" % (block.CLASS, device)
        now, best, largest = (view.text(folder + name) for name in (
            "read_ahead_kb", "optimal_io_size", "max_sectors_kb"))
        usual = {_KERNELS, 2 * int(best or 0) // 1024, 2 * int(largest or 0)}
        if (now or "").isdigit() and int(now) not in usual and not any(
                item["key"] == "%s/%s" % (device, _AHEAD) for item in rules):
            found.append(finding("R27", "W", None, "read-ahead of %s (%s) is %s kB, and no udev rule says so: the next "
                                 "boot forgets it; nvme_read_ahead_kb keeps it" % (", ".join(points), device, now)))
    return found
