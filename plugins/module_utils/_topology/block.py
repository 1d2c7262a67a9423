# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads block devices and what is mounted: the device that a filesystem sits on, down to the drives below it.

PRIVATE to the collection. Names are those of /sys/class/block, where a / in a name is a !. Nothing is cached: drives
come and go.
"""

from __future__ import annotations

import errno
import re

CLASS = "/sys/class/block"
MOUNTS = "/proc/self/mountinfo"
_NAMESPACE = re.compile(r"nvme\d+n\d+\Z")
_NETWORK = re.compile(r"(nfs4?|lustre|ceph|cifs|smb3|9p|glusterfs|fuse\.glusterfs|beegfs|gpfs|wekafs|afs)\Z")
# A file of a device, or of what is behind it, that says which device it is wherever it is plugged in.
_IDENTITIES = ("wwid", "device/wwid", "dm/uuid", "serial")


def disks(host):
    """Every block device with a queue of its own: no partitions, and no hidden path of an NVMe multipath device."""
    return [name for name in host.names(CLASS) if host.exists("%s/%s/queue" % (CLASS, name))
            and not host.exists("%s/%s/partition" % (CLASS, name)) and _read(host, name, "hidden") != "1"]


def namespaces(host):
    """The NVMe namespaces that can be used: drives, and the heads of multipath ones."""
    return sorted((name for name in disks(host) if _NAMESPACE.match(name)), key=_numbers)


def _numbers(name):
    return [int(piece) if piece.isdigit() else piece for piece in re.split(r"([0-9]+)", name)]


def mounts(host):
    """{mount point: {"number", "type", "source"}} of what is mounted there last; "number" is MAJOR:MINOR."""
    found = {}
    try:
        lines = host.read(MOUNTS).splitlines()
    except OSError as error:
        if error.errno != errno.ENOENT:
            host.note("%s: %s" % (MOUNTS, error.strerror))
        return found
    for line in lines:
        left, _dash, right = line.partition(" - ")
        words, what = left.split(" "), right.split(" ")
        if len(words) >= 6 and len(what) >= 2:
            found[_plain(words[4])] = {"number": words[2], "type": what[0], "source": _plain(what[1])}
    return found


def _plain(text):
    """A word of mountinfo: blanks and the like are octal there."""
    return re.sub(r"\\([0-7]{3})", lambda octal: chr(int(octal.group(1), 8)), text)


def is_network(mount):
    """Whether a filesystem's files are on another machine."""
    return bool(_NETWORK.match(mount["type"]))


def top(host, mount):
    """The whole block device that a filesystem sits on, or None: no partition, for those have no queue."""
    name = host.real("/sys/dev/block/" + mount["number"]).rpartition("/")[2]
    if ":" in name or not host.exists("%s/%s" % (CLASS, name)):
        return None
    return whole(host, name)


def whole(host, name):
    """The device that a partition is part of; any other is itself."""
    if not host.exists("%s/%s/partition" % (CLASS, name)):
        return name
    return host.real("%s/%s" % (CLASS, name)).split("/")[-2]


def members(host, name):
    """The whole devices that md or dm has made a device of; none for a drive."""
    return sorted({whole(host, part) for part in host.names("%s/%s/slaves" % (CLASS, name))})


def drives(host, name):
    """The drives at the bottom of a device: itself, or those below it."""
    below = members(host, name)
    return sorted({drive for one in below for drive in drives(host, one)}) if below else [name]


def on_nvme(host, name):
    """Whether all that a device rests on is NVMe."""
    return all(_NAMESPACE.match(drive) for drive in drives(host, name))


def volumes(host):
    """{device: [mount points]} of the filesystems that rest on NVMe."""
    found = {}
    for point, mount in sorted(mounts(host).items()):
        device = top(host, mount)
        if device and on_nvme(host, device):
            found.setdefault(device, []).append(point)
    return found


def raid(host, name):
    """{"level", "chunk_kb", "members", "degraded"} of an md array, None for anything else."""
    level = _read(host, name, "md/level")
    if level is None:
        return None
    chunk = _read(host, name, "md/chunk_size") or "0"
    return {"level": level, "chunk_kb": int(chunk) // 1024 if chunk.isdigit() else 0, "members": members(host, name),
            "degraded": (_read(host, name, "md/degraded") or "0") != "0"}


def mapped(host, name):
    """The name that device mapper (LVM, encryption, multipath) gives a device, or None."""
    return _read(host, name, "dm/name")


def page_kb(host):
    """The size of a page, in which the kernel keeps read-ahead."""
    try:
        text = host.read_bytes("/proc/self/smaps", 4096).decode("ascii", "replace")
    except OSError:
        text = ""
    found = re.search(r"^KernelPageSize: +(\d+) kB", text, re.M)
    return int(found.group(1)) if found else 4


def numa_node(host, drive):
    """The NUMA node of a drive as a number, None where the kernel does not know."""
    for path in ("device/numa_node", "device/device/numa_node"):
        text = _read(host, drive, path)
        if text and text.isdigit():
            return int(text)
    return None


def identity(host, name):
    """A condition of udev's that is met by this device whatever its name will be; by its name where nothing else is.

    To be the only one with an identity takes a look at all others: it is kept between two changes.
    """
    key = ("block identity", name)
    if key not in host.facts:
        host.facts[key] = _identity(host, name)
    return host.facts[key]


def _identity(host, name):
    number = _read(host, name, "dev")
    array = re.search(r"^E:MD_UUID=(\S+)$", _text(host, "/run/udev/data/b%s" % number) or "", re.M)
    if array:
        return 'ENV{MD_UUID}=="%s"' % _literal(array.group(1))
    for path in _IDENTITIES:
        text = _read(host, name, path)
        if text and not any(_read(host, other, path) == text for other in disks(host) if other != name):
            return 'ATTR{%s}=="%s"' % (path, _literal(text))
    return 'KERNEL=="%s"' % _literal(name.replace("!", "/"))


def _literal(text):
    """A text in a pattern of udev's, which knows no escapes: what it would not take as it stands is any character."""
    return re.sub(r'[*?\[\]|"\\$%\s]', "?", text)


def named_by(host, condition):
    """The device that meets a condition of `identity`, or None."""
    return next((name for name in disks(host) if identity(host, name) == condition), None)


def _read(host, name, path):
    return _text(host, "%s/%s/%s" % (CLASS, name, path))


def _text(host, path):
    """The text of a file, stripped; None where there is none or it cannot be read."""
    try:
        return host.read(path).strip()
    except OSError:
        return None
