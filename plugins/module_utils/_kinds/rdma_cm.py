# Copyright (c) 2026, gpuwright contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kind rdma_cm: a default that the RDMA connection manager gives to the connections of an RDMA device, in configfs.

PRIVATE to the collection. See _kinds/sysctl.py for what every kind has. The kernel keeps the value by device, whether
or not the device has a folder in configfs; but only a folder shows and changes it. One that we make stays, so that a
check can read the value, and goes when the value is given back. A mount of configfs and the module rdma_cm, which a
first change brings where they are missing, stay until the next boot: others may use them by then.
"""

from __future__ import annotations

import errno

from .._host import CommandNotRun

KEYED_BY = "target"
VOLATILE = True
OWNER = None
ABSENT = "no RDMA device with an Ethernet port is named for it"
CONFIGFS = "/sys/kernel/config"
ROOT = CONFIGFS + "/rdma_cm"
RDMA = "/sys/class/infiniband"
_ABSENT = "absent"


def files(role):
    """There is no file for it."""
    return []


def file(role, target, taken=False):
    """There is no file for it."""
    return None


def devices(host):
    """Every RDMA device."""
    return dict.fromkeys(host.names(RDMA), "an RDMA device")


def places(host, row, options):
    """[(target, path, fields)] of the devices that are here, port by port where one has several; no path for one that
    has no Ethernet port.
    """
    found = []
    for device in options.get(row.devices) or ():
        if not host.exists("%s/%s" % (RDMA, device)):
            continue
        ports = _ports(host, device)
        for port in ports or [None]:
            parts = [device] + ([port] if len(ports) > 1 else []) + [row.name]
            path = "%s/%s/ports/%s/%s" % (ROOT, device, port, row.name.partition("/")[2]) if port else None
            found.append(("/".join(parts), path, {"device": device}))
    return found


def _ports(host, device):
    """The RoCE ports of a device; for InfiniBand the subnet manager decides."""
    folder = "%s/%s/ports" % (RDMA, device)
    return sorted((port for port in host.names(folder)
                   if port.isdigit() and host.text("%s/%s/link_layer" % (folder, port)) == "Ethernet"), key=int)


def read(host, target, path):
    """What is in force, "" where that cannot be seen: without the module, or in a check without a folder.

    Where there is no folder, one is made for the moment, unless this host is only to be read.
    """
    device = target.partition("/")[0]
    if not host.exists("%s/%s" % (RDMA, device)):
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    folder = _folder(target)
    if host.is_folder(folder):
        return host.read(path)
    if host.read_only or not host.is_folder(ROOT):
        return ""
    host.make_folder(folder)
    try:
        return host.read(path)
    finally:
        host.remove_folder(folder)


def _folder(target):
    return "%s/%s" % (ROOT, target.partition("/")[0])


def in_force(host, row, target, path):
    """(path, text): the value, after the word "absent" where the device has no folder yet."""
    value = read(host, target, path)
    return path, value if host.is_folder(_folder(target)) else "%s %s" % (_ABSENT, value or "0")


def satisfied(running, wanted):
    """Whether the value is the wanted one; without the module there is none, which is as good as before us."""
    if wanted.startswith(_ABSENT):
        return running in ("", wanted.partition(" ")[2])
    return running == wanted


def write(host, target, path, text):
    """Put a value in force, or an original back: of one without a folder, ours goes."""
    absent = text.startswith(_ABSENT)
    if absent and not host.is_folder(ROOT):
        return
    _make_ready(host)
    if not host.is_folder(_folder(target)):
        host.make_folder(_folder(target))
    host.write_value(path, text.partition(" ")[2] if absent else text)
    if absent:
        host.remove_folder(_folder(target))


def _make_ready(host):
    """Have rdma_cm loaded and configfs mounted, which systemd does by itself. Raises OSError."""
    said = []
    for command in (["modprobe", "rdma_cm"], ["mount", "-t", "configfs", "none", CONFIGFS]):
        if not host.is_folder(ROOT):
            said.append(_start(host, command))
    if not host.is_folder(ROOT):
        raise OSError(errno.EOPNOTSUPP, "; ".join(word for word in said if word) or "%s does not appear" % ROOT)


def _start(host, command):
    """What a command said; somebody else's mount at the same moment is as good as ours."""
    try:
        _status, output, errors = host.run(command)
    except CommandNotRun as error:
        return str(error)
    return (errors or output).strip()


def plain(text):
    """A value as it is written."""
    return text.strip()


def identity(row, target, path):
    """What names the original in the journal."""
    return "rdma_cm:" + target


def others(host):
    """Nobody else persists it."""
    return []


def rival(settled, row, target, path, ours, value):
    """See `others`."""
    return None


def before_us(settled, target, ours):
    """No raise-only setting lives here."""
    return None
