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
    """[(target, path, fields)] of the devices that are here; no path where one has no Ethernet port."""
    found = []
    for device in options.get(row.devices) or ():
        if host.exists("%s/%s" % (RDMA, device)):
            path = "%s/%s/ports/*/%s" % (ROOT, device, row.name.partition("/")[2]) if _ports(host, device) else None
            found.append(("%s/%s" % (device, row.name), path, {"device": device}))
    return found


def _ports(host, device):
    """The RoCE ports of a device; for InfiniBand the subnet manager decides."""
    folder = "%s/%s/ports" % (RDMA, device)
    return sorted((port for port in host.names(folder)
                   if port.isdigit() and host.text("%s/%s/link_layer" % (folder, port)) == "Ethernet"), key=int)


def read(host, target, path):
    """The value of all ports, or "1=0 2=106" where they differ; "" where a check cannot see it."""
    device = target.partition("/")[0]
    if not host.exists("%s/%s" % (RDMA, device)):
        raise FileNotFoundError(errno.ENOENT, "there is no such device any more", path)
    return _values(host, device, path)


def _values(host, device, path):
    """What the folder shows. Where there is none, one is made for the moment, unless this host is only to be read."""
    folder = "%s/%s" % (ROOT, device)
    if not host.is_folder(ROOT):
        return ""
    made = not host.is_folder(folder)
    if made and host.read_only:
        return ""
    try:
        if made:
            host.make_folder(folder)
        each = {port: host.read(path.replace("*", port)) for port in _ports(host, device)}
    finally:
        if made:
            host.remove_folder(folder)
    if len(set(each.values())) == 1:
        return next(iter(each.values()))
    return " ".join("%s=%s" % pair for pair in each.items())


def in_force(host, row, target, path):
    """(path, text): the value, after the word "absent" where the device has no folder yet."""
    value = read(host, target, path)
    if host.is_folder("%s/%s" % (ROOT, target.partition("/")[0])):
        return path, value
    return path, " ".join([_ABSENT, value or "0"])


def satisfied(running, wanted):
    """Whether the value is the wanted one; without the module there is none, which is as good as before us."""
    if wanted.startswith(_ABSENT):
        return running in ("", wanted.partition(" ")[2])
    return running == wanted


def write(host, target, path, text):
    """Give all ports the value, or each its own. Of an original without a folder, ours goes."""
    device = target.partition("/")[0]
    folder, absent = "%s/%s" % (ROOT, device), text.startswith(_ABSENT)
    text = text.partition(" ")[2] if absent else text
    if absent and not host.is_folder(ROOT):
        return
    _make_ready(host)
    if not host.is_folder(folder):
        host.make_folder(folder)
    each = dict(word.split("=", 1) for word in text.split() if "=" in word)
    for port in _ports(host, device):
        host.write_value(path.replace("*", port), each.get(port, text))
    if absent:
        host.remove_folder(folder)


def _make_ready(host):
    """Have configfs mounted and rdma_cm loaded. Raises OSError."""
    for place, command in ((CONFIGFS, ["mount", "-t", "configfs", "none", CONFIGFS]), (ROOT, ["modprobe", "rdma_cm"])):
        if not (host.is_folder(ROOT) or (place == CONFIGFS and host.names(CONFIGFS))):
            _start(host, command)
    if not host.is_folder(ROOT):
        raise OSError(errno.EOPNOTSUPP, "the module rdma_cm is loaded, but shows nothing in configfs")


def _start(host, command):
    try:
        status, _output, errors = host.run(command)
    except CommandNotRun as error:
        raise OSError(errno.EIO, str(error))
    if status:
        raise OSError(errno.EIO, "%s: %s" % (" ".join(command), errors.strip() or "exit status %d" % status))


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
